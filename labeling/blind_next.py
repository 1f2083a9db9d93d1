"""The next task of a label set in which some are labelled blindly: from the set itself, or on one's own sheet."""

from typing import Any

from django.db import connection, transaction

from labeling import blind_slots, sheets, task_leases
from labeling.models import LabelSet, Task
from labeling.task_choice import LABEL, MINE, Order, Place, Purpose, ordering, position
from labeling.task_events import record
from labeling.task_leases import one_at_a_time
from labeling.task_states import State, transition
from webapp.projects.models import Role, User

# Tasks of both kinds in one order, so that nobody can tell them by when they come. The row is locked by the read.
_PICK = f"""SELECT t.id, t.on_sheets FROM labeling_task t LEFT JOIN labeling_blindtask b ON b.task_id = t.id
    WHERE ({LABEL} AND {MINE}) OR (t.label_set_id = %(label_set)s AND t.on_sheets AND NOT t.split
        AND (t.assigned_to_id IS NULL OR t.assigned_to_id = %(user)s) AND {blind_slots.HAS_PLACE})"""

# Where all new tasks are labelled on sheets: those that nobody has begun and in which no sample lies yet.
_NEW_SINGLES = """WITH fresh AS (
        SELECT t.id FROM labeling_task t JOIN labeling_labelset l ON l.id = t.label_set_id
        WHERE l.id = %(label_set)s AND l.all_on_sheets AND t.state = 'todo' AND NOT t.split AND NOT t.on_sheets
            AND t.holder_id IS NULL AND NOT EXISTS (SELECT FROM labeling_blindtask b WHERE b.task_id = t.id)
            AND NOT EXISTS (SELECT FROM features_feature f WHERE f.layer_id = l.layer_id AND NOT f.deleted
                AND ST_Intersects(f.geometry, t.geometry))
        FOR UPDATE OF t SKIP LOCKED),
    marked AS (UPDATE labeling_task t SET on_sheets = true FROM fresh WHERE t.id = fresh.id RETURNING t.id)
    INSERT INTO labeling_blindtask (task_id, kind, state, before, people, passed, created_at)
    SELECT id, 'single', 'open', 'todo', '{}', '{}', clock_timestamp() FROM marked ON CONFLICT DO NOTHING"""


def next_task(
    *,
    label_set: LabelSet,
    user: User,
    role: Role,
    order: Order = "near",
    place: Place | None = None,
    purpose: Purpose = "label",
) -> Task | None:
    """Return a task that is now the user's alone, or None where none is left: see `task_leases.next_task`.

    The task may be of the label set itself or of the user's sheet, whichever of the two was asked.

    Raises:
        Denied: the role is too low.
    """
    whole = sheets.original(label_set)
    if purpose == "review" or not _has_blind_work(whole):
        return task_leases.next_task(label_set=whole, user=user, role=role, order=order, place=place, purpose=purpose)
    transition("claim", State.TODO, role)
    with transaction.atomic():
        one_at_a_time(user)
        held = _held(whole, user)
        if held is not None:
            return held
        blind_slots.release_held(Task.objects.filter(label_set__sheet_of=whole, holder=user), user)
        blind_slots.free_abandoned(whole, user)
        with connection.cursor() as cursor:
            cursor.execute(_NEW_SINGLES, {"label_set": whole.pk})
        given_back = task_leases.give_back_all(whole.pk, user)
        if given_back:
            record(whole.pk, given_back)
        names = {"label_set": whole.pk, "user": user.pk, **position(place)}
        return _take_first(f"{_PICK} ORDER BY {ordering(order, place, purpose)} LIMIT 1", names, user)


def _take_first(pick: str, names: dict[str, Any], user: User) -> Task | None:
    while True:
        with connection.cursor() as cursor:
            cursor.execute(f"{pick} FOR UPDATE OF t SKIP LOCKED", names)
            row = cursor.fetchone()
        if row is None:
            return None
        if row[1]:
            task = Task.objects.select_related("label_set__project", "label_set__layer").get(pk=row[0])
            taken = blind_slots.take(task=task, user=user)
        else:
            taken = task_leases.take(f"{LABEL} AND t.id = %(task)s", {**names, "task": row[0]}, user, "claim", [])
        # The last place went to somebody else between the choice and the lock: they have it, so this ends.
        if taken is not None:
            return taken


def _has_blind_work(label_set: LabelSet) -> bool:
    return label_set.all_on_sheets or Task.objects.filter(label_set=label_set, on_sheets=True).exists()


def _held(label_set: LabelSet, user: User) -> Task | None:
    """Return what the user holds, in the label set or on the sheet."""
    sheet = LabelSet.objects.filter(sheet_of=label_set, sheet_for=user).first()
    on_sheet = None if sheet is None else task_leases.held(sheet, user, "label")
    return on_sheet or task_leases.held(label_set, user, "label")
