"""What a holder does with a task, wherever it lies: on a sheet the place on the blind task goes with it."""

from django.db import transaction

from labeling import blind_slots, task_leases
from labeling.blind_models import BlindTask
from labeling.models import Task
from labeling.task_choice import Purpose
from labeling.task_leases import one_at_a_time
from webapp.errors import Conflict
from webapp.projects.models import Role, User


def claim(*, task: Task, user: User, role: Role, purpose: Purpose = "label") -> Task:
    """Return the task, now the user's alone: see `task_leases.claim`.

    Raises:
        Denied, Conflict: as there; `task_held` also where the blind task has no place left for this person.
    """
    if task.label_set.sheet_of_id is None:
        return task_leases.claim(task=task, user=user, role=role, purpose=purpose)
    with transaction.atomic():
        one_at_a_time(user)
        blind = BlindTask.objects.filter(labellings__sheet_task=task).first()
        original = None if blind is None else blind_slots.lock_task(blind.pk)
        if original is None:
            raise Conflict("This task is not labelled blindly any more.", fix="Take the next one.", code="task_held")
        # Whoever still has a place goes on; others need one.
        if blind_slots.has_place(task, user):
            return task_leases.claim(task=task, user=user, role=role, purpose=purpose)
        task_leases.refuse_second(task, user)
        taken = blind_slots.take(task=original, user=user)
        if taken is None:
            raise Conflict("Somebody else does this task now.", fix="Take the next one.", code="task_held")
        return taken


def finish(*, task: Task, user: User, role: Role, token: int) -> Task:
    """Return the task, done; on a sheet the answer is final.

    Raises:
        LeaseLost: the token is not the newest.
        NoteUnread: it was returned with a note that the holder has not acknowledged.
        Conflict: what was drawn cannot be stored in the label set.
    """
    with transaction.atomic():
        _lock(task)
        done = task_leases.finish(task=task, user=user, role=role, token=token)
        if task.label_set.sheet_of_id is not None:
            blind_slots.finish(sheet_task=done, user=user)
    return done


def skip(*, task: Task, user: User, role: Role, token: int, note: str = "") -> Task:
    """Return the task, left for others.

    Raises:
        LeaseLost: the token is not the newest.
    """
    with transaction.atomic():
        _lock(task)
        left = task_leases.skip(task=task, user=user, role=role, token=token, note=note)
        if task.label_set.sheet_of_id is not None:
            blind_slots.leave(sheet_task=left, user=user, passed=True)
    return left


def release(*, task: Task, user: User, role: Role, token: int) -> Task:
    """Return the task, given back as it was before it was taken.

    Raises:
        LeaseLost: the token is not the newest.
    """
    with transaction.atomic():
        _lock(task)
        left = task_leases.release(task=task, user=user, role=role, token=token)
        if task.label_set.sheet_of_id is not None:
            blind_slots.leave(sheet_task=left, user=user, passed=False)
    return left


def _lock(task: Task) -> None:
    if task.label_set.sheet_of_id is not None:
        blind_slots.lock_original(task)
