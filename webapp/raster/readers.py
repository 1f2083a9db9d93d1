"""Rasters kept open: opening one costs as much as a tile."""

import threading
from collections import OrderedDict
from pathlib import Path

from webapp.errors import BadRaster
from webapp.raster.read import Reader

# Open rasters a thread. One costs a file descriptor and its directory, some 100 kB.
KEPT = 32
_local = threading.local()


def kept_reader(path: Path) -> Reader:
    """Return this thread's open reader of a raster; a file that was replaced is opened anew.

    Do not close it, and do not give it to another thread.

    Raises:
        BadRaster: the file is gone, or is no raster.
    """
    kept: OrderedDict[Path, tuple[tuple[int, int], Reader]] | None = getattr(_local, "kept", None)
    if kept is None:
        kept = _local.kept = OrderedDict()
    try:
        status = path.stat()
    except OSError as error:
        raise BadRaster(f"'{path.name}' cannot be read: {error.strerror}.", fix="Restore the file.") from error
    stamp = (status.st_mtime_ns, status.st_size)
    found = kept.get(path)
    if found is not None and found[0] == stamp:
        kept.move_to_end(path)
        return found[1]
    if found is not None:
        found[1].close()
    kept[path] = (stamp, Reader(path))
    kept.move_to_end(path)
    while len(kept) > KEPT:
        kept.popitem(last=False)[1][1].close()
    return kept[path][1]
