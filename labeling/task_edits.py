"""Edits drawn under a lease on a task, and what becomes of those whose lease has passed to somebody else.

An edit that names a task and the token of its lease is stored while that token is the newest; storing it renews the
lease, so one that ended while nobody else wanted the task goes on. Under an older token nothing reaches the layer:
the change is kept as a proposal, which the task's holder or a reviewer accepts (then it is an edit) or rejects.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from labeling import review_services, sheet_edits
from labeling.late_edits import propose
from labeling.models import Proposal, Task
from labeling.review_services import Reviewed, VerdictKind, parse_kind
from labeling.task_events import Happened, record
from labeling.task_leases import lease_end
from labeling.task_states import NoteUnread, State
from webapp import points
from webapp.errors import Conflict, Denied, Invalid, QuadratError
from webapp.features import guarding, services
from webapp.features.models import Edit, FeatureLayer
from webapp.features.parsing import parse_edits
from webapp.features.selectors import LogRow
from webapp.features.services import EditRequest, EditResult
from webapp.projects.models import Role, User

# As large as the database's column takes.
_LAST_TOKEN = 2**63 - 1


@dataclass(frozen=True)
class Lease:
    """What an edit says of the task it was drawn for."""

    task: UUID
    token: int


@dataclass(frozen=True)
class LeasedEdit:
    """An edit with the lease under which it was drawn (None: outside any task), and the review decision it is."""

    edit: EditRequest
    lease: Lease | None = None
    verdict: VerdictKind | None = None


def parse_leased(body: Any) -> list[LeasedEdit]:
    """Return the edits of `{edits: [{…, task: {id, token}, review: "accept"}]}`; both may be left out.

    Raises:
        Invalid, TooLarge: see `webapp.features.parsing.parse_edits`.
    """
    edits = parse_edits(body)
    return [
        _with_verdict(_leased(edit, item.get("task")), item) for edit, item in zip(edits, body["edits"], strict=True)
    ]


@dataclass(frozen=True)
class Applied:
    """What became of a batch.

    Attributes:
        answers: to each edit, in order, JSON-ready.
        rows: what the log has now that it had not before, in order.
    """

    answers: list[dict[str, Any]]
    rows: list[LogRow]


def apply_leased(*, layer: FeatureLayer, edits: Sequence[LeasedEdit], user: User) -> list[dict[str, Any]]:
    """Return the answers of `store_leased`."""
    return store_leased(layer=layer, edits=edits, user=user).answers


def store_leased(*, layer: FeatureLayer, edits: Sequence[LeasedEdit], user: User) -> Applied:
    """Answer each edit, in order: as `apply_edits`, or `proposed` where its lease is somebody else's.

    All that is stored is stored in one transaction.

    Raises:
        TooLarge: more than a batch takes.
    """
    # What fails here fails as a whole, so that no savepoint is needed within the caller's transaction.
    with transaction.atomic(savepoint=False):
        # Locks are taken in one order everywhere: tasks, the label set's row, the layer's row.
        tasks = _locked_tasks(layer, edits)
        verdicts = {lease: _judge(tasks.get(lease.task), lease, user) for lease in _leases(edits)}
        held = [lease.task for lease, verdict in verdicts.items() if verdict is None]
        if held:
            Task.objects.filter(pk__in=held).update(lease_until=lease_end())
            points.reach("edit.renewed")
        reviewed = [Reviewed(item.edit, item.verdict) for item in edits if item.verdict and not item.edit.problem]
        refused = review_services.refuse(layer, reviewed, user)
        asked = [(item.edit, item.lease.task if item.lease else None) for item in edits if not item.edit.problem]
        on_sheet = sheet_edits.is_sheet(layer)
        unfit = sheet_edits.refuse(asked, tasks) if on_sheet else {}
        # What was stored once is answered as it was then, whatever has become of its task.
        known = _known(layer, edits) if unfit or verdicts else set()
        refused |= {op_id: error for op_id, error in unfit.items() if op_id not in known}
        kept, late = [], []
        for item in edits:
            if item.edit.op_id in refused:
                kept.append(replace(item.edit, problem=refused[item.edit.op_id]))
                continue
            verdict = None if item.lease is None or item.edit.op_id in known else verdicts[item.lease]
            if isinstance(verdict, QuadratError):
                kept.append(replace(item.edit, problem=verdict))
            elif verdict is not None and item.edit.problem is None:
                late.append((item, verdict))
            else:
                kept.append(item.edit)
        closed = {} if on_sheet else _closed(layer, [item.edit for item, _ in late])
        kept += [replace(item.edit, problem=closed[item.edit.op_id]) for item, _ in late if item.edit.op_id in closed]
        answers = {
            item.edit.op_id: propose(layer=layer, edit=item.edit, token=item.lease.token, task=task, user=user)
            for item, task in late
            if item.lease is not None and item.edit.op_id not in closed
        }
        # On a sheet each edit was just found to lie within a task.
        results = services.apply_edits(layer=layer, edits=kept, user=user, unguarded=on_sheet)
        answers |= {result.op_id: result.as_json() for result in results}
        review_services.record(layer, reviewed, user)
    rows = {result.row.seq: result.row for result in results if result.row is not None}
    return Applied([answers[item.edit.op_id] for item in edits], [rows[seq] for seq in sorted(rows)])


def decide(*, proposal: Proposal, accept: bool, user: User, role: Role) -> EditResult | None:
    """Return the answer to the edit that the proposal became, or None where it was rejected.

    Raises:
        Denied: the user neither holds the task nor reviews; authors may withdraw (reject) their own.
        Conflict: it is decided already, or the sample has changed since (code `conflict`, the current one in details).
        Invalid: it cannot be stored as it is.
    """
    with transaction.atomic():
        found = (
            Proposal.objects.select_for_update(of=("self",))
            .select_related("task__label_set__layer")
            .get(pk=proposal.pk)
        )
        own = found.author_id == user.pk and not accept
        if role < Role.REVIEWER and found.task.holder_id != user.pk and not own:
            raise Denied("Only the task's holder or a reviewer decides this.", fix="Take the task first.")
        if found.state != Proposal.State.OPEN:
            raise Conflict(f"This was {found.state} already.", fix="Load the proposals again.", code="decided")
        task = Task.objects.select_for_update(no_key=True).get(pk=found.task_id)
        record(task.label_set_id, [Happened(task, "accept" if accept else "reject", task.state, user)])
        result = _accept(found, user) if accept else None
        found.state = Proposal.State.ACCEPTED if accept else Proposal.State.REJECTED
        found.decided_by, found.decided_at = user, timezone.now()
        found.save(update_fields=["state", "decided_by", "decided_at"])
    return result


def _leased(edit: EditRequest, value: Any) -> LeasedEdit:
    if value is None:
        return LeasedEdit(edit)
    try:
        token = value["token"]
        if not isinstance(token, int) or isinstance(token, bool) or not 0 <= token <= _LAST_TOKEN:
            raise TypeError
        return LeasedEdit(edit, Lease(UUID(value["id"]), token))
    except (TypeError, KeyError, ValueError, AttributeError):
        problem = Invalid("The edit's task is no {id, token}.", fix="Send both, or neither.", code="task")
        return LeasedEdit(replace(edit, problem=problem))


def _with_verdict(leased: LeasedEdit, item: dict[str, Any]) -> LeasedEdit:
    try:
        return replace(leased, verdict=parse_kind(item.get("review")))
    except Invalid as error:
        return replace(leased, edit=replace(leased.edit, problem=error))


def _leases(edits: Sequence[LeasedEdit]) -> list[Lease]:
    return list(dict.fromkeys(item.lease for item in edits if item.lease))


def _known(layer: FeatureLayer, edits: Sequence[LeasedEdit]) -> set[UUID]:
    """Return the operations that the log has: a repeated one gets its first answer, whatever its lease is now."""
    op_ids = [item.edit.op_id for item in edits]
    return set(Edit.objects.filter(layer=layer, op_id__in=op_ids).values_list("op_id", flat=True))


def _locked_tasks(layer: FeatureLayer, edits: Sequence[LeasedEdit]) -> dict[UUID, Task]:
    ids = {item.lease.task for item in edits if item.lease}
    if not ids:
        return {}
    found = Task.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=ids, label_set__layer=layer)
    return {task.pk: task for task in found.order_by("pk")}


def _closed(layer: FeatureLayer, edits: Sequence[EditRequest]) -> dict[UUID, QuadratError]:
    """Return which late edits cannot even be proposed: their cell is labelled blindly by now."""
    shapes = {edit.op_id: edit.geometry for edit in edits if edit.geometry is not None}
    return guarding.refused_shapes(layer, shapes)


def _judge(task: Task | None, lease: Lease, user: User) -> Task | QuadratError | None:
    """Return None where the lease holds, the task where it is late, or why nothing can be done."""
    if task is None:
        return Invalid("There is no such task in this label set.", fix="Take one.", code="task")
    if task.holder_id != user.pk or task.token != lease.token or task.split:
        return task
    if task.must_read and task.state == State.IN_PROGRESS:
        return NoteUnread("The reviewer's note was not read.", fix="Read it and say so, then go on.")
    return None


def _accept(found: Proposal, user: User) -> EditResult:
    edit = EditRequest(
        uuid4(),
        found.action,  # type: ignore[arg-type]  # stored from an edit's own action
        found.feature_id,
        found.base_version,
        geometry=found.geometry,
        class_value=found.class_value,
        properties=found.properties,
        allow_retired=True,
    )
    label_set = found.task.label_set
    # On a sheet it was drawn for a task, though under a lease that had ended.
    on_sheet = label_set.sheet_of_id is not None
    [result] = services.apply_edits(layer=label_set.layer, edits=[edit], user=user, unguarded=on_sheet)
    if result.status == "ok":
        return result
    error = result.error or {"code": result.status, "message": "It could not be stored.", "fix": ""}
    kind = Conflict if result.status in ("conflict", "gone") else Invalid
    raise kind(
        error["message"],
        fix="Draw the change again on the sample as it is now, then reject the proposal.",
        code=error["code"],
        details={"current": result.as_json()["feature"]},
    )
