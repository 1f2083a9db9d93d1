"""Reads of feature layers. JSON of features is built by the database, in one shape for every edge."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib.gis.geos import GEOSGeometry
from django.db import connection, transaction
from shapely.geometry.base import BaseGeometry

from webapp.errors import NotFound
from webapp.features.geometry import SRID, to_shape
from webapp.features.models import FeatureClass, FeatureLayer
from webapp.features.schema import SHAPES
from webapp.projects.signing import layer_token

Bbox = tuple[float, float, float, float]

MAX_FEATURES = 10_000
DEFAULT_FEATURES = 5_000
MAX_CHANGES = 1_000
# Stored bytes of geometry after which a page of the log ends; a row is never cut.
MAX_CHANGES_BYTES = 1 << 20
# Further behind than this a client loads what it sees again instead of replaying.
REPLAY_LIMIT = 5_000

# The most that PostGIS prints: positions read back bit for bit (within one degree of 0, to 5e-16 degrees).
_DIGITS = 15


def person_sql(alias: str) -> str:
    """Return the SQL of {id, name} of a joined user; null where there is none."""
    name = f"coalesce(nullif(trim({alias}.first_name || ' ' || {alias}.last_name), ''), {alias}.username)"
    return f"CASE WHEN {alias}.id IS NULL THEN NULL ELSE json_build_object('id', {alias}.id, 'name', {name}) END"


FEATURE_JSON = f"""json_build_object(
    'type', 'Feature', 'id', f.id, 'geometry', ST_AsGeoJSON(f.geometry, {_DIGITS})::json, 'properties', f.properties,
    'meta', json_build_object(
        'fid', f.fid, 'version', f.version, 'class_value', f.class_value, 'score', f.score, 'source', f.source,
        'verified', f.verified, 'deleted', f.deleted, 'area_m2', f.area_m2,
        'updated_by', {person_sql("u")}, 'updated_at', f.updated_at))::text"""

# The feature as it was after one edit; a deleted one is null.
EDIT_FEATURE = f"""CASE WHEN e.action = 'delete' THEN NULL ELSE json_build_object(
    'type', 'Feature', 'id', e.feature_id, 'geometry', ST_AsGeoJSON(e.geometry, {_DIGITS})::json,
    'properties', e.properties,
    'meta', json_build_object(
        'fid', f.fid, 'version', e.version, 'class_value', e.class_value, 'score', e.score, 'source', e.source,
        'verified', e.verified, 'deleted', false, 'updated_by', {person_sql("u")}, 'updated_at', e.at)) END"""


def edit_sql(feature: str) -> str:
    """Return the SQL of a row `e` of the log as JSON text; `feature`: SQL of the feature as it was after it."""
    return f"""json_build_object(
    'seq', e.seq, 'op_id', e.op_id, 'id', e.feature_id, 'action', e.action, 'base_version', e.base_version,
    'version', e.version, 'actor', {person_sql("u")}, 'at', e.at, 'feature', {feature})::text"""


EDIT_JSON = edit_sql(EDIT_FEATURE)

_EDIT_JOINS = """JOIN features_feature f ON f.id = e.feature_id
    LEFT JOIN projects_user u ON u.id = e.actor_id"""


# The layer's number and the log after one that is near enough to be replayed, as they stand at one moment.
_CHANGES = f"""SELECT l.seq, r.seq, r.body FROM features_featurelayer l LEFT JOIN LATERAL (
        SELECT e.seq, {EDIT_JSON} AS body FROM (
            SELECT *, sum(coalesce(pg_column_size(geometry), 0)) OVER w AS before FROM features_edit
            WHERE layer_id = %(layer)s AND seq > %(after)s
                AND %(after)s BETWEEN greatest(0, l.seq - {REPLAY_LIMIT}) AND l.seq
            WINDOW w AS (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            ORDER BY seq LIMIT %(limit)s) e {_EDIT_JOINS}
        WHERE coalesce(e.before, 0) < {MAX_CHANGES_BYTES}) r ON true
    WHERE l.id = %(layer)s ORDER BY r.seq"""


@dataclass(frozen=True)
class Snapshot:
    """Features as they were at one number of the log.

    Attributes:
        seq: the number; edits after it are not in.
        features: JSON texts.
        truncated: there are more than were asked for.
    """

    seq: int
    features: list[str]
    truncated: bool


@dataclass(frozen=True)
class LogRow:
    """One edit as JSON text."""

    seq: int
    body: str


@dataclass(frozen=True)
class Changes:
    """The log after one number.

    Attributes:
        seq: the layer's last number when the log was read.
        rows: in order, without gaps, at most as many as were asked for, and about a megabyte.
        resync: the caller is too far behind, or ahead of the log: load features again, then go on from `seq`.
    """

    seq: int
    rows: list[LogRow]
    resync: bool


@dataclass(frozen=True)
class FeatureState:
    """One feature as it was at a number of the log; geometry in EPSG:4326."""

    id: UUID
    fid: int
    version: int
    geometry: GEOSGeometry
    class_value: int | None
    score: float | None
    properties: dict[str, Any]
    source: str
    verified: bool

    @property
    def shape(self) -> BaseGeometry:
        """The geometry for shapely."""
        return to_shape(self.geometry)


def layer_of(pk: UUID | str) -> FeatureLayer:
    """Return the layer with its project.

    Raises:
        NotFound: there is none.
    """
    found = FeatureLayer.objects.select_related("project").filter(pk=pk).first()
    if found is None:
        raise NotFound()  # the same words as for a stranger
    return found


def classes_json(layer: FeatureLayer) -> list[dict[str, Any]]:
    """Return the class schema in its order, retired ones with it."""
    rows = FeatureClass.objects.filter(layer=layer).order_by("position", "value")
    fields = ("value", "name", "colour", "position", "retired", "shapes")
    return [{**row, "shapes": row["shapes"] or list(SHAPES)} for row in rows.values(*fields)]


def layer_json(layer: FeatureLayer) -> dict[str, Any]:
    """Return what every page and client needs to show and edit the layer."""
    box = [layer.west, layer.south, layer.east, layer.north]
    token = layer_token("features", layer.pk)
    return {
        "id": str(layer.pk),
        "project": str(layer.project_id),
        "name": layer.name,
        "description": layer.description,
        "kind": layer.kind,
        "state": layer.state,
        "seq": layer.seq,
        "count": layer.feature_count,
        "bounds": None if None in box else box,
        "classes": classes_json(layer),
        "fields": layer.fields,
        "attribution": layer.attribution,
        "tiles": f"/tiles/features/{layer.pk}/{{seq}}/{{z}}/{{x}}/{{y}}.mvt?t={token}",
        "ogc": f"/ogc/collections/{layer.pk}",
        "url": f"/api/layers/{layer.pk}/",
        "created_at": layer.created_at.isoformat(),
    }


def place_sql(bbox: Bbox | None, column: str = "f.geometry") -> tuple[str, list[float]]:
    """Return a condition on the indexed column and its parameters; west > east crosses the antimeridian."""
    if bbox is None:
        return "true", []
    west, south, east, north = bbox
    box = f"{column} && ST_MakeEnvelope(%s, %s, %s, %s, {SRID})"
    exact = f"({box} AND ST_Intersects({column}, ST_MakeEnvelope(%s, %s, %s, %s, {SRID})))"
    if west <= east:
        return exact, [*bbox, *bbox]
    halves = [west, south, 180.0, north], [-180.0, south, east, north]
    return f"({exact} OR {exact})", [*halves[0], *halves[0], *halves[1], *halves[1]]


def snapshot(layer: FeatureLayer, *, bbox: Bbox | None = None, limit: int = DEFAULT_FEATURES) -> Snapshot:
    """Return the features in a box (west, south, east, north, degrees) by fid, with the number of the log they show.

    Number and features come from one statement, so that no edit falls between them.
    """
    where, parameters = place_sql(bbox)
    sql = f"""SELECT l.seq, r.body FROM features_featurelayer l LEFT JOIN LATERAL (
        SELECT {FEATURE_JSON} AS body, f.fid FROM features_feature f
        LEFT JOIN projects_user u ON u.id = f.updated_by_id
        WHERE f.layer_id = %s AND NOT f.deleted AND {where} ORDER BY f.fid LIMIT %s) r ON true
        WHERE l.id = %s ORDER BY r.fid"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [layer.pk, *parameters, limit + 1, layer.pk])
        rows = cursor.fetchall()
    bodies = [body for _, body in rows if body is not None]
    return Snapshot(rows[0][0] if rows else layer.seq, bodies[:limit], len(bodies) > limit)


def feature_json(layer: FeatureLayer, feature_id: UUID) -> str:
    """Return one feature as JSON text, deleted ones with it.

    Raises:
        NotFound: the layer has no such feature.
    """
    bodies = features_json(layer, [feature_id])
    if not bodies:
        raise NotFound("feature")
    return bodies[feature_id]


def features_json(layer: FeatureLayer, ids: list[UUID]) -> dict[UUID, str]:
    """Return features of the layer by id as JSON texts, deleted ones with them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT f.id, {FEATURE_JSON} FROM features_feature f LEFT JOIN projects_user u ON u.id = f.updated_by_id
            WHERE f.layer_id = %s AND f.id = ANY(%s::uuid[])""",
            [layer.pk, [str(item) for item in ids]],
        )
        return dict(cursor.fetchall())


def changes(layer: FeatureLayer, *, after: int, limit: int = MAX_CHANGES) -> Changes:
    """Return the log after a number."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {"layer": layer.pk, "after": after, "limit": limit})
        found = cursor.fetchall()
    if not found:
        raise FeatureLayer.DoesNotExist
    seq = found[0][0]
    if after < 0 or after > seq or seq - after > REPLAY_LIMIT:
        return Changes(seq, [], resync=True)
    return Changes(seq, [LogRow(number, body) for _, number, body in found if number is not None], resync=False)


def edits_by_seq(layer: FeatureLayer, numbers: list[int]) -> dict[int, str]:
    """Return what single edits made of their features: the feature as JSON text ("null" after a delete), by number."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.seq, coalesce(({EDIT_FEATURE})::text, 'null') FROM features_edit e {_EDIT_JOINS}"
            " WHERE e.layer_id = %s AND e.seq = ANY(%s)",
            [layer.pk, numbers],
        )
        return dict(cursor.fetchall())


def history(layer: FeatureLayer, feature_id: UUID) -> list[LogRow]:
    """Return every edit of one feature, the first one first.

    Raises:
        NotFound: the layer has no such feature.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.seq, {EDIT_JSON} FROM features_edit e {_EDIT_JOINS}"
            " WHERE e.layer_id = %s AND e.feature_id = %s ORDER BY e.version",
            [layer.pk, feature_id],
        )
        rows = [LogRow(*row) for row in cursor.fetchall()]
    if not rows:
        raise NotFound("feature")
    return rows


def features_at(layer: FeatureLayer, seq: int) -> Iterator[FeatureState]:
    """Yield the features as they were after edit number `seq`, by fid, from the log alone.

    The same number gives the same rows for ever, whatever is edited later: this is what a training freezes.
    """
    sql = """SELECT s.feature_id, f.fid, s.version, s.geometry::bytea, s.class_value, s.score, s.properties::text,
            s.source, s.verified
        FROM (SELECT DISTINCT ON (feature_id) * FROM features_edit WHERE layer_id = %s AND seq <= %s
              ORDER BY feature_id, seq DESC) s
        JOIN features_feature f ON f.id = s.feature_id WHERE s.action <> 'delete' ORDER BY f.fid"""
    for row in stream(sql, [layer.pk, seq]):
        geometry = GEOSGeometry(memoryview(row[3]), srid=SRID)
        yield FeatureState(row[0], row[1], row[2], geometry, row[4], row[5], _loads(row[6]), row[7], row[8])


def statistics(layer: FeatureLayer) -> list[dict[str, Any]]:
    """Return per class value: features, how many a person verified, geodesic area (square metres) and length (metres).

    `lines` and `points` count those that have no area; the length is that of lines.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            # Only what has no area is looked at for what it is: reading every outline would take seconds.
            """SELECT class_value, count(*), count(*) FILTER (WHERE verified), coalesce(sum(area_m2), 0),
                count(*) FILTER (WHERE CASE WHEN area_m2 = 0 THEN ST_Dimension(geometry) = 1 END),
                count(*) FILTER (WHERE CASE WHEN area_m2 = 0 THEN ST_Dimension(geometry) = 0 END),
                coalesce(sum(CASE WHEN area_m2 = 0 THEN ST_Length(geometry::geography) END), 0)
            FROM features_feature WHERE layer_id = %s AND NOT deleted GROUP BY class_value ORDER BY class_value""",
            [layer.pk],
        )
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    rows = [{**item, **_counts(found.pop(item["value"], (0, 0, 0.0, 0, 0, 0.0)))} for item in classes_json(layer)]
    unclassified = found.pop(None, None)
    if unclassified is not None:
        rows.append({"value": None, "name": "No class", "colour": "#888888", **_counts(unclassified)})
    return rows


def stream(sql: str, parameters: list[Any], size: int = 2_000) -> Iterator[tuple[Any, ...]]:
    """Yield rows of one statement, `size` at a time, from a cursor of the server: memory stays flat."""
    with transaction.atomic():
        connection.ensure_connection()
        raw = connection.connection
        with raw.cursor(name=f"features_{uuid4().hex}") as cursor:
            cursor.itersize = size
            cursor.execute(sql, [str(item) if isinstance(item, UUID) else item for item in parameters])
            yield from cursor


def _counts(row: tuple[Any, ...]) -> dict[str, Any]:
    names = ("count", "verified", "area_m2", "lines", "points", "length_m")
    return dict(zip(names, row, strict=True))


def _loads(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text)
    return loaded
