"""What a raster holds at one place on Earth."""

import math
from pathlib import Path

from affine import Affine

from webapp.raster.blocks import NODATA, BlockFolder
from webapp.raster.read import Reader, Transform
from webapp.raster.shapes import transformer
from webapp.raster.windows import Window


def pixel_at(lon: float, lat: float, *, transform: Transform, crs_wkt: str) -> tuple[int, int] | None:
    """Return (row, col) of the pixel that a place lies in, which may be outside the raster.

    Args:
        lon, lat: degrees, WGS 84.
        transform: affine from pixel (col, row) to the CRS.
        crs_wkt: of the raster.

    Returns:
        None where the raster's CRS cannot express the place.
    """
    x, y = transformer(4326, crs_wkt).transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        return None
    col, row = ~Affine(*transform) @ (x, y)
    return math.floor(row), math.floor(col)


def values_at(path: Path | str, lon: float, lat: float) -> list[float | int | None]:
    """Return the value of each band under a place, `None` for each where the raster has no data there.

    Args:
        path: a raster with a CRS.
        lon, lat: degrees, WGS 84.

    Raises:
        BadRaster: no raster, or its bytes cannot be decoded.
    """
    with Reader(path) as reader:
        found = reader.info
        place = pixel_at(lon, lat, transform=found.transform, crs_wkt=found.crs_wkt)
        nothing: list[float | int | None] = [None] * found.count
        if place is None or not (0 <= place[0] < found.height and 0 <= place[1] < found.width):
            return nothing
        chip = reader.read(Window(*place, 1, 1))
        return [value.item() for value in chip.array[:, 0, 0]] if chip.valid[0, 0] else nothing


def class_at(folder: Path | str, lon: float, lat: float) -> int | None:
    """Return the class of a class raster in the making under a place; None where no block is yet.

    Args:
        folder: of its blocks.
        lon, lat: degrees, WGS 84.

    Raises:
        BadRaster: the folder holds no blocks.
    """
    blocks = BlockFolder(folder)
    grid = blocks.grid
    place = pixel_at(lon, lat, transform=grid.transform, crs_wkt=grid.crs_wkt)
    if place is None or not (0 <= place[0] < grid.height and 0 <= place[1] < grid.width):
        return None
    value = int(blocks.read(Window(*place, 1, 1))[0, 0])
    return None if value == NODATA else value
