"""What GDAL opens rasters of other servers by. Imported by whatever opens rasters: see `Door`."""

import itertools
import os
import weakref
from contextvars import Context
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import rasterio
from rasterio.abc import MultiByteRangeResourceContainer
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

# The file that keeps GDAL's file system of ours in place.
ANCHOR = "0.tif"


class Source(Protocol):
    """One file that is read in parts."""

    @property
    def size(self) -> int:
        """Size of the file in bytes."""

    def read(self, offset: int, size: int) -> bytes:
        """Return part of the file; fewer bytes where it ends."""

    def parts(self, offsets: list[int], sizes: list[int]) -> list[bytes]:
        """Return parts of the file, each exactly as long as asked for."""


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
        self._open: dict[str, Source] = {ANCHOR: _Anchor()}
        self.context = Context()
        anchor = self.context.run(rasterio.open, f"quadrat/{ANCHOR}", driver="GTiff", opener=self)
        self._root = anchor.name.removesuffix(ANCHOR)
        # Run when the process ends, after those of all readers, which are younger.
        weakref.finalize(self, self.context.copy().run, anchor.close)

    @property
    def names(self) -> list[str]:
        """Names of the files that are open."""
        return list(self._open)

    def add(self, opener: Source) -> str:
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

    def _at(self, path: str) -> Source:
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

    def __init__(self, opener: Source) -> None:
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


# Made before any thread can open a raster, for whatever opens one imports this first: to install it is as dangerous as
# to remove it.
DOOR = Door()
