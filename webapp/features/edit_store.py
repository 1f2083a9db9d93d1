"""What a batch of edits reads and writes: one statement each, under the layer's lock, where others wait."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.gis.geos import GEOSGeometry
from django.db import connection
from django.utils import timezone

from webapp.features.geometry import SRID
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.features.selectors import EDIT_FEATURE, LogRow, edit_sql
from webapp.projects.models import User


@dataclass(frozen=True)
class ClassRow:
    """What an edit has to know of a class."""

    name: str
    retired: bool
    shapes: list[str]


@dataclass(frozen=True)
class Standing:
    """What the layer holds of what a batch is about.

    Attributes:
        features: those that the edits name, of whatever layer, by id.
        done: rows of the log with the batch's operations, by op_id; without geometry.
        classes: by value.
        sealed: which of the features are put away (`webapp.features.sealing`).
    """

    features: dict[UUID, Feature]
    done: dict[UUID, Edit]
    classes: dict[int, ClassRow]
    sealed: set[UUID]


@dataclass(frozen=True)
class Stored:
    """A row of the log as every reader of it gets it, and its feature as JSON text ("null" after a delete)."""

    row: LogRow
    feature: str


# Three reads in one round trip. Only what is deleted can be sealed.
_STANDING = """SELECT
    (SELECT json_agg(json_build_array(f.id, f.layer_id, f.fid, f.geometry::text, f.class_value, f.score, f.properties,
            f.version, f.source, f.verified, f.deleted, CASE WHEN f.deleted THEN EXISTS (
                SELECT FROM features_edit e JOIN features_sealededit s ON s.edit_id = e.id
                WHERE e.feature_id = f.id AND e.layer_id = %(layer)s) ELSE false END))
        FROM features_feature f WHERE f.id = ANY(%(ids)s::uuid[])),
    (SELECT json_agg(json_build_array(e.id, e.op_id, e.seq, e.version, e.feature_id, e.digest))
        FROM features_edit e WHERE e.layer_id = %(layer)s AND e.op_id = ANY(%(op_ids)s::uuid[])),
    (SELECT json_agg(json_build_array(c.value, c.name, c.retired, c.shapes))
        FROM features_featureclass c WHERE c.layer_id = %(layer)s)"""

# A feature of the batch is new, or still at the version that was read: the lock keeps others out, this is the
# second wall. Every row of the log is answered with the feature as it was after it.
_STORE = f"""WITH f AS (SELECT * FROM json_to_recordset(%(features)s) AS r (id uuid, fid bigint, geometry geometry,
        class_value int, score float8, properties jsonb, version int, read_version int, source text, verified boolean,
        deleted boolean)),
    inserted AS (INSERT INTO features_feature (id, layer_id, fid, geometry, class_value, score, properties, version,
            source, verified, deleted, created_by_id, updated_by_id, created_at, updated_at)
        SELECT id, %(layer)s::uuid, fid, geometry, class_value, score, properties, version, source, verified, deleted,
            %(user)s, %(user)s, %(now)s, %(now)s FROM f WHERE read_version IS NULL RETURNING 1),
    updated AS (UPDATE features_feature t SET geometry = f.geometry, class_value = f.class_value, score = f.score,
            properties = f.properties, version = f.version, source = f.source, verified = f.verified,
            deleted = f.deleted, updated_by_id = %(user)s, updated_at = %(now)s
        FROM f WHERE t.id = f.id AND t.id = ANY(%(ids)s::uuid[]) AND t.version = f.read_version RETURNING 1),
    e AS (INSERT INTO features_edit (layer_id, seq, op_id, feature_id, action, base_version, version, geometry,
            class_value, score, properties, source, verified, digest, actor_id, at)
        SELECT %(layer)s::uuid, seq, op_id, feature_id, action, base_version, version, geometry, class_value, score,
            properties, source, verified, digest, %(user)s, %(now)s
        FROM json_to_recordset(%(rows)s) AS r (seq bigint, op_id uuid, feature_id uuid, action text, base_version int,
            version int, geometry geometry, class_value int, score float8, properties jsonb, source text,
            verified boolean, digest text) RETURNING *)
    SELECT (SELECT count(*) FROM inserted) + (SELECT count(*) FROM updated), e.seq, {edit_sql("made.feature")},
        coalesce(made.feature::text, 'null')
    FROM e JOIN f ON f.id = e.feature_id LEFT JOIN projects_user u ON u.id = e.actor_id
        CROSS JOIN LATERAL (SELECT {EDIT_FEATURE} AS feature OFFSET 0) made ORDER BY e.seq"""


def standing(layer: FeatureLayer, ids: Iterable[UUID], op_ids: Iterable[UUID]) -> Standing:
    """Return what the layer, locked by the caller, holds of these features and operations."""
    values: dict[str, Any] = {"layer": layer.pk, "ids": [str(pk) for pk in ids], "op_ids": [str(pk) for pk in op_ids]}
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, values)
        features, done, classes = (found or [] for found in cursor.fetchone())
    return Standing(
        {feature.pk: feature for feature in map(_feature, features)},
        {row.op_id: row for row in (_logged(layer, item) for item in done)},
        {value: ClassRow(name, retired, shapes) for value, name, retired, shapes in classes},
        {UUID(item[0]) for item in features if item[-1]},
    )


def store(
    layer: FeatureLayer,
    *,
    features: Sequence[Feature],
    read_versions: dict[UUID, int],
    rows: Sequence[Edit],
    user: User | None,
) -> list[Stored] | None:
    """Store features as they are now and the rows of the log; return what was stored.

    Args:
        layer: locked by the caller, its numbers given out.
        features: those that are new or have changed.
        read_versions: at which version those that are not new were read.
        rows: with their numbers.
        user: who does it.

    Returns:
        In order; None where a feature had changed since it was read (the caller rolls back).
    """
    values = {
        "layer": layer.pk,
        "user": None if user is None else user.pk,
        "now": timezone.now(),
        # Named once more for the planner, which knows nothing of what is in JSON, and would read the whole table.
        "ids": [str(feature.pk) for feature in features],
        "features": json.dumps([_feature_values(item, read_versions.get(item.pk)) for item in features]),
        "rows": json.dumps([_row_values(row) for row in rows]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_STORE, values)
        found = cursor.fetchall()
    if not found or found[0][0] != len(features):
        return None
    return [Stored(LogRow(seq, body), feature) for _, seq, body, feature in found]


def _feature(item: list[Any]) -> Feature:
    pk, layer, fid, geometry, class_value, score, properties, version, source, verified, deleted, _ = item
    return Feature(
        pk=UUID(pk),
        layer_id=UUID(layer),
        fid=fid,
        geometry=GEOSGeometry(geometry, srid=SRID),
        class_value=class_value,
        score=score,
        properties=properties,
        version=version,
        source=source,
        verified=verified,
        deleted=deleted,
    )


def _logged(layer: FeatureLayer, item: list[Any]) -> Edit:
    pk, op_id, seq, version, feature_id, digest = item
    return Edit(
        pk=pk,
        layer=layer,
        op_id=UUID(op_id),
        seq=seq,
        version=version,
        feature_id=UUID(feature_id),
        digest=digest,
    )


def _feature_values(feature: Feature, read_version: int | None) -> dict[str, Any]:
    return {
        "id": str(feature.pk),
        "fid": feature.fid,
        "geometry": _hex(feature.geometry),
        "class_value": feature.class_value,
        "score": feature.score,
        "properties": feature.properties,
        "version": feature.version,
        "read_version": read_version,
        "source": feature.source,
        "verified": feature.verified,
        "deleted": feature.deleted,
    }


def _row_values(row: Edit) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "op_id": str(row.op_id),
        "feature_id": str(row.feature_id),
        "action": row.action,
        "base_version": row.base_version,
        "version": row.version,
        "geometry": _hex(row.geometry),
        "class_value": row.class_value,
        "score": row.score,
        "properties": row.properties,
        "source": row.source,
        "verified": row.verified,
        "digest": row.digest,
    }


def _hex(geometry: GEOSGeometry | None) -> str | None:
    return None if geometry is None else geometry.hexewkb.decode()
