"""Rasters that lie on other servers: a small file of ours says which, and GDAL reads the bytes that we fetch.

GDAL's own client (/vsicurl/) cannot be held to an address and is not used.
"""

import json
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from webapp.errors import BadRaster, QuadratError
from webapp.raster.door import DOOR
from webapp.raster.read import Reader, Resample
from webapp.raster.windows import Span
from webapp.remote.files import RemoteFile
from webapp.remote.pinned import Pinned

# Of the files that name a raster of another server; only we write them.
SUFFIX = ".remote"
MOST_BYTES = 16 * 1024


def is_remote(path: Path) -> bool:
    """Say whether a path is a file that names a raster of another server."""
    return path.suffix == SUFFIX


def write(pinned: Pinned, path: Path) -> None:
    """Write the file that names a raster of another server; others than we cannot read it."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(pinned.as_json(), sort_keys=True))


def read(path: Path) -> Pinned:
    """Return which raster a file names.

    Raises:
        BadRaster: it is gone or damaged.
    """
    try:
        with path.open("rb") as file:
            return Pinned(**json.loads(file.read(MOST_BYTES)))
    except (OSError, ValueError, TypeError) as error:
        raise BadRaster(f"'{path.name}' does not say where its raster lies.", fix="Add the layer again.") from error


class RemoteReader(Reader):
    """An open raster of another server. Use it on one thread at a time.

    rasterio keeps what it knows of an opener and of its open files in context variables, and GDAL points at them: all
    that touches the dataset runs in one context of its own, whichever thread it is on. Without, a raster that another
    thread closes, or whose thread has ended, takes the process down.

    Raises:
        BadRaster: the file that names it is damaged, or what it names is no GeoTIFF.
        SourceFailed: its server does not give it, or gives another one by now.
        Invalid: its server is not one that may be asked any more.
    """

    def __init__(self, path: Path | str) -> None:
        self._opener = Opener(read(Path(path)))
        self._context = DOOR.context.copy()
        try:
            self._context.run(super().__init__, path)
        except BadRaster:
            self._opener.check()
            raise
        self._opener.check()

    def _open(self) -> Any:
        self.name = self._opener.pinned.name
        path = DOOR.add(self._opener)
        try:
            source = rasterio.open(path, driver="GTiff", sharing=False)
        except BaseException:
            DOOR.drop(path)
            raise
        self._close = weakref.finalize(self, self._context.copy().run, DOOR.close, path, source)
        return source

    @property
    def broken(self) -> bool:
        """True where its server failed: what GDAL keeps of the raster is not to be trusted any more."""
        return self._opener.failure is not None

    def close(self) -> None:
        """Close the raster; the reader is of no use afterwards."""
        self._close()

    def _read_inside(
        self, bands: list[int], rows: Span, cols: Span, resampling: Resample
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        try:
            found = self._context.run(super()._read_inside, bands, rows, cols, resampling)
        except BadRaster:
            self._opener.check()
            raise
        # GDAL takes what it could not have for zeros where nothing has to be unpacked.
        self._opener.check()
        return found


class Opener:
    """Gives GDAL one raster of another server, and remembers why a read failed.

    GDAL takes exceptions of ours for the end of the file, so whoever reads must call `check` afterwards.
    """

    def __init__(self, pinned: Pinned) -> None:
        self.pinned = pinned
        self.failure: QuadratError | None = None
        self._file = RemoteFile(pinned)

    def check(self) -> None:
        """Raise what went wrong since the raster was opened.

        Raises:
            SourceFailed: the server does not give the file, or the file has changed.
            Invalid: the server is not one that may be asked any more.
        """
        if self.failure is not None:
            raise self.failure

    def parts(self, offsets: list[int], sizes: list[int]) -> list[bytes]:
        """Return parts of the file, each exactly as long as asked for: zeros where it cannot be had."""
        if self.failure is None:
            try:
                found = self._file.read_parts(list(zip(offsets, sizes, strict=True)))
                return [data.ljust(size, b"\0") for data, size in zip(found, sizes, strict=True)]
            except QuadratError as error:
                self.failure = error
        return [bytes(size) for size in sizes]

    def read(self, offset: int, size: int) -> bytes:
        """Return part of the file; fewer bytes where it ends."""
        size = max(0, min(size, self.size - offset))
        return self.parts([offset], [size])[0]

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        return self.pinned.size_bytes
