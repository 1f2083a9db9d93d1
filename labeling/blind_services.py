"""What managers decide about blind work: which tasks, how many people, what is ground truth, and when it ends."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.gis.geos import Point
from django.db import connection, transaction

from labeling import blind_answers, sheets
from labeling.blind_models import BlindTask, Labelling
from labeling.models import LabelSet, Task
from labeling.task_events import Happened, lock_history, record
from labeling.task_leases import Clock
from labeling.task_states import State
from webapp.errors import Conflict, Invalid
from webapp.features import sealing
from webapp.features.models import Feature
from webapp.features.numbering import lock
from webapp.projects.models import User

Kind = BlindTask.Kind

# "mark" in ASCII.
MARK_LOCK = 0x6D61726B

# Which tasks can be labelled blindly from now on: nobody works on them or waits for a decision.
_UNTOUCHED = """t.label_set_id = %(label_set)s AND NOT t.split
    AND (t.holder_id IS NULL OR t.lease_until < clock_timestamp())
    AND NOT EXISTS (SELECT FROM labeling_proposal p WHERE p.task_id = t.id AND p.state = 'open')
    AND (NOT t.on_sheets OR EXISTS (SELECT FROM labeling_blindtask b
        WHERE b.task_id = t.id AND b.kind = 'single' AND b.state = 'open' AND b.people = '{}'))"""
_EMPTY = """NOT EXISTS (SELECT FROM features_feature f WHERE f.layer_id = %(layer)s AND NOT f.deleted
    AND ST_Intersects(f.geometry, t.geometry))"""
_NEVER_COMPARED = """NOT EXISTS (SELECT FROM labeling_blindtask b
    WHERE b.task_id = t.id AND b.result IS NOT NULL)"""
_FIT = {
    Kind.DOUBLE: f"{_UNTOUCHED} AND t.state = 'todo' AND {_EMPTY} AND {_NEVER_COMPARED}",
    Kind.TRUTH: f"{_UNTOUCHED} AND t.state IN ('todo', 'done', 'approved')",
}
_WHY_NOT = {
    Kind.DOUBLE: "it is begun, somebody works on it, samples lie in it already, or two people have done it",
    Kind.TRUTH: "somebody works on it, it was returned or skipped, or proposals wait in it",
}


@dataclass(frozen=True)
class Settings:
    """How a label set does its blind work; None: unchanged.

    Attributes:
        all_on_sheets: new tasks are labelled on sheets, so that nobody can tell the checks among them.
        agree_iou: from this overlap on two shapes of one class are the same, 0.5 to 1.
        show_scores: labelers see their own score on ground truth.
    """

    all_on_sheets: bool | None = None
    agree_iou: float | None = None
    show_scores: bool | None = None


def change_settings(*, label_set: LabelSet, settings: Settings) -> LabelSet:
    """Return the label set with other settings. Tasks begun on sheets are finished there.

    Raises:
        Invalid: the overlap is out of range, or it is a sheet.
    """
    _refuse_sheet(label_set)
    if settings.agree_iou is not None and not 0.5 <= settings.agree_iou <= 1:
        raise Invalid(f"The overlap {settings.agree_iou} is out of range.", fix="Use 0.5 to 1.", code="agree_iou")
    with transaction.atomic():
        if settings.all_on_sheets is False:
            _take_back_singles(label_set)
        values = {name: value for name, value in vars(settings).items() if value is not None}
        for name, value in values.items():
            setattr(label_set, name, value)
        label_set.save(update_fields=[*values, "updated_at"])
    return label_set


def mark_share(*, label_set: LabelSet, share: float, user: User) -> int:
    """Return how many more tasks two people label from now on, chosen by lot, so that they are this share of all.

    Raises:
        Invalid: the share is out of range, or it is a sheet.
    """
    _refuse_sheet(label_set)
    if not 0 < share <= 1:
        raise Invalid(f"The share {share} is out of range.", fix="Use more than 0, up to 1.", code="share")
    with transaction.atomic():
        with connection.cursor() as cursor:
            # One share at a time: two people who press at once mark no more than one does.
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [MARK_LOCK, str(label_set.pk)])
        tasks = Task.objects.filter(label_set=label_set, split=False)
        wanted = math.ceil(share * tasks.count()) - tasks.filter(blind__kind=Kind.DOUBLE).count()
        if wanted <= 0:
            return 0
        values: dict[str, Any] = {"label_set": label_set.pk, "layer": label_set.layer_id, "limit": wanted}
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT t.id FROM labeling_task t WHERE {_FIT[Kind.DOUBLE]} ORDER BY random() LIMIT %(limit)s
                FOR UPDATE OF t SKIP LOCKED""",
                values,
            )
            chosen = [row[0] for row in cursor.fetchall()]
        return _mark(label_set, Kind.DOUBLE, chosen, user)


def mark(*, label_set: LabelSet, kind: str, tasks: Sequence[UUID], user: User) -> int:
    """Return how many tasks two people label from now on, or are ground truth. All of them, or none.

    The samples that lie in a ground-truth task become the truth and leave the label set until it is lifted.

    Raises:
        Invalid: there is no such kind, or it is a sheet.
        Conflict: a task cannot be labelled blindly now (code `not_blind`; its numbers in details).
    """
    _refuse_sheet(label_set)
    if kind not in (Kind.DOUBLE, Kind.TRUTH):
        raise Invalid(f"{kind!r:.40} is no kind of blind task.", fix="Send double or truth.", code="kind")
    with transaction.atomic():
        marked = _mark(label_set, Kind(kind), list(dict.fromkeys(tasks)), user)
    return marked


def lift(*, task: Task, user: User) -> None:
    """Make a blind task one like any other. Truth goes back into the label set; of two people's work, the finished
    one is stored as that person's.

    Raises:
        Conflict: it is no blind task, somebody works on it, or both are done and it has to be adjudicated.
        Invalid: its samples cannot be stored.
    """
    with transaction.atomic():
        fresh = Task.objects.select_for_update(no_key=True).get(pk=task.pk)
        blind = BlindTask.objects.select_related("task__label_set__layer").filter(pk=fresh.pk).first()
        if blind is None or blind.state == BlindTask.State.SETTLED:
            raise Conflict("This task is not labelled blindly.", fix="Load the tasks again.", code="not_blind")
        if blind.kind == Kind.TRUTH:
            _lift_truth(blind, user)
            return
        if blind.state == BlindTask.State.READY:
            raise Conflict("Both people are done with it.", fix="Adjudicate it.", code="ready")
        living = blind.labellings.filter(state=Labelling.State.WORKING, sheet_task__lease_until__gt=Clock())
        if living.exists():
            raise Conflict("Somebody is working on this task.", fix="Wait until it is done.", code="task_held")
        done = blind.labellings.filter(state=Labelling.State.DONE).first()
        if done is not None:
            blind_answers.publish(blind, done)
            return
        blind.delete()
        fresh.state, fresh.on_sheets = blind.before or State.TODO, False
        fresh.save(update_fields=["state", "on_sheets", "updated_at"])
        record(fresh.label_set_id, [Happened(fresh, "lift", State.TODO, user)])


def _mark(label_set: LabelSet, kind: BlindTask.Kind, ids: list[UUID], user: User) -> int:
    tasks = list(
        Task.objects.select_for_update(no_key=True).filter(label_set=label_set, pk__in=ids, split=False).order_by("pk")
    )
    # Nobody takes or changes them any more, and nothing more is drawn into them: every road that draws asks under the
    # layer's lock whether they are blind.
    lock_history(label_set.pk)
    lock(label_set.layer)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.id FROM labeling_task t WHERE t.id = ANY(%(ids)s::uuid[]) AND {_FIT[kind]}",
            {"label_set": label_set.pk, "layer": label_set.layer_id, "ids": ids},
        )
        fit = {row[0] for row in cursor.fetchall()}
    unfit = [task.number for task in tasks if task.pk not in fit]
    if unfit or len(tasks) != len(ids):
        named = ", ".join(str(number) for number in unfit[:10]) or "that is not here"
        raise Conflict(
            f"Task {named} cannot be {kind.label} now: {_WHY_NOT[kind]}.",
            fix="Leave it out.",
            code="not_blind",
            details={"tasks": unfit},
        )
    # What two people agreed on stays in the figures when their work becomes the truth.
    BlindTask.objects.filter(task__in=tasks, result__isnull=True).delete()
    kept = BlindTask.objects.in_bulk([task.pk for task in tasks])
    before = {task.pk: task.state for task in tasks}
    familiar = sheets.familiar(label_set, list(before))
    for task in tasks:
        blind = kept.get(task.pk) or BlindTask(task=task)
        blind.kind, blind.state, blind.before = kind, BlindTask.State.OPEN, task.state
        blind.people, blind.passed = [], familiar.get(task.pk, [])
        blind.save()
        if kind == Kind.TRUTH:
            _seal(blind, task, label_set, user)
        task.state, task.on_sheets, task.holder, task.lease_until = State.TODO, True, None, None
        # Whoever held it under a lease that has ended cannot go on with it.
        task.token += 1
        task.save()
    if tasks:
        record(label_set.pk, [Happened(task, "blind", before[task.pk], None) for task in tasks])
    return len(tasks)


def _seal(blind: BlindTask, task: Task, label_set: LabelSet, user: User) -> None:
    """Keep the samples as the truth, out of sight; who drew them is never asked to draw them again."""
    ids = blind_answers.keep_truth(blind, label_set)
    authors: set[Any] = {task.done_by_id, *blind.passed}
    for row in Feature.objects.filter(pk__in=ids).values_list("created_by", "updated_by"):
        authors |= set(row)
    shared = blind.answers.filter(labelling=None).exclude(feature_id__in=ids).values("feature_id")
    authors |= set(Feature.objects.filter(pk__in=shared).values_list("created_by", flat=True))
    blind.passed = sorted(authors - {None})
    blind.save(update_fields=["passed"])
    footprint = label_set.imagery.footprint
    # The same for every task: a tombstone that lay in its own cell would say which cell is the truth.
    place = Point(0, 0, srid=4326) if footprint is None else footprint.centroid
    sealing.seal(layer=label_set.layer, ids=ids, place=place, user=user)


def _lift_truth(blind: BlindTask, user: User) -> None:
    task = blind.task
    lock_history(task.label_set_id)
    sealing.unseal(layer=task.label_set.layer, ids=blind_answers.truth_of(blind), user=user)
    task.state, task.on_sheets = blind.before, False
    task.save(update_fields=["state", "on_sheets", "updated_at"])
    if blind.result is None:
        blind.delete()
    else:
        _make_double_again(blind)
    record(task.label_set_id, [Happened(task, "lift", State.TODO, user)])


def _make_double_again(blind: BlindTask) -> None:
    """Leave of lifted truth what it was before: the settled work of two people."""
    blind.answers.filter(labelling=None).delete()
    blind.labellings.exclude(state=Labelling.State.DONE, result__isnull=True).delete()
    blind.kind, blind.state, blind.passed = Kind.DOUBLE, BlindTask.State.SETTLED, []
    blind.people = [one.person_id for one in blind.labellings.all() if one.person_id is not None]
    blind.save()


def _take_back_singles(label_set: LabelSet) -> None:
    """Hand out in the label set again what nobody has begun on a sheet."""
    tasks = list(
        Task.objects.select_for_update(no_key=True, of=("self",))
        .filter(label_set=label_set, on_sheets=True, blind__kind=Kind.SINGLE, blind__people=[])
        .order_by("pk")
    )
    BlindTask.objects.filter(task__in=tasks).delete()
    Task.objects.filter(pk__in=[task.pk for task in tasks]).update(on_sheets=False)
    if tasks:
        record(label_set.pk, [Happened(task, "lift", task.state, None) for task in tasks])


def _refuse_sheet(label_set: LabelSet) -> None:
    if label_set.sheet_of_id is not None:
        raise Invalid("This is somebody's own sheet.", fix="Use the label set it belongs to.", code="sheet")
