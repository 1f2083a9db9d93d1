"""Features of a layer as rows of a table: a page of them, sorted and filtered by the database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from django.conf import settings
from django.db import OperationalError, connection, transaction

from webapp.errors import Invalid, Unavailable
from webapp.features.models import FeatureLayer
from webapp.maps.columns import fields_of

MOST_ROWS = 200
MOST_SKIPPED = 1_000_000
# Sortable beside the layer's fields.
_COLUMNS = {
    "fid": "fid",
    "class": "class_value",
    "score": "score",
    "area_m2": "area_m2",
    "source": "source",
    "verified": "verified",
}


@dataclass(frozen=True)
class Asked:
    """A page of a table.

    Attributes:
        sort: a column or field.
        down: largest first; features without a value come last either way.
        skip: rows before the page.
        limit: rows of the page.
        text: only features with this text in one of their fields, or this number.
        filter: as a style's: `{hidden, score, fields}`.
    """

    sort: str = "fid"
    down: bool = False
    skip: int = 0
    limit: int = 50
    text: str = ""
    filter: Mapping[str, Any] = field(default_factory=dict)


def page(layer: FeatureLayer, asked: Asked) -> dict[str, Any]:
    """Return `{total, rows}`: rows are `{id, fid, class_value, score, area_m2, source, verified, properties, bounds}`.

    Raises:
        Invalid: an unknown column, or numbers out of range.
        Unavailable: it took longer than a reader may.
    """
    if not 1 <= asked.limit <= MOST_ROWS or not 0 <= asked.skip <= MOST_SKIPPED:
        raise Invalid("The page is out of range.", fix=f"Ask for 1 to {MOST_ROWS} rows.")
    order, order_values = _order(layer, asked)
    where, values = _where(layer, asked)
    sql = f"""SELECT id, fid, class_value, score, area_m2, source, verified, properties::text,
            ST_XMin(geometry), ST_YMin(geometry), ST_XMax(geometry), ST_YMax(geometry)
        FROM features_feature WHERE {where} ORDER BY {order} LIMIT %s OFFSET %s"""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)", [str(int(settings.READ_TIMEOUT_S * 1000))]
            )
            total = layer.feature_count
            if asked.text or asked.filter:
                cursor.execute(f"SELECT count(*) FROM features_feature WHERE {where}", values)
                total = cursor.fetchone()[0]
            cursor.execute(sql, [*values, *order_values, asked.limit, asked.skip])
            return {"total": total, "rows": [_row(row) for row in cursor.fetchall()]}
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg2.extensions.QueryCanceledError):
            raise Unavailable("The table took too long.", fix="Filter it, or sort by number.") from error
        raise


def _order(layer: FeatureLayer, asked: Asked) -> tuple[str, list[Any]]:
    turn = "DESC" if asked.down else "ASC"
    if asked.sort in _COLUMNS:
        return f"{_COLUMNS[asked.sort]} {turn} NULLS LAST, fid", []
    if asked.sort in fields_of(layer):
        return f"nullif(properties -> %s, 'null') {turn} NULLS LAST, fid", [asked.sort]
    raise Invalid(
        f"There is no column '{asked.sort[:60]}'.", fix=f"Sort by {', '.join([*_COLUMNS, *fields_of(layer)])}."
    )


def _where(layer: FeatureLayer, asked: Asked) -> tuple[str, list[Any]]:
    parts: list[str] = ["layer_id = %s", "NOT deleted"]
    values: list[Any] = [layer.pk]
    if asked.filter.get("hidden"):
        parts.append("coalesce(class_value, -1) <> ALL(%s)")
        values.append(asked.filter["hidden"])
    if asked.filter.get("score"):
        _between(parts, values, "score", [], asked.filter["score"])
    for condition in asked.filter.get("fields", []):
        _condition(layer, condition, parts, values)
    if asked.text:
        parts.append("(fid::text = %s OR EXISTS (SELECT 1 FROM jsonb_each_text(properties) p WHERE p.value ILIKE %s))")
        escaped = asked.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values += [asked.text, f"%{escaped}%"]
    return " AND ".join(parts), values


def _condition(layer: FeatureLayer, condition: Mapping[str, Any], parts: list[str], values: list[Any]) -> None:
    name = condition["field"]
    if name not in fields_of(layer):
        raise Invalid(f"The layer has no field '{name[:60]}'.", fix=f"Filter by {', '.join(fields_of(layer))}.")
    own = name in _COLUMNS
    column, names = (name, []) if own else ("properties -> %s", [name])
    if condition.get("values"):
        parts.append(f"({column}) = ANY(%s::{'double precision' if own else 'jsonb'}[])")
        given = condition["values"]
        values += [*names, given if own else [json.dumps(value) for value in given]]
    elif condition.get("range"):
        if not own:
            parts.append("jsonb_typeof(properties -> %s) = 'number'")
            values.append(name)
            column = "(properties ->> %s)::double precision"
        _between(parts, values, column, names, condition["range"])


def _between(parts: list[str], values: list[Any], column: str, names: list[Any], ends: Any) -> None:
    low, high = ends
    for sign, end in ((">=", low), ("<=", high)):
        if end is not None:
            parts.append(f"{column} {sign} %s")
            values += [*names, end]


def _row(row: tuple[Any, ...]) -> dict[str, Any]:
    keys = ("id", "fid", "class_value", "score", "area_m2", "source", "verified")
    return {**dict(zip(keys, row[:7], strict=True)), "properties": json.loads(row[7]), "bounds": list(row[8:12])}
