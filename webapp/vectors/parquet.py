"""GeoParquet 1.x (https://geoparquet.org): WKB in a column, its CRS as PROJJSON in the file's metadata."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from pyproj import CRS

from webapp.errors import BadVectors
from webapp.vectors import ogr, samples
from webapp.vectors.table import LONLAT, Row, Table, Task, crs_of

BATCH_ROWS = 2_000
VERSION = "1.1.0"


def tables(path: Path) -> list[Table]:
    """Return the one table of a file.

    Raises:
        BadVectors: damaged, no "geo" metadata, or geometry that is not WKB.
    """
    pyarrow.set_cpu_count(1)
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise ogr.damaged(path, error) from error
    column, crs = _geometry(file.schema_arrow.metadata or {})

    def rows() -> Iterator[Row]:
        try:
            for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
                yield from ogr.rows_of(batch, column)
        except (pyarrow.ArrowException, OSError) as error:
            raise ogr.damaged(path, error) from error

    return [Table("features", rows, crs)]


def _geometry(metadata: dict[bytes, bytes]) -> tuple[str, str]:
    """Return the primary column and its CRS."""
    try:
        geo = json.loads(metadata[b"geo"])
        column = str(geo["primary_column"])
        facts = dict(geo["columns"][column])
    except (KeyError, ValueError, TypeError) as error:
        raise BadVectors(
            "The Parquet file says of no column that it holds geometry.",
            fix="Write it as GeoParquet (GeoPandas to_parquet, GDAL's Parquet driver).",
            code="no_features",
        ) from error
    if facts.get("encoding") != "WKB":
        raise BadVectors(
            f"The geometry is encoded as {str(facts.get('encoding'))[:40]}.", fix="Write it as WKB.", code="encoding"
        )
    # No "crs" at all means OGC:CRS84, null means unknown.
    crs = facts.get("crs", LONLAT)
    return column, json.dumps(crs) if isinstance(crs, dict) else str(crs or "")


def write(task: Task) -> Path:
    """Return the written file: one row group for each two thousand features, compressed with zstd."""
    path = task.folder / f"{task.stem}.parquet"
    schema = samples.scan(task)
    facts: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(schema.geometry_types)}
    if task.crs != LONLAT:
        facts["crs"] = CRS(crs_of(task.crs)).to_json_dict()
    geo = {"version": VERSION, "primary_column": samples.GEOMETRY, "columns": {samples.GEOMETRY: facts}}
    arrow = schema.arrow(plain=True).with_metadata({"geo": json.dumps(geo), **task.of_imagery})
    with pyarrow.parquet.ParquetWriter(path, arrow, compression="zstd") as writer:
        for batch in samples.batches(task, schema, arrow):
            writer.write_batch(batch)
    return path
