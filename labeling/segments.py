"""Segments of the imagery for selecting objects piece by piece: cut on a fixed grid of its own pixels.

Blocks of 256 x 256 pixels, at a level that people choose and no zoom changes: the same segments lie at the same place
in every view, for everybody, and whichever process finds them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import box, mapping

from labeling.assist import Box, open_imagery, stored_shape
from webapp.errors import Invalid, TooLarge
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import analysis_file
from webapp.raster import segment
from webapp.raster.read import Chip, Raster
from webapp.raster.readers import open_raster
from webapp.raster.shapes import to_crs
from webapp.raster.superpixels import Labels, superpixels
from webapp.raster.windows import Window

BLOCK_PX = 256
# Pixels along the side of a segment, of the imagery at its level: of every pixel, every second one …
SEGMENT_PX = 16
LEVELS = (1, 2, 4, 8)
# In view at once: found in about three CPU seconds, held by a browser in 2 MB.
MOST_BLOCKS = 24
MOST_PICKS = 5_000
# Of 130 kB each.
CACHED = 64


@dataclass(frozen=True)
class Block:
    """A square of the grid; `corners` are lon, lat where the file says: top left, top right, bottom left."""

    row: int
    col: int
    corners: tuple[tuple[float, float], ...]


# A segment: row and column of its block, and its number there.
Pick = tuple[int, int, int]


def blocks(imagery: ImageryLayer, level: int, bounds: Box) -> list[Block]:
    """Return the blocks that meet a box (west, south, east, north; degrees), row by row.

    Raises:
        Invalid: there is no such level.
        TooLarge: there are more than 24 of them.
        Unavailable: the imagery's file is missing or damaged.
    """
    side = BLOCK_PX * _level(level)
    with open_imagery(imagery) as reader:
        a, b, c, d, e, f = reader.info.transform
        there = to_crs(box(*bounds).segmentize(max(bounds[2] - bounds[0], 1e-9) / 8), 4326, reader.info.crs_wkt)
        span = a * e - b * d
        pixels = shapely.transform(
            there,
            lambda at: np.column_stack(
                [
                    (e * (at[:, 0] - c) - b * (at[:, 1] - f)) / span,
                    (a * (at[:, 1] - f) - d * (at[:, 0] - c)) / span,
                ]
            ),
        )
        left, top, right, bottom = pixels.bounds
        rows = range(max(0, int(top // side)), -(-min(int(bottom) + 1, reader.info.height) // side))
        cols = range(max(0, int(left // side)), -(-min(int(right) + 1, reader.info.width) // side))
        if len(rows) * len(cols) > MOST_BLOCKS:
            raise TooLarge(
                "There are too many segments in view.", fix="Zoom in, or make them larger.", code="too_many_segments"
            )
        return [Block(row, col, _corners(reader, row * side, col * side, side)) for row in rows for col in cols]


def labels(imagery: ImageryLayer, level: int, row: int, col: int) -> Labels:
    """Return the segments of a block, uint16 (256, 256): 1 to n, 0 where there is no data.

    Raises:
        Invalid: there is no such level, or no such block.
        Unavailable: the imagery's file is missing or damaged.
    """
    side = BLOCK_PX * _level(level)
    if not (0 <= row * side < imagery.height and 0 <= col * side < imagery.width):
        raise Invalid("There is no such block.", fix="Ask for the blocks of a box first.", code="block")
    if not imagery.analysis_path:
        open_imagery(imagery)  # says why
    return _labels(str(analysis_file(imagery)), imagery.version, level, row, col)


def union(imagery: ImageryLayer, level: int, picks: Sequence[Pick]) -> dict[str, Any]:
    """Return the outline (GeoJSON, EPSG:4326, where the file says) of some segments together.

    Raises:
        Invalid: none or too many are chosen, or they have no outline.
        Unavailable: the imagery's file is missing or damaged.
    """
    side = BLOCK_PX * _level(level)
    if not 0 < len(picks) <= MOST_PICKS:
        raise Invalid(f"{len(picks)} segments cannot be joined.", fix=f"Choose 1 to {MOST_PICKS:,}.", code="picks")
    top, left = min(row for row, _, _ in picks), min(col for _, col, _ in picks)
    height, width = max(row for row, _, _ in picks) - top + 1, max(col for _, col, _ in picks) - left + 1
    if height * width > 4 * MOST_BLOCKS:
        raise Invalid("The segments lie too far apart.", fix="Make a sample of each object.", code="picks")
    mask = np.zeros((height * BLOCK_PX, width * BLOCK_PX), dtype=bool)
    for (row, col), numbers in _by_block(picks).items():
        place = (slice((row - top) * BLOCK_PX, None), slice((col - left) * BLOCK_PX, None))
        mask[place][:BLOCK_PX, :BLOCK_PX] = np.isin(labels(imagery, level, row, col), numbers)
    with open_imagery(imagery) as reader:
        a, b, c, d, e, f = reader.info.transform
        x, y = a * left * side + b * top * side + c, d * left * side + e * top * side + f
        outline = segment.outlines(mask, (a * level, b * level, x, d * level, e * level, y))
        return mapping(stored_shape(None if outline is None else to_crs(outline, reader.info.crs_wkt, 4326)))


@lru_cache(maxsize=CACHED)
def _labels(path: str, version: int, level: int, row: int, col: int) -> Labels:
    side = BLOCK_PX * level
    with open_raster(Path(path)) as reader:
        chip: Chip = reader.read(Window(row * side, col * side, side, side), out_shape=(BLOCK_PX, BLOCK_PX))
    found = superpixels(segment.stretched(chip.array, chip.valid), chip.valid, size=SEGMENT_PX)
    found.setflags(write=False)
    return found


def _level(level: int) -> int:
    if level not in LEVELS:
        raise Invalid(f"{level} is no level.", fix=f"Use {', '.join(map(str, LEVELS))}.", code="level")
    return level


def _by_block(picks: Iterable[Pick]) -> dict[tuple[int, int], list[int]]:
    found: dict[tuple[int, int], list[int]] = {}
    for row, col, number in picks:
        found.setdefault((row, col), []).append(number)
    return found


def _corners(reader: Raster, row: int, col: int, side: int) -> tuple[tuple[float, float], ...]:
    a, b, c, d, e, f = reader.info.transform
    there = shapely.MultiPoint(
        [(a * x + b * y + c, d * x + e * y + f) for x, y in ((col, row), (col + side, row), (col, row + side))]
    )
    points = to_crs(there, reader.info.crs_wkt, 4326)
    return tuple((float(lon), float(lat)) for lon, lat in shapely.get_coordinates(points))
