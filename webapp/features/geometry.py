"""Checks of geometry that comes from outside: each says what is wrong, where, and what to do about it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from django.contrib.gis.geos import GEOSGeometry
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from webapp.errors import Invalid

SRID = 4326
# A person draws at most this many vertices of one feature; an import may bring more.
MAX_VERTICES_DRAWN = 10_000
MAX_VERTICES_IMPORTED = 200_000
# Square degrees under which a polygon is no area at all (about a square micrometre at the equator).
MIN_AREA_DEG2 = 1e-22
# Degrees below which no edge of a shape can join antipodes, and how near (in Earth radii) is opposite:
# PostGIS compares with 1e-12.
ALMOST_HALF_ROUND = 179.99
ANTIPODAL = 1e-9

# How deep the coordinates of each type are nested above one position.
DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}


@dataclass(frozen=True)
class Checked:
    """The verdict on one geometry.

    Attributes:
        valid: it can be stored.
        geometry: shapely, EPSG:4326, two-dimensional, outer rings counter-clockwise (RFC 7946); None if not valid.
        code: stable name of what is wrong, or "".
        reason: the same for people, with the place.
        fix: what to do.
        notes: what was changed to make it storable ("repaired", "flattened", "closed").
    """

    valid: bool
    geometry: BaseGeometry | None = None
    code: str = ""
    reason: str = ""
    fix: str = ""
    notes: tuple[str, ...] = ()


class _Refused(Exception):
    def __init__(self, code: str, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.code, self.reason, self.fix = code, reason, fix


@dataclass
class _Reader:
    """Reads nested coordinates once, counting vertices."""

    max_vertices: int
    repair: bool
    project: Callable[[float, float], tuple[float, float]] | None
    vertices: int = 0
    notes: set[str] = field(default_factory=set)

    def position(self, value: Any) -> tuple[float, float]:
        self.vertices += 1
        if self.vertices > self.max_vertices:
            raise _Refused(
                "too_many_vertices",
                f"The geometry has more than {self.max_vertices:,} vertices.",
                "Simplify it, or split it into several features.",
            )
        if not isinstance(value, list | tuple) or not 2 <= len(value) <= 4:
            raise _Refused("coordinate_invalid", f"{_short(value)} is no position.", "Send [lon, lat] pairs.")
        x, y = value[0], value[1]
        if not _is_number(x) or not _is_number(y):
            raise _Refused("coordinate_invalid", f"{_short(value)} is no position.", "Send two finite numbers.")
        if len(value) > 2:
            self.notes.add("flattened")
        if self.project is not None:
            x, y = self.project(_real(x), _real(y))
        if not (-180 <= x <= 180 and -90 <= y <= 90):
            raise _Refused("coordinate_out_of_range", f"{_short([x, y])} lies outside the Earth.", _range_hint(x, y))
        return float(x), float(y)

    def positions(self, value: Any) -> list[tuple[float, float]]:
        return [self.position(item) for item in _list(value)]

    def ring(self, value: Any) -> list[tuple[float, float]]:
        ring = self.positions(value)
        if ring and ring[0] != ring[-1]:
            if not self.repair:
                raise _Refused(
                    "ring_not_closed",
                    f"A ring starts at {_short(list(ring[0]))} and ends at {_short(list(ring[-1]))}.",
                    "Repeat the first position at the end.",
                )
            ring.append(ring[0])
            self.notes.add("closed")
        if len(set(ring)) < 3:
            raise _Refused(
                "geometry_degenerate", "A ring has fewer than three different positions.", "Draw an area with a size."
            )
        return ring

    def polygon(self, value: Any) -> shapely.Polygon:
        rings = [self.ring(item) for item in _list(value)]
        if not rings:
            raise _Refused("geometry_empty", "The polygon has no rings.", "Draw it again.")
        return shapely.Polygon(rings[0], rings[1:])

    def geometry(self, kind: str, value: Any) -> BaseGeometry:
        if kind == "Point":
            return shapely.Point(self.position(value))
        if kind == "MultiPoint":
            return shapely.MultiPoint(self.positions(value))
        if kind == "LineString":
            return shapely.LineString(self._line(value))
        if kind == "MultiLineString":
            return shapely.MultiLineString([self._line(item) for item in _list(value)])
        if kind == "Polygon":
            return self.polygon(value)
        return shapely.MultiPolygon([self.polygon(item) for item in _list(value)])

    def _line(self, value: Any) -> list[tuple[float, float]]:
        line = self.positions(value)
        if len(set(line)) < 2:
            raise _Refused("geometry_degenerate", "A line has fewer than two different positions.", "Draw it longer.")
        return line


def check_geojson(
    value: Any,
    *,
    max_vertices: int = MAX_VERTICES_DRAWN,
    repair: bool = False,
    project: Callable[[float, float], tuple[float, float]] | None = None,
) -> Checked:
    """Return the verdict on a GeoJSON geometry.

    Args:
        value: what the JSON parser gave.
        max_vertices: of the whole feature.
        repair: close rings and mend self-intersections (imports) instead of refusing them (drawings).
        project: turns (x, y) of the file's CRS into (lon, lat); None: the file is in EPSG:4326.
    """
    if value is None:
        return Checked(False, code="geometry_missing", reason="There is no geometry.", fix="Give the feature one.")
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in DEPTH:
        return Checked(
            False,
            code="geometry_type",
            reason=f"{_short(kind)} is not a type of geometry that can be stored.",
            fix=f"Use one of {', '.join(DEPTH)}.",
        )
    reader = _Reader(max_vertices, repair, project)
    try:
        shape = reader.geometry(kind, value.get("coordinates"))
    except _Refused as refused:
        return Checked(False, code=refused.code, reason=refused.reason, fix=refused.fix)
    return check_shape(shape, repair=repair, notes=tuple(sorted(reader.notes)))


def check_shape(shape: BaseGeometry, *, repair: bool = False, notes: tuple[str, ...] = ()) -> Checked:
    """Return the verdict on a shapely geometry in EPSG:4326; mend it first where `repair` is set."""
    if shape.is_empty:
        return Checked(False, code="geometry_empty", reason="The geometry is empty.", fix="Draw it again.")
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape)
        mended = _mended(shape) if repair else None
        if mended is None:
            return Checked(
                False,
                code="geometry_invalid",
                reason=f"The outline is not valid: {reason}.",
                fix="Move the vertices so that the outline does not cross or touch itself.",
            )
        shape, notes = mended, (*notes, "repaired")
    if shapely.get_dimensions(shape) == 2 and shape.area < MIN_AREA_DEG2:
        return Checked(
            False, code="geometry_degenerate", reason="The polygon has no area.", fix="Draw an area with a size."
        )
    if shapely.get_dimensions(shape) == 2 and _half_round_the_earth(shape):
        return Checked(
            False,
            code="edge_ambiguous",
            reason="An edge joins two opposite points of the Earth, so it could run anywhere.",
            fix="Add a vertex in the middle of it, or make the area smaller.",
        )
    return Checked(True, geometry=_oriented(shapely.force_2d(shape)), notes=notes)


def to_geos(shape: BaseGeometry) -> GEOSGeometry:
    """Return GeoDjango's geometry in EPSG:4326."""
    return GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=SRID)


def to_shape(geometry: GEOSGeometry | BaseGeometry) -> BaseGeometry:
    """Return shapely's geometry."""
    return geometry if isinstance(geometry, BaseGeometry) else shapely.from_wkb(bytes(geometry.wkb))


def _half_round_the_earth(shape: BaseGeometry) -> bool:
    """Return whether a polygon has an edge between antipodes: PostGIS refuses to measure its area."""
    west, south, east, north = shape.bounds
    if east - west < ALMOST_HALF_ROUND and north - south < ALMOST_HALF_ROUND:
        return False  # nearly all there is
    return any(_antipodal(shapely.get_coordinates(ring)) for ring in shapely.get_rings(shape))


def _antipodal(ring: NDArray[np.float64]) -> bool:
    lon, lat = np.radians(ring).T
    places = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    return bool((np.linalg.norm(places[1:] + places[:-1], axis=1) < ANTIPODAL).any())


def _mended(shape: BaseGeometry) -> BaseGeometry | None:
    wanted = shapely.get_dimensions(shape)
    parts = [
        part
        for part in shapely.get_parts(shapely.make_valid(shape), return_index=False)
        if shapely.get_dimensions(part) == wanted
    ]
    # make_valid may nest collections one level deeper.
    flat = [inner for part in parts for inner in shapely.get_parts(part) if shapely.get_dimensions(inner) == wanted]
    if not flat:
        return None
    merged: BaseGeometry = shapely.unary_union(flat)
    return None if merged.is_empty or not merged.is_valid else merged


def _oriented(shape: BaseGeometry) -> BaseGeometry:
    if isinstance(shape, shapely.Polygon):
        return orient(shape)
    if isinstance(shape, shapely.MultiPolygon):
        return shapely.MultiPolygon([orient(part) for part in shape.geoms])
    return shape


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _real(value: float) -> float:
    """Return a float of a JSON number, whose integers may have hundreds of digits."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _Refused("coordinate_invalid", f"{_short(value)} is no list of positions.", "Send GeoJSON coordinates.")
    if not value:
        raise _Refused("geometry_empty", "The geometry is empty.", "Draw it again.")
    return list(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _range_hint(x: float, y: float) -> str:
    if -90 <= x <= 90 and -180 <= y <= 180:
        return "Longitude comes first: are the two swapped?"
    return "Send degrees, longitude first (EPSG:4326); are these metres of a projected system?"


def checked(geometry: GEOSGeometry) -> GEOSGeometry:
    """Return the geometry as it can be stored (valid, two-dimensional, oriented).

    Raises:
        Invalid: it cannot be stored; the code and reason say why.
    """
    verdict = check_shape(to_shape(geometry))
    if verdict.geometry is None:
        raise Invalid(verdict.reason, fix=verdict.fix, code=verdict.code)
    return to_geos(verdict.geometry)
