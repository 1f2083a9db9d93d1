"""Tile matrix sets: Web Mercator in tiles of 256 pixels, and the same tiles with twice the pixels to a side."""

import math
from dataclasses import dataclass
from typing import Any

from webapp.errors import NotFound
from webapp.imagery.selectors import Bounds
from webapp.ogc.crs import MERCATOR

# OGC Two Dimensional Tile Matrix Set 2.0 (17-083r4), annex D.1: WebMercatorQuad.
HALF_WORLD_M = 20_037_508.342789244
SCALE_0 = 559_082_264.028_717_2
# A pixel of a scale denominator is 0.28 mm.
PIXEL_M = 0.00028
LEVELS = 25
MAX_LATITUDE = 85.051_128_779_806_6
KNOWN_SCALES = "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible"


@dataclass(frozen=True, slots=True)
class MatrixSet:
    """A tile matrix set.

    Attributes:
        uri: of the well-known definition; "" where it is our own.
        size: pixels to a side of a tile.
    """

    id: str
    title: str
    uri: str
    size: int

    def scale(self, z: int) -> float:
        """Return the scale denominator of a zoom."""
        return SCALE_0 / (1 << z) * 256 / self.size


@dataclass(frozen=True, slots=True)
class Limits:
    """The tiles of one zoom that hold something."""

    z: int
    min_row: int
    max_row: int
    min_col: int
    max_col: int

    def holds(self, row: int, col: int) -> bool:
        """Return True where the tile may hold something."""
        return self.min_row <= row <= self.max_row and self.min_col <= col <= self.max_col


QUAD = MatrixSet(
    "WebMercatorQuad",
    "Google Maps Compatible for the World",
    "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad",
    256,
)
DOUBLE = MatrixSet("WebMercatorQuad2x", "WebMercatorQuad in tiles of 512 pixels, for sharp screens", "", 512)
SETS = {QUAD.id: QUAD, DOUBLE.id: DOUBLE}


def matrix_set(name: str) -> MatrixSet:
    """Return the set of that id.

    Raises:
        NotFound: there is none.
    """
    found = SETS.get(name)
    if found is None:
        raise NotFound("tile matrix set")
    return found


def limits(box: Bounds, z: int) -> Limits:
    """Return the tiles of a zoom that meet a box (west, south, east, north) in degrees, west <= east."""
    west, south, east, north = box
    count = 1 << z

    def col(lon: float) -> int:
        return min(count - 1, max(0, math.floor((lon + 180) / 360 * count)))

    def row(lat: float) -> int:
        lat = max(-MAX_LATITUDE, min(MAX_LATITUDE, lat))
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
        return min(count - 1, max(0, math.floor(y * count)))

    return Limits(z, row(north), row(south), col(west), col(east))


def definition(found: MatrixSet) -> dict[str, Any]:
    """Return the set as JSON (17-083r4, annex C)."""
    known = {"uri": found.uri, "wellKnownScaleSet": KNOWN_SCALES} if found.uri else {}
    return {
        "id": found.id,
        "title": found.title,
        **known,
        "crs": MERCATOR,
        "orderedAxes": ["X", "Y"],
        "tileMatrices": [
            {
                "id": str(z),
                "scaleDenominator": found.scale(z),
                "cellSize": found.scale(z) * PIXEL_M,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-HALF_WORLD_M, HALF_WORLD_M],
                "tileWidth": found.size,
                "tileHeight": found.size,
                "matrixWidth": 2**z,
                "matrixHeight": 2**z,
            }
            for z in range(LEVELS)
        ],
    }
