"""Map tiles of a mosaic from its members' display files: one scene's own bytes where that is all there is to see."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from webapp.raster.mosaic.document import Member, Stored
from webapp.raster.mosaic.pile import Pile
from webapp.raster.render import decode
from webapp.raster.tiff import TILE_PX, TileFile
from webapp.raster.tiles import scaled_scene_tile
from webapp.raster.warp import Placed

Picture = tuple[NDArray[np.uint8], NDArray[np.bool_]]
Opened = Callable[[Path], TileFile]


def stored_tile(mosaic: Stored, members: list[Member], z: int, x: int, y: int, opened: Opened) -> bytes | None:
    """Return the WebP bytes of the tile as they lie in one scene's file, b"" where there is no imagery.

    None: the tile has to be put together. It has not where one scene alone has something there, or where the topmost
    one covers all of it.
    """
    found: list[bytes] = []
    for member in members:
        file = opened(mosaic.file(member.display))
        if not file.min_zoom <= z <= file.max_zoom:
            return None
        data = file.tile(z, x, y)
        if not data:
            continue
        found.append(data)
        if mosaic.mosaic.rule == "first" and opaque(found[0]):
            break
        if len(found) > 1:
            return None
    return found[0] if found else b""


def tile_pixels(mosaic: Stored, members: list[Member], z: int, x: int, y: int, opened: Opened) -> Picture:
    """Return the tile put together: rgb uint8 (256, 256, 3) and mask bool (256, 256)."""
    pile = Pile(mosaic.mosaic.rule, (3, TILE_PX, TILE_PX), whole_bytes=True)
    for member in members:
        file = opened(mosaic.file(member.display))
        if file.min_zoom <= z <= file.max_zoom:
            data = file.tile(z, x, y)
            if not data:
                continue
            rgb, mask = decode(data)
        else:
            rgb, mask = scaled_scene_tile(file, z, x, y)
        pile.add(Placed(np.moveaxis(rgb, -1, 0), mask))
        if pile.full:
            break
    placed = pile.result()
    return np.ascontiguousarray(np.moveaxis(placed.array, 0, -1)), placed.valid


def large_tile_pixels(mosaic: Stored, members: list[Member], z: int, x: int, y: int, opened: Opened) -> Picture:
    """Return the tile at twice the resolution: rgb uint8 (512, 512, 3) and mask bool (512, 512)."""
    rgb = np.zeros((2 * TILE_PX, 2 * TILE_PX, 3), np.uint8)
    mask = np.zeros((2 * TILE_PX, 2 * TILE_PX), bool)
    for row, col in ((0, 0), (0, 1), (1, 0), (1, 1)):
        at = slice(row * TILE_PX, (row + 1) * TILE_PX), slice(col * TILE_PX, (col + 1) * TILE_PX)
        rgb[at], mask[at] = tile_pixels(mosaic, members, z + 1, 2 * x + col, 2 * y + row, opened)
    return rgb, mask


def opaque(data: bytes) -> bool:
    """Say whether a WebP file has no transparent pixel, by its first chunk alone.

    libwebp leaves alpha out where all of it is opaque: a bare lossy picture ("VP8 ") has none, an extended one says
    so in its flags (WebP Container Specification, "Extended File Format").
    """
    kind = data[12:16]
    return kind == b"VP8 " or (kind == b"VP8X" and not data[20] & 0x10)
