"""Shapefiles in a zip: one of ours carries the full names of its fields beside it."""

import json
from collections.abc import Iterator
from pathlib import Path

from webapp.errors import BadVectors
from webapp.vectors import ogr
from webapp.vectors.table import Row, Table

NEEDED = (".shp", ".shx", ".dbf")
NAMES_FILE = "fields.json"


def tables(files: list[Path]) -> list[Table]:
    """Return one table for each shapefile of an unpacked zip.

    Raises:
        BadVectors: a part is missing; the message names it.
    """
    found: list[Table] = []
    by_lower = {str(path).lower(): path for path in files}
    for path in files:
        if path.suffix.lower() != ".shp":
            continue
        stem = str(path)[: -len(path.suffix)].lower()
        missing = [suffix for suffix in NEEDED if stem + suffix not in by_lower]
        if missing:
            raise BadVectors(
                f"'{path.name}' comes without its {' and '.join(missing)}.",
                fix="Zip the .shp, .shx, .dbf, .prj and .cpg files of the shapefile together.",
                code="shapefile_incomplete",
            )
        found += [_with_full_names(table, files) for table in ogr.tables(path)]
    return found


def _with_full_names(table: Table, files: list[Path]) -> Table:
    sidecar = next((path for path in files if path.name == NAMES_FILE), None)
    if sidecar is None or sidecar.stat().st_size > 1 << 20:
        return table
    try:
        names = json.loads(sidecar.read_text(encoding="utf-8"))
    except ValueError:  # somebody else's file of that name
        return table
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        return table
    short = table.rows

    def rows() -> Iterator[Row]:
        for row in short():
            yield Row(row.geometry, {names.get(name, name): value for name, value in row.properties.items()})

    return Table(table.name, rows, table.crs, table.class_field, table.notes)
