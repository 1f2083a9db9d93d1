"""The first look at a file: its tables, fields, values, CRS, extent. Runs inside the sandbox only."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from pyproj import CRS
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from webapp.errors import BadRaster, BadVectors, TooLarge
from webapp.vectors.sources import Found
from webapp.vectors.table import LONLAT, MAX_ROWS, Grid, Table, class_key, crs_of, moved

MAX_TABLES = 60
MAX_FIELDS = 100
MAX_VALUES = 200
MAX_TEXT = 120
SHOWN_ROWS = 8
SHOWN_SHAPES = 300
# Vertices of one outline in the sketch.
SKETCH_VERTICES = 60
EDGE_POINTS = 9
# Of rows, outlines and values in one answer.
MOST_BYTES = 400_000


@dataclass
class _Field:
    types: set[str] = field(default_factory=set)
    values: Counter[str] = field(default_factory=Counter)
    many: bool = False

    def see(self, value: Any) -> None:
        if value is None:
            return
        self.types.add(type(value).__name__)
        if not self.many:
            self.values[class_key(value)[:MAX_TEXT]] += 1
            self.many = len(self.values) > MAX_VALUES


@dataclass
class _Seen:
    count: int = 0
    missing: int = 0
    types: Counter[str] = field(default_factory=Counter)
    fields: dict[str, _Field] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[BaseGeometry] = field(default_factory=list)
    box: list[float] | None = None


def look(found: Found, grid: Grid | None) -> dict[str, Any]:
    """Return what people need to decide how a file is imported.

    Raises:
        BadVectors: no table can be read.
        TooLarge: more features than are imported.
    """
    tables: list[dict[str, Any]] = []
    first: BadVectors | BadRaster | None = None
    for index, table in enumerate(found.tables[:MAX_TABLES]):
        try:
            tables.append({"index": index, **_table(table, grid)})
        except (BadVectors, BadRaster) as error:
            first = first or error
            tables.append({"index": index, "name": table.name[:MAX_TEXT], "error": str(error)})
    if first is not None and all("error" in table for table in tables):
        raise first
    return {"format": found.form, "tables": _trimmed(tables), "more_tables": max(0, len(found.tables) - MAX_TABLES)}


def _trimmed(tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tables, those beyond the budget without rows, outlines and values: it is all one JSON answer."""
    left = MOST_BYTES
    kept = []
    for table in tables:
        left -= len(json.dumps(table))
        if left < 0 and "fields" in table:
            fields = [{**item, "values": None} for item in table["fields"]]
            table = {**table, "rows": [], "shapes": [], "fields": fields}
        kept.append(table)
    return kept


def _table(table: Table, grid: Grid | None) -> dict[str, Any]:
    seen = _Seen()
    for row in table.rows():
        seen.count += 1
        if seen.count > MAX_ROWS:
            raise TooLarge(f"The file holds more than {MAX_ROWS:,} features.", fix="Split it.")
        _see(seen, row.geometry, row.properties)
    crs, assumed = table.crs, ""
    if not crs:
        crs, assumed = _assumed(seen.box, grid)
    shown = [_sketch(shape, crs) for shape in seen.shapes] if crs else []
    return {
        "name": table.name[:MAX_TEXT],
        "count": seen.count,
        "without_geometry": seen.missing,
        "geometry_types": dict(seen.types.most_common()),
        "crs": _crs_json(crs, assumed=bool(assumed)) if crs else None,
        "assumed_because": assumed,
        "bounds": _lonlat(seen.box, crs) if crs and seen.box else None,
        "fields": [_field_json(name, item) for name, item in list(seen.fields.items())[:MAX_FIELDS]],
        "rows": seen.rows,
        "shapes": [shape for shape in shown if shape is not None],
        "class_field": table.class_field,
        "notes": table.notes,
    }


def _see(seen: _Seen, shape: BaseGeometry | None, properties: dict[str, Any]) -> None:
    if len(seen.rows) < SHOWN_ROWS:
        cut = {str(name)[:MAX_TEXT]: _short(value) for name, value in list(properties.items())[:MAX_FIELDS]}
        seen.rows.append({"geometry": "" if shape is None else shape.geom_type, "properties": cut})
    for name, value in properties.items():
        if name not in seen.fields and len(seen.fields) >= MAX_FIELDS:
            continue
        seen.fields.setdefault(name, _Field()).see(value)
    if shape is None or shape.is_empty:
        seen.missing += 1
        return
    seen.types[shape.geom_type] += 1
    if len(seen.shapes) < SHOWN_SHAPES:
        seen.shapes.append(shape)
    west, south, east, north = shape.bounds
    if seen.box is None:
        seen.box = [west, south, east, north]
    else:
        old = seen.box
        seen.box = [min(old[0], west), min(old[1], south), max(old[2], east), max(old[3], north)]


def _short(value: Any) -> Any:
    return value[:MAX_TEXT] if isinstance(value, str) else value


def _assumed(box: list[float] | None, grid: Grid | None) -> tuple[str, str]:
    """Return the CRS that coordinates without one most likely have, and why; ("", "") where nothing speaks for one."""
    if box is None:
        return "", ""
    if -180 <= box[0] <= box[2] <= 180 and -90 <= box[1] <= box[3] <= 90:
        return LONLAT, "The file names no CRS; its numbers look like longitude and latitude."
    if grid is not None:
        frame = shapely.box(0, 0, grid.width, grid.height)
        if grid.to_ground(frame).intersects(shapely.box(box[0], box[1], box[2], box[3])):
            return grid.crs, "The file names no CRS; in that of the imagery it lies on the imagery."
    return "", ""


def _crs_json(text: str, *, assumed: bool) -> dict[str, Any]:
    crs: CRS = crs_of(text)
    epsg = crs.to_epsg()
    return {"id": f"EPSG:{epsg}" if epsg else text, "name": crs.name, "assumed": assumed}


def _lonlat(box: list[float], crs: str) -> list[float] | None:
    # Straight edges become curves: the box of many points of it, not of its corners.
    x, y = np.meshgrid(np.linspace(box[0], box[2], EDGE_POINTS), np.linspace(box[1], box[3], EDGE_POINTS))
    placed = moved(shapely.MultiPoint(np.column_stack([x.ravel(), y.ravel()])), crs, LONLAT)
    return list(placed.bounds) if np.isfinite(shapely.get_coordinates(placed)).all() else None


def _sketch(shape: BaseGeometry, crs: str) -> dict[str, Any] | None:
    west, south, east, north = shape.bounds
    plain = shape
    if shapely.get_num_coordinates(shape) > SKETCH_VERTICES:
        plain = shape.simplify(max(east - west, north - south) / 20)
    placed = moved(plain, crs, LONLAT)
    if placed.is_empty or not np.isfinite(shapely.get_coordinates(placed)).all():
        return None
    if shapely.get_num_coordinates(placed) > 4 * SKETCH_VERTICES:
        placed = placed.envelope
    return dict(mapping(shapely.force_2d(placed)))


def _field_json(name: str, item: _Field) -> dict[str, Any]:
    values = None if item.many else [[value, count] for value, count in item.values.most_common()]
    return {"name": str(name)[:MAX_TEXT], "types": sorted(item.types), "values": values}
