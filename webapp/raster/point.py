"""What a raster holds at one place on Earth."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine

from webapp.errors import Invalid
from webapp.raster import expression
from webapp.raster.blocks import NODATA, BlockFolder
from webapp.raster.canvas import crs_of
from webapp.raster.mosaic.document import Rule
from webapp.raster.mosaic.reader import MosaicReader
from webapp.raster.read import Raster, Transform
from webapp.raster.readers import kept_reader
from webapp.raster.rendering import Rendering
from webapp.raster.shapes import transformer
from webapp.raster.windows import Window


def pixel_at(lon: float, lat: float, *, transform: Transform, crs_wkt: str, width: int = 0) -> tuple[int, int] | None:
    """Return (row, col) of the pixel that a place lies in, which may be outside the raster.

    Args:
        lon, lat: degrees, WGS 84.
        transform: affine from pixel (col, row) to the CRS.
        crs_wkt: of the raster.
        width: columns of the raster, for one in degrees that crosses the antimeridian.

    Returns:
        None where the raster's CRS cannot express the place.
    """
    x, y = transformer(4326, crs_wkt).transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        return None
    if width and crs_of(crs_wkt).is_geographic:
        # A scene across the antimeridian goes on beyond 180°.
        x += 360.0 * round((transform[2] + transform[0] * width / 2 - x) / 360.0)
    col, row = ~Affine(*transform) @ (x, y)
    return math.floor(row), math.floor(col)


Values = list[float | int | None]


@dataclass(frozen=True, slots=True)
class Held:
    """What a raster holds at a place.

    Attributes:
        values: of each band; `None` for each where there is no data.
        members: of a mosaic: (key, values) of each member with data there, the first on top; empty for one file.
    """

    values: Values
    members: tuple[tuple[str, Values], ...] = ()


def held_at(path: Path, lon: float, lat: float) -> Held:
    """Return what an imagery layer's raster holds under a place, and whose it is.

    Args:
        path: a raster with a CRS, or a mosaic.
        lon, lat: degrees, WGS 84.

    Raises:
        BadRaster: no raster, or its bytes cannot be decoded.
    """
    raster = kept_reader(path)
    if not isinstance(raster, MosaicReader):
        return Held(_values(raster, lon, lat))
    answers = ((key, _values(member, lon, lat)) for key, member in raster.holding(lon, lat))
    found = tuple((key, values) for key, values in answers if None not in values)
    return Held(_joined(raster, [values for _, values in found]), found)


def values_at(path: Path | str, lon: float, lat: float) -> Values:
    """Return the value of each band under a place, `None` for each where the raster has no data there.

    Args:
        path: a raster with a CRS, or a mosaic.
        lon, lat: degrees, WGS 84.

    Raises:
        BadRaster: no raster, or its bytes cannot be decoded.
    """
    return held_at(Path(path), lon, lat).values


def _values(raster: Raster, lon: float, lat: float) -> Values:
    found = raster.info
    place = pixel_at(lon, lat, transform=found.transform, crs_wkt=found.crs_wkt, width=found.width)
    nothing: Values = [None] * found.count
    if place is None or not (0 <= place[0] < found.height and 0 <= place[1] < found.width):
        return nothing
    chip = raster.read(Window(*place, 1, 1))
    return [value.item() for value in chip.array[:, 0, 0]] if chip.valid[0, 0] else nothing


def _joined(raster: MosaicReader, rows: list[Values]) -> Values:
    """Return what a mosaic's rule makes of the values of its members."""
    rule: Rule = raster.mosaic.rule
    if not rows:
        return [None] * raster.info.count
    if rule == "first":
        return rows[0]
    numbers = np.array(rows, np.float64)
    joined = (
        numbers.mean(axis=0) if rule == "mean" else numbers.max(axis=0) if rule == "highest" else numbers.min(axis=0)
    )
    return [float(value) for value in joined]


def rendered_at(path: Path | str, lon: float, lat: float, rendering: Rendering) -> list[float | None]:
    """Return what a rendering's bands or band math are under a place, one value an output, before any stretch.

    Args:
        path: a raster with a CRS.
        lon, lat: degrees, WGS 84.
        rendering: bands, expression and nodata are looked at.

    Raises:
        Invalid: a band that is not there.
        BadRaster: no raster, or its bytes cannot be decoded.
    """
    held = values_at(path, lon, lat)
    wanted = rendering.wanted_bands or tuple(range(1, len(held) + 1))
    if max(wanted) > len(held):
        raise Invalid(f"There is no band {max(wanted)}.", fix=f"Choose bands 1 to {len(held)}.", code="bad_rendering")
    chosen = {band: held[band - 1] for band in wanted}
    if None in chosen.values() or (rendering.nodata is not None and set(chosen.values()) == {rendering.nodata}):
        return [None] * (rendering.outputs or len(wanted))
    if not rendering.expression:
        return [chosen[band] for band in rendering.bidx or wanted]
    pixels = {band: np.array([[value]], np.float64) for band, value in chosen.items()}
    found = expression.parse(rendering.expression).evaluate(pixels)[:, 0, 0]
    return [float(value) if math.isfinite(value) else None for value in found]


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
