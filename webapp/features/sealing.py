"""Features that are put away so that nobody can read them: deleted, and their past in the log emptied until later.

The log keeps its numbers, so clients that follow it notice a deletion and nothing else. What its rows held is kept in
a table that no road reads, and put back unchanged when the seal is broken.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.contrib.gis.geos import Point
from django.db import connection, transaction

from webapp.errors import Conflict
from webapp.features.editing import apply_edits, delete_features
from webapp.features.edits import MAX_BATCH, NO_CLASS, EditRequest
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.features.numbering import lock
from webapp.projects.models import User

_KEEP = """INSERT INTO features_sealededit (edit_id, layer_id, action, geometry, class_value, score, properties,
        source, verified)
    SELECT id, layer_id, action, geometry, class_value, score, properties, source, verified FROM features_edit
    WHERE layer_id = %(layer)s AND feature_id = ANY(%(ids)s::uuid[])"""
_EMPTY = """UPDATE features_edit SET action = 'delete', geometry = NULL, class_value = NULL, score = NULL,
    properties = '{}' WHERE layer_id = %(layer)s AND feature_id = ANY(%(ids)s::uuid[])"""
# Tombstones hold the last shape; a seal leaves them a place that says nothing.
_EMPTY_TOMBSTONES = """UPDATE features_feature SET geometry = %(place)s, class_value = NULL, score = NULL,
    properties = '{}' WHERE layer_id = %(layer)s AND id = ANY(%(ids)s::uuid[]) AND deleted"""
# The layer's box is that of all it ever held: without what is put away it may be smaller.
_BOX = """UPDATE features_featurelayer l SET west = ST_XMin(b.box), south = ST_YMin(b.box), east = ST_XMax(b.box),
        north = ST_YMax(b.box)
    FROM (SELECT ST_Extent(geometry) AS box FROM features_edit WHERE layer_id = %(layer)s) b WHERE l.id = %(layer)s"""
_PUT_BACK = """WITH kept AS (
        DELETE FROM features_sealededit s USING features_edit e WHERE e.id = s.edit_id AND e.layer_id = %(layer)s
            AND e.feature_id = ANY(%(ids)s::uuid[]) RETURNING s.*)
    UPDATE features_edit e SET action = k.action, geometry = k.geometry, class_value = k.class_value, score = k.score,
        properties = k.properties, source = k.source, verified = k.verified
    FROM kept k WHERE e.id = k.edit_id RETURNING e.id"""


def seal(*, layer: FeatureLayer, ids: Sequence[UUID], place: Point, user: User | None) -> None:
    """Take features out of the layer and out of its readable past.

    Args:
        layer: in which they lie.
        ids: living features.
        place: what their tombstones show instead of a shape, EPSG:4326; it must not tell where they lie.
        user: who does it.
    """
    values: dict[str, Any] = {"layer": layer.pk, "ids": list(ids), "place": place.ewkt}
    with transaction.atomic():
        lock(layer)
        for first in range(0, len(ids), MAX_BATCH):
            delete_features(layer=layer, ids=ids[first : first + MAX_BATCH], user=user)
        with connection.cursor() as cursor:
            for statement in (_KEEP, _EMPTY, _EMPTY_TOMBSTONES, _BOX):
                cursor.execute(statement, values)


def unseal(*, layer: FeatureLayer, ids: Sequence[UUID], user: User | None) -> int:
    """Return how many features are back in the layer, as they were, with their past; edits say who brought them back.

    Raises:
        Conflict: one cannot be stored.
    """
    with transaction.atomic():
        lock(layer)
        with connection.cursor() as cursor:
            cursor.execute(_PUT_BACK, {"layer": layer.pk, "ids": list(ids)})
            past = [row[0] for row in cursor.fetchall()]
        edits = _restoring(layer, past)
        for first in range(0, len(edits), MAX_BATCH):
            batch = edits[first : first + MAX_BATCH]
            # Whoever breaks a seal has put the features away: their places may be closed to all others.
            for result in apply_edits(layer=layer, edits=batch, user=user, unguarded=True):
                if result.status != "ok":
                    error = result.error or {"message": "It cannot be stored.", "fix": ""}
                    raise Conflict(error["message"], fix=error["fix"], code="not_stored")
    return len(edits)


def _restoring(layer: FeatureLayer, past: Sequence[int]) -> list[EditRequest]:
    """Return the edits that bring features back as they were before the seal, whatever somebody made of them since."""
    rows = Edit.objects.filter(layer=layer, pk__in=past).exclude(action=Edit.Action.DELETE)
    last = {row.feature_id: row for row in rows.order_by("version")}
    now = Feature.objects.filter(layer=layer, pk__in=last).in_bulk()
    return [
        EditRequest(
            uuid4(),
            "create" if now[row.feature_id].deleted else "update",
            row.feature_id,
            now[row.feature_id].version,
            geometry=row.geometry,
            class_value=row.class_value or NO_CLASS,
            properties=row.properties,
            score=row.score,
            verified=row.verified,
            as_it_was=True,
        )
        for row in last.values()
    ]
