"""Two people's versions of one task, what differs, and the decisions that make one version of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction

from labeling import blind_answers
from labeling.blind_models import Answer, BlindTask, Labelling
from labeling.models import LabelSet, Task
from labeling.task_events import lock_history
from labeling.task_states import State
from webapp.errors import Conflict, Denied, Invalid
from webapp.features.services import EditRequest
from webapp.projects.access import hold_role
from webapp.projects.models import Role, User

Take = Literal["a", "b", "both", "none", "edit"]
TAKES: tuple[Take, ...] = ("a", "b", "both", "none", "edit")
What = Literal["agreed", "geometry", "class", "only_a", "only_b"]


@dataclass(frozen=True)
class Difference:
    """One object of a task that two people labelled.

    Attributes:
        key: names it among those of the task.
        what: `agreed` both drew the same; `geometry` or `class` both drew it, but differently; `only_a`, `only_b`.
        a, b: the samples; None where that person drew none.
        iou: their overlap; None for one alone.
    """

    key: str
    what: What
    a: Answer | None
    b: Answer | None
    iou: float | None


@dataclass(frozen=True)
class Decision:
    """What becomes of a difference.

    Attributes:
        take: `a`, `b`, `both` or `none` of the two, or `edit`: neither, but the shape and class given here.
    """

    take: Take
    geometry: GEOSGeometry | None = None
    class_value: int | None = None


def differences(blind: BlindTask) -> list[Difference]:
    """Return the objects of a task that both people have done, those that differ first.

    An object on the border that a neighbouring task has decided on already is none any more.
    """
    if blind.result is None:
        return []
    answers = {str(row.pk): row for row in blind_answers.undecided(blind)}
    agree_iou = blind.task.label_set.agree_iou
    found = []
    for pair in blind.result["pairs"]:
        if not {pair["a"], pair["b"]} <= answers.keys():
            continue
        a, b = answers[pair["a"]], answers[pair["b"]]
        what: What = "geometry" if pair["iou"] < agree_iou else "agreed"
        found.append(Difference(f"{a.pk}", "class" if a.class_value != b.class_value else what, a, b, pair["iou"]))
    found += [Difference(key, "only_a", answers[key], None, None) for key in blind.result["only_a"] if key in answers]
    found += [Difference(key, "only_b", None, answers[key], None) for key in blind.result["only_b"] if key in answers]
    return sorted(found, key=lambda one: (one.what == "agreed", -_north(one), one.key))


def decided_elsewhere(blind: BlindTask, found: Sequence[Difference]) -> int:
    """Return how many objects of a task a neighbouring task has decided on: those that are not among its `found`."""
    if blind.result is None:
        return 0
    return sum(len(blind.result[name]) for name in ("pairs", "only_a", "only_b")) - len(found)


def people_of(blind: BlindTask) -> list[Labelling]:
    """Return the labellings of the two, the first one's first."""
    done = blind.labellings.filter(state=Labelling.State.DONE).select_related("person")
    return list(done.order_by("begun_at", "pk"))


def adjudicate(*, task: Task, user: User, role: Role, decisions: Mapping[str, Decision]) -> BlindTask:
    """Return the task's blind work, settled: what was decided is in the label set, stored at once as the user's edits.

    What both drew alike needs no decision: the first person's shape is taken.

    Raises:
        Denied: it is the user's own work (managers may decide on theirs).
        Conflict: it is not ready, or somebody has adjudicated it (code `not_ready`), or a shape cannot be stored.
        Invalid: a difference is undecided, or a decision does not fit it.
        NotFound: the user's membership has ended.
    """
    with transaction.atomic():
        # Here and not at the edge: many are settled at once, each in a transaction of its own.
        role = min(role, hold_role(user, task.label_set.project, Role.REVIEWER))
        blind = _locked(task)
        if user.pk in blind.people and role < Role.MANAGER:
            raise Denied("One of the two versions is yours.", fix="Ask somebody else to adjudicate.")
        found = differences(blind)
        _check(found, decisions)
        edits: list[EditRequest] = []
        outcome: list[dict[str, Any]] = []
        for one in found:
            decision = decisions.get(one.key, Decision("a"))
            for edit in _edits(one, decision):
                edits.append(edit)
                outcome.append(_line(edit.feature_id, one, decision))
        blind_answers.write(blind.task.label_set, edits, user)
        blind.outcome = outcome
        blind_answers.settle(blind, user, "adjudicate", State.APPROVED)
    return blind


@dataclass(frozen=True)
class Settled:
    """What became of the tasks in which both people drew the same.

    Attributes:
        count: how many are settled.
        failed: {number, message} of each that cannot be stored as it is; the others went on without it.
    """

    count: int
    failed: list[dict[str, Any]]


def settle_agreed(*, label_set: LabelSet, user: User, role: Role) -> Settled:
    """Return what was settled because both people drew the same; one's own tasks are left to others."""
    ready = BlindTask.objects.filter(task__label_set=label_set, state=BlindTask.State.READY)
    settled, failed = 0, list[dict[str, Any]]()
    for blind in ready.select_related("task__label_set__layer").order_by("task__number"):
        own = user.pk in blind.people and role < Role.MANAGER
        if not own and all(one.what == "agreed" for one in differences(blind)):
            try:
                adjudicate(task=blind.task, user=user, role=role, decisions={})
                settled += 1
            except (Conflict, Invalid) as error:
                # Where it is not ready any more somebody else settled it since.
                if error.code != "not_ready":
                    failed.append({"number": blind.task.number, "message": error.message})
    return Settled(settled, failed)


def _locked(task: Task) -> BlindTask:
    Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    blind = BlindTask.objects.select_related("task__label_set__layer").filter(pk=task.pk).first()
    if blind is None or blind.state != BlindTask.State.READY:
        raise Conflict("There is nothing to adjudicate here any more.", fix="Load the tasks again.", code="not_ready")
    lock_history(blind.task.label_set_id)
    return blind


def _check(found: Sequence[Difference], decisions: Mapping[str, Decision]) -> None:
    known = {one.key: one for one in found}
    strange = decisions.keys() - known.keys()
    if strange:
        raise Invalid(f"{strange.pop()!r:.50} is no difference of this task.", fix="Load it again.", code="decision")
    open_ones = [one.key for one in found if one.what != "agreed" and one.key not in decisions]
    if open_ones:
        raise Invalid(
            f"{len(open_ones)} differences are not decided.",
            fix="Decide each of them.",
            code="undecided",
            details={"keys": open_ones},
        )
    for key, decision in decisions.items():
        one = known[key]
        missing = {"a": one.a is None, "b": one.b is None, "both": one.a is None or one.b is None}
        if missing.get(decision.take, False):
            raise Invalid("That person drew nothing here.", fix="Take the other, or none.", code="decision")
        if decision.take == "edit" and decision.geometry is None:
            raise Invalid("The edit has no geometry.", fix="Send one.", code="geometry_missing")


def _edits(one: Difference, decision: Decision) -> list[EditRequest]:
    sources = {"a": [one.a], "b": [one.b], "both": [one.a, one.b], "none": []}
    if decision.take != "edit":
        return [_create(answer) for answer in sources[decision.take] if answer is not None]
    source = one.a or one.b
    assert source is not None
    return [_create(source, decision)]


def _create(answer: Answer, decision: Decision | None = None) -> EditRequest:
    value = answer.class_value if decision is None or decision.class_value is None else decision.class_value
    return EditRequest(
        uuid4(),
        "create",
        uuid4(),
        geometry=answer.geometry if decision is None else decision.geometry,
        class_value=value,
        properties=answer.properties,
        allow_retired=True,
    )


def _line(feature_id: UUID, one: Difference, decision: Decision) -> dict[str, Any]:
    return {
        "id": str(feature_id),
        "take": "agreed" if one.what == "agreed" and decision.take == "a" else decision.take,
        "iou": one.iou,
        "a": None if one.a is None else str(one.a.pk),
        "b": None if one.b is None else str(one.b.pk),
    }


def _north(one: Difference) -> float:
    answer = one.a or one.b
    assert answer is not None
    return float(answer.geometry.extent[3])
