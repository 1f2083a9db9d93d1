"""Who has a place on a blind task. Every change is made under the lock of the label set's own task.

Locks are taken in one order everywhere: the task of the label set, then its twin on a sheet, then rows of label sets,
then rows of layers.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from labeling import blind_answers, sheets, task_leases
from labeling.blind_models import BlindTask, Labelling
from labeling.models import LabelSet, Task
from labeling.task_events import Happened, record
from labeling.task_leases import Clock
from labeling.task_states import State
from webapp import doorbell
from webapp.projects.models import User

# So many abandoned places are freed at a time.
MOST_FREED = 20

# A blind task `labeling_blindtask b` on which %(user)s may take a place; ground truth has one for everybody.
HAS_PLACE = """b.state = 'open' AND NOT %(user)s = ANY(b.people) AND NOT %(user)s = ANY(b.passed)
    AND cardinality(b.people) < CASE b.kind WHEN 'single' THEN 1 WHEN 'double' THEN 2 ELSE 1000000 END"""


def ring(task: Task) -> None:
    """Have the pages of the label set look again. Reviewers see who is at work; nothing is written to the history."""
    doorbell.ring(f"tasks:{task.label_set.layer_id}", task.label_set.task_seq)


def lock_task(task_id: UUID) -> Task | None:
    """Return a task of the label set itself, locked until the transaction ends; None where it is gone."""
    return Task.objects.select_for_update(no_key=True).filter(pk=task_id).first()


def has_place(sheet_task: Task, user: User) -> bool:
    """Return True where the user has a place already on the task whose twin this is, and has not finished it."""
    working = Labelling.objects.filter(sheet_task=sheet_task, person=user, state=Labelling.State.WORKING)
    return working.exists()


def lock_original(sheet_task: Task) -> None:
    """Lock the task whose twin on a sheet this is, before the twin itself."""
    found = Labelling.objects.filter(sheet_task=sheet_task).values_list("blind_id", flat=True).first()
    if found is not None:
        lock_task(found)


def take(*, task: Task, user: User) -> Task | None:
    """Return the task's twin on the user's sheet, held by the user; None where no place is left on it.

    The task is locked by the caller, so whoever counts places here sees all that were taken.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE labeling_blindtask b SET people = b.people || %(user)s WHERE b.task_id = %(task)s AND {HAS_PLACE}",
            {"user": user.pk, "task": task.pk},
        )
        if cursor.rowcount == 0:
            return None
    sheet = sheets.sheet_of(task.label_set, user)
    twin = sheets.sheet_task(sheet, task)
    Labelling.objects.update_or_create(
        blind_id=task.pk,
        person=user,
        defaults={"sheet_task": twin, "state": Labelling.State.WORKING, "done_at": None, "result": None},
    )
    held = task_leases.take("t.id = %(twin)s", {"label_set": sheet.pk, "twin": twin.pk}, user, "claim", [])
    ring(task)
    # Begun, and never again "untouched". Nothing is written to its history: that would say who has it.
    Task.objects.filter(pk=task.pk).update(state=State.IN_PROGRESS, token=task.token + 1, updated_at=timezone.now())
    return held


def leave(*, sheet_task: Task, user: User, passed: bool) -> None:
    """Give the place back; `passed`: and do not offer it to this person again."""
    labelling = Labelling.objects.filter(sheet_task=sheet_task).select_related("blind__task__label_set").first()
    if labelling is None or labelling.state != Labelling.State.WORKING:
        return
    blind = BlindTask.objects.get(pk=labelling.blind_id)
    blind.people = [pk for pk in blind.people if pk != user.pk]
    if passed:
        blind.passed = [*blind.passed, user.pk]
    blind.save(update_fields=["people", "passed"])
    labelling.state = Labelling.State.LEFT
    labelling.save(update_fields=["state"])
    ring(labelling.blind.task)
    if not blind.people:
        Task.objects.filter(pk=blind.pk).update(state=State.TODO)


def finish(*, sheet_task: Task, user: User) -> None:
    """Keep what the person drew, as it is now, and do what follows from it for this kind of task.

    Raises:
        Conflict: an ordinary task's samples cannot be stored in the label set.
    """
    labelling = Labelling.objects.filter(sheet_task=sheet_task).select_related("blind__task__label_set__layer").first()
    if labelling is None or labelling.state != Labelling.State.WORKING:
        # Its task was taken out of blind work meanwhile: what was drawn stays on the sheet.
        return
    labelling.state, labelling.done_at = Labelling.State.DONE, timezone.now()
    labelling.save(update_fields=["state", "done_at"])
    blind_answers.keep(labelling, sheet_task)
    blind_answers.follow_up(labelling, user)
    ring(labelling.blind.task)


def free_abandoned(label_set: LabelSet, user: User) -> None:
    """Free the places of others who hold their task no more, and of those whose lease ended a lease's time ago.

    What they drew stays on their sheets, and they may take the task again while it has a place.
    """
    long_ago = Clock() - timedelta(seconds=settings.TASK_LEASE_S)
    gone = Q(sheet_task=None) | Q(sheet_task__holder=None) | Q(sheet_task__lease_until__lt=long_ago)
    rows = Labelling.objects.filter(gone, blind__task__label_set=label_set, state=Labelling.State.WORKING)
    rows = rows.exclude(blind__state=BlindTask.State.SETTLED).exclude(person=user)
    for blind_id, pk in rows.values_list("blind_id", "pk")[:MOST_FREED]:
        locked = Task.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=blind_id)
        # Under the lock it is looked at anew: the person may have come back, or finished.
        if locked.first() is not None and rows.filter(pk=pk).exists():
            _free(Labelling.objects.select_related("sheet_task", "person").get(pk=pk))


def release_held(twins: Iterable[Task], user: User) -> None:
    """Give back what the user holds on a sheet, where something else is taken instead."""
    for twin in twins:
        lock_original(twin)
        found = Task.objects.select_for_update(no_key=True).filter(pk=twin.pk, holder=user).first()
        if found is not None:
            was, found.state, found.holder, found.lease_until = found.state, State.TODO, None, None
            found.save()
            leave(sheet_task=found, user=user, passed=False)
            record(found.label_set_id, [Happened(found, "release", was, user)])


def _free(labelling: Labelling) -> None:
    twin, person = labelling.sheet_task, labelling.person
    blind = BlindTask.objects.get(pk=labelling.blind_id)
    blind.people = [pk for pk in blind.people if person is None or pk != person.pk]
    blind.save(update_fields=["people"])
    Labelling.objects.filter(pk=labelling.pk).update(state=Labelling.State.LEFT)
    if not blind.people:
        Task.objects.filter(pk=blind.pk).update(state=State.TODO)
    if twin is None or twin.holder_id is None:
        return
    was, twin.state = twin.state, State.TODO
    task_leases.raise_token(twin)
    twin.save()
    record(twin.label_set_id, [Happened(twin, "expire", was, person)])
