"""All features of a layer moved together: each change with its row in the log, so that all of it can be taken back."""

from django.db import connection, transaction

from webapp.features import ladder
from webapp.features.models import Edit, FeatureLayer
from webapp.features.numbering import advance, box_around, lock
from webapp.projects.models import User
from webapp.raster.shift import Shift


def move(*, layer: FeatureLayer, shift: Shift, user: User | None) -> int:
    """Return how many features were moved, by one translation in Web Mercator; it verifies nothing.

    What is put away (`webapp.features.sealing`) goes with them, uncounted, and comes back where they are then.

    Args:
        layer: whose living features go.
        shift: Web Mercator metres.
        user: who moves them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        locked = lock(layer)
        cursor.execute(_MOVED, {"layer": layer.pk, "x": shift.x, "y": shift.y})
        cursor.execute(_SEALED, {"layer": layer.pk, "x": shift.x, "y": shift.y})
        cursor.execute("SELECT count(*) FROM moved")
        count: int = cursor.fetchone()[0]
        if count:
            chosen = "id IN (SELECT id FROM moved)"
            ladder.leave(locked, chosen)
            first = advance(locked, count, count_change=0, boxes=[box_around(cursor, _PLACES)])
            cursor.execute(_UPDATE, [None if user is None else user.pk])
            cursor.execute(_LOG, [first])
            ladder.enter(locked, chosen, count=locked.feature_count)
            layer.seq = locked.seq
        cursor.execute("DROP TABLE moved")
    return count


_THERE = "ST_Transform(ST_Translate(ST_Transform(geometry, 3857), %(x)s, %(y)s), 4326)"

_MOVED = f"""CREATE TEMPORARY TABLE moved ON COMMIT DROP AS SELECT id, version, {_THERE} AS geometry
    FROM features_feature WHERE layer_id = %(layer)s AND NOT deleted"""

# The last state of each, which the seal is broken to.
_SEALED = f"""UPDATE features_sealededit SET geometry = {_THERE} WHERE layer_id = %(layer)s AND edit_id IN (
    SELECT DISTINCT ON (e.feature_id) e.id FROM features_sealededit s JOIN features_edit e ON e.id = s.edit_id
    WHERE s.layer_id = %(layer)s AND s.action <> 'delete' ORDER BY e.feature_id, e.version DESC)"""

_PLACES = """(SELECT f.geometry FROM features_feature f JOIN moved m ON m.id = f.id
    UNION ALL SELECT geometry FROM moved) places"""

_UPDATE = """UPDATE features_feature f SET geometry = m.geometry, version = f.version + 1, updated_by_id = %s,
    updated_at = clock_timestamp() FROM moved m WHERE f.id = m.id"""

_LOG = f"""INSERT INTO features_edit (layer_id, seq, op_id, feature_id, action, base_version, version, geometry,
        class_value, score, properties, source, verified, digest, actor_id, at)
    SELECT f.layer_id, %s + row_number() OVER (ORDER BY f.fid) - 1, gen_random_uuid(), f.id,
        '{Edit.Action.UPDATE}', m.version, f.version, f.geometry, f.class_value, f.score, f.properties, f.source,
        f.verified, '', f.updated_by_id, f.updated_at FROM moved m JOIN features_feature f ON f.id = m.id"""
