"""Answers to blind tasks: kept as they were when somebody said it was done, then compared, scored or published."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from django.contrib.gis.geos import Polygon
from django.db import connection
from django.utils import timezone

from labeling.blind_models import Answer, BlindTask, Labelling
from labeling.comparing import Comparison, Shape, alike, compare, tally
from labeling.models import LabelSet, Task
from labeling.task_events import Happened, lock_history, record
from labeling.task_states import State
from webapp.errors import Conflict
from webapp.features import services as features
from webapp.features.edits import MAX_BATCH
from webapp.features.geometry import to_shape
from webapp.features.services import EditRequest
from webapp.projects.models import User
from webapp.raster.shift import Shift

# Comparing takes seconds, in a request, while the task is locked: so many samples of a cell still do.
MOST_SAMPLES = 5_000
# A sample that lies in two cells is an answer to each of both. What only touches a cell is not in it.
_KEEP = """INSERT INTO labeling_answer (id, blind_id, labelling_id, feature_id, geometry, class_value, properties,
        decided)
    SELECT gen_random_uuid(), %(blind)s, %(labelling)s, f.id, f.geometry, f.class_value, f.properties, false
    FROM features_feature f JOIN labeling_task t ON t.id = %(task)s
    WHERE f.layer_id = %(layer)s AND NOT f.deleted AND ST_Intersects(f.geometry, t.geometry)
        AND NOT (ST_Dimension(f.geometry) = 2 AND ST_Touches(f.geometry, t.geometry))"""
# What lies partly in a cell that is the truth already is out of sight, and is the truth here too.
_KEEP_SHARED = """INSERT INTO labeling_answer (id, blind_id, feature_id, geometry, class_value, properties, decided)
    SELECT gen_random_uuid(), t.id, s.feature_id, s.geometry, s.class_value, s.properties, false
    FROM labeling_task t JOIN (
        SELECT DISTINCT ON (a.feature_id) a.* FROM labeling_answer a JOIN labeling_task o ON o.id = a.blind_id
        WHERE a.labelling_id IS NULL AND a.blind_id <> %(task)s AND o.label_set_id = %(label_set)s
        ORDER BY a.feature_id) s ON ST_Intersects(s.geometry, t.geometry)
        AND NOT (ST_Dimension(s.geometry) = 2 AND ST_Touches(s.geometry, t.geometry))
    WHERE t.id = %(task)s"""


def keep(labelling: Labelling, sheet_task: Task) -> None:
    """Keep the samples of a finished labelling as they are now: what is drawn on the sheet later changes nothing.

    Raises:
        Conflict: they are more than are compared.
    """
    _copy(labelling.blind_id, labelling.pk, sheet_task.pk, sheet_task.label_set.layer_id)


def keep_truth(blind: BlindTask, label_set: LabelSet) -> list[UUID]:
    """Keep the samples that a label set has in a task's cell as the truth; return the ids of those still in sight.

    Raises:
        Conflict: they are more than are compared.
    """
    _copy(blind.pk, None, blind.pk, label_set.layer_id)
    found = list(Answer.objects.filter(blind=blind, labelling=None).values_list("feature_id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_SHARED, {"task": blind.pk, "label_set": label_set.pk})
    return found


def truth_of(blind: BlindTask) -> list[UUID]:
    """Return the ids of samples that are the truth of this task and of no other."""
    own = Answer.objects.filter(blind=blind, labelling=None)
    others = Answer.objects.filter(labelling=None, feature_id__in=own.values("feature_id")).exclude(blind=blind)
    return list(own.exclude(feature_id__in=others.values("feature_id")).values_list("feature_id", flat=True))


def undecided(blind: BlindTask) -> list[Answer]:
    """Return the answers of people that no other task has decided on: of a border, the task settled first decides.

    It decides on the samples that are answers to both, and on what somebody else drew of the same objects: a shape
    that overlaps one it decided on by the label set's `agree_iou`. Call it under the lock of the label set's history,
    so that two tasks never decide on the same.
    """
    elsewhere = Answer.objects.filter(decided=True).exclude(blind=blind)
    rows = Answer.objects.filter(blind=blind).exclude(labelling=None).select_related("labelling")
    found = list(rows.exclude(feature_id__in=elsewhere.values("feature_id")))
    if not found:
        return []
    boxes = [row.geometry.extent for row in found]
    ground = Polygon.from_bbox((*np.min(boxes, axis=0)[:2], *np.max(boxes, axis=0)[2:]))
    ground.srid = 4326
    near = elsewhere.filter(blind__task__label_set=blind.task.label_set_id, geometry__bboverlaps=ground)
    decided = list(near.exclude(labelling=None).select_related("labelling"))
    if not decided:
        return found
    cell, least = to_shape(blind.task.geometry), blind.task.label_set.agree_iou
    same = alike(cell, [_shape(row) for row in found], [_shape(row) for row in decided], least)
    # What one person drew over another shape of the same person's is meant to be there twice.
    by = {str(row.pk): row.labelling.person_id if row.labelling else None for row in (*found, *decided)}
    gone = {mine for mine, theirs in same if by[mine] is None or by[mine] != by[theirs]}
    return [row for row in found if str(row.pk) not in gone]


def move(label_set: LabelSet, shift: Shift) -> None:
    """Take along the truth and all answers when the samples go with moved imagery.

    Those of settled tasks too: what they decided on a border is found by its place when the neighbour is compared.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE labeling_answer a
            SET geometry = ST_Transform(ST_Translate(ST_Transform(a.geometry, 3857), %(x)s, %(y)s), 4326)
            FROM labeling_task t WHERE a.blind_id = t.id AND t.label_set_id = %(label_set)s""",
            {"x": shift.x, "y": shift.y, "label_set": label_set.pk},
        )


def follow_up(labelling: Labelling, user: User) -> None:
    """Publish, compare or score a labelling that was just finished. The task is locked."""
    blind = BlindTask.objects.select_related("task__label_set__layer").get(pk=labelling.blind_id)
    if blind.kind == BlindTask.Kind.SINGLE:
        publish(blind, labelling)
    elif blind.kind == BlindTask.Kind.TRUTH:
        truth, answer = shapes(blind, None), shapes(blind, labelling)
        labelling.result = stored(compare(to_shape(blind.task.geometry), truth, answer))
        labelling.save(update_fields=["result"])
    else:
        done = list(blind.labellings.filter(state=Labelling.State.DONE))
        if len(done) == 2:
            first, second = (shapes(blind, one) for one in done)
            blind.result = stored(compare(to_shape(blind.task.geometry), first, second))
            blind.state = BlindTask.State.READY
            blind.save(update_fields=["result", "state"])
            # Reviewers' pages count what waits for them; who did it is not said.
            record(blind.task.label_set_id, [Happened(blind.task, "answered", blind.task.state, None)])


def publish(blind: BlindTask, labelling: Labelling) -> None:
    """Store one person's answer in the label set as that person's work; the task is then done like any other.

    Raises:
        Conflict: a sample cannot be stored.
    """
    assert labelling.person is not None
    lock_history(blind.task.label_set_id)
    answers = [answer for answer in undecided(blind) if answer.labelling_id == labelling.pk]
    write(blind.task.label_set, [_create(answer) for answer in answers], labelling.person)
    settle(blind, labelling.person, "finish", State.DONE)


def write(label_set: LabelSet, edits: Sequence[EditRequest], user: User) -> None:
    """Store edits of one act: all in the caller's transaction, or none; the label set's history is locked before.

    Raises:
        Conflict: one cannot be stored.
    """
    for first in range(0, len(edits), MAX_BATCH):
        batch = edits[first : first + MAX_BATCH]
        # The cell is blind until it is settled, and this settles it.
        for result in features.apply_edits(layer=label_set.layer, edits=batch, user=user, unguarded=True):
            if result.status not in ("ok", "aborted"):
                error = result.error or {"message": "A sample cannot be stored.", "fix": ""}
                raise Conflict(error["message"], fix=error["fix"], code="not_stored")


def settle(blind: BlindTask, user: User, action: str, state: str) -> None:
    """Make the task one like any other, in its new state; what was open in it is decided."""
    Answer.objects.filter(pk__in=[answer.pk for answer in undecided(blind)]).update(decided=True)
    blind.state, blind.settled_by, blind.settled_at = BlindTask.State.SETTLED, user, timezone.now()
    blind.save(update_fields=["state", "settled_by", "settled_at", "outcome"])
    task = Task.objects.get(pk=blind.pk)
    task.state, task.on_sheets = state, False
    if state == State.APPROVED:
        task.reviewed_by = user
    else:
        task.done_by = user
    task.holder, task.lease_until = None, None
    task.save()
    # That somebody had it was never in its history, so there it was to do until now.
    record(task.label_set_id, [Happened(task, action, State.TODO, user)])


def shapes(blind: BlindTask, labelling: Labelling | None) -> list[Shape]:
    """Return the samples of a labelling, or of the truth, for comparing."""
    rows = Answer.objects.filter(blind=blind, labelling=labelling)
    return [_shape(row) for row in rows]


def stored(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as it is kept; ids are those of answers."""
    return {
        "pairs": [{"a": pair.a.id, "b": pair.b.id, "iou": round(pair.iou, 6)} for pair in comparison.pairs],
        "only_a": [one.id for one in comparison.only_a],
        "only_b": [one.id for one in comparison.only_b],
        "border": sorted(comparison.border),
        "tally": tally(comparison).as_json(),
    }


def _shape(row: Answer) -> Shape:
    return Shape(str(row.pk), to_shape(row.geometry), row.class_value)


def _create(answer: Answer) -> EditRequest:
    return EditRequest(
        uuid4(),
        "create",
        uuid4(),
        geometry=answer.geometry,
        class_value=answer.class_value,
        properties=answer.properties,
        allow_retired=True,
    )


def _copy(blind: UUID, labelling: UUID | None, task: UUID, layer: UUID) -> None:
    values = {"blind": blind, "labelling": labelling, "task": task, "layer": layer}
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, values)
        count = cursor.rowcount
    if count > MOST_SAMPLES:
        raise Conflict(
            f"{count:,} samples lie in this task, and at most {MOST_SAMPLES:,} are compared.",
            fix="Have the area cut into smaller tasks.",
            code="too_many_samples",
        )
