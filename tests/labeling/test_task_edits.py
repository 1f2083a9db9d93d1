"""Edits under a lease: stored while its token is the newest, kept as proposals when it is not. Nothing is lost."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from labeling import task_edits, task_leases, task_selectors, task_services
from labeling.models import Proposal, Task
from labeling.task_edits import parse_leased
from tests.labeling.tasks import Team, let_expire, make_team
from webapp.errors import Conflict, Denied
from webapp.features.models import Edit, Feature, FeatureClass
from webapp.projects.models import Role, User

BOX = {"type": "Polygon", "coordinates": [[[85.52, 27.63], [85.521, 27.63], [85.521, 27.631], [85.52, 27.63]]]}
LARGER = {"type": "Polygon", "coordinates": [[[85.52, 27.63], [85.522, 27.63], [85.522, 27.632], [85.52, 27.63]]]}


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


def take(team: Team, user: User) -> Task:
    found = task_leases.next_task(label_set=team.label_set, user=user, role=Role.LABELER)
    assert found is not None
    return found


def send(team: Team, user: User, task: Task | None, *edits: dict[str, Any]) -> list[dict[str, Any]]:
    lease = {} if task is None else {"task": {"id": str(task.pk), "token": task.token}}
    body = {"edits": [{"op_id": str(uuid4()), "id": str(uuid4()), **edit, **lease} for edit in edits]}
    parsed = parse_leased(json.loads(json.dumps(body)))
    return task_edits.apply_leased(layer=team.label_set.layer, edits=parsed, user=user)


def create(**values: Any) -> dict[str, Any]:
    return {"action": "create", "geometry": BOX, "class_value": 1, **values}


def proposals(team: Team) -> list[dict[str, Any]]:
    return task_selectors.proposals(team.label_set)


def accept(team: Team, user: User, role: Role = Role.LABELER) -> Any:
    return task_edits.decide(proposal=Proposal.objects.get(state="open"), accept=True, user=user, role=role)


def lost_to_cleo(team: Team) -> Task:
    """Ben's task, whose lease ended and which Cleo holds now; returned as Ben still sees it."""
    held = take(team, team.ben)
    let_expire(held)
    task_leases.claim(task=held, user=team.cleo, role=Role.LABELER)
    return held


def test_an_edit_under_a_living_lease_is_stored_and_renews_it(team: Team) -> None:
    held = take(team, team.ben)
    let_expire(held)
    [answer] = send(team, team.ben, held, create())
    assert (answer["status"], answer["seq"]) == ("ok", 1)
    assert Task.objects.get(pk=held.pk).lease_until > held.lease_until  # type: ignore[operator]
    assert send(team, team.cleo, None, create())[0]["status"] == "ok", "without a task one draws as ever"


def test_a_late_drawing_is_a_proposal_that_the_new_holder_accepts(team: Team) -> None:
    held = lost_to_cleo(team)
    feature = str(uuid4())
    [answer] = send(team, team.ben, held, create(id=feature))
    assert (answer["status"], answer["seq"], answer["feature"]) == ("proposed", None, None)
    assert answer["error"]["code"] == "lease_lost"
    assert not Feature.objects.exists()
    [shown] = proposals(team)
    assert (shown["task"], shown["author"]["name"], shown["action"]) == (str(held.pk), "ben", "create")
    assert task_selectors.history(held)[0]["action"] == "propose", "rung, so that pages look"
    with pytest.raises(Denied):
        accept(team, team.ben)
    result = accept(team, team.cleo)
    assert result.status == "ok"
    assert Feature.objects.get(pk=feature).verified
    assert proposals(team) == []
    with pytest.raises(Conflict, match="accepted already"):
        task_edits.decide(proposal=Proposal.objects.get(), accept=False, user=team.rita, role=Role.REVIEWER)


def test_late_changes_of_one_sample_are_one_proposal(team: Team) -> None:
    held = lost_to_cleo(team)
    feature = str(uuid4())
    answers = send(
        team,
        team.ben,
        held,
        create(id=feature),
        {"action": "update", "id": feature, "base_version": 1, "geometry": LARGER},
        {"action": "update", "id": feature, "base_version": 2, "class_value": 2},
    )
    assert [answer["status"] for answer in answers] == ["proposed"] * 3
    accept(team, team.rita, Role.REVIEWER)
    stored = Feature.objects.get(pk=feature)
    assert (stored.class_value, stored.geometry.extent) == (2, (85.52, 27.63, 85.522, 27.632))
    feature = str(uuid4())
    send(team, team.ben, held, create(id=feature), {"action": "delete", "id": feature, "base_version": 1})
    assert proposals(team) == [], "drawn and taken back"


def test_a_late_change_or_deletion_leaves_the_sample_alone_until_it_is_accepted(team: Team) -> None:
    held = take(team, team.ben)
    feature = str(uuid4())
    send(team, team.ben, held, create(id=feature))
    let_expire(held)
    task_leases.claim(task=held, user=team.cleo, role=Role.LABELER)
    [answer] = send(team, team.ben, held, {"action": "delete", "id": feature, "base_version": 1})
    assert (answer["status"], answer["version"], answer["feature"]["id"]) == ("proposed", 1, feature)
    assert not Feature.objects.get().deleted
    assert proposals(team)[0]["geometry"]["type"] == "Polygon"
    # Cleo changes the sample meanwhile: the deletion is of an older one and says so.
    send(team, team.cleo, None, {"action": "update", "id": feature, "base_version": 1, "class_value": 2})
    with pytest.raises(Conflict) as caught:
        accept(team, team.cleo)
    assert caught.value.details["current"]["meta"]["version"] == 2
    rejected = task_edits.decide(proposal=Proposal.objects.get(), accept=False, user=team.ben, role=Role.LABELER)
    assert rejected is None, "its author may withdraw it"
    assert Feature.objects.get().version == 2


def test_a_repeated_operation_is_answered_and_done_once(team: Team) -> None:
    held = take(team, team.ben)
    first = create(op_id=str(uuid4()), id=str(uuid4()))
    before = send(team, team.ben, held, first)
    let_expire(held)
    task_leases.claim(task=held, user=team.cleo, role=Role.LABELER)
    assert send(team, team.ben, held, first) == before, "stored under the lease, whatever it is now"
    late = create(op_id=str(uuid4()), id=str(uuid4()))
    for _ in range(3):
        assert send(team, team.ben, held, late)[0]["status"] == "proposed"
    assert Proposal.objects.get().op_ids == [UUID(late["op_id"])]
    accept(team, team.cleo)
    assert send(team, team.ben, held, late)[0]["status"] == "proposed"
    assert (Proposal.objects.count(), Edit.objects.count()) == (1, 2)


def test_a_batch_may_hold_both(team: Team) -> None:
    held = lost_to_cleo(team)
    lease = {"id": str(held.pk), "token": held.token}
    edits = [
        {"op_id": str(uuid4()), "id": str(uuid4()), **create(), **extra}
        for extra in ({}, {"task": lease}, {"task": "x"}, {"task": {"id": str(uuid4()), "token": 1}})
    ]
    answers = task_edits.apply_leased(layer=team.label_set.layer, edits=parse_leased({"edits": edits}), user=team.ben)
    assert [answer["status"] for answer in answers] == ["aborted", "proposed", "invalid", "invalid"]


def test_a_broken_late_drawing_is_refused_like_any_other(team: Team) -> None:
    held = lost_to_cleo(team)
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    assert send(team, team.ben, held, create(geometry=bow))[0]["status"] == "invalid"
    assert proposals(team) == []


def test_late_work_on_a_split_task_goes_to_the_part_where_it_lies(team: Team) -> None:
    held = take(team, team.ben)
    parts = task_services.split(task=held, user=team.ben, role=Role.LABELER, token=held.token)
    part = parts[2]
    west, south, east, north = part.geometry.extent
    x, y, size = (west + east) / 2, (south + north) / 2, (east - west) / 10
    inside = {"type": "Polygon", "coordinates": [[[x, y], [x + size, y], [x, y + size], [x, y]]]}
    assert send(team, team.ben, held, create(geometry=inside))[0]["status"] == "proposed"
    assert proposals(team)[0]["number"] == part.number


def test_nothing_is_drawn_before_the_note_is_read(team: Team) -> None:
    held = take(team, team.ben)
    done = task_leases.finish(task=held, user=team.ben, role=Role.LABELER, token=held.token)
    task_services.return_task(task=done, user=team.rita, role=Role.REVIEWER, note="Missing roofs")
    held = take(team, team.ben)
    [answer] = send(team, team.ben, held, create())
    assert (answer["status"], answer["error"]["code"]) == ("invalid", "note_unread")
    task_leases.acknowledge(task=held, user=team.ben, role=Role.LABELER, token=held.token)
    assert send(team, team.ben, held, create())[0]["status"] == "ok"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"properties": {"a": "\0"}}, "encoding"),
        ({"properties": {"a": "\ud800"}}, "encoding"),
        ({"properties": {"a": {"b": [1]}}}, "invalid"),
        ({"class_value": 200}, "class_unknown"),
        ({"geometry": {"type": "Point", "coordinates": [85.52, 27.63]}, "class_value": 2}, "shape_not_allowed"),
    ],
)
def test_a_late_change_that_no_layer_can_hold_is_answered_at_once(team: Team, wrong: dict[str, Any], code: str) -> None:
    FeatureClass.objects.filter(layer=team.label_set.layer, value=2).update(shapes=["polygon"])
    held = lost_to_cleo(team)
    [answer] = send(team, team.ben, held, create(**wrong))
    assert (answer["status"], answer["error"]["code"]) == ("invalid", code)
    assert not Proposal.objects.exists()


def test_a_late_change_of_what_one_proposed_needs_no_shape_of_its_own(team: Team) -> None:
    held, feature = lost_to_cleo(team), str(uuid4())
    late = {"action": "update", "id": feature, "base_version": 1, "properties": {"a": 1}}
    answers = send(team, team.ben, held, create(id=feature), late)
    assert [answer["status"] for answer in answers] == ["proposed", "proposed"]


@pytest.mark.parametrize("token", [-1, 2**63, 10**30])
def test_a_token_that_no_lease_has_is_refused(team: Team, token: int) -> None:
    held = take(team, team.ben)
    held.token = token
    [answer] = send(team, team.ben, held, create())
    assert (answer["status"], answer["error"]["code"]) == ("invalid", "task")
