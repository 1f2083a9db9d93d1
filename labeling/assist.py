"""Help with drawing: outlines found in the imagery itself, at its own resolution, whatever the view shows.

Windows are cut around the place in pixels of the imagery, so that the same click gives the same outline at every zoom.
"""

from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from webapp.errors import BadRaster, Invalid, Unavailable
from webapp.features.geometry import check_shape
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import analysis_file
from webapp.raster import segment
from webapp.raster.read import Chip, Raster
from webapp.raster.readers import open_raster
from webapp.raster.shapes import to_crs, transformer
from webapp.raster.windows import Window

# Side of the square that a click looks at, and by how much coarser it may look where the region reaches its edge.
SIDE_PX = 256
FACTORS = (1, 2, 4, 8)
# A box is cut out with a fifth of its size around it, and seen at no more than so many pixels: a cut takes 0.1-0.4 s.
AROUND = 0.2
MOST_PX = 160
LEAST_PX = 4


@dataclass(frozen=True)
class Place:
    """A click: degrees, and how far colours may be from the place's, 0 to 1."""

    lon: float
    lat: float
    tolerance: float


Box = tuple[float, float, float, float]


def wand(imagery: ImageryLayer, place: Place) -> dict[str, Any]:
    """Return the outline (GeoJSON, EPSG:4326) of the region like a place.

    Raises:
        Invalid: the place has no pixels, or nothing with an area is like it.
        Unavailable: the imagery's file is missing or damaged.
    """
    with open_imagery(imagery) as reader:
        col, row = _pixel(reader, place.lon, place.lat)
        if not (0 <= row < reader.info.height and 0 <= col < reader.info.width):
            raise Invalid("The place lies outside the imagery.", fix="Click on the imagery.", code="outside")
        for factor in FACTORS:
            side = SIDE_PX * factor
            window = Window(int(row) - side // 2, int(col) - side // 2, side, side)
            chip = reader.read(window, out_shape=(SIDE_PX, SIDE_PX))
            at = (int((row - window.row) / factor), int((col - window.col) / factor))
            if not chip.valid[at]:
                raise Invalid("There is no data at this place.", fix="Click where there is.", code="no_data")
            pixels = segment.stretched(chip.array, chip.valid)
            mask = segment.region(pixels, chip.valid, row=at[0], col=at[1], tolerance=place.tolerance)
            edge = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
            if not edge or factor == FACTORS[-1]:
                return _outline(reader, chip, mask, at)
    raise AssertionError("the last factor answers")


def object_in(imagery: ImageryLayer, box: Box) -> dict[str, Any]:
    """Return the outline (GeoJSON, EPSG:4326) of the object in a box (west, south, east, north; degrees).

    Raises:
        Invalid: the box holds too few pixels, or none of them stands out.
        Unavailable: the imagery's file is missing or damaged.
    """
    west, south, east, north = box
    with open_imagery(imagery) as reader:
        corners = [_pixel(reader, *corner) for corner in ((west, south), (west, north), (east, south), (east, north))]
        left, right = min(col for col, _ in corners), max(col for col, _ in corners)
        top, bottom = min(row for _, row in corners), max(row for _, row in corners)
        if min(right - left, bottom - top) < LEAST_PX:
            raise Invalid("The box holds too few pixels.", fix="Draw it larger.", code="too_small")
        margin = max(AROUND * max(right - left, bottom - top), 3.0)
        window = Window(
            int(top - margin),
            int(left - margin),
            int(bottom - top + 2 * margin) + 1,
            int(right - left + 2 * margin) + 1,
        )
        factor = max(1.0, max(window.height, window.width) / MOST_PX)
        shape = (max(int(window.height / factor), 8), max(int(window.width / factor), 8))
        chip = reader.read(window, out_shape=shape)
        down, across = window.height / shape[0], window.width / shape[1]
        inner = (
            int((top - window.row) / down),
            int((left - window.col) / across),
            int((bottom - window.row) / down) + 1,
            int((right - window.col) / across) + 1,
        )
        mask = segment.inside(segment.stretched(chip.array, chip.valid), chip.valid, inner)
        return _outline(reader, chip, mask, (shape[0] // 2, shape[1] // 2))


def open_imagery(imagery: ImageryLayer) -> Raster:
    """Return a reader of the imagery's own pixels.

    Raises:
        Unavailable: its file is missing, damaged, or still being made.
    """
    if not imagery.analysis_path:
        raise Unavailable("The imagery is still being made.", fix="Try again when it is ready.", code="not_ready")
    try:
        return open_raster(analysis_file(imagery))
    except BadRaster as error:
        raise Unavailable(
            "The imagery's file is missing or damaged.",
            fix="Ask the administrator to restore it.",
            code="layer_unavailable",
        ) from error


def _pixel(reader: Raster, lon: float, lat: float) -> tuple[float, float]:
    """Return (col, row) of a place; it may lie outside."""
    x, y = transformer(4326, reader.info.crs_wkt).transform(lon, lat)
    a, b, c, d, e, f = reader.info.transform
    determinant = a * e - b * d
    return (e * (x - c) - b * (y - f)) / determinant, (a * (y - f) - d * (x - c)) / determinant


def _outline(reader: Raster, chip: Chip, mask: segment.Mask, at: tuple[int, int]) -> dict[str, Any]:
    found = segment.outline(mask, chip.transform, row=at[0], col=at[1])
    shape: BaseGeometry | None = None if found is None else to_crs(found, reader.info.crs_wkt, 4326)
    geometry: dict[str, Any] = mapping(stored_shape(shape))
    return geometry


def stored_shape(shape: BaseGeometry | None) -> BaseGeometry:
    """Return a found outline (EPSG:4326) as it can be stored.

    Raises:
        Invalid: nothing was found.
    """
    verdict = None if shape is None else check_shape(shapely.set_precision(shape, 1e-9))
    if verdict is None or verdict.geometry is None:
        raise Invalid("Nothing with an outline was found here.", fix="Try another place, or draw it.", code="nothing")
    return verdict.geometry
