"""Where tiles lie, and which of them a change of the ground touches."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

EXTENT = 4096
# Units of the tile drawn beyond its edge, so that outlines do not show there.
BUFFER = 64
WORLD_M = 2 * math.pi * 6_378_137
MAX_LAT = 85.0511287798066
# Zooms at which changes are noted: four apart, so that a tile of any zoom looks at a hundred notes at most.
NOTED = (17, 13, 9, 5, 1)
# A change that touches more tiles than this across is noted one step higher, of the whole ground there.
MOST_ACROSS = 4

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Span:
    """Tiles of one zoom, from (left, top) to (right, bottom), both within."""

    z: int
    left: int
    top: int
    right: int
    bottom: int

    @property
    def across(self) -> int:
        """How many tiles the longer side has."""
        return max(self.right - self.left, self.bottom - self.top) + 1

    def tiles(self) -> Iterator[tuple[int, int, int]]:
        """Yield (z, x, y)."""
        return ((self.z, x, y) for x in range(self.left, self.right + 1) for y in range(self.top, self.bottom + 1))


def bounds(z: int, x: int, y: int) -> Box:
    """Return (west, south, east, north) in degrees of a tile with its buffer."""
    margin = BUFFER / EXTENT
    west, east = ((x + d) / 2**z * 360 - 180 for d in (-margin, 1 + margin))
    north, south = (
        math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (y + d) / 2**z)))) for d in (-margin, 1 + margin)
    )
    return west, south, east, north


def span(box: Box, z: int) -> Span:
    """Return the tiles of a zoom that a box (west, south, east, north, degrees) touches."""
    west, south, east, north = box
    across = 1 << z

    def column(lon: float) -> int:
        return min(across - 1, max(0, math.floor((lon + 180) / 360 * across)))

    def row(lat: float) -> int:
        within = math.radians(min(MAX_LAT, max(-MAX_LAT, lat)))
        return min(across - 1, max(0, math.floor((1 - math.asinh(math.tan(within)) / math.pi) / 2 * across)))

    return Span(z, column(west), row(north), column(east), row(south))


def notes(boxes: Iterable[Box]) -> dict[tuple[int, int, int], bool]:
    """Return the tiles to note for changes within boxes: (z, x, y) -> all of the tile's ground may have changed.

    Each box is noted at the deepest zoom where it touches few tiles; above it, only that something inside changed.
    """
    found: dict[tuple[int, int, int], bool] = {}
    for box in boxes:
        spans = [span(box, z) for z in NOTED]
        chosen = next((number for number, item in enumerate(spans) if item.across <= MOST_ACROSS), len(spans) - 1)
        found |= dict.fromkeys(spans[chosen].tiles(), True)
        for above in spans[chosen + 1 :]:
            for tile in above.tiles():
                found.setdefault(tile, False)
    return found


def looked_at(z: int, x: int, y: int) -> tuple[Span, list[Span]]:
    """Return which notes tell whether a tile has changed: those inside it, and those of the whole ground around it."""
    box = bounds(z, x, y)
    inside = min((noted for noted in NOTED if noted >= z), default=NOTED[0])
    return span(box, inside), [span(box, noted) for noted in NOTED if noted < inside]
