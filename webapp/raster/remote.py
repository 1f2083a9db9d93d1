"""Rasters that lie on other servers: a small file of ours says which, and GDAL reads the bytes that we fetch.

GDAL's own client (/vsicurl/) cannot be held to an address and is not used.
"""

import json
import os
import weakref
from contextvars import Context
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.abc import MultiByteRangeResourceContainer

from webapp.errors import BadRaster, QuadratError
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
        self._context = Context()
        try:
            self._context.run(super().__init__, path)
        except BadRaster:
            self._opener.check()
            raise
        self._opener.check()

    def _open(self) -> Any:
        self.name = self._opener.pinned.name
        source = rasterio.open("quadrat/source.tif", driver="GTiff", sharing=False, opener=self._opener)
        self._close = weakref.finalize(self, self._context.copy().run, source.close)
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
        size = max(0, min(size, self.pinned.size_bytes - offset))
        return self.parts([offset], [size])[0]

    def open(self, path: str, mode: str = "rb", **options: Any) -> "_Handle":
        """Return a new position in the file."""
        return _Handle(self)

    def isfile(self, path: str) -> bool:
        """Say that it is a file."""
        return True

    def isdir(self, path: str) -> bool:
        """Say that it is no folder."""
        return False

    def ls(self, path: str) -> list[str]:
        """Return no neighbours: side-car files change nothing."""
        return []

    def mtime(self, path: str) -> int:
        """Return no time: the state of the file is pinned."""
        return 0

    def rm(self, path: str) -> None:
        """Refuse to remove it."""
        raise PermissionError(path)

    def size(self, path: str) -> int:
        """Return the size of the file in bytes."""
        return self.pinned.size_bytes


# Known as one by its methods: rasterio's class has no types to inherit.
MultiByteRangeResourceContainer.register(Opener)


class _Handle:
    """One position in the file, as GDAL wants it."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._at = 0

    def __enter__(self) -> "_Handle":
        return self

    def __exit__(self, *failure: object) -> None:
        return None

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self._opener.read(self._at, self._opener.pinned.size_bytes if size < 0 else size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, and return it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._opener.pinned.size_bytes}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def get_byte_ranges(self, offsets: list[int], sizes: list[int]) -> list[bytes]:
        """Return several parts at once."""
        return self._opener.parts(offsets, sizes)
