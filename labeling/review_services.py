"""Decisions on samples that others, or models, made: carried out by edits, and remembered as verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from labeling.models import LabelSet, Verdict
from webapp.errors import Denied, Invalid, QuadratError
from webapp.features.models import Edit, FeatureLayer
from webapp.features.numbering import advance, box_around, lock
from webapp.features.services import EditRequest
from webapp.projects.access import role_in
from webapp.projects.models import Role, User

VerdictKind = Literal["accept", "fix", "reject"]

# What a decision does to the sample.
ACTIONS = {"accept": "update", "fix": "update", "reject": "delete"}


@dataclass(frozen=True)
class Reviewed:
    """An edit that carries out a decision."""

    edit: EditRequest
    kind: VerdictKind


def parse_kind(value: Any) -> VerdictKind | None:
    """Return the decision that an edit names, or None.

    Raises:
        Invalid: there is no such decision.
    """
    if value is None:
        return None
    if value not in get_args(VerdictKind):
        raise Invalid(f"{value!r:.40} is no decision.", fix="Send accept, fix or reject.", code="review")
    kind: VerdictKind = value
    return kind


def refuse(layer: FeatureLayer, reviewed: Sequence[Reviewed], user: User) -> dict[UUID, QuadratError]:
    """Return which decisions cannot be taken, and why, by op_id.

    Suggestions of models and imports are for every labeler; what a person drew or accepted, for reviewers.
    """
    if not reviewed:
        return {}
    made = _made(reviewed)
    reviews = (role_in(user, layer.project) or Role.VIEWER) >= Role.REVIEWER
    found: dict[UUID, QuadratError] = {}
    for item in reviewed:
        row = made.get((item.edit.feature_id, item.edit.base_version))
        if item.edit.action != ACTIONS[item.kind]:
            found[item.edit.op_id] = Invalid(
                f"{item.kind} is no {item.edit.action}.", fix=f"Send an {ACTIONS[item.kind]}.", code="review"
            )
        elif row is not None and row.verified and not reviews:
            found[item.edit.op_id] = Denied("Only reviewers decide on what people drew.", fix="Ask a reviewer.")
    return found


def record(layer: FeatureLayer, reviewed: Sequence[Reviewed], user: User) -> None:
    """Remember decisions whose edits were just stored, in the same transaction; one's own work does not count."""
    label_set = LabelSet.objects.filter(layer=layer).first() if reviewed else None
    if label_set is None:
        return
    made = _made(reviewed)
    stored = dict(
        Edit.objects.filter(layer=layer, op_id__in=[item.edit.op_id for item in reviewed]).values_list(
            "op_id", "version"
        )
    )
    rows = []
    for item in reviewed:
        before = made.get((item.edit.feature_id, item.edit.base_version))
        if before is None or item.edit.op_id not in stored or (before.verified and before.actor_id == user.pk):
            continue
        rows.append(
            Verdict(
                label_set=label_set,
                op_id=item.edit.op_id,
                feature_id=item.edit.feature_id,
                version=stored[item.edit.op_id],
                kind=item.kind,
                author_id=before.actor_id if before.verified else None,
                source=before.source,
                class_value=before.class_value,
                score=before.score,
                reviewer=user,
            )
        )
    # An edit that is sent again is stored once, and so is its verdict.
    Verdict.objects.bulk_create(rows, ignore_conflicts=True)


def accept_above(*, label_set: LabelSet, score: float, class_value: int | None, user: User) -> int:
    """Return how many suggestions with at least this score (of one class, or of all) were accepted at once."""
    with transaction.atomic(), connection.cursor() as cursor:
        layer = lock(label_set.layer)
        cursor.execute("DROP TABLE IF EXISTS accepted")
        cursor.execute(_SUGGESTED, {"layer": str(layer.pk), "score": score, "class": class_value})
        cursor.execute("SELECT count(*) FROM accepted")
        count: int = cursor.fetchone()[0]
        if count:
            values: dict[str, Any] = {
                # Tiles tell that what was accepted is verified now.
                "first": advance(layer, count, count_change=0, boxes=[box_around(cursor, _ACCEPTED)]),
                "user": user.pk,
                "now": timezone.now(),
            }
            cursor.execute(_ACCEPT, values)
            cursor.execute(_LOG, values)
            cursor.execute(_VERDICTS, {**values, "label_set": str(label_set.pk)})
        cursor.execute("DROP TABLE accepted")
    return count


def _made(reviewed: Sequence[Reviewed]) -> dict[tuple[UUID, int], Edit]:
    """Return the log rows that made what is decided on."""
    rows = Edit.objects.filter(feature_id__in=[item.edit.feature_id for item in reviewed]).defer("geometry")
    wanted = {(item.edit.feature_id, item.edit.base_version) for item in reviewed}
    return {(row.feature_id, row.version): row for row in rows if (row.feature_id, row.version) in wanted}


_ACCEPTED = "features_feature JOIN accepted USING (id)"

_SUGGESTED = """CREATE TEMPORARY TABLE accepted ON COMMIT DROP AS
    SELECT id, version, gen_random_uuid() AS op_id, row_number() OVER (ORDER BY fid) AS n FROM features_feature
    WHERE layer_id = %(layer)s AND NOT deleted AND NOT verified AND score >= %(score)s
        AND (%(class)s IS NULL OR class_value = %(class)s)"""

_ACCEPT = """UPDATE features_feature f SET verified = true, version = f.version + 1, updated_by_id = %(user)s,
    updated_at = %(now)s FROM accepted a WHERE f.id = a.id"""

_LOG = """INSERT INTO features_edit (layer_id, seq, op_id, feature_id, action, base_version, version, geometry,
        class_value, score, properties, source, verified, digest, actor_id, at)
    SELECT f.layer_id, %(first)s + a.n - 1, a.op_id, f.id, 'update', a.version, f.version, f.geometry, f.class_value,
        f.score, f.properties, f.source, true, '', %(user)s, %(now)s
    FROM accepted a JOIN features_feature f ON f.id = a.id"""

_VERDICTS = """INSERT INTO labeling_verdict (label_set_id, op_id, feature_id, version, kind, author_id, source,
        class_value, score, reviewer_id, at)
    SELECT %(label_set)s, a.op_id, f.id, f.version, 'accept', NULL, f.source, f.class_value, f.score, %(user)s, %(now)s
    FROM accepted a JOIN features_feature f ON f.id = a.id"""
