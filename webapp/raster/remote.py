"""Rasters that lie on other servers: a small file of ours says which, and GDAL reads the bytes that we fetch.

GDAL's own client (/vsicurl/) cannot be held to an address and is not used.
"""

import itertools
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
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from webapp.errors import BadRaster, QuadratError
from webapp.raster.read import Reader, Resample
from webapp.raster.windows import Span
from webapp.remote.files import RemoteFile
from webapp.remote.pinned import Pinned

# Of the files that name a raster of another server; only we write them.
SUFFIX = ".remote"
MOST_BYTES = 16 * 1024
# The file that keeps GDAL's file system of ours in place.
ANCHOR = "0.tif"


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


class Door:
    """What GDAL opens rasters of other servers by: one file system for all of them, installed once.

    rasterio would install one for each raster that is opened with an opener and remove it when the raster is closed.
    GDAL keeps them in a map that it looks through, without a lock, at every path that any thread opens: to remove one
    meanwhile takes the process down. So one small file is opened here with an opener, and closed last; the paths of
    the rasters lie beside it. Nothing else in this project may hand an opener to rasterio.

    Attributes:
        context: where rasterio knows of the file system; readers run in copies of it.
    """

    def __init__(self) -> None:
        self._names = (f"{number}.tif" for number in itertools.count(1))
        self._open: dict[str, Opener | _Anchor] = {ANCHOR: _Anchor()}
        self.context = Context()
        anchor = self.context.run(rasterio.open, f"quadrat/{ANCHOR}", driver="GTiff", opener=self)
        self._root = anchor.name.removesuffix(ANCHOR)
        # Run when the process ends, after those of all readers, which are younger.
        weakref.finalize(self, self.context.copy().run, anchor.close)

    @property
    def names(self) -> list[str]:
        """Names of the files that are open."""
        return list(self._open)

    def add(self, opener: Opener) -> str:
        """Return the path by which GDAL opens a raster, until it is dropped."""
        name = next(self._names)
        self._open[name] = opener
        return f"{self._root}{name}"

    def drop(self, path: str) -> None:
        """Forget a raster that is closed."""
        del self._open[Path(path).name]

    def close(self, path: str, source: Any) -> None:
        """Close a raster and forget it."""
        source.close()
        self.drop(path)

    def open(self, path: str, mode: str = "rb", **options: Any) -> "_Handle":
        """Return a new position in a raster's file."""
        return _Handle(self._at(path))

    def isfile(self, path: str) -> bool:
        """Say whether it is a file."""
        return Path(path).name in self._open

    def isdir(self, path: str) -> bool:
        """Say that it is no folder."""
        return False

    def ls(self, path: str) -> list[str]:
        """Return no neighbours: side-car files change nothing."""
        return []

    def mtime(self, path: str) -> int:
        """Return no time: the state of each file is pinned."""
        return 0

    def rm(self, path: str) -> None:
        """Refuse to remove it."""
        raise PermissionError(path)

    def size(self, path: str) -> int:
        """Return the size of a file in bytes."""
        return self._at(path).size

    def _at(self, path: str) -> "Opener | _Anchor":
        try:
            return self._open[Path(path).name]
        except KeyError as error:
            raise FileNotFoundError(path) from error


# Known as one by its methods: rasterio's class has no types to inherit.
MultiByteRangeResourceContainer.register(Door)


class _Anchor:
    """The file that keeps the door open: a raster of one pixel."""

    def __init__(self) -> None:
        with MemoryFile() as memory:
            place = {"crs": "EPSG:3857", "transform": from_origin(0, 2, 2, 2)}  # without one, rasterio warns
            with memory.open(driver="GTiff", width=1, height=1, count=1, dtype="uint8", **place) as target:
                target.write(np.zeros((1, 1, 1), "uint8"))
            self._bytes: bytes = memory.read()
        self.size = len(self._bytes)

    def read(self, offset: int, size: int) -> bytes:
        """Return part of the file; fewer bytes where it ends."""
        return self._bytes[offset : offset + size]

    def parts(self, offsets: list[int], sizes: list[int]) -> list[bytes]:
        """Return parts of the file."""
        return [self.read(offset, size) for offset, size in zip(offsets, sizes, strict=True)]


class _Handle:
    """One position in the file, as GDAL wants it."""

    def __init__(self, opener: Opener | _Anchor) -> None:
        self._opener = opener
        self._at = 0

    def __enter__(self) -> "_Handle":
        return self

    def __exit__(self, *failure: object) -> None:
        return None

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self._opener.read(self._at, self._opener.size if size < 0 else size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, and return it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._opener.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def get_byte_ranges(self, offsets: list[int], sizes: list[int]) -> list[bytes]:
        """Return several parts at once."""
        return self._opener.parts(offsets, sizes)


# Made while the process has one thread still: to install it is as dangerous as to remove it.
DOOR = Door()
