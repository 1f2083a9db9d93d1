"""Leases on tasks. Claiming is one statement, so two people never win the same task.

The database's clock decides. A lease that has ended stays its holder's until somebody else claims the task: the
token tells the two apart, and what the old holder sends then is kept as a proposal (`labeling.task_edits`).
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import DateTimeField, F, Func, QuerySet

from labeling.models import LabelSet, Task
from labeling.task_choice import LABEL, MINE, REVIEW, Order, Place, Purpose, ordering, position
from labeling.task_events import Happened, record
from labeling.task_states import LeaseLost, NoteUnread, State, before_claim, transition
from webapp import points
from webapp.errors import Conflict, Denied
from webapp.projects.models import Role, User

# "task" in ASCII: the advisory locks that keep one person's claims apart, so that a double click gets one task.
CLAIM_LOCK = 0x7461736B


class Clock(Func):
    """The database's clock at this very moment, not at the start of the transaction."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def lease_end() -> Any:
    """Return the end of a lease that begins now, as an expression of the database's clock."""
    return Clock() + timedelta(seconds=settings.TASK_LEASE_S)


def next_task(
    *,
    label_set: LabelSet,
    user: User,
    role: Role,
    order: Order = "near",
    place: Place | None = None,
    purpose: Purpose = "label",
) -> Task | None:
    """Return a task that is now the user's alone, or None where there is none left.

    Who holds one already gets it again, under the same token: a page that was loaded again goes on.

    Raises:
        Denied: the role is too low.
    """
    action, state = ("claim", State.TODO) if purpose == "label" else ("review", State.DONE)
    transition(action, state, role)
    with transaction.atomic():
        one_at_a_time(user)
        mine = held(label_set, user, purpose)
        if mine is not None:
            return mine
        events = give_back_all(label_set.pk, user)
        where = f"{LABEL} AND {MINE}" if purpose == "label" else REVIEW
        names = {"label_set": label_set.pk, **position(place)}
        return take(f"{where} ORDER BY {ordering(order, place, purpose)} LIMIT 1", names, user, action, events)


def claim(*, task: Task, user: User, role: Role, purpose: Purpose = "label") -> Task:
    """Return the task, now the user's alone.

    Raises:
        Denied: the role is too low, or it is assigned to somebody else.
        Conflict: somebody works on it (code `task_held`), the user holds another (`holds_another`), or its state
            does not allow it.
    """
    action = "claim" if purpose == "label" else "review"
    with transaction.atomic():
        one_at_a_time(user)
        fresh = Task.objects.select_related("holder", "assigned_to").get(pk=task.pk)
        transition(action, fresh.state, role)
        if fresh.split:
            raise Conflict("The task was split.", fix="Choose one of its parts.", code="task_state")
        if fresh.on_sheets:
            raise Conflict("This task is labelled blindly.", fix="Take the next one.", code="task_blind")
        if fresh.holder_id == user.pk and fresh.state == (State.IN_PROGRESS if purpose == "label" else State.DONE):
            return _renew(fresh, user, fresh.token)
        if fresh.assigned_to_id not in (None, user.pk) and purpose == "label" and role < Role.REVIEWER:
            raise Denied("The task is assigned to somebody else.", fix="Choose another, or ask a reviewer.")
        refuse_second(fresh, user)
        events = give_back_all(fresh.label_set_id, user)
        where = LABEL if purpose == "label" else REVIEW
        names = {"label_set": fresh.label_set_id, "task": fresh.pk}
        taken = take(f"{where} AND t.id = %(task)s", names, user, action, events)
        if taken is None:
            raise Conflict(
                "Somebody is working on this task.",
                fix="Choose another, or wait until the lease has ended.",
                code="task_held",
            )
        return taken


def heartbeat(*, task: Task, user: User, token: int) -> Task:
    """Return the task with its lease renewed.

    Raises:
        LeaseLost: the token is not the newest.
    """
    return _renew(task, user, token)


def acknowledge(*, task: Task, user: User, role: Role, token: int) -> Task:
    """Return the task after its holder said that the reviewer's note was read.

    Raises:
        LeaseLost: the token is not the newest.
    """
    with transaction.atomic():
        held = locked(task, user, token)
        transition("acknowledge", held.state, role)
        held.must_read = False
        return _leave(held, "acknowledge", user, held.state, keep=True)


def finish(*, task: Task, user: User, role: Role, token: int) -> Task:
    """Return the task, done.

    Raises:
        LeaseLost: the token is not the newest.
        NoteUnread: it was returned with a note that the holder has not acknowledged.
    """
    with transaction.atomic():
        held = locked(task, user, token)
        transition("finish", held.state, role)
        if held.must_read:
            raise NoteUnread("The reviewer's note was not read.", fix="Read it and say so first.")
        held.done_by, held.note, held.reviewed_by = user, "", None
        return _leave(held, "finish", user, State.DONE)


def skip(*, task: Task, user: User, role: Role, token: int, note: str = "") -> Task:
    """Return the task, left for others.

    Raises:
        LeaseLost: the token is not the newest.
    """
    with transaction.atomic():
        held = locked(task, user, token)
        transition("skip", held.state, role)
        held.note, held.must_read, held.reviewed_by = note, False, None
        return _leave(held, "skip", user, State.SKIPPED, note=note)


def release(*, task: Task, user: User, role: Role, token: int) -> Task:
    """Return the task, given back as it was before it was taken.

    Raises:
        LeaseLost: the token is not the newest.
    """
    with transaction.atomic():
        held = locked(task, user, token)
        transition("release", held.state, role)
        return _leave(held, "release", user, before_claim(held))


def locked(task: Task, user: User, token: int) -> Task:
    """Return the task, locked until the transaction ends, its lease the user's under this very token.

    Raises:
        LeaseLost: the token is not the newest, or the lease was given up.
    """
    found = Task.objects.select_for_update(no_key=True).filter(pk=task.pk).first()
    if found is None or found.holder_id != user.pk or found.token != token or found.split:
        raise lost(found)
    return found


def lost(task: Task | None) -> LeaseLost:
    """Return the error of a token that is not the newest any more."""
    if task is None:
        return LeaseLost("The task is not there any more.", fix="Take the next one.")
    return LeaseLost(
        f"Your lease on task {task.number} has ended.",
        fix="Take the next one; what you drew since is kept as a proposal.",
        details={"task": str(task.pk), "token": task.token, "state": task.state},
    )


def _renew(task: Task, user: User, token: int) -> Task:
    renewed = Task.objects.filter(pk=task.pk, holder=user, token=token, split=False).update(lease_until=lease_end())
    found = Task.objects.filter(pk=task.pk).first()
    if found is None or not renewed:
        raise lost(found)
    return found


def one_at_a_time(user: User) -> None:
    """Keep the claims of one person apart until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [CLAIM_LOCK, user.pk % 2**31])


def _own(label_set_id: UUID, user: User) -> "QuerySet[Task]":
    return Task.objects.filter(label_set=label_set_id, holder=user, split=False)


def held(label_set: LabelSet, user: User, purpose: Purpose) -> Task | None:
    """Return the task that the user holds already, its lease renewed; None where there is none."""
    state = State.IN_PROGRESS if purpose == "label" else State.DONE
    own = _own(label_set.pk, user).filter(state=state)
    for pk, token in own.values_list("pk", "token"):
        # A lease that ended and passed on between the two looks is not ours any more.
        if own.filter(pk=pk, token=token).update(lease_until=lease_end()):
            return Task.objects.get(pk=pk)
    return None


def refuse_second(task: Task, user: User) -> None:
    """Refuse while the user holds another task under a living lease.

    Raises:
        Conflict: code `holds_another`.
    """
    other = _own(task.label_set_id, user).filter(lease_until__gt=Clock()).exclude(pk=task.pk).first()
    if other is not None:
        raise Conflict(
            f"You are working on task {other.number}.",
            fix="Finish it, skip it or give it back first.",
            code="holds_another",
            details={"task": str(other.pk)},
        )


def give_back_all(label_set_id: UUID, user: User) -> list[Happened]:
    """Give back what the user holds otherwise (one task at a time); return the events, not yet recorded."""
    events = []
    for task in _own(label_set_id, user).select_for_update(no_key=True):
        was, task.state = task.state, before_claim(task)
        task.holder, task.lease_until = None, None
        task.save()
        events.append(Happened(task, "release", was, user))
    return events


def take(condition: str, names: dict[str, Any], user: User, action: str, earlier: list[Happened]) -> Task | None:
    """Claim in one statement what the condition (on `labeling_task t`) finds; the read that chose it locks its row.

    A row that somebody else has locked is passed over, never waited for: whoever locks it is taking it.
    """
    changed = (
        ""
        if action == "review"
        else """state = 'in_progress',
            must_read = (t.note <> '' AND t.reviewed_by_id IS NOT NULL), """
    )
    sql = f"""WITH picked AS MATERIALIZED (
            SELECT t.id, t.state, t.holder_id FROM labeling_task t WHERE {condition} FOR UPDATE SKIP LOCKED)
        UPDATE labeling_task t SET {changed}holder_id = %(user)s, token = t.token + 1, updated_at = clock_timestamp(),
            lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
        FROM picked WHERE t.id = picked.id RETURNING t.id, picked.state, picked.holder_id"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {**names, "user": user.pk, "lease_s": settings.TASK_LEASE_S})
        row = cursor.fetchone()
    points.reach("task.claimed")
    task = None if row is None else Task.objects.get(pk=row[0])
    events = list(earlier)
    if task is not None:
        if row[2] is not None and row[2] != user.pk:
            events.append(Happened(task, "expire", row[1], User.objects.filter(pk=row[2]).first()))
        events.append(Happened(task, action, row[1], user))
    if events:
        record(names["label_set"], events)
    return task


def _leave(task: Task, action: str, user: User | None, state: str, *, note: str = "", keep: bool = False) -> Task:
    """Store a held task in its new state; its lease ends, unless it is to be kept."""
    was, task.state = task.state, state
    if not keep:
        task.holder, task.lease_until = None, None
    task.save()
    if keep:
        Task.objects.filter(pk=task.pk).update(lease_until=lease_end())
        task.refresh_from_db(fields=["lease_until"])
    record(task.label_set_id, [Happened(task, action, was, user, note)])
    return task


def raise_token(task: Task) -> None:
    """End the task's lease for good: whoever held it can do nothing more under the old token."""
    task.holder, task.lease_until = None, None
    Task.objects.filter(pk=task.pk).update(token=F("token") + 1)
    task.refresh_from_db(fields=["token"])
