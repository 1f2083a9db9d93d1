"""GeoJSON read into rows and written, full precision, one feature a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from webapp.vectors import origin
from webapp.vectors.geojson import GeoJsonReader
from webapp.vectors.ogr import plain
from webapp.vectors.table import LONLAT, Row, Table, Task, crs_of


def tables(path: Path) -> list[Table]:
    """Return the one table of a GeoJSON file; its CRS is WGS 84 unless it names another."""

    def rows() -> Iterator[Row]:
        with path.open("rb") as stream:
            for item in GeoJsonReader(stream):
                yield row_of(item)

    return [Table("features", rows, _crs(path))]


def row_of(item: Any) -> Row:
    """Return the row of one parsed feature; what is no geometry becomes None."""
    found = item if isinstance(item, dict) else {}
    properties = found.get("properties")
    try:
        geometry: BaseGeometry | None = shape(found["geometry"]) if found.get("geometry") else None
    except (ValueError, TypeError, AttributeError, KeyError, shapely.GEOSException):
        geometry = None
    values = {str(name): plain(value) for name, value in properties.items()} if isinstance(properties, dict) else {}
    return Row(geometry, values)


def feature_line(geometry: BaseGeometry | None, properties: dict[str, Any]) -> str:
    """Return one feature as JSON text."""
    # GEOS writes the shortest digits that read back the same number, a tenth of the time that shapely's mapping takes.
    place = "null" if geometry is None else shapely.to_geojson(geometry)
    told = json.dumps(properties, ensure_ascii=False, allow_nan=False)
    return f'{{"type": "Feature", "geometry": {place}, "properties": {told}}}'


def write(task: Task) -> Path:
    """Return the written FeatureCollection, always in longitude and latitude (RFC 7946)."""
    path = task.folder / f"{task.stem}.geojson"
    head = {"type": "FeatureCollection", "name": task.name, "attribution": task.attribution, **task.of_imagery}
    head |= origin.members(task)
    classes = [{"value": item.value, "name": item.name, "colour": item.colour} for item in task.classes]
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps({**head, "classes": classes}, ensure_ascii=False)[:-1] + ', "features": [')
        lead = "\n"
        for sample in task.samples():
            own = {
                "class_value": sample.class_value, "class_name": sample.class_name, "score": sample.score,
                "source": sample.source, "verified": sample.verified,
            }  # fmt: skip
            known = {name: value for name, value in own.items() if value is not None}
            file.write(lead + feature_line(sample.geometry, sample.properties | known))
            lead = ",\n"
        file.write("\n]}\n")
    return path


def _crs(path: Path) -> str:
    """Return the CRS of a file's own `crs` member before its features; GeoJSON without one is WGS 84."""
    with path.open("rb") as stream:
        reader = GeoJsonReader(stream)
        next(iter(reader), None)
        member = reader.members.get("crs")
    name = member.get("properties", {}).get("name") if isinstance(member, dict) else None
    if name is None or "CRS84" in str(name):
        return LONLAT
    return crs_of(str(name)).to_string()
