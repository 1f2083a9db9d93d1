"""What a picture covers: a rectangle of pixels in some CRS. A map tile, or any box."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from webapp.errors import Invalid
from webapp.raster.tiff import HALF_WORLD_M, TILE_PX

MAX_ZOOM = 30
# Longest side, and most pixels, of one picture.
MAX_SIDE_PX = 4096
MAX_PIXELS = 2048 * 2048
MERCATOR = "EPSG:3857"
Bounds = tuple[float, float, float, float]
# How a pixel of a picture is made of a raster's.
Resampling = Literal["nearest", "bilinear", "cubic", "average"]
RESAMPLINGS: tuple[str, ...] = get_args(Resampling)


@dataclass(frozen=True, slots=True)
class Canvas:
    """A north-up rectangle of pixels.

    Attributes:
        crs: "EPSG:n" or WKT; axes are east, north, whatever the authority says.
        bounds: (west, south, east, north) in it.
        height: rows.
        width: columns.
    """

    crs: str
    bounds: Bounds
    height: int
    width: int

    def grown(self, px: int) -> "Canvas":
        """Return the canvas with `px` more pixels on each side, for what looks at a pixel's neighbours."""
        west, south, east, north = self.bounds
        across, down = (east - west) / self.width * px, (north - south) / self.height * px
        bounds = (west - across, south - down, east + across, north + down)
        return Canvas(self.crs, bounds, self.height + 2 * px, self.width + 2 * px)

    def pixel_m(self) -> tuple[float, float]:
        """Return the ground size of a pixel at the middle, (across, down) in metres."""
        west, south, east, north = self.bounds
        across, down = (east - west) / self.width, (north - south) / self.height
        crs = crs_of(self.crs)
        if crs.is_geographic:
            degree_m = math.pi * 6_371_008.8 / 180
            return across * degree_m * math.cos(math.radians((south + north) / 2)), down * degree_m
        if self.crs == MERCATOR:
            # Web Mercator stretches by 1 / cos(latitude).
            scale = 1 / math.cosh((south + north) / 2 / HALF_WORLD_M * math.pi)
            return across * scale, down * scale
        unit_m = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
        return across * unit_m, down * unit_m


def check_tile(z: int, x: int, y: int) -> None:
    """Refuse a tile that no pyramid has.

    Raises:
        Invalid: out of range.
    """
    if not 0 <= z <= MAX_ZOOM or not 0 <= x < 2**z or not 0 <= y < 2**z:
        raise Invalid(
            f"There is no tile {z}/{x}/{y}.",
            fix=f"Zoom is 0 to {MAX_ZOOM}, x and y are 0 to 2^zoom - 1.",
            code="tile_out_of_range",
        )


def tile_canvas(z: int, x: int, y: int, size: int = TILE_PX) -> Canvas:
    """Return the canvas of an XYZ tile in Web Mercator, `size` pixels to a side.

    Raises:
        Invalid: there is no such tile.
    """
    check_tile(z, x, y)
    span = 2 * HALF_WORLD_M / 2**z
    west, north = x * span - HALF_WORLD_M, HALF_WORLD_M - y * span
    return Canvas(MERCATOR, (west, north - span, west + span, north), size, size)


def box_canvas(bounds: Bounds, crs: str, *, height: int, width: int) -> Canvas:
    """Return the canvas of a box, as WMS GetMap asks for it.

    Args:
        bounds: (west, south, east, north), x before y.
        crs: "EPSG:n", "CRS:84" or WKT.
        height: rows.
        width: columns.

    Raises:
        Invalid: an empty box, an unknown CRS, or more pixels than one picture may have.
    """
    west, south, east, north = bounds
    if not all(math.isfinite(value) for value in bounds) or west >= east or south >= north:
        raise Invalid(
            f"The box {', '.join(f'{value:g}' for value in bounds)} is empty.",
            fix="Give west, south, east, north, with west < east and south < north.",
            code="bbox_invalid",
        )
    if min(height, width) < 1 or max(height, width) > MAX_SIDE_PX or height * width > MAX_PIXELS:
        raise Invalid(
            f"A picture of {width} x {height} px is not drawn.",
            fix=f"Ask for 1 to {MAX_SIDE_PX} px a side and at most {MAX_PIXELS:,} px.",
            code="size_invalid",
        )
    crs_of(crs)
    return Canvas(crs, bounds, height, width)


def fitting_size(bounds: Bounds, longest: int) -> tuple[int, int]:
    """Return (height, width) of a picture of the box whose longer side has `longest` pixels."""
    across, down = bounds[2] - bounds[0], bounds[3] - bounds[1]
    scale = longest / max(across, down)
    return max(1, round(down * scale)), max(1, round(across * scale))


@lru_cache(maxsize=256)
def crs_of(text: str) -> CRS:
    """Return the CRS of an "EPSG:n" or WKT.

    Raises:
        Invalid: there is none.
    """
    try:
        found = CRS.from_user_input("OGC:CRS84" if text == "CRS:84" else text)
    except CRSError as error:
        raise Invalid(
            f"The CRS '{text[:40]}' is not known.", fix="Give it as EPSG:3857.", code="crs_unknown"
        ) from error
    if not (found.is_geographic or found.is_projected):
        raise Invalid(f"The CRS '{text[:40]}' is none of a map.", fix="Give it as EPSG:3857.", code="crs_unknown")
    return found


@lru_cache(maxsize=256)
def between(here: str, there: str) -> Transformer | None:
    """Return what turns positions of one CRS into the other's, x before y; None where the two are the same."""
    first, second = crs_of(here), crs_of(there)
    if first == second or first.equals(second, ignore_axis_order=True):
        return None
    return Transformer.from_crs(first, second, always_xy=True)
