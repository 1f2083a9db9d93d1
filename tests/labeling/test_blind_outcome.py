"""Blind labelling: what becomes of two answers: differences, figures, adjudication."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Polygon

from labeling import adjudication, blind_selectors, blind_services
from labeling.adjudication import Decision
from labeling.blind_services import Settings
from labeling.comparing import Tally
from labeling.models import Answer, BlindTask, Task
from tests.factories import client_for
from tests.labeling.blind import ALONE, MOVED, SAME, answer, both_answer, double, draw, finish, ring, take
from tests.labeling.tasks import Team, make_team
from tests.labeling.test_task_leases import together
from webapp.errors import Conflict, Denied, Invalid
from webapp.features.models import Edit, Feature, FeatureClass
from webapp.projects.models import Role, User


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


@pytest.mark.django_db(transaction=True)
def test_both_finish_at_once_and_the_comparison_is_made_once() -> None:
    team = make_team()
    double(team, 5)
    held = [(take(team, user, 5), user) for user in (team.ben, team.cleo)]
    for task, user in held:
        draw(task, user, SAME)
    answers = together([lambda task=task, user=user: finish(task, user) for task, user in held])
    assert all(isinstance(one, Task) for one in answers), answers
    blind = BlindTask.objects.get()
    assert blind.state == "ready"
    assert blind.result is not None
    assert len(blind.result["pairs"]) == 1


def test_differences_are_named_and_figures_follow(team: Team) -> None:
    task = both_answer(team)
    found = {one.what: one for one in adjudication.differences(BlindTask.objects.get())}
    assert set(found) == {"agreed", "class", "only_a"}
    assert found["class"].iou == pytest.approx(16 / 24, abs=1e-3)
    told = blind_selectors.overview(team.label_set)
    assert told["counts"] == {"single": 0, "double": 1, "ready": 1, "settled": 0, "truth": 0}
    # Of three and two objects one is the same: F1 = 2 * 1 / 5.
    assert told["agreement"]["f1"] == pytest.approx(0.4)
    [pair] = told["pairs"]
    assert {one["name"] for one in pair["people"]} == {"ben", "cleo"}
    assert pair["tasks"] == 1
    assert [row["number"] for row in blind_selectors.tasks(team.label_set)] == [task.number]


def test_adjudication_is_one_group_of_edits_by_who_decided(team: Team) -> None:
    task = both_answer(team)
    layer = team.label_set.layer
    assert Feature.objects.filter(layer=layer).count() == 0, "nothing is in the set before"
    of = {one.what: one.key for one in adjudication.differences(BlindTask.objects.get())}
    with pytest.raises(Invalid, match="2 differences are not decided"):
        adjudication.adjudicate(task=task, user=team.rita, role=Role.REVIEWER, decisions={})
    wrong = {of["class"]: Decision("a"), of["only_a"]: Decision("b")}
    with pytest.raises(Invalid, match="drew nothing"):
        adjudication.adjudicate(task=task, user=team.rita, role=Role.REVIEWER, decisions=wrong)
    own_shape = Polygon(ring(task, (0.5, 0.5, 0.4))["coordinates"][0], srid=4326)
    decisions = {of["class"]: Decision("b"), of["only_a"]: Decision("edit", own_shape, 1)}
    with pytest.raises(Denied):
        adjudication.adjudicate(task=task, user=team.ben, role=Role.REVIEWER, decisions=decisions)
    adjudication.adjudicate(task=task, user=team.rita, role=Role.REVIEWER, decisions=decisions)

    stored = list(Feature.objects.filter(layer=layer).order_by("fid"))
    assert sorted(row.class_value or 0 for row in stored) == [1, 1, 2]
    assert {row.updated_by for row in stored} == {team.rita}
    assert any(row.geometry.equals(own_shape) for row in stored)
    edits = list(Edit.objects.filter(layer=layer))
    assert [(edit.actor, edit.action, edit.seq) for edit in edits] == [(team.rita, "create", seq) for seq in (1, 2, 3)]
    task.refresh_from_db()
    assert (task.state, task.reviewed_by, task.on_sheets) == ("approved", team.rita, False)
    assert task.events.order_by("-seq").values_list("action", flat=True).first() == "adjudicate"
    told = client_for(team.rita).get(f"/api/label-sets/{team.label_set.pk}/agreement/consensus").json()
    takes = sorted(feature["properties"]["consensus"]["take"] for feature in told["features"])
    assert takes == ["agreed", "b", "edit"]
    # Now it is a task like any other.
    assert client_for(team.ben).get(f"/api/tasks/{task.pk}/").status_code == 200
    with pytest.raises(Conflict):
        adjudication.adjudicate(task=task, user=team.ana, role=Role.OWNER, decisions=decisions)


@pytest.mark.django_db(transaction=True)
def test_two_adjudicators_at_once_make_one_outcome() -> None:
    team = make_team()
    task = both_answer(team)
    of = {one.what: one.key for one in adjudication.differences(BlindTask.objects.get())}
    decisions = {of["class"]: Decision("both"), of["only_a"]: Decision("none")}
    found = together(
        [
            lambda user=user: adjudication.adjudicate(task=task, user=user, role=Role.OWNER, decisions=decisions)
            for user in (team.rita, team.ana, team.rita, team.ana)
        ]
    )
    assert sum(isinstance(one, BlindTask) for one in found) == 1
    assert {one.code for one in found if isinstance(one, Conflict)} == {"not_ready"}
    assert Feature.objects.filter(layer=team.label_set.layer).count() == 3


def test_what_both_drew_alike_is_settled_at_one_press(team: Team) -> None:
    both_answer(team, 5)
    double(team, 2, 6)
    for user in (team.ben, team.cleo):
        answer(team, user, 6, [(SAME, 2), (ALONE, 2)])
        answer(team, user, 2, [(SAME, 1)])
    # One cannot be stored, since its class takes other shapes now: the others go on, and it is named.
    FeatureClass.objects.filter(layer=team.label_set.layer, value=1).update(shapes=["point"])
    first = adjudication.settle_agreed(label_set=team.label_set, user=team.rita, role=Role.REVIEWER)
    assert (first.count, [one["number"] for one in first.failed]) == (1, [2])
    assert "takes points" in first.failed[0]["message"]
    FeatureClass.objects.filter(layer=team.label_set.layer, value=1).update(shapes=[])
    assert adjudication.settle_agreed(label_set=team.label_set, user=team.rita, role=Role.REVIEWER).count == 1
    assert Task.objects.get(label_set=team.label_set, number=6).state == "approved"
    assert Feature.objects.filter(layer=team.label_set.layer).count() == 3
    assert blind_selectors.overview(team.label_set)["counts"]["ready"] == 1


def test_the_api_walks_the_whole_way(team: Team) -> None:
    [task] = list(Task.objects.filter(label_set=team.label_set, number=5))
    base = f"/api/label-sets/{team.label_set.pk}"
    owner = client_for(team.ana)

    def post(user: User, url: str, body: dict[str, Any]) -> Any:
        told = client_for(user).post(url, json.dumps(body), "application/json")
        assert told.status_code < 300, told.content
        return told.json()

    assert post(team.ana, f"{base}/agreement/tasks", {"kind": "double", "tasks": [str(task.pk)]}) == {"count": 1}
    near = {"order": "near", "purpose": "label", "lon": task.centre.x, "lat": task.centre.y}
    for user in (team.ben, team.cleo):
        told = post(user, f"{base}/tasks/next", near)
        assert told["label_set"]["url"] == f"/label/{told['label_set']['id']}/"
        assert client_for(user).get(told["label_set"]["url"]).status_code == 200
        twin, token = told["task"]["id"], told["task"]["properties"]["token"]
        edit = {"op_id": str(uuid4()), "id": str(uuid4()), "action": "create", "class_value": 1}
        edit |= {"geometry": ring(task, SAME if user == team.ben else MOVED), "task": {"id": twin, "token": token}}
        [stored] = post(user, f"/api/label-sets/{told['label_set']['id']}/edits", {"edits": [edit]})["results"]
        assert stored["status"] == "ok"
        post(user, f"/api/tasks/{twin}/work", {"action": "finish", "token": token})
    told = owner.get(f"/api/tasks/{task.pk}/blind").json()
    [difference] = told["differences"]
    assert (difference["what"], told["a"]["name"], told["b"]["name"]) == ("geometry", "ben", "cleo")
    changed = owner.patch(f"{base}/agreement/", json.dumps({"agree_iou": 0.6}), "application/json").json()
    assert changed["settings"]["agree_iou"] == 0.6
    assert post(team.rita, f"{base}/agreement/settle", {}) == {"count": 1, "failed": []}
    assert owner.get(f"{base}/agreement/").json()["counts"]["settled"] == 1
    assert client_for(team.ben).get(f"{base}/agreement/own").json() == {"shown": False, "score": None}
    for body in (
        {"share": "x"},
        {"kind": "x", "tasks": [str(task.pk)]},
        {"tasks": []},
        {"share": 0.1, "kind": "truth"},
    ):
        assert owner.post(f"{base}/agreement/tasks", json.dumps(body), "application/json").status_code == 400


def test_who_began_first_changes_no_figure_of_a_pair(team: Team) -> None:
    """Ben draws houses where Cleo draws trees, once begun by him and once by her."""
    double(team, 5, 6)
    for number, order in ((5, (team.ben, team.cleo)), (6, (team.cleo, team.ben))):
        for user in order:
            answer(team, user, number, [(SAME, 1), (ALONE, 2 if user == team.ben else 1)])
    overview = blind_selectors.overview(team.label_set)
    [pair] = overview["pairs"]
    houses = next(one for one in pair["classes"] if one["class_value"] == 2)
    assert [person["name"] for person in pair["people"]] == ["ben", "cleo"]
    assert (houses["a"], houses["b"]) == (2, 0)
    stored = BlindTask.objects.order_by("task__number").values_list("result", flat=True)
    first, second = (Tally.from_json(result["tally"]) for result in stored)
    assert first.a == second.b
    first.add(second.turned())
    assert pair["kappa"] == first.figures()["kappa"] == overview["agreement"]["kappa"]


def test_more_samples_than_are_compared_are_not_taken_and_nothing_is_lost(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeling.blind_answers.MOST_SAMPLES", 1)
    double(team, 5)
    held = take(team, team.ben, 5)
    draw(held, team.ben, SAME)
    draw(held, team.ben, ALONE)
    with pytest.raises(Conflict, match="smaller tasks"):
        finish(held, team.ben)
    held.refresh_from_db()
    assert (held.state, held.holder, Answer.objects.count()) == ("in_progress", team.ben, 0)


def test_with_everything_on_sheets_an_ordinary_task_ends_up_in_the_set(team: Team) -> None:
    blind_services.change_settings(label_set=team.label_set, settings=Settings(all_on_sheets=True))
    task = answer(team, team.ben, 5, [(SAME, 1), (ALONE, 2)])
    assert task.label_set.sheet_of == team.label_set
    stored = Feature.objects.filter(layer=team.label_set.layer)
    assert ({row.updated_by for row in stored}, len(stored)) == ({team.ben}, 2)
    original = Task.objects.get(label_set=team.label_set, number=5)
    assert (original.state, original.done_by, original.on_sheets) == ("done", team.ben, False)
    # Begun ones are finished on the sheet, all others are handed out in the set again.
    held = take(team, team.cleo, 6)
    blind_services.change_settings(label_set=team.label_set, settings=Settings(all_on_sheets=False))
    assert Task.objects.filter(label_set=team.label_set, on_sheets=True).count() == 1
    draw(held, team.cleo, SAME)
    finish(held, team.cleo)
    assert Task.objects.get(label_set=team.label_set, number=6).state == "done"
    assert take(team, team.ben, 4).label_set == team.label_set
