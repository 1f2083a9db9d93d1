"""Compressed tiles straight out of our own display files, undecoded.

GDAL decodes every tile it reads; a tile server that only passes tiles on needs their bytes. This reads the tile
index of a TIFF (TIFF 6.0, BigTIFF) that we wrote ourselves, never of an upload.
"""

import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from webapp.errors import BadRaster

TILE_PX = 256
# Half the circumference of the Web Mercator world, in metres.
HALF_WORLD_M = 20_037_508.342789244
_SUBFILE, _WIDTH, _HEIGHT, _COMPRESSION = 254, 256, 257, 259
_TILE_WIDTH, _OFFSETS, _COUNTS, _SCALE, _TIEPOINT = 322, 324, 325, 33550, 33922
_TYPES = {1: "u1", 3: "u2", 4: "u4", 12: "f8", 16: "u8"}
_STRIP_OFFSETS, _STRIP_COUNTS = 273, 279
_MASK_BIT = 4


@dataclass(frozen=True, slots=True)
class _Level:
    rows: int
    cols: int
    offsets: NDArray[Any]
    counts: NDArray[Any]


class TileFile:
    """An open display file: EPSG:3857, its levels aligned with the zoom levels. Safe to use from many threads.

    Attributes:
        max_zoom: zoom of the full resolution.
        min_zoom: zoom of the smallest overview.

    Raises:
        BadRaster: the file is none of ours.
        FileNotFoundError: there is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._fd = -1
        self._fd = os.open(path, os.O_RDONLY)
        try:
            levels, scale, (west, north) = _parse(self._fd)
        except (struct.error, KeyError, ValueError, IndexError) as error:
            self.close()
            raise BadRaster(f"'{path.name}' is no display file.", fix="Ingest the imagery again.") from error
        self._levels = levels
        self.max_zoom = round(np.log2(2 * HALF_WORLD_M / TILE_PX / scale))
        self.min_zoom = self.max_zoom - len(levels) + 1
        span = scale * TILE_PX
        self._col, self._row = round((west + HALF_WORLD_M) / span), round((HALF_WORLD_M - north) / span)

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; no other thread may read from it then."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        """Close the file when the last thread has let go of it."""
        self.close()

    def smallest(self) -> Iterator[tuple[int, int]]:
        """Yield (x, y) of the tiles at `min_zoom`."""
        step = len(self._levels) - 1
        level = self._levels[-1]
        for row in range(level.rows):
            for col in range(level.cols):
                yield ((self._col >> step) + col) % (1 << self.min_zoom), (self._row >> step) + row

    def tile(self, z: int, x: int, y: int) -> bytes:
        """Return the tile's compressed bytes; empty where there is no imagery.

        Raises:
            ValueError: the file has no level for that zoom.
        """
        offset, count = self._where(z, x, y)
        return os.pread(self._fd, count, offset) if count else b""

    def tile_at_hand(self, z: int, x: int, y: int) -> bytes | None:
        """Return the tile's bytes where the system holds them in memory; None where a disk would have to be waited for.

        Raises:
            ValueError: the file has no level for that zoom.
        """
        offset, count = self._where(z, x, y)
        if not count:
            return b""
        buffer = bytearray(count)
        try:
            got = os.preadv(self._fd, [buffer], offset, os.RWF_NOWAIT)
        except OSError as error:
            # EAGAIN: not in memory. EOPNOTSUPP: a file system that cannot tell.
            if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP):
                return None
            raise
        return bytes(buffer) if got == count else None

    def _where(self, z: int, x: int, y: int) -> tuple[int, int]:
        """Return offset and length of a tile's bytes; length 0 where there is none."""
        if not self.min_zoom <= z <= self.max_zoom:
            raise ValueError(f"Zoom {z} is not within {self.min_zoom} to {self.max_zoom}.")
        step = self.max_zoom - z
        level = self._levels[step]
        # A scene across the antimeridian goes on beyond x = 2^z.
        col = (x - (self._col >> step)) % (1 << z)
        row = y - (self._row >> step)
        if not (0 <= row < level.rows and col < level.cols):
            return 0, 0
        index = row * level.cols + col
        return int(level.offsets[index]), int(level.counts[index])


def stored_bytes(path: Path) -> int:
    """Return how long a TIFF must be to hold every block that its index names; 0 where all are empty and not stored.

    Raises:
        OSError, struct.error, KeyError, ValueError, IndexError: the index itself is not all there.
    """
    end = 0
    with path.open("rb") as file:
        found = list(_directories(file.fileno()))
        if not found:
            raise ValueError("no image")
        for tags in found:
            offsets, counts = (_OFFSETS, _COUNTS) if _OFFSETS in tags else (_STRIP_OFFSETS, _STRIP_COUNTS)
            ends = tags[offsets].astype(np.int64) + tags[counts].astype(np.int64)
            end = max(end, int(ends.max(initial=0)))
    return end


def _parse(fd: int) -> tuple[list[_Level], float, tuple[float, float]]:
    levels: list[_Level] = []
    scale, corner = 0.0, (0.0, 0.0)
    for tags in _directories(fd):
        if int(tags.get(_SUBFILE, [0])[0]) & _MASK_BIT:
            continue
        if int(tags[_TILE_WIDTH][0]) != TILE_PX:
            raise ValueError("tiles of another size")
        rows, cols = (-(-int(tags[tag][0]) // TILE_PX) for tag in (_HEIGHT, _WIDTH))
        levels.append(_Level(rows, cols, tags[_OFFSETS], tags[_COUNTS]))
        if _SCALE in tags:
            scale = float(tags[_SCALE][0])
            corner = (float(tags[_TIEPOINT][3]), float(tags[_TIEPOINT][4]))
    if not levels or scale <= 0:
        raise ValueError("no georeferenced level")
    return levels, scale, corner


def _directories(fd: int) -> Iterator[dict[int, NDArray[Any]]]:
    """Yield the tags of each image in the file: the raster, its overviews and masks."""
    head = os.pread(fd, 16, 0)
    if head[:2] != b"II":
        raise ValueError("not little-endian")
    big = head[2] == 43
    where = struct.unpack_from("<Q" if big else "<I", head, 8 if big else 4)[0]
    while where:
        tags, where = _directory(fd, where, big)
        yield tags


def _directory(fd: int, where: int, big: bool) -> tuple[dict[int, NDArray[Any]], int]:
    """Return the tags of one image file directory as arrays, and where the next one is (0: none)."""
    size, entry = ("<Q", 20) if big else ("<H", 12)
    count = struct.unpack(size, os.pread(fd, struct.calcsize(size), where))[0]
    start = where + struct.calcsize(size)
    link = "<Q" if big else "<I"
    raw = os.pread(fd, count * entry + struct.calcsize(link), start)
    tags: dict[int, NDArray[Any]] = {}
    for index in range(count):
        tag, kind = struct.unpack_from("<HH", raw, index * entry)
        if kind not in _TYPES:
            continue
        number = struct.unpack_from(link, raw, index * entry + 4)[0]
        dtype = np.dtype("<" + _TYPES[kind])
        at = index * entry + (12 if big else 8)
        room = 8 if big else 4
        length = number * dtype.itemsize
        data = raw[at : at + length] if length <= room else os.pread(fd, length, struct.unpack_from(link, raw, at)[0])
        tags[tag] = np.frombuffer(data, dtype)
    return tags, struct.unpack_from(link, raw, count * entry)[0]
