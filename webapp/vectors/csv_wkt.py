"""CSV with the geometry as WKT in a column, or as longitude and latitude in two."""

import csv
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import shapely

from webapp.errors import BadVectors
from webapp.vectors import samples
from webapp.vectors.samples import placed
from webapp.vectors.table import LONLAT, Row, Table, Task

WKT_NAMES = ("wkt", "geometry", "geom", "the_geom", "wkt_geom", "shape")
LON_NAMES = ("lon", "lng", "long", "longitude", "x")
LAT_NAMES = ("lat", "latitude", "y")
GUESS_BYTES = 65_536
MAX_CELL = 32 << 20
MAX_COLUMNS = 1_000
# A cell that begins so runs in a spreadsheet (OWASP, CSV injection): ours get an apostrophe, which an import takes off.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")


def tables(path: Path) -> list[Table]:
    """Return the one table of a CSV file; its columns are numbers, true/false or text as a whole.

    Raises:
        BadVectors: not UTF-8, no header, or no column with geometry.
    """
    csv.field_size_limit(MAX_CELL)
    dialect = _dialect(path)
    header = next(_lines(path, dialect), [])
    if len(header) > MAX_COLUMNS or not header:
        raise BadVectors(f"The CSV file has {len(header):,} columns.", fix="Keep to 1,000 and name them in line 1.")
    by_lower = {name.strip().casefold(): index for index, name in reversed(list(enumerate(header)))}
    wkt = next((by_lower[name] for name in WKT_NAMES if name in by_lower), None)
    lon = next((by_lower[name] for name in LON_NAMES if name in by_lower), None)
    lat = next((by_lower[name] for name in LAT_NAMES if name in by_lower), None)
    if wkt is None and (lon is None or lat is None):
        raise BadVectors(
            "The CSV file has no column named wkt, nor lon and lat.",
            fix="Name the column with the geometry wkt (POLYGON ((…))), or two columns lon and lat.",
            code="no_features",
        )
    skipped = {column for column in ([wkt] if wkt is not None else [lon, lat]) if column is not None}
    kinds = _kinds(path, dialect, len(header), skipped)

    def rows() -> Iterator[Row]:
        lines = _lines(path, dialect)
        next(lines)
        for cells in lines:
            if not any(cells):
                continue
            shape = _shape(cells, wkt) if wkt is not None else _point(cells, lon, lat)
            values = {
                header[index].strip(): kinds[index](cells[index])
                for index in range(min(len(cells), len(header)))
                if index not in skipped
            }
            yield Row(shape, values)

    # WKT has no CRS of its own; lon and lat say theirs, metres do not.
    by_name = wkt is None and header[lon or 0].strip().casefold() != "x"
    return [Table("features", rows, LONLAT if by_name else _srid(path, dialect, wkt))]


def write(task: Task) -> Path:
    """Return the written file: WKT first, then one column for each field, texts quoted."""
    path = task.folder / f"{task.stem}.csv"
    schema = samples.scan(task)
    srid = "" if task.crs == LONLAT else f"SRID={task.crs.rpartition(':')[2]};"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(["wkt", *(_guarded(name) for name in schema.fields)])
        for sample in task.samples():
            found = samples.values(sample, schema)
            # repr-exact: as many digits as the coordinate has.
            text = shapely.to_wkt(placed(sample.geometry, task.crs), rounding_precision=-1)
            writer.writerow([srid + text, *(_cell(found[name]) for name in schema.fields)])
    return path


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith((*FORMULA, "'")) else text


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _guarded(value) if isinstance(value, str) else value


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith((*FORMULA, "'")) else text


def _dialect(path: Path) -> str:
    """Return the separator of a file: the one that stands most often in its first line."""
    with path.open("rb") as file:
        first = file.read(GUESS_BYTES).split(b"\n", 1)[0].decode("utf-8-sig", errors="replace")
    return max(",;\t", key=first.count)


def _lines(path: Path, separator: str) -> Iterator[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from csv.reader(file, delimiter=separator)
    except UnicodeDecodeError as error:
        raise BadVectors("The CSV file is not UTF-8.", fix="Save it as UTF-8.", code="encoding") from error
    except csv.Error as error:
        raise BadVectors(f"The CSV file is damaged: {error}.", fix="Export it again.", code="file_damaged") from error


def _kinds(path: Path, separator: str, count: int, skipped: set[int]) -> list[Callable[[str], Any]]:
    """Return for each column what its cells become: the narrowest kind that fits all of them."""
    integer, number, boolean = [True] * count, [True] * count, [True] * count
    lines = _lines(path, separator)
    next(lines, None)
    for cells in lines:
        for index, cell in enumerate(cells[:count]):
            if cell == "" or index in skipped:
                continue
            integer[index] = integer[index] and bool(INTEGER.fullmatch(cell))
            number[index] = number[index] and bool(NUMBER.fullmatch(cell)) and math.isfinite(float(cell))
            boolean[index] = boolean[index] and cell in ("true", "false")
    return [_reader(*flags) for flags in zip(integer, number, boolean, strict=True)]


def _reader(integer: bool, number: bool, boolean: bool) -> Callable[[str], Any]:
    if integer:
        return lambda cell: int(cell) if cell else None
    if number:
        return lambda cell: float(cell) if cell else None
    if boolean:
        return lambda cell: cell == "true" if cell else None
    return lambda cell: _unguarded(cell) or None


def _shape(cells: list[str], column: int) -> Any:
    text = cells[column] if column < len(cells) else ""
    return shapely.from_wkt(text.rpartition(";")[2] if text.startswith("SRID=") else text, on_invalid="ignore")


def _point(cells: list[str], lon: int | None, lat: int | None) -> Any:
    try:
        x, y = float(cells[lon or 0]), float(cells[lat or 0])
    except (ValueError, IndexError):
        return None
    return shapely.Point(x, y) if math.isfinite(x) and math.isfinite(y) else None


def _srid(path: Path, separator: str, column: int | None) -> str:
    """Return the CRS of the first row's extended WKT; "" where it names none."""
    lines = _lines(path, separator)
    next(lines, None)
    first = next(lines, [])
    found = re.match(r"SRID=(\d{1,6});", first[column]) if column is not None and column < len(first) else None
    return f"EPSG:{found[1]}" if found else ""
