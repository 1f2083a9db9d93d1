"""A whole layer taken back to how it was after one number of its log: a new step, never a wipe.

What was drawn since is deleted as any feature is deleted, what was deleted comes back, what was changed is changed
back. All of it stands in the log like other edits, so it can be taken back in the same way.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from webapp.errors import Conflict, Invalid
from webapp.features import guarding, ladder
from webapp.features.models import Edit, FeatureLayer
from webapp.features.numbering import advance, box_around, lock
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.jobs.restarts import inputs_gone
from webapp.projects.models import User

# Changes above which a job does it: under that an answer takes less than a second.
DIRECT_CHANGES = 2_000
# Comparing a layer with its past may hold a thread of the web for so long; then a job compares.
COMPARE_MS = 10_000


@dataclass(frozen=True)
class Restoration:
    """What restoring a layer does, or did.

    Attributes:
        target: the number of the log to go back to.
        seq: the layer's last number when this was counted: restoring that one takes the restoration back.
        brought_back: features deleted since.
        changed_back: features changed since.
        removed: features made since.
        left_out: features that a guard of the layer (`webapp.features.guarding`) keeps as they are.
    """

    target: int
    seq: int
    brought_back: int
    changed_back: int
    removed: int
    left_out: int = 0

    @property
    def changes(self) -> int:
        """How many features change."""
        return self.brought_back + self.changed_back + self.removed

    def as_json(self) -> dict[str, Any]:
        """Return the JSON-ready counts."""
        return {**asdict(self), "changes": self.changes}


def preview(*, layer: FeatureLayer, seq: int) -> Restoration | None:
    """Return what restoring the layer to a number of its log would change; None where counting took too long.

    Raises:
        Invalid: the log has no such number.
    """
    _known(layer, seq)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [COMPARE_MS])
            found = _stage(cursor, layer, seq)
            cursor.execute("SET LOCAL statement_timeout = 0")
            return found
    except OperationalError:  # the statement took too long
        return None


def preview_json(*, layer: FeatureLayer, seq: int) -> dict[str, Any]:
    """Return the JSON-ready preview; its counts are null where counting took too long.

    Raises:
        Invalid: the log has no such number.
    """
    now = _last(layer)
    found = preview(layer=layer, seq=seq)
    counts = ("brought_back", "changed_back", "removed", "left_out", "changes")
    return {"target": seq, "seq": now, **dict.fromkeys(counts)} if found is None else found.as_json()


def restore(*, layer: FeatureLayer, seq: int, user: User | None, base: int | None = None) -> Restoration:
    """Return what was changed to make the layer as it was after number `seq`; one transaction.

    Args:
        layer: to be restored.
        seq: number of its log to go back to.
        user: who restores.
        base: the layer's last number when somebody looked at what would change; None: whatever it is now.

    Raises:
        Invalid: the log has no such number.
        Conflict: the layer has changed since `base`.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        locked = lock(_known(layer, seq))
        done = _stage(cursor, locked, seq)
        if done.changes:
            _unchanged(locked, base)
            ladder.leave(locked, _RESTORED)
            change = done.brought_back - done.removed
            first = advance(locked, done.changes, count_change=change, boxes=[box_around(cursor, _PLACES)])
            values = {"user": None if user is None else user.pk, "now": timezone.now(), "first": first}
            cursor.execute(_APPLY, values)
            cursor.execute(_LOG, values)
            ladder.enter(locked, _RESTORED, count=locked.feature_count + change)
            layer.seq = locked.seq
        cursor.execute("DROP TABLE restored")
    return done


def receive(*, layer: FeatureLayer, seq: int, base: int, user: User) -> dict[str, Any]:
    """Return what was changed, or {"job": id} where it is so much that a job does it.

    Args:
        layer: to be restored.
        seq: number of its log to go back to.
        base: the `seq` of the preview that the user agreed to.
        user: who restores.

    Raises:
        Invalid: the log has no such number.
        Conflict: the layer has changed since the preview.
        TooMany: the project has too many unfinished jobs.
    """
    found = preview(layer=layer, seq=seq)
    if found is not None and found.changes <= DIRECT_CHANGES:
        return restore(layer=layer, seq=seq, user=user, base=base).as_json()
    layer.refresh_from_db(fields=["seq"])
    _unchanged(layer, base)
    job = jobs.enqueue(
        project=layer.project,
        kind="restore_features",
        spec={"layer": str(layer.pk), "seq": seq, "base": base, "user": user.pk},
        user=user,
        title=f"Restore {layer.name}",
        lane="light",
    )
    return {"job": str(job.pk)}


def run_again(old: Job, new: Job) -> None:
    """Make sure that a failed restoration can be run again.

    Raises:
        Conflict: the layer is gone.
    """
    if not FeatureLayer.objects.filter(pk=old.spec["layer"]).exists():
        raise inputs_gone("The layer", "There is nothing to restore.")


def number_at(layer: FeatureLayer, at: datetime) -> int:
    """Return the last number of the log at a moment; 0 before the first."""
    found = Edit.objects.filter(layer=layer, at__lte=at).order_by("-seq").values_list("seq", flat=True).first()
    return found or 0


def _last(layer: FeatureLayer) -> int:
    return FeatureLayer.objects.values_list("seq", flat=True).get(pk=layer.pk)


def _known(layer: FeatureLayer, seq: int) -> FeatureLayer:
    last = _last(layer)
    if not 0 <= seq <= last:
        raise Invalid(f"The log has no number {seq}.", fix=f"Send 0 to {last}.", code="seq")
    return layer


def _unchanged(layer: FeatureLayer, base: int | None) -> None:
    if base is not None and layer.seq != base:
        raise Conflict(
            "The layer has changed since you looked at what would be restored.",
            fix="Look at the new figures and restore again.",
            code="changed_since",
            details={"base": base, "seq": layer.seq},
        )


def _stage(cursor: CursorWrapper, layer: FeatureLayer, seq: int) -> Restoration:
    """Fill the table `restored` with what differs, and count it."""
    # Read before counting: an edit between the two makes a preview old, never the restoration blind.
    now = _last(layer)
    cursor.execute("DROP TABLE IF EXISTS restored")
    cursor.execute(_DIFFERENCES, {"layer": str(layer.pk), "seq": seq})
    refused = guarding.refused(layer, guarding.Places(_PUT_BACK, were_there=True))
    if refused:
        cursor.execute("DELETE FROM restored WHERE id = ANY(%s::uuid[])", [list(refused)])
        cursor.execute(_NUMBER)
    cursor.execute("SELECT action, count(*) FROM restored GROUP BY action")
    counts = dict(cursor.fetchall())
    back, changed, removed = (counts.get(action, 0) for action in ("create", "update", "delete"))
    return Restoration(seq, now, back, changed, removed, left_out=len(refused))


_DIFFERENCES = """CREATE TEMPORARY TABLE restored ON COMMIT DROP AS
    WITH past AS (
        SELECT DISTINCT ON (feature_id) * FROM features_edit WHERE layer_id = %(layer)s AND seq <= %(seq)s
        ORDER BY feature_id, seq DESC),
    both_states AS (
        SELECT f.id, f.fid, f.version, f.deleted, coalesce(p.action, 'delete') = 'delete' AS absent, p.geometry,
            p.class_value, p.score, p.properties, p.source, p.verified,
            (f.geometry, f.class_value, f.score, f.properties, f.source, f.verified)
            IS DISTINCT FROM (p.geometry, p.class_value, p.score, p.properties, p.source, p.verified) AS differs
        FROM features_feature f LEFT JOIN past p ON p.feature_id = f.id WHERE f.layer_id = %(layer)s)
    SELECT row_number() OVER (ORDER BY fid) AS n, *,
        CASE WHEN absent THEN 'delete' WHEN deleted THEN 'create' ELSE 'update' END AS action
    FROM both_states WHERE CASE WHEN absent THEN NOT deleted ELSE deleted OR differs END"""

# What comes back to a place where it is not now; a change of class moves nothing.
_PUT_BACK = """(SELECT r.id, r.geometry FROM restored r JOIN features_feature f ON f.id = r.id
    WHERE NOT r.absent AND (r.deleted OR f.geometry IS DISTINCT FROM r.geometry))"""

_NUMBER = """UPDATE restored r SET n = m.n
    FROM (SELECT id, row_number() OVER (ORDER BY fid) AS n FROM restored) m WHERE r.id = m.id"""

_RESTORED = "id IN (SELECT id FROM restored)"

# All places where something is seen to change: those of now and those of then.
_PLACES = """(SELECT f.geometry FROM features_feature f JOIN restored r ON r.id = f.id
    UNION ALL SELECT geometry FROM restored WHERE geometry IS NOT NULL) places"""

_APPLY = """UPDATE features_feature f SET version = f.version + 1, deleted = r.absent,
        geometry = CASE WHEN r.absent THEN f.geometry ELSE r.geometry END,
        class_value = CASE WHEN r.absent THEN f.class_value ELSE r.class_value END,
        score = CASE WHEN r.absent THEN f.score ELSE r.score END,
        properties = CASE WHEN r.absent THEN f.properties ELSE r.properties END,
        source = CASE WHEN r.absent THEN f.source ELSE r.source END,
        verified = CASE WHEN r.absent THEN f.verified ELSE r.verified END,
        updated_by_id = %(user)s, updated_at = %(now)s
    FROM restored r WHERE f.id = r.id"""

_LOG = """INSERT INTO features_edit (layer_id, seq, op_id, feature_id, action, base_version, version, geometry,
        class_value, score, properties, source, verified, digest, actor_id, at)
    SELECT f.layer_id, %(first)s + r.n - 1, gen_random_uuid(), f.id, r.action, r.version, f.version,
        CASE WHEN r.absent THEN NULL ELSE f.geometry END, f.class_value, f.score, f.properties, f.source, f.verified,
        '', %(user)s, %(now)s FROM restored r JOIN features_feature f ON f.id = r.id"""
