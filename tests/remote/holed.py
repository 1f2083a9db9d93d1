"""A COG of some gigabytes that needs no disk: its tiles lie behind a hole, and so do their offsets."""

import struct
from typing import SupportsIndex, overload

import numpy as np

TILE_OFFSETS, LONG = 324, 4
# GDAL writes the size of a tile into the four bytes before it.
LEADER = 4


class Holed(bytes):
    """A file that is longer than its bytes: behind the first `at` of them come `hole` zeros, then the rest."""

    at = 0
    hole = 0

    def __len__(self) -> int:
        """Return the length with the hole."""
        return super().__len__() + self.hole

    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> bytes: ...
    def __getitem__(self, key: SupportsIndex | slice, /) -> int | bytes:
        """Return a part, or one byte."""
        if not isinstance(key, slice):
            return self[key.__index__() : key.__index__() + 1][0]
        start, stop, _ = key.indices(len(self))
        head = super().__getitem__(slice(min(start, self.at), min(stop, self.at)))
        gap = max(0, min(stop, self.at + self.hole) - max(start, self.at))
        tail = super().__getitem__(slice(max(start - self.hole, self.at), max(stop - self.hole, self.at)))
        return head + bytes(gap) + tail


def holed(cog: bytes, hole: int) -> Holed:
    """Return a classic little-endian COG as GDAL writes them, with a hole between its directories and its tiles.

    Args:
        cog: the file.
        hole: bytes; with the file's own under 4 GiB, so that offsets still fit.
    """
    assert cog[:4] == b"II*\0"
    assert hole + len(cog) < 1 << 32
    arrays: list[tuple[int, int]] = []
    (directory,) = struct.unpack_from("<I", cog, 4)
    while directory:
        (count,) = struct.unpack_from("<H", cog, directory)
        for number in range(count):
            entry = directory + 2 + 12 * number
            tag, kind, length, value = struct.unpack_from("<HHII", cog, entry)
            if tag == TILE_OFFSETS:
                assert kind == LONG
                arrays.append((entry + 8 if length == 1 else value, length))
        (directory,) = struct.unpack_from("<I", cog, directory + 2 + 12 * count)
    moved = bytearray(cog)
    at = len(cog)
    for place, length in arrays:
        offsets = np.frombuffer(cog, "<u4", length, place)
        at = min(at, int(offsets[offsets > 0].min()) - LEADER)
        moved[place : place + 4 * length] = np.where(offsets > 0, offsets + np.uint32(hole), 0).astype("<u4").tobytes()
    found = Holed(moved)
    found.at, found.hole = at, hole
    return found
