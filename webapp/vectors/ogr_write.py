"""GeoPackage, FlatGeobuf, KML and Shapefile out of our features, streamed through pyogrio's GDAL."""

import json
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow
from pyogrio import raw

from webapp.vectors import origin, samples
from webapp.vectors.samples import GEOMETRY, Schema
from webapp.vectors.shapefile import NAMES_FILE
from webapp.vectors.table import LONLAT, Sample, Task, crs_of

SHAPEFILE_NAME_BYTES, SHAPEFILE_TEXT_BYTES = 10, 254
# A shapefile holds one kind of shape; ours go into one for each of these.
SHAPEFILES = {
    "polygons": ({"Polygon", "MultiPolygon"}, "Polygon"),
    "lines": ({"LineString", "MultiLineString"}, "LineString"),
    "points": ({"Point"}, "Point"),
    "multipoints": ({"MultiPoint"}, "MultiPoint"),
}
INT32 = 2**31


def write_gpkg(task: Task) -> Path:
    """Return a GeoPackage with one table."""
    path = task.folder / f"{task.stem}.gpkg"
    schema = samples.scan(task)
    columns = _columns(schema, taken={"fid", "geom"})
    _note_renamed(task, columns)
    _write(task, schema, path, "GPKG", columns, layer_options={"GEOMETRY_NAME": "geom"})
    return path


def write_flatgeobuf(task: Task) -> Path:
    """Return a FlatGeobuf file with its spatial index."""
    path = task.folder / f"{task.stem}.fgb"
    schema = samples.scan(task)
    _write(task, schema, path, "FlatGeobuf", _same(schema))
    return path


def write_kml(task: Task) -> Path:
    """Return a KML file, always in longitude and latitude; whole numbers over 32 bits become text."""
    path = task.folder / f"{task.stem}.kml"
    task.crs = LONLAT
    schema = samples.scan(task)
    columns = _columns(schema, taken={"name", "description"})
    _note_renamed(task, columns)
    _write(task, schema, path, "LIBKML", columns, small=_small_fields(task, schema))
    return path


def write_shapefile(task: Task) -> Path:
    """Return a zip of one shapefile for each kind of geometry, with the full names of the fields beside them."""
    schema = samples.scan(task)
    columns = _columns(schema, longest=SHAPEFILE_NAME_BYTES)
    task.lost["texts cut at 254 bytes"] += _long_texts(task)
    parts: list[Path] = []
    for suffix, (types, kind) in SHAPEFILES.items():
        if not types & schema.geometry_types and not (suffix == "polygons" and not schema.count):
            continue
        path = task.folder / f"{task.stem}_{suffix}.shp"
        _write(task, schema, path, "ESRI Shapefile", columns, only=types, kind=kind)
        parts += sorted(task.folder.glob(f"{path.stem}.*"))
    if any(column != name for name, column in columns.items()):
        names = task.folder / NAMES_FILE
        names.write_text(json.dumps({column: name for name, column in columns.items()}, ensure_ascii=False))
        parts.append(names)
    return packed(task.folder / f"{task.stem}.zip", [*parts, origin.readme(task)])


def packed(path: Path, parts: list[Path]) -> Path:
    """Return a zip of files, which are removed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            archive.write(part, part.name)
            part.unlink()
    return path


def _write(
    task: Task,
    schema: Schema,
    path: Path,
    driver: str,
    columns: dict[str, str],
    *,
    only: set[str] | None = None,
    kind: str = "Unknown",
    small: frozenset[str] = frozenset(),
    layer_options: dict[str, str] | None = None,
) -> None:
    arrow = _arrow(schema, columns, small)
    stream = (batch.cast(arrow) if small else batch for batch in _renamed(task, schema, columns, only))
    reader = pyarrow.RecordBatchReader.from_batches(arrow, stream)
    with warnings.catch_warnings():
        # Told in our own report.
        warnings.filterwarnings("ignore", message=".*(truncated|too long|Normalized|not successfully written).*")
        raw.write_arrow(
            reader,
            path,
            layer=path.stem,
            driver=driver,
            geometry_name=GEOMETRY,
            geometry_type=kind,
            crs=LONLAT if task.crs == LONLAT else crs_of(task.crs).to_wkt(),
            encoding="UTF-8" if driver == "ESRI Shapefile" else None,
            layer_options=layer_options,
            # Of these formats only this one keeps words about a table.
            layer_metadata=task.of_imagery or None if driver == "GPKG" else None,
        )


def _arrow(schema: Schema, columns: dict[str, str], small: frozenset[str]) -> pyarrow.Schema:
    full = schema.arrow()
    fields = [
        pyarrow.field(columns[name], pyarrow.int32() if name in small else full.field(name).type)
        for name in schema.fields
    ]
    return pyarrow.schema([*fields, full.field(GEOMETRY)])


def _renamed(task: Task, schema: Schema, columns: dict[str, str], only: set[str] | None) -> Iterator[Any]:
    names = [*columns.values(), GEOMETRY]
    for batch in samples.batches(task, schema, schema.arrow(), only=only):
        yield batch.rename_columns(names)


def _same(schema: Schema) -> dict[str, str]:
    return {name: name for name in schema.fields}


def _columns(schema: Schema, *, taken: set[str] | None = None, longest: int = 0) -> dict[str, str]:
    """Return field -> column, where columns differ in more than case and are not longer than `longest` bytes."""
    used = {name.casefold() for name in taken or ()}
    columns: dict[str, str] = {}
    for name in schema.fields:
        column, number = _cut(name, longest), 1
        while column.casefold() in used:
            number += 1
            column = f"{_cut(name, longest - len(str(number)) - 1 if longest else 0)}_{number}"
        used.add(column.casefold())
        columns[name] = column
    return columns


def _cut(name: str, longest: int) -> str:
    if not longest:
        return name
    # As GDAL does without a word, in OpenStreetMap's `roof:shape` for one: the full names stand beside the file.
    kept = "".join(letter if letter.isalnum() or letter in "_ " else "_" for letter in name)
    return kept.encode()[:longest].decode(errors="ignore")


def _note_renamed(task: Task, columns: dict[str, str]) -> None:
    task.lost["fields renamed, because the format has a field of that name"] += sum(
        column != name for name, column in columns.items()
    )


def _long_texts(task: Task) -> int:
    return _count(
        task,
        lambda sample: sum(
            isinstance(value, str) and len(value.encode()) > SHAPEFILE_TEXT_BYTES
            for value in sample.properties.values()
        ),
    )


def _small_fields(task: Task, schema: Schema) -> frozenset[str]:
    """Return the whole-number fields whose values all fit 32 bits: KML has no larger ones."""
    large = {
        name
        for sample in task.samples()
        for name, value in sample.properties.items()
        if isinstance(value, int) and not -INT32 <= value < INT32
    }
    return frozenset(name for name, kind in schema.fields.items() if kind == "integer" and name not in large)


def _count(task: Task, of: Callable[[Sample], int]) -> int:
    return sum(of(sample) for sample in task.samples())
