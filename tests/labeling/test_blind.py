"""Blind labelling: who gets which task, what others can see of it, what becomes of the answers."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Polygon

from labeling import adjudication, blind_selectors, blind_services, sheet_work, task_leases
from labeling.adjudication import Decision
from labeling.blind_services import Settings
from labeling.comparing import Tally
from labeling.models import Answer, BlindTask, Labelling, LabelSet, Task
from labeling.services import delete as delete_label_set
from tests.factories import client_for, make_user
from tests.labeling.blind import answer, draw, finish, ring, take
from tests.labeling.tasks import Team, let_expire, make_team
from tests.labeling.test_task_leases import together
from webapp.errors import Conflict, Denied, Invalid
from webapp.features import services as features
from webapp.features.models import Edit, Feature, FeatureClass, FeatureLayer
from webapp.features.services import NewFeature
from webapp.housekeeping import projects
from webapp.projects import services as people
from webapp.projects.access import role_in
from webapp.projects.models import Member, Project, Role, User

SAME, MOVED, ALONE = (0.1, 0.1, 0.2), (0.14, 0.1, 0.2), (0.6, 0.6, 0.2)


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


def double(team: Team, *numbers: int) -> list[Task]:
    tasks = list(Task.objects.filter(label_set=team.label_set, number__in=numbers).order_by("number"))
    blind_services.mark(label_set=team.label_set, kind="double", tasks=[task.pk for task in tasks], user=team.ana)
    return tasks


def both_answer(team: Team, number: int = 5) -> Task:
    """Ben and Cleo do the same task: one object alike, one moved and of another class, one of Ben's alone."""
    [task] = double(team, number)
    answer(team, team.ben, number, [(SAME, 1), ((0.5, 0.1, 0.2), 1), (ALONE, 2)])
    answer(team, team.cleo, number, [(SAME, 1), ((0.54, 0.1, 0.2), 2)])
    return task


def test_a_double_task_goes_to_two_different_people_on_sheets_of_their_own(team: Team) -> None:
    double(team, 5)
    of_ben, of_cleo = take(team, team.ben, 5), take(team, team.cleo, 5)
    assert (of_ben.number, of_cleo.number) == (5, 5)
    assert of_ben.label_set.sheet_of == of_cleo.label_set.sheet_of == team.label_set
    assert of_ben.label_set.layer_id != of_cleo.label_set.layer_id
    dan = make_user("dan")
    Member.objects.create(project=team.label_set.project, user=dan, role=Role.LABELER)
    assert take(team, dan, 5).label_set == team.label_set, "there is no third place"
    finish(of_ben, team.ben)
    again = take(team, team.ben, 5)
    assert again.number != 5, "nobody is the second on the own task"


def test_a_share_is_drawn_by_lot_and_only_once(team: Team) -> None:
    assert blind_services.mark_share(label_set=team.label_set, share=0.4, user=team.ana) == 4
    assert blind_services.mark_share(label_set=team.label_set, share=0.4, user=team.ana) == 0
    assert Task.objects.filter(on_sheets=True, blind__kind="double").count() == 4
    with pytest.raises(Invalid):
        blind_services.mark_share(label_set=team.label_set, share=1.5, user=team.ana)


def test_a_task_with_samples_or_somebody_in_it_cannot_become_blind(team: Team) -> None:
    held = task_leases.next_task(label_set=team.label_set, user=team.ben, role=Role.LABELER)
    assert held is not None
    with pytest.raises(Conflict, match=f"Task {held.number} "):
        double(team, held.number)
    other = Task.objects.exclude(pk=held.pk).order_by("number")[4]
    shape = Polygon(ring(other, SAME)["coordinates"][0], srid=4326)
    features.add_features(layer=team.label_set.layer, features=[NewFeature(shape, class_value=1)])
    with pytest.raises(Conflict, match=f"Task {other.number} "):
        double(team, other.number)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_two_get_the_task_and_all_others_another() -> None:
    team = make_team()
    crowd = [make_user(f"labeler{i}") for i in range(6)]
    Member.objects.bulk_create([Member(project=team.label_set.project, user=user, role=Role.LABELER) for user in crowd])
    double(team, 5)
    got = together([lambda user=user: take(team, user, 5) for user in crowd])
    assert all(isinstance(task, Task) for task in got), got
    on_sheets = [task for task in got if task.label_set.sheet_of_id is not None]
    # Whoever finds the row locked passes it over, so at least one and never more than two get it.
    assert 1 <= len(on_sheets) <= 2
    assert {task.number for task in on_sheets} == {5}
    blind = BlindTask.objects.get()
    assert len(blind.people) == len(set(blind.people)) == len(on_sheets)
    others = [task.pk for task in got if task.label_set.sheet_of_id is None]
    assert len(others) == len(set(others))


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


def roads(label_set: LabelSet, task: Task) -> list[str]:
    """Return every address through which samples, tasks or their past are read."""
    layer, label = f"/api/layers/{label_set.layer_id}", f"/api/label-sets/{label_set.pk}"
    collection = f"/ogc/collections/{label_set.layer_id}"
    return [
        f"{layer}/", f"{layer}/features", f"{layer}/edits?after=0", f"{layer}/timeline", f"{layer}/statistics",
        f"{layer}/classes", f"{layer}/export.geojson", f"{label}/", f"{label}/statistics", f"{label}/samples",
        f"{label}/problems", f"{label}/tasks/", f"{label}/tasks/progress", f"{label}/proposals",
        f"{label}/review/stream", f"{label}/review/figures", f"{label}/comments", f"/api/tasks/{task.pk}/",
        f"/label/{label_set.pk}/", f"/label/{label_set.pk}/samples/",
        collection, f"{collection}/items", f"{collection}/schema", f"{collection}/tiles",
    ]  # fmt: skip


LISTS = [
    "/api/layers/",
    "/api/label-sets/",
    "/api/projects/",
    "/api/content/",
    "/ogc/collections",
    "/stac/collections",
    "/",
]


def test_nobody_else_reads_a_sheet_through_any_road(team: Team) -> None:
    double(team, 5)
    mine = uuid4()
    of_ben = take(team, team.ben, 5)
    assert draw(of_ben, team.ben, SAME, pk=mine)["status"] == "ok"
    take(team, team.cleo, 5)
    sheet = of_ben.label_set
    marks = (str(mine), str(sheet.pk), str(sheet.layer_id), str(sheet.project_id), str(of_ben.pk))
    admin = make_user("root", is_superuser=True, is_staff=True)
    for stranger in (team.cleo, team.rita, team.ana, admin):
        other = client_for(stranger)
        for road in roads(sheet, of_ben):
            assert other.get(road).status_code == 404, f"{stranger} reads {road}"
        # A labeler and the owner see all that the roles between them see.
        seen = (
            roads(team.label_set, Task.objects.get(blind__kind="double")) if stranger in (team.cleo, team.ana) else []
        )
        for road in [*LISTS, *seen]:
            told = other.get(road)
            body = told.getvalue().decode()
            assert not [mark for mark in marks if mark in body], f"{stranger} sees the sheet in {road}"
        # The socket asks the same question at the door, and again while it is open.
        assert role_in(stranger, sheet.project) is None
    own = client_for(team.ben)
    assert role_in(team.ben, sheet.project) == Role.LABELER
    for road in roads(sheet, of_ben):
        assert own.get(road).status_code == 200, f"Ben cannot read {road}: it proves nothing"
    assert str(mine) in own.get(f"/api/layers/{sheet.layer_id}/features").content.decode()
    for road in LISTS:
        body = own.get(road).content.decode()
        assert str(sheet.pk) not in body, f"a sheet is no part of the content: {road}"


def test_labelers_are_not_told_which_tasks_are_blind(team: Team) -> None:
    [task] = double(team, 5)
    labeler, reviewer = client_for(team.cleo), client_for(team.rita)
    listed = labeler.get(f"/api/label-sets/{team.label_set.pk}/tasks/").json()
    assert listed["count"] == 8
    assert str(task.pk) not in json.dumps(listed)
    assert labeler.get(f"/api/tasks/{task.pk}/").status_code == 404
    assert labeler.get(f"/api/tasks/{task.pk}/blind").status_code == 403
    assert labeler.get(f"/api/label-sets/{team.label_set.pk}/agreement/").status_code == 403
    assert labeler.get(f"/api/label-sets/{team.label_set.pk}/agreement/consensus").status_code == 403
    assert reviewer.get(f"/api/label-sets/{team.label_set.pk}/tasks/").json()["count"] == 9
    # Reviewers look; what is blind is decided by managers.
    assert reviewer.delete(f"/api/tasks/{task.pk}/blind").status_code == 403
    body = json.dumps({"kind": "double", "share": 0.5})
    posted = reviewer.post(f"/api/label-sets/{team.label_set.pk}/agreement/tasks", body, "application/json")
    assert posted.status_code == 403


def test_a_reviewer_sees_nothing_of_the_first_version_before_the_second_is_done(team: Team) -> None:
    [task] = double(team, 5)
    answer(team, team.ben, 5, [(SAME, 1)])
    told = client_for(team.rita).get(f"/api/tasks/{task.pk}/blind").json()
    assert (told["differences"], told["a"], told["f1"]) == ([], None, None)
    assert [one["done"] for one in told["people"]] == [True]


def test_who_leaves_the_project_leaves_the_sheet(team: Team) -> None:
    double(team, 5)
    sheet = take(team, team.ben, 5).label_set
    road = f"/api/layers/{sheet.layer_id}/features"
    member = Member.objects.get(project=team.label_set.project, user=team.ben)
    people.change_role(member=member, role=Role.VIEWER, user=team.ana, own_role=Role.OWNER)
    assert client_for(team.ben).get(road).status_code == 404
    people.change_role(member=member, role=Role.LABELER, user=team.ana, own_role=Role.OWNER)
    assert client_for(team.ben).get(road).status_code == 200
    member.delete()
    assert client_for(team.ben).get(road).status_code == 404


def test_on_a_sheet_one_draws_within_the_task_and_not_without_one(team: Team) -> None:
    double(team, 5)
    task = take(team, team.ben, 5)
    told = draw(task, team.ben, (3, 3, 0.2))
    assert (told["status"], told["error"]["code"]) == ("invalid", "outside_task")
    free = {"op_id": str(uuid4()), "id": str(uuid4()), "action": "create", "geometry": ring(task, SAME)}
    url = f"/api/label-sets/{task.label_set_id}/edits"
    sent = client_for(team.ben).post(url, json.dumps({"edits": [free]}), "application/json")
    [told] = sent.json()["results"]
    assert (told["status"], told["error"]["code"]) == ("invalid", "no_task")


def test_a_place_given_back_is_anothers_and_a_skipped_task_does_not_come_back(team: Team) -> None:
    double(team, 5)
    task = take(team, team.ben, 5)
    sheet_work.release(task=task, user=team.ben, role=Role.LABELER, token=task.token)
    assert BlindTask.objects.get().people == []
    again = take(team, team.ben, 5)
    assert (again.pk, again.token) == (task.pk, task.token + 1)
    sheet_work.skip(task=again, user=team.ben, role=Role.LABELER, token=again.token)
    assert take(team, team.ben, 5).label_set == team.label_set
    assert take(team, team.cleo, 5).label_set.sheet_of == team.label_set


def test_an_abandoned_place_is_freed_and_its_holder_may_come_back_while_there_is_one(team: Team) -> None:
    double(team, 5)
    of_ben, of_cleo = take(team, team.ben, 5), take(team, team.cleo, 5)
    let_expire(of_ben)
    dan = make_user("dan")
    Member.objects.create(project=team.label_set.project, user=dan, role=Role.LABELER)
    assert take(team, dan, 5).label_set == team.label_set, "a lease that has just ended is still its holder's"
    task_leases.give_back_all(team.label_set.pk, dan)
    Task.objects.filter(pk=of_ben.pk).update(lease_until="2020-01-01T00:00Z")
    of_dan = take(team, dan, 5)
    assert of_dan.label_set.sheet_for == dan
    with pytest.raises(Conflict):
        finish(of_ben, team.ben)
    with pytest.raises(Conflict, match="Somebody else does this task"):
        sheet_work.claim(task=of_ben, user=team.ben, role=Role.LABELER)
    finish(of_cleo, team.cleo)
    finish(of_dan, dan)
    assert BlindTask.objects.get().state == "ready"


def test_what_is_drawn_on_a_sheet_after_it_was_done_changes_nothing(team: Team) -> None:
    task = both_answer(team)
    before = BlindTask.objects.get().result
    sheet = LabelSet.objects.get(sheet_for=team.ben)
    [first, *_] = Feature.objects.filter(layer=sheet.layer)
    features.delete_features(layer=sheet.layer, ids=[first.pk], user=team.ben)
    assert BlindTask.objects.get().result == before
    assert Answer.objects.filter(blind=task.pk).count() == 5


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


def test_lifting_keeps_what_is_finished_and_refuses_what_is_in_the_making(team: Team) -> None:
    [five, six] = double(team, 5, 6)
    blind_services.lift(task=six, user=team.ana)
    six.refresh_from_db()
    assert (six.state, six.on_sheets) == ("todo", False)
    answer(team, team.ben, 5, [(SAME, 1)])
    held = take(team, team.cleo, 5)
    with pytest.raises(Conflict, match="Somebody is working"):
        blind_services.lift(task=five, user=team.ana)
    sheet_work.release(task=held, user=team.cleo, role=Role.LABELER, token=held.token)
    blind_services.lift(task=five, user=team.ana)
    five.refresh_from_db()
    assert (five.state, five.done_by) == ("done", team.ben)
    assert [row.updated_by for row in Feature.objects.filter(layer=team.label_set.layer)] == [team.ben]


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


def test_new_classes_reach_the_sheets(team: Team) -> None:
    double(team, 5)
    task = take(team, team.ben, 5)
    specs = [features.ClassSpec(1, "Tree", "#1b9e77"), features.ClassSpec(3, "Road", "#000000")]
    features.save_classes(layer=team.label_set.layer, classes=specs, user=team.ana)
    sheet_work.release(task=task, user=team.ben, role=Role.LABELER, token=task.token)
    again = take(team, team.ben, 5)
    assert draw(again, team.ben, SAME, 3)["status"] == "ok"


def test_label_set_and_project_go_with_their_sheets(team: Team) -> None:
    double(team, 5)
    task = take(team, team.ben, 5)
    draw(task, team.ben, SAME)
    delete_label_set(label_set=team.label_set, user=team.ana)
    assert (LabelSet.objects.count(), FeatureLayer.objects.count(), Labelling.objects.count()) == (0, 0, 0)
    project = team.label_set.project
    assert Project.objects.filter(corner_of=project).count() == 1
    projects.delete(project=project, user=team.ana, name=project.name)
    assert Project.objects.count() == 0


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


def test_no_file_is_imported_into_a_sheet(team: Team) -> None:
    double(team, 5)
    held = take(team, team.ben, 5)
    layer = held.label_set.layer_id
    body = json.dumps({"type": "FeatureCollection", "features": []})
    for road in (f"label-sets/{held.label_set_id}/imports", f"layers/{layer}/imports", f"layers/{layer}/import"):
        told = client_for(team.ben).post(f"/api/{road}?filename=a.geojson", body, "application/json")
        assert (told.status_code, told.json()["code"]) == (409, "sheet"), road
