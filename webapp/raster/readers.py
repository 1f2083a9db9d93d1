"""Rasters kept open: opening one costs as much as a tile."""

import threading
from collections import OrderedDict
from pathlib import Path

from webapp.errors import BadRaster
from webapp.raster import remote
from webapp.raster.mosaic.document import SUFFIX
from webapp.raster.mosaic.reader import MosaicReader
from webapp.raster.read import Info, Raster, Reader
from webapp.raster.remote import RemoteReader

# Open rasters a thread. One costs a file descriptor and its directory, some 100 kB.
KEPT = 32
_local = threading.local()


def open_raster(path: Path) -> Raster:
    """Return an imagery layer's raster, whatever it is made of. Close it, and use it on one thread.

    A mosaic's members are opened where they are met, and kept open by the thread.

    Raises:
        BadRaster: the file is gone, or is no raster.
        SourceFailed: another server does not give it.
    """
    if path.suffix == SUFFIX:
        return MosaicReader(path, kept_reader)
    return RemoteReader(path) if remote.is_remote(path) else Reader(path)


def info_of(path: Path) -> Info:
    """Return what an imagery layer's raster is, without its pixels.

    Raises:
        BadRaster: the file is gone, or is no raster.
    """
    with open_raster(path) as raster:
        return raster.info


def kept_reader(path: Path) -> Raster:
    """Return this thread's open raster; a file that was replaced is opened anew.

    Do not close it, and do not give it to another thread.

    Raises:
        BadRaster: the file is gone, or is no raster.
        SourceFailed: another server does not give it.
    """
    kept: OrderedDict[Path, tuple[tuple[int, int], Raster]] | None = getattr(_local, "kept", None)
    if kept is None:
        kept = _local.kept = OrderedDict()
    try:
        status = path.stat()
    except OSError as error:
        raise BadRaster(f"'{path.name}' cannot be read: {error.strerror}.", fix="Restore the file.") from error
    stamp = (status.st_mtime_ns, status.st_size)
    found = kept.get(path)
    if found is not None and found[0] == stamp and not found[1].broken:
        kept.move_to_end(path)
        return found[1]
    if found is not None:
        del kept[path]
        found[1].close()
    kept[path] = (stamp, open_raster(path))
    kept.move_to_end(path)
    while len(kept) > KEPT:
        kept.popitem(last=False)[1][1].close()
    return kept[path][1]
