"""Blind labelling: who gets which task, and what others can see of it."""

import json
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Polygon

from labeling import blind_services, sheet_work, task_leases
from labeling.models import Answer, BlindTask, Labelling, LabelSet, Task
from labeling.services import delete as delete_label_set
from tests.factories import client_for, make_user
from tests.labeling.blind import SAME, answer, both_answer, double, draw, finish, ring, take
from tests.labeling.tasks import Team, let_expire, make_team
from tests.labeling.test_task_leases import together
from webapp.errors import Conflict, Invalid
from webapp.features import services as features
from webapp.features.models import Feature, FeatureLayer
from webapp.features.services import NewFeature
from webapp.housekeeping import projects
from webapp.projects import services as people
from webapp.projects.access import role_in
from webapp.projects.models import Member, Project, Role


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


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


def test_no_file_is_imported_into_a_sheet(team: Team) -> None:
    double(team, 5)
    held = take(team, team.ben, 5)
    layer = held.label_set.layer_id
    body = json.dumps({"type": "FeatureCollection", "features": []})
    for road in (f"label-sets/{held.label_set_id}/imports", f"layers/{layer}/imports", f"layers/{layer}/import"):
        told = client_for(team.ben).post(f"/api/{road}?filename=a.geojson", body, "application/json")
        assert (told.status_code, told.json()["code"]) == (409, "sheet"), road
