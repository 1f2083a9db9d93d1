"""GeoPackage, Shapefile, FlatGeobuf and KML, read and written through pyogrio's GDAL. Read inside the sandbox only."""

import json
import math
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyogrio
import shapely
from pyogrio import raw
from pyogrio.errors import DataLayerError, DataSourceError
from shapely.geometry.base import BaseGeometry

from webapp.errors import BadVectors, TooLarge
from webapp.vectors.table import Row, Table

BATCH_ROWS = 2_000
MAX_TABLES = 500
# What LIBKML adds to every feature, with its defaults: nobody wrote it.
KML_EXTRAS = {
    "id", "timestamp", "begin", "end", "altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon",
    "snippet",
}  # fmt: skip
KML_TEXTS = {"Name", "description"}


def tables(path: Path, *, kml: bool = False) -> list[Table]:
    """Return the tables of a file that GDAL reads; those without geometry are left out.

    Raises:
        BadVectors: it is damaged, or holds no table with geometry.
        TooLarge: more than 500 tables.
    """
    try:
        layers = pyogrio.list_layers(path)
    except (DataSourceError, DataLayerError) as error:
        raise damaged(path, error) from error
    if len(layers) > MAX_TABLES:
        raise TooLarge(f"The file holds {len(layers):,} tables.", fix=f"Keep to {MAX_TABLES}.")
    found = [_table(path, str(name), kml=kml) for name, kind in layers if kind is not None]
    if not found:
        raise BadVectors("The file holds no table with geometry.", fix="Export the layer again.", code="no_features")
    return found


def damaged(path: Path, error: BaseException) -> BadVectors:
    """Return the error of a file that GDAL cannot read; our folders are no part of the message."""
    told = str(error).replace(str(path), "the file").split("; It might help")[0]
    return BadVectors(
        f"The file is damaged or cut off: {told[:200]}", fix="Export it again and send the new file.",
        code="file_damaged",
    )  # fmt: skip


def _table(path: Path, name: str, *, kml: bool) -> Table:
    try:
        # Without counting: some drivers would read the whole file.
        info = raw.read(path, layer=name, max_features=1, read_geometry=False, return_fids=False)[0]
    except (DataSourceError, DataLayerError) as error:
        raise damaged(path, error) from error

    def rows() -> Iterator[Row]:
        try:
            yield from _rows(path, name, kml=kml)
        except (DataSourceError, DataLayerError) as error:
            raise damaged(path, error) from error

    return Table(name, rows, crs=str(info["crs"] or ""))


def _rows(path: Path, name: str, *, kml: bool) -> Iterator[Row]:
    with raw.open_arrow(path, layer=name, batch_size=BATCH_ROWS, use_pyarrow=True) as (meta, reader):
        column = meta["geometry_name"] or "wkb_geometry"
        for batch in reader:
            yield from rows_of(batch, column, kml=kml)


def rows_of(batch: Any, column: str, *, kml: bool = False) -> Iterator[Row]:
    """Yield the rows of a pyarrow record batch whose geometry stands in a column as WKB."""
    names = [name for name in batch.schema.names if name != column]
    # Curves and surfaces become None, and the import says so.
    shapes = shapely.from_wkb(batch.column(column).to_pylist(), on_invalid="ignore")
    columns = [batch.column(name).to_pylist() for name in names]
    for index, shape in enumerate(shapes):
        values = {name: plain(values[index]) for name, values in zip(names, columns, strict=True)}
        yield Row(shape, _without_extras(values) if kml else values)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: dates as ISO 8601, lists as JSON text, no bytes, no NaN."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, default=str)
    return None if isinstance(value, bytes) else value


def _without_extras(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if name not in KML_EXTRAS and not (name in KML_TEXTS and value in (None, ""))
    }


def dimension(shape: BaseGeometry) -> int:
    """Return 0 for points, 1 for lines, 2 for polygons."""
    return int(shapely.get_dimensions(shape))
