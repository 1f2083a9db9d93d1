"""Reads for OGC API Features. GeoJSON is built by the database, pages go on after the last fid."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from webapp.errors import Invalid, NotFound
from webapp.features.models import FeatureLayer
from webapp.features.selectors import Bbox, place_sql
from webapp.ogc.crs import CRS84, geometry_sql

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000
# Names that the layer gives itself; a feature's own property of the same name is not shown.
SYSTEM_PROPERTIES: dict[str, dict[str, Any]] = {
    "fid": {"type": "integer", "readOnly": True},
    "class_value": {"type": "integer", "nullable": True},
    "class_name": {"type": "string", "nullable": True, "readOnly": True},
    "score": {"type": "number", "nullable": True, "readOnly": True},
    "source": {"type": "string", "readOnly": True},
    "verified": {"type": "boolean", "readOnly": True},
    "version": {"type": "integer", "readOnly": True},
    "updated_at": {"type": "string", "format": "date-time", "readOnly": True},
}
_TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}


@dataclass(frozen=True)
class Query:
    """Which features of a layer, and how.

    Attributes:
        bbox: west, south, east, north in degrees.
        since, until: limits of `updated_at`, both included.
        after: the fid after which the page begins.
    """

    bbox: Bbox | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0
    limit: int = DEFAULT_LIMIT
    crs: str = CRS84


@dataclass(frozen=True)
class Page:
    """One page of features.

    Attributes:
        bodies: GeoJSON features as JSON texts.
        next_after: the fid after which the next page begins; None at the end.
        matched: how many there are in all, where that is known without counting.
    """

    bodies: list[str]
    next_after: int | None
    matched: int | None


@dataclass(frozen=True)
class Item:
    """One feature, with its version and the class schema's: together its tag."""

    body: str
    version: int
    tag: str


def _body(crs: str, own: str) -> str:
    return f"""json_build_object('type', 'Feature', 'id', f.id,
        'geometry', ST_AsGeoJSON({geometry_sql(crs)}, 15)::json,
        'properties', f.properties || jsonb_build_object('fid', f.fid, 'class_value', f.class_value,
            'class_name', c.name, 'score', f.score, 'source', f.source, 'verified', f.verified,
            'version', f.version, 'updated_at', f.updated_at){own})::text"""


_FROM = """features_feature f
    LEFT JOIN features_featureclass c ON c.layer_id = f.layer_id AND c.value = f.class_value"""


def page(layer: FeatureLayer, query: Query) -> Page:
    """Return one page of the layer's features by fid."""
    where, parameters = place_sql(query.bbox)
    # Pages are cut before the JSON is made and the classes are looked up.
    sql = f"""SELECT f.fid, {_body(query.crs, "")} FROM (SELECT * FROM features_feature f
            WHERE f.layer_id = %s AND NOT f.deleted AND f.fid > %s AND {where}
                AND (%s::timestamptz IS NULL OR f.updated_at >= %s) AND (%s::timestamptz IS NULL OR f.updated_at <= %s)
            ORDER BY f.fid LIMIT %s) f
        LEFT JOIN features_featureclass c ON c.layer_id = f.layer_id AND c.value = f.class_value ORDER BY f.fid"""
    times = [query.since, query.since, query.until, query.until]
    rows = _read(sql, [layer.pk, query.after, *parameters, *times, query.limit + 1])
    shown = rows[: query.limit]
    whole = query.bbox is None and query.since is None and query.until is None
    return Page(
        [body for _, body in shown],
        shown[-1][0] if len(rows) > query.limit else None,
        layer.feature_count if whole else None,
    )


def item(layer: FeatureLayer, feature_id: UUID, *, crs: str = CRS84, links: str = "[]") -> Item:
    """Return one feature; `links` is a JSON text that is put into it.

    Raises:
        NotFound: the layer has no such feature, or it is deleted.
    """
    sql = f"""SELECT {_body(crs, ", 'links', %s::json")}, f.version, l.schema_version FROM {_FROM}
        JOIN features_featurelayer l ON l.id = f.layer_id WHERE f.layer_id = %s AND f.id = %s AND NOT f.deleted"""
    rows = _read(sql, [links, layer.pk, feature_id])
    if not rows:
        raise NotFound("feature")
    body, version, schema_version = rows[0]
    return Item(body, version, f'"{version}.{schema_version}"')


def schema(layer: FeatureLayer) -> dict[str, Any]:
    """Return the JSON schema of the layer's properties."""
    own = {field["name"]: {"type": _TYPES[field["type"]], "nullable": True} for field in layer.fields}
    return {**own, **SYSTEM_PROPERTIES}


def parse_datetime(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the ends of an instant or interval of RFC 3339 (".." or nothing: open).

    Raises:
        Invalid: no time, or the end before the start.
    """
    if not text:
        return None, None
    parts = text[:200].split("/")
    if len(parts) == 1:
        moment = _moment(parts[0])
        return moment, moment
    if len(parts) != 2:
        raise Invalid(f"{text[:60]!r} is no interval.", fix="Send start/end.", code="datetime_invalid")
    since, until = (None if part in ("", "..") else _moment(part) for part in parts)
    if since is not None and until is not None and since > until:
        raise Invalid(f"{text[:60]!r} ends before it starts.", fix="Swap the two.", code="datetime_invalid")
    return since, until


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("z", "Z"))
    except ValueError as error:
        raise Invalid(
            f"{text[:40]!r} is no time.", fix="Send RFC 3339, as 2026-11-22T12:00:00Z.", code="datetime_invalid"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    # Whatever a request asks for, it does not run for ever, and where there is a role for readers it writes nothing.
    alias = settings.READ_ALIAS
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(settings.READ_TIMEOUT_S * 1000))])
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
