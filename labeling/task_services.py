"""What managers and reviewers do with tasks: cut the grid, assign, split, approve, return. See also `task_leases`."""

import shapely
from django.contrib.gis.geos import Point
from django.db import transaction
from django.db.models import QuerySet
from shapely.geometry.base import BaseGeometry

from labeling import offsets, task_grid
from labeling.models import LabelSet, Task
from labeling.task_events import Happened, next_number, record
from labeling.task_grid import MAX_TASKS, Cells, GridRequest
from labeling.task_leases import Clock, lost, raise_token
from labeling.task_states import State, before_claim, transition
from webapp.errors import Conflict, Denied, Invalid, TooLarge
from webapp.features.geometry import to_geos, to_shape
from webapp.projects.access import role_in
from webapp.projects.models import Role, User


def preview_grid(*, label_set: LabelSet, request: GridRequest) -> Cells:
    """Return the cells that the request would make tasks of, beside those that are there.

    Raises:
        Invalid, TooLarge: see `task_grid.cells_of`, or the label set would have more than 10,000 tasks.
    """
    taken = [to_shape(cell) for cell in _living(label_set).values_list("geometry", flat=True)]
    cells = task_grid.cells_of(request, offsets.shown(label_set), taken)
    if len(taken) + len(cells.cells) > MAX_TASKS:
        raise TooLarge(
            f"With {len(cells.cells):,} more the label set would have over {MAX_TASKS:,} tasks.",
            fix="Make the cells larger, or the area smaller.",
            code="too_many_tasks",
            details={"most": MAX_TASKS},
        )
    return cells


def create_grid(*, label_set: LabelSet, request: GridRequest, user: User | None) -> list[Task]:
    """Return the new tasks; what other tasks cover already is left out, so cells never overlap.

    Raises:
        Invalid, TooLarge: see `preview_grid`.
    """
    with transaction.atomic():
        LabelSet.objects.select_for_update(no_key=True).get(pk=label_set.pk)
        cells = preview_grid(label_set=label_set, request=request).cells
        first = next_number(label_set)
        tasks = [_new(label_set, first + i, cell) for i, cell in enumerate(cells)]
        Task.objects.bulk_create(tasks, batch_size=1_000)
        record(label_set.pk, [Happened(task, "create", "", user) for task in tasks])
    return tasks


def remove_untouched(*, label_set: LabelSet, user: User | None) -> int:
    """Return how many tasks were removed: those that nobody has ever taken. Others keep their history."""
    with transaction.atomic():
        LabelSet.objects.select_for_update(no_key=True).get(pk=label_set.pk)
        untouched = _living(label_set).filter(state=State.TODO, token=0, parent=None).exclude(events__action="assign")
        gone = untouched.count()
        untouched.delete()
        record(label_set.pk, [])
    return gone


def approve(*, task: Task, user: User, role: Role) -> Task:
    """Return the task, approved.

    Raises:
        Denied: the role is too low, or it is the reviewer's own work (managers may approve theirs).
        Conflict: it is not done, or another reviewer is looking at it.
    """
    with transaction.atomic():
        found = _locked(task)
        transition("approve", found.state, role)
        _refuse_others(found, user)
        if found.done_by_id == user.pk and role < Role.MANAGER:
            raise Denied("This is your own work.", fix="Ask somebody else to review it.")
        found.reviewed_by, found.note, found.must_read = user, "", False
        return _stored(found, "approve", user, State.APPROVED)


def return_task(*, task: Task, user: User, role: Role, note: str) -> Task:
    """Return the task, sent back to who did it with a note that has to be read before editing.

    Raises:
        Denied: the role is too low.
        Conflict: it is neither done nor approved, or another reviewer is looking at it.
        Invalid: there is no note.
    """
    with transaction.atomic():
        found = _locked(task)
        transition("return", found.state, role, note)
        _refuse_others(found, user)
        found.reviewed_by, found.note, found.must_read = user, note.strip(), True
        found.assigned_to = found.done_by
        return _stored(found, "return", user, State.RETURNED, note=note.strip())


def reopen(*, task: Task, user: User, role: Role) -> Task:
    """Return the task, to do again for anybody.

    Raises:
        Denied, Conflict: role or state do not allow it.
    """
    with transaction.atomic():
        found = _locked(task)
        transition("reopen", found.state, role)
        _refuse_others(found, user)
        found.note, found.must_read, found.reviewed_by, found.assigned_to = "", False, None, None
        return _stored(found, "reopen", user, State.TODO)


def take_away(*, task: Task, user: User, role: Role) -> Task:
    """Return the task after its lease was ended over its holder's head; what the holder draws now is a proposal.

    Raises:
        Denied, Conflict: role or state do not allow it.
    """
    with transaction.atomic():
        found = _locked(task)
        _refuse_blind(found)
        transition("take_away", found.state, role)
        raise_token(found)
        return _stored(found, "take_away", user, before_claim(found))


def assign(*, task: Task, user: User, role: Role, to: User | None) -> Task:
    """Return the task, kept for one person (None: for anybody). Somebody else's lease on it ends.

    Raises:
        Denied, Conflict: role or state do not allow it.
        Invalid: the person cannot label here.
    """
    with transaction.atomic():
        found = _locked(task)
        _refuse_blind(found)
        transition("assign", found.state, role)
        if to is not None and (role_in(to, found.label_set.project) or Role.VIEWER) < Role.LABELER:
            raise Invalid(f"{to} cannot label here.", fix="Choose a labeler of the project.", code="assigned_to")
        found.assigned_to = to
        state = found.state
        if found.state == State.IN_PROGRESS and to is not None and found.holder_id != to.pk:
            raise_token(found)
            state = before_claim(found)
        note = to.get_username() if to else ""
        return _stored(found, "assign", user, state, keep_lease=found.holder_id is not None, note=note)


def prioritise(*, task: Task, user: User, priority: int | None, uncertainty: float | None) -> Task:
    """Return the task with a new priority or uncertainty (None: unchanged).

    Raises:
        Invalid: out of range.
    """
    if uncertainty is not None and not 0 <= uncertainty <= 1:
        raise Invalid(f"The uncertainty {uncertainty} is out of range.", fix="Use 0 to 1.", code="uncertainty")
    if priority is not None and abs(priority) > 1_000_000:
        raise Invalid(f"The priority {priority} is out of range.", fix="Use -1000000 to 1000000.", code="priority")
    with transaction.atomic():
        found = _locked(task)
        found.priority = found.priority if priority is None else priority
        found.uncertainty = found.uncertainty if uncertainty is None else uncertainty
        found.save(update_fields=["priority", "uncertainty", "updated_at"])
        record(found.label_set_id, [Happened(found, "prioritise", found.state, user, f"priority {found.priority}")])
    return found


def split(*, task: Task, user: User, role: Role, token: int | None) -> list[Task]:
    """Return the four (or fewer, at an edge) tasks that stand for this one from now on. Samples are not touched.

    Args:
        token: of the caller's lease; None where a reviewer splits a task that nobody works on.

    Raises:
        LeaseLost: the token is not the newest.
        Denied, Conflict: role or state do not allow it, or somebody works on it.
        TooLarge: the label set has no room for more tasks.
    """
    with transaction.atomic():
        found = _locked(task)
        _refuse_blind(found)
        transition("split", found.state, role)
        if token is not None and (found.holder_id != user.pk or found.token != token):
            raise lost(found)
        if token is None and role < Role.REVIEWER:
            raise Denied("Only the task's holder or a reviewer splits it.", fix="Take the task first.")
        _refuse_others(found, user)
        LabelSet.objects.select_for_update(no_key=True).get(pk=found.label_set_id)
        if _living(found.label_set).count() + 3 > MAX_TASKS:
            raise TooLarge(f"The label set has {MAX_TASKS:,} tasks.", fix="Finish some.", code="too_many_tasks")
        state = before_claim(found)
        first = next_number(found.label_set)
        cells = task_grid.quarters(to_shape(found.geometry))
        parts = [_part(found, first + i, cell, state) for i, cell in enumerate(cells)]
        Task.objects.bulk_create(parts)
        was, found.split, found.state = found.state, True, state
        raise_token(found)
        found.save()
        record(
            found.label_set_id,
            [Happened(found, "split", was, user), *(Happened(part, "create", "", user) for part in parts)],
        )
    return parts


def _living(label_set: LabelSet) -> "QuerySet[Task]":
    return Task.objects.filter(label_set=label_set, split=False)


def _new(label_set: LabelSet, number: int, cell: BaseGeometry) -> Task:
    centre = shapely.point_on_surface(cell)
    return Task(label_set=label_set, number=number, geometry=to_geos(cell), centre=Point(centre.x, centre.y, srid=4326))


def _part(parent: Task, number: int, cell: BaseGeometry, state: str) -> Task:
    part = _new(parent.label_set, number, cell)
    part.parent, part.state = parent, state
    part.priority, part.uncertainty, part.assigned_to = parent.priority, parent.uncertainty, parent.assigned_to
    part.note, part.must_read, part.reviewed_by = parent.note, parent.note != "", parent.reviewed_by
    part.done_by = parent.done_by
    return part


def _locked(task: Task) -> Task:
    found = (
        Task.objects.select_for_update(no_key=True, of=("self",))
        .select_related("label_set__project")
        .filter(pk=task.pk)
        .first()
    )
    if found is None or found.split:
        raise Conflict("The task was split.", fix="Load the tasks again.", code="task_state")
    return found


def _refuse_blind(task: Task) -> None:
    """Refuse what would say who has a blind task, or cut it under their hands; on a sheet it cannot be cut either."""
    if task.on_sheets or task.label_set.sheet_of_id is not None:
        raise Conflict("This task is labelled blindly.", fix="Take it out of blind labelling first.", code="task_blind")


def _refuse_others(task: Task, user: User) -> None:
    """Refuse while somebody else holds a living lease."""
    held = Task.objects.filter(pk=task.pk, lease_until__gt=Clock()).exclude(holder=user)
    if held.exclude(holder=None).exists():
        raise Conflict("Somebody is working on this task.", fix="Wait until the lease has ended.", code="task_held")


def _stored(task: Task, action: str, user: User, state: str, *, note: str = "", keep_lease: bool = False) -> Task:
    was, task.state = task.state, state
    if not keep_lease:
        task.holder, task.lease_until = None, None
    task.save()
    record(task.label_set_id, [Happened(task, action, was, user, note)])
    return task
