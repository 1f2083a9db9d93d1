"""Rasters that lie on other servers: a small file of ours says which, and GDAL reads the bytes that we fetch.

GDAL's own client (/vsicurl/) cannot be held to an address and is not used.
"""

import json
import os
from pathlib import Path
from typing import Any

from rasterio.abc import MultiByteRangeResourceContainer

from webapp.errors import BadRaster, QuadratError
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
