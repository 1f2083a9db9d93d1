"""Our features as Arrow record batches: the schema found first, then streamed, so that memory does not grow."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow
import shapely
from shapely.geometry.base import BaseGeometry

from webapp.errors import Invalid
from webapp.vectors.table import LONLAT, OWN_FIELDS, Sample, Task, moved

GEOMETRY = "geometry"
BATCH_ROWS = 2_000
OWN_TYPES = {"class_value": "integer", "class_name": "string", "score": "number", "source": "string",
             "verified": "boolean"}  # fmt: skip
ARROW = {
    "integer": pyarrow.int64(),
    "number": pyarrow.float64(),
    "boolean": pyarrow.bool_(),
    "string": pyarrow.string(),
}


@dataclass(slots=True)
class Schema:
    """What the features of a layer have in common.

    Attributes:
        fields: name -> integer, number, boolean or string.
        geometry_types: names of GeoJSON.
        count: of features.
    """

    fields: dict[str, str] = field(default_factory=dict)
    geometry_types: set[str] = field(default_factory=set)
    count: int = 0

    def arrow(self, *, plain: bool = False, wkb: str = "ogc.wkb", crs: str = "") -> pyarrow.Schema:
        """Return the Arrow schema; `plain` without the extension type that GDAL wants."""
        told = {} if plain else {b"ARROW:extension:name": wkb.encode()}
        columns = [pyarrow.field(name, ARROW[kind]) for name, kind in self.fields.items()]
        return pyarrow.schema([*columns, pyarrow.field(GEOMETRY, pyarrow.binary(), metadata=told)])


def scan(task: Task) -> Schema:
    """Return the schema of a task's features: own fields first, then properties in the order in which they appear."""
    schema = Schema(dict(OWN_TYPES))
    for sample in task.samples():
        schema.count += 1
        schema.geometry_types.add(sample.geometry.geom_type)
        for name, value in sample.properties.items():
            if name in OWN_FIELDS or name == GEOMETRY:
                continue
            kind, known = _kind(value), schema.fields.get(name)
            if kind is not None and known != kind:
                schema.fields[name] = kind if known is None else _wider(known, kind)
    return schema


def values(sample: Sample, schema: Schema) -> dict[str, Any]:
    """Return the values of one feature by field name, each of the field's type or None."""
    own = {name: getattr(sample, name) for name in OWN_FIELDS}
    found = {name: sample.properties.get(name) for name in schema.fields} | own
    return {name: _as(value, schema.fields[name]) for name, value in found.items() if name in schema.fields}


def batches(task: Task, schema: Schema, arrow: pyarrow.Schema, *, only: set[str] | None = None) -> Iterator[Any]:
    """Yield record batches of `arrow` in the task's CRS.

    Args:
        only: types of geometry that are wanted; None: all.
    """
    rows: list[Sample] = []
    for sample in task.samples():
        if only is not None and sample.geometry.geom_type not in only:
            continue
        rows.append(sample)
        if len(rows) == BATCH_ROWS:
            yield _batch(rows, task, schema, arrow)
            rows = []
    if rows:
        yield _batch(rows, task, schema, arrow)


def placed(shape: BaseGeometry, crs: str) -> BaseGeometry:
    """Return a geometry of ours in the CRS of a file.

    Raises:
        Invalid: it lies outside of what that CRS can express.
    """
    if crs == LONLAT:
        return shape
    there = moved(shape, LONLAT, crs)
    if not np.isfinite(shapely.get_coordinates(there)).all():
        raise Invalid(
            "A feature lies outside the area of the CRS.", fix="Choose another CRS.", code="bounds_impossible"
        )
    return there


def _batch(rows: list[Sample], task: Task, schema: Schema, arrow: pyarrow.Schema) -> Any:
    table = [values(row, schema) for row in rows]
    columns = [pyarrow.array([row[name] for row in table], type=ARROW[kind]) for name, kind in schema.fields.items()]
    shapes = [shapely.to_wkb(placed(row.geometry, task.crs)) for row in rows]
    return pyarrow.record_batch([*columns, pyarrow.array(shapes, type=pyarrow.binary())], schema=arrow)


def _kind(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if -(2**63) <= value < 2**63 else "string"
    return "number" if isinstance(value, float) else "string"


def _wider(one: str, other: str) -> str:
    return "number" if {one, other} == {"integer", "number"} else "string"


def _as(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "string" and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return float(value) if kind == "number" else value
