"""Ground truth: put away so that nobody can read it, handed out among others, scored, brought back unchanged."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Point

from labeling import (
    blind_selectors,
    blind_services,
    offset_services,
    offsets,
    sheet_work,
    task_leases,
    task_services,
)
from labeling.adjudication import Decision, adjudicate, differences
from labeling.blind_services import Settings
from labeling.models import Answer, BlindTask, LabelSet, Task
from tests.factories import client_for, make_user
from tests.labeling.blind import ALONE, SAME, answer, both_answer, draw, finish, ring, take
from tests.labeling.tasks import Team, make_team
from tests.labeling.test_blind import roads
from tests.labeling.test_task_leases import together
from webapp.errors import Conflict
from webapp.features import restoring
from webapp.features import services as features
from webapp.features.geometry import to_shape
from webapp.features.models import Edit, Feature, FeatureClass, FeatureLayer, SealedEdit
from webapp.features.selectors import features_at
from webapp.features.services import EditRequest
from webapp.projects.models import Member, Role


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


def label_openly(team: Team, number: int) -> Task:
    """Rita, a reviewer, labels a task in the set itself: a tree, redrawn once, and a house; the owner approves it."""
    [task] = Task.objects.filter(label_set=team.label_set, number=number)
    held = task_leases.claim(task=task, user=team.rita, role=Role.REVIEWER)
    held = Task.objects.select_related("label_set__layer").get(pk=held.pk)
    draw(held, team.rita, SAME, 1)
    draw(held, team.rita, ALONE, 2)
    done = task_leases.finish(task=held, user=team.rita, role=Role.REVIEWER, token=held.token)
    return task_services.approve(task=done, user=team.ana, role=Role.OWNER)


def make_truth(team: Team, number: int = 5) -> Task:
    task = label_openly(team, number)
    blind_services.mark(label_set=team.label_set, kind="truth", tasks=[task.pk], user=team.ana)
    return task


def test_work_of_two_that_becomes_the_truth_goes_to_neither_and_stays_in_the_figures(team: Team) -> None:
    task = both_answer(team)
    ready = {one.key: Decision("a") for one in differences(task.blind) if one.what not in ("agreed", "only_b")}
    adjudicate(task=task, user=team.rita, role=Role.REVIEWER, decisions=ready)
    before = blind_selectors.overview(team.label_set)
    blind_services.mark(label_set=team.label_set, kind="truth", tasks=[task.pk], user=team.ana)
    assert {take(team, user, 5).number == 5 for user in (team.ben, team.cleo, team.rita)} == {False}
    dan = make_user("dan")
    Member.objects.create(project=team.label_set.project, user=dan, role=Role.LABELER)
    answer(team, dan, 5, [(SAME, 1)])
    after = blind_selectors.overview(team.label_set)
    assert (after["pairs"], after["agreement"]) == (before["pairs"], before["agreement"])
    assert [row["person"]["name"] for row in after["scores"]] == ["dan"]
    # Lifted it is their settled work again; made the truth again, those who did it do not get it again.
    blind_services.lift(task=task, user=team.ana)
    assert blind_selectors.overview(team.label_set) == before
    blind_services.mark(label_set=team.label_set, kind="truth", tasks=[task.pk], user=team.ana)
    assert {team.ben.pk, team.cleo.pk, team.rita.pk, dan.pk} <= set(BlindTask.objects.get(pk=task.pk).passed)


def test_the_truth_and_open_answers_go_with_moved_imagery(team: Team) -> None:
    task = label_openly(team, 5)
    ids = list(Feature.objects.filter(layer=team.label_set.layer).order_by("fid").values_list("pk", flat=True))
    drawn = {pk: to_shape(Feature.objects.get(pk=pk).geometry) for pk in ids}
    blind_services.mark(label_set=team.label_set, kind="truth", tasks=[task.pk], user=team.ana)
    answer(team, team.ben, 5, [(SAME, 1)])
    east = offset_services.Wanted(east_m=30, north_m=-20, note="", version=0, take_along=True)
    offset_services.put(label_set=team.label_set, imagery=team.label_set.imagery, wanted=east, user=team.rita)
    there = {pk: offsets.shift(team.label_set).moved(one) for pk, one in drawn.items()}
    truth = {row.feature_id: to_shape(row.geometry) for row in Answer.objects.filter(labelling=None)}
    assert all(truth[pk].hausdorff_distance(there[pk]) < 1e-9 for pk in ids)
    [of_ben] = Answer.objects.exclude(labelling=None)
    assert to_shape(of_ben.geometry).hausdorff_distance(there[ids[0]]) < 1e-9
    blind_services.lift(task=task, user=team.ana)
    back = {row.pk: to_shape(row.geometry) for row in Feature.objects.filter(pk__in=ids, deleted=False)}
    assert all(back[pk].hausdorff_distance(there[pk]) < 1e-9 for pk in ids)


def log(label_set: LabelSet) -> list[dict[str, Any]]:
    """Return the log as a labeler reads it."""
    rows = Edit.objects.filter(layer=label_set.layer).order_by("seq")
    return list(rows.values("seq", "op_id", "action", "version", "geometry", "class_value", "properties"))


def test_the_truth_is_in_no_road_and_its_past_is_empty(team: Team) -> None:
    layer = team.label_set.layer
    task = label_openly(team, 5)
    corners = {f"{x:.7f}" for row in Feature.objects.filter(layer=layer) for x in row.geometry.extent}
    ids = list(Feature.objects.filter(layer=layer).values_list("pk", flat=True))
    blind_services.mark(label_set=team.label_set, kind="truth", tasks=[task.pk], user=team.ana)
    assert layer.features.filter(deleted=False).count() == 0
    labeler = client_for(team.cleo)
    past = [f"/api/layers/{layer.pk}/features/{pk}/history" for pk in ids]
    for road in [*roads(team.label_set, task), *past, *(f"/api/layers/{layer.pk}/features/{pk}" for pk in ids)]:
        body = labeler.get(road).getvalue().decode()
        assert not [corner for corner in corners if corner in body], f"the truth is in {road}"
        assert '"class_value": 2' not in body, f"the truth's class is in {road}"
    changes = labeler.get(f"/api/layers/{layer.pk}/edits?after=0").json()["edits"]
    assert [(row["action"], row["feature"]) for row in changes] == [("delete", None)] * 4
    # Going back to when it was there, and what a training froze then, hold nothing of it either.
    assert restoring.preview(layer=layer, seq=2).brought_back == 0
    assert list(features_at(layer, 2)) == []


def test_the_sealed_are_gone_for_every_edit_and_nothing_of_them_is_told(team: Team) -> None:
    layer = team.label_set.layer
    make_truth(team, 1)
    places = [set(Feature.objects.filter(layer=layer).values_list("geometry", flat=True))]
    first = list(Feature.objects.filter(layer=layer).order_by("fid"))
    make_truth(team, 2)
    places.append(set(Feature.objects.filter(layer=layer).values_list("geometry", flat=True)))
    assert len(places[0] | places[1]) == 1, "the place of a tombstone depends on its task"
    sealed = first[0]
    wanted: list[tuple[Any, dict[str, Any]]] = [
        ("update", {"base_version": sealed.version - 1, "class_value": 2}),
        ("update", {"base_version": sealed.version, "class_value": 2}),
        ("create", {"base_version": sealed.version}),
        ("create", {"base_version": sealed.version, "geometry": Point(5.0, 52.0, srid=4326), "class_value": 1}),
    ]
    for action, values in wanted:
        edit = EditRequest(uuid4(), action, sealed.pk, **values)
        [answer] = features.apply_edits(layer=layer, edits=[edit], user=team.ben)
        assert (answer.status, answer.feature, answer.version) == ("gone", None, None), (action, values)
    assert not layer.features.filter(deleted=False).exists()


def test_lifting_overwrites_what_was_revived_and_minds_no_class_narrowed_since(team: Team) -> None:
    layer = team.label_set.layer
    truth = make_truth(team)
    # As an older version let it happen: somebody brought one back under another class.
    revived = Feature.objects.filter(layer=layer).order_by("fid")[0]
    Feature.objects.filter(pk=revived.pk).update(deleted=False, class_value=2)
    FeatureLayer.objects.filter(pk=layer.pk).update(feature_count=1)
    FeatureClass.objects.filter(layer=layer, value=2).update(shapes=["point"])
    blind_services.lift(task=truth, user=team.ana)
    back = list(Feature.objects.filter(layer=layer, deleted=False).order_by("fid"))
    assert [(row.class_value, row.geometry.geom_type) for row in back] == [(1, "Polygon"), (2, "Polygon")]
    assert FeatureLayer.objects.get(pk=layer.pk).feature_count == 2
    assert not SealedEdit.objects.exists()


def test_lifting_brings_samples_and_past_back_as_they_were(team: Team) -> None:
    task = label_openly(team, 5)
    layer = team.label_set.layer
    before, features = log(team.label_set), list(Feature.objects.filter(layer=layer).order_by("fid"))
    blind_services.mark(label_set=team.label_set, kind="truth", tasks=[task.pk], user=team.ana)
    blind_services.lift(task=task, user=team.ana)
    assert log(team.label_set)[: len(before)] == before
    after = list(Feature.objects.filter(layer=layer, deleted=False).order_by("fid"))
    assert [(row.pk, row.class_value, row.source) for row in after] == [
        (row.pk, row.class_value, row.source) for row in features
    ]
    assert all(one.geometry.equals(other.geometry) for one, other in zip(after, features, strict=True))
    task.refresh_from_db()
    assert (task.state, task.on_sheets, task.done_by) == ("approved", False, team.rita)
    assert (SealedEdit.objects.count(), BlindTask.objects.count()) == (0, 0)


def test_everybody_gets_it_once_but_who_drew_it_and_nobody_can_tell(team: Team) -> None:
    truth = make_truth(team)
    blind_services.change_settings(label_set=team.label_set, settings=Settings(all_on_sheets=True))
    of_ben, of_cleo, of_rita = take(team, team.ben, 5), take(team, team.cleo, 5), take(team, team.rita, 5)
    assert (of_ben.number, of_cleo.number) == (5, 5)
    assert of_rita.number != 5, "who drew the truth is not asked to draw it again"
    other = make_user("dan")
    Member.objects.create(project=team.label_set.project, user=other, role=Role.LABELER)
    ordinary = take(team, other, 4)

    def shown(task: Task, user: Any) -> dict[str, Any]:
        told: dict[str, Any] = client_for(user).get(f"/api/tasks/{task.pk}/").json()
        properties = told["properties"]
        for name in ("number", "holder", "done_by", "seq", "lease_s", "area_m2"):
            properties.pop(name)
        told.pop("id")
        told.pop("geometry")
        told["history"] = [(event["action"], event["from"], event["to"], event["note"]) for event in told["history"]]
        return told

    assert shown(of_ben, team.ben) == shown(ordinary, other)
    for user, task in ((team.ben, of_ben), (other, ordinary)):
        listed = client_for(user).get(f"/api/label-sets/{team.label_set.pk}/tasks/").json()
        assert (listed["count"], listed["on_sheets"]) == (0, True)
        assert str(truth.pk) not in json.dumps(listed)
        draw(task, user, SAME)
    of_ben, ordinary = finish(of_ben, team.ben), finish(ordinary, other)
    assert shown(of_ben, team.ben) == shown(ordinary, other)
    assert take(team, team.ben, 5).number != 5


def test_answers_are_scored_and_change_nothing(team: Team) -> None:
    make_truth(team)
    layer = team.label_set.layer
    seq = layer.__class__.objects.get(pk=layer.pk).seq
    # Ben finds the tree, not the house, and invents one; Cleo finds both.
    answer(team, team.ben, 5, [(SAME, 1), ((0.1, 0.6, 0.1), 1)])
    answer(team, team.cleo, 5, [(SAME, 1), (ALONE, 2)])
    assert layer.__class__.objects.get(pk=layer.pk).seq == seq
    assert Task.objects.get(label_set=team.label_set, number=5).state == "in_progress"
    best, worst = blind_selectors.scores(team.label_set)
    assert (best["person"]["name"], best["f1"], best["tasks"]) == ("cleo", 1.0, 1)
    assert best["kappa"] == pytest.approx(1, abs=1e-6)
    assert (worst["recall"], worst["precision"], worst["f1"]) == (0.5, 0.5, 0.5)
    own = f"/api/label-sets/{team.label_set.pk}/agreement/own"
    assert client_for(team.ben).get(own).json() == {"shown": False, "score": None}
    blind_services.change_settings(label_set=team.label_set, settings=Settings(show_scores=True))
    assert client_for(team.ben).get(own).json()["score"]["f1"] == 0.5
    # Reviewers see everybody's, and no version of the truth is given out for adjudication.
    told = client_for(team.rita).get(f"/api/label-sets/{team.label_set.pk}/agreement/").json()
    assert [row["person"]["name"] for row in told["scores"]] == ["cleo", "ben"]
    assert client_for(team.rita).get(f"/api/tasks/{Task.objects.get(blind__kind='truth').pk}/blind").status_code == 409


def test_lifted_while_somebody_draws_the_answer_is_taken_and_counts_for_nothing(team: Team) -> None:
    truth = make_truth(team)
    held = take(team, team.ben, 5)
    draw(held, team.ben, ALONE)
    blind_services.lift(task=truth, user=team.ana)
    assert sheet_work.finish(task=held, user=team.ben, role=Role.LABELER, token=held.token).state == "done"
    assert Feature.objects.filter(layer=team.label_set.layer, deleted=False).count() == 2
    assert blind_selectors.scores(team.label_set) == []


@pytest.mark.django_db(transaction=True)
def test_two_who_make_it_the_truth_at_once_seal_it_once() -> None:
    team = make_team()
    task = label_openly(team, 5)

    def mark() -> int:
        return blind_services.mark(label_set=team.label_set, kind="truth", tasks=[task.pk], user=team.ana)

    found = together([mark, mark, mark])
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "Conflict", "int"]
    blind_services.lift(task=task, user=team.ana)
    assert Feature.objects.filter(layer=team.label_set.layer, deleted=False).count() == 2
    with pytest.raises(Conflict):
        blind_services.lift(task=task, user=team.ana)


def test_nothing_is_drawn_into_a_blind_cell_and_talk_about_the_truth_is_for_reviewers(team: Team) -> None:
    truth = make_truth(team)
    held = take(team, team.cleo, 4)
    assert held.label_set == team.label_set

    def sent(user: Any, cell: Task, square: Any, **more: Any) -> dict[str, Any]:
        edit = {"op_id": str(uuid4()), "id": str(uuid4()), "action": "create", "geometry": ring(cell, square), **more}
        url = f"/api/label-sets/{team.label_set.pk}/edits"
        [told] = client_for(user).post(url, {"edits": [edit]}, content_type="application/json").json()["results"]
        return {"status": told["status"], "code": (told["error"] or {}).get("code")}

    refused = {"status": "invalid", "code": "task_blind"}
    assert sent(team.ben, truth, SAME) == refused
    assert sent(team.cleo, truth, SAME, task={"id": str(held.pk), "token": held.token}) == refused
    # Over the border by less than a half it is the neighbour's.
    assert sent(team.cleo, held, (0.7, 0.5, 0.4), task={"id": str(held.pk), "token": held.token})["status"] == "ok"
    talk = f"/api/label-sets/{team.label_set.pk}/comments"
    for task in (truth, held):
        place = {"lon": task.centre.x, "lat": task.centre.y}
        body = {"id": str(uuid4()), "text": f"Of {task.number}", **place}
        assert client_for(team.rita).post(talk, body, content_type="application/json").status_code == 201

    def heard(user: Any) -> set[str]:
        return {one["text"] for one in client_for(user).get(talk).json()["results"]}

    assert heard(team.rita) == {"Of 5", "Of 4"}
    assert heard(team.ben) == {"Of 4"}
