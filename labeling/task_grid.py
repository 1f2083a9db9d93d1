"""Cutting the area of a label set into cells: squares by metres or pixels, web tiles, or given polygons."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import shapely
from shapely import affinity
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from webapp.errors import Invalid, TooLarge
from webapp.features.geometry import check_geojson
from webapp.imagery.models import ImageryLayer
from webapp.raster.shapes import to_crs

Kind = Literal["metres", "pixels", "tiles", "polygons"]

MAX_TASKS = 10_000
# Of the cell that it is cut from, or of the area: less is what rounding leaves along an edge, no place to label.
SMALLEST_PART = 1e-4
WEB_EDGE = 20037508.342789244
# Points along the longer side of an area whose CRS changes.
EDGE_POINTS = 32


@dataclass(frozen=True)
class GridRequest:
    """How an area is to be cut.

    Attributes:
        kind: by what.
        size: side in metres on the ground, or in pixels of the imagery; zoom of the web tiles.
        area: EPSG:4326; None: all of the imagery.
        polygons: EPSG:4326, for `polygons`.
    """

    kind: Kind
    size: float = 0
    area: BaseGeometry | None = None
    polygons: Sequence[BaseGeometry] = ()


@dataclass(frozen=True)
class Cells:
    """A grid that is not stored yet.

    Attributes:
        cells: EPSG:4326, polygons or multipolygons that do not overlap, from north to south and west to east.
        covered: part of the wanted area, 0 to 1, that other tasks cover already; it is left out.
    """

    cells: list[BaseGeometry]
    covered: float


def parse_grid(body: dict[str, Any]) -> GridRequest:
    """Return the request of `{kind, size, area?, polygons?}`; area and polygons are GeoJSON.

    Raises:
        Invalid: the kind is unknown, the size is out of range, or a polygon is not one.
    """
    kind, size = body.get("kind"), body.get("size", 0)
    if kind not in ("metres", "pixels", "tiles", "polygons"):
        raise Invalid(f"{kind!r:.40} is no kind of grid.", fix="Use metres, pixels, tiles or polygons.", code="kind")
    if not isinstance(size, int | float) or isinstance(size, bool) or not math.isfinite(size):
        raise Invalid(f"The size {size!r:.40} is no number.", fix="Send a number.", code="size")
    low, high = {"metres": (1, 1e6), "pixels": (16, 1e6), "tiles": (0, 26), "polygons": (-math.inf, math.inf)}[kind]
    if not low <= size <= high or (kind in ("pixels", "tiles") and size != int(size)):
        what = "zoom" if kind == "tiles" else f"size in {kind}"
        raise Invalid(f"The {what} {size} is out of range.", fix=f"Use {low:g} to {high:g}.", code="size")
    area = None if body.get("area") is None else shapely.union_all(_polygons(body["area"]))
    polygons = _polygons(body.get("polygons")) if kind == "polygons" else []
    return GridRequest(kind, float(size), area, polygons)


def cells_of(request: GridRequest, imagery: ImageryLayer, taken: Sequence[BaseGeometry]) -> Cells:
    """Return the cells of the area, clipped to where the imagery has data and to what no task covers yet.

    Args:
        taken: EPSG:4326; the cells of the tasks that are there.

    Raises:
        Invalid: nothing of the area lies on the imagery, or all of it is taken (code `grid_empty`).
        TooLarge: there would be more than 10,000 cells.
    """
    footprint = _footprint(imagery)
    wanted = footprint if request.area is None else footprint.intersection(request.area)
    free = wanted.difference(shapely.union_all(list(taken))) if taken else wanted
    if request.kind == "polygons":
        shapes = _clipped(_apart(request.polygons), free, wanted.area)
    else:
        shapes = [] if free.is_empty else _cut(request, imagery, free, wanted)
    if not shapes:
        raise Invalid(
            "There is nothing to cut: the area lies outside the imagery, or tasks cover it already.",
            fix="Choose another area.",
            code="grid_empty",
        )
    return Cells(shapes, 0.0 if wanted.is_empty else 1 - free.area / wanted.area)


def quarters(cell: BaseGeometry) -> list[BaseGeometry]:
    """Return the cell cut into four at the middle of its box, without empty parts, north-west first."""
    west, south, east, north = cell.bounds
    x, y = (west + east) / 2, (south + north) / 2
    boxes = [box(west, y, x, north), box(x, y, east, north), box(west, south, x, y), box(x, south, east, y)]
    return _clipped(iter(boxes), cell, cell.area)


def _polygons(value: Any) -> list[BaseGeometry]:
    """Return the polygons of a GeoJSON geometry, feature or collection."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "FeatureCollection":
        features = value.get("features")
        items = features if isinstance(features, list) else []
    else:
        items = [value]
    if not items or len(items) > MAX_TASKS:
        raise Invalid(f"{len(items)} polygons cannot be used.", fix=f"Send 1 to {MAX_TASKS:,}.", code="polygons")
    return [_polygon(item, number) for number, item in enumerate(items, start=1)]


def _polygon(item: Any, number: int) -> BaseGeometry:
    geometry = item.get("geometry") if isinstance(item, dict) and item.get("type") == "Feature" else item
    verdict = check_geojson(geometry, repair=True)
    if verdict.geometry is None:
        raise Invalid(f"Polygon {number}: {verdict.reason}", fix=verdict.fix, code=verdict.code)
    if shapely.get_dimensions(verdict.geometry) != 2:
        raise Invalid(f"Number {number} is no polygon.", fix="Send polygons only.", code="polygons")
    return verdict.geometry


def _footprint(imagery: ImageryLayer) -> BaseGeometry:
    if imagery.footprint is None:
        raise Invalid("The imagery has no outline yet.", fix="Wait until it is ready.", code="imagery")
    return shapely.make_valid(shapely.from_wkb(bytes(imagery.footprint.wkb)))


def _cut(request: GridRequest, imagery: ImageryLayer, free: BaseGeometry, wanted: BaseGeometry) -> list[BaseGeometry]:
    """Return the area cut into squares: in their own CRS, where their sides are straight, and brought back."""
    crs: int | str
    if request.kind == "tiles":
        crs = 3857
    elif request.kind == "metres":
        crs = _metric(wanted)
    else:
        crs = imagery.epsg or imagery.crs_wkt
    west, south, east, north = wanted.bounds
    # A straight side in degrees is a curve elsewhere: it gets points on the way, or slivers would be left beside it.
    step = max(east - west, north - south) / EDGE_POINTS
    there, whole = (to_crs(shape.segmentize(step), 4326, crs) for shape in (free, wanted))
    cells = _squares(request, imagery, whole)
    return [to_crs(part, crs, 4326) for part in _clipped(cells, there, whole.area)]


def _squares(request: GridRequest, imagery: ImageryLayer, area: BaseGeometry) -> Iterator[BaseGeometry]:
    """Return the squares that may meet the area, in its CRS."""
    if request.kind == "tiles":
        return _lattice(area.bounds, 2 * WEB_EDGE / 2 ** int(request.size), (-WEB_EDGE, WEB_EDGE))
    if request.kind == "metres":
        return _lattice(area.bounds, request.size, (area.bounds[0], area.bounds[3]))
    return _pixel_squares(request.size, imagery, area)


def _metric(area: BaseGeometry) -> int:
    """Return the UTM zone of the middle of the area: its metres are good to 0.1 % there."""
    west, south, east, north = area.bounds
    zone = min(60, int(((west + east) / 2 + 180) // 6) + 1)
    return (32600 if (south + north) / 2 >= 0 else 32700) + zone


def _lattice(
    bounds: tuple[float, float, float, float], side: float, origin: tuple[float, float]
) -> Iterator[BaseGeometry]:
    """Return squares of a lattice through `origin` (top left) that meet the bounds, row by row from the top."""
    west, south, east, north = bounds
    left, top = origin
    # Rounding must not bring a row of nothing along an edge.
    cols = range(math.floor((west - left) / side + 1e-9), math.ceil((east - left) / side - 1e-9))
    rows = range(math.floor((top - north) / side + 1e-9), math.ceil((top - south) / side - 1e-9))
    _check_count(len(cols) * len(rows), most=20 * MAX_TASKS)
    return (
        box(left + col * side, top - (row + 1) * side, left + (col + 1) * side, top - row * side)
        for row in rows
        for col in cols
    )


def _pixel_squares(size: float, imagery: ImageryLayer, area: BaseGeometry) -> Iterator[BaseGeometry]:
    """Return squares of whole pixels, on the grid of the imagery, in its CRS."""
    a, b, c, d, e, f = imagery.transform
    span = a * e - b * d
    inverse = [e / span, -b / span, -d / span, a / span, (b * f - c * e) / span, (c * d - a * f) / span]
    west, top, east, bottom = affinity.affine_transform(area, inverse).bounds
    # Rows of pixels grow downwards: the lattice is laid over (col, -row).
    squares = _lattice((west, -bottom, east, -top), size, (0.0, 0.0))
    return (affinity.affine_transform(square, [a, -b, d, -e, c, f]) for square in squares)


def _apart(polygons: Sequence[BaseGeometry]) -> Iterator[BaseGeometry]:
    """Yield the polygons without what an earlier one covers."""
    tree = shapely.STRtree(polygons)
    for number, polygon in enumerate(polygons):
        earlier = [polygons[other] for other in tree.query(polygon) if other < number]
        yield polygon.difference(shapely.union_all(earlier)) if earlier else polygon


def _clipped(cells: Iterator[BaseGeometry], area: BaseGeometry, whole: float) -> list[BaseGeometry]:
    """Return the parts of the cells inside the area (of `whole` before others took of it), without what is none."""
    shapely.prepare(area)
    found: list[BaseGeometry] = []
    for cell in cells:
        part = cell if shapely.contains_properly(area, cell) else _areal(cell.intersection(area))
        if part.is_empty or part.area < SMALLEST_PART * min(cell.area, whole):
            continue
        found.append(part)
        _check_count(len(found))
    return found


def _areal(shape: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a shape as one polygon or multipolygon."""
    parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == 2]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _check_count(count: int, *, most: int = MAX_TASKS) -> None:
    if count > most:
        raise TooLarge(
            f"That would be more than {MAX_TASKS:,} tasks.",
            fix="Make the cells larger, or the area smaller.",
            code="too_many_tasks",
            details={"most": MAX_TASKS},
        )
