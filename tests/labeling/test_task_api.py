"""Tasks over REST: the whole walk, what each role may, and how many queries a page costs."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from labeling import task_selectors
from labeling.models import Task
from labeling.task_selectors import TaskFilter
from tests.factories import EAST, NORTH, SOUTH, WEST, client_for, make_user
from tests.labeling.tasks import Team, make_team


@pytest.fixture
def team(db: None) -> Team:
    return make_team(0)


def post(client: Client, url: str, **body: Any) -> Any:
    answer = client.post(url, body, content_type="application/json")
    return answer.json() | {"status": answer.status_code}


def test_from_a_grid_to_an_approved_task(team: Team) -> None:
    ben, rita = client_for(team.ben), client_for(team.rita)
    base = f"/api/label-sets/{team.label_set.pk}/tasks/"
    assert post(ben, base, kind="metres", size=400)["status"] == 403
    shown = post(rita, base + "preview", kind="metres", size=400)
    assert (shown["count"], len(shown["cells"]["features"]), shown["covered"]) == (9, 9, 0)
    assert post(rita, base, kind="metres", size=400) == {"count": 9, "status": 201}
    assert post(rita, base + "preview", kind="metres", size=400)["code"] == "grid_empty"

    task = post(ben, base + "next", order="near", lon=(WEST + EAST) / 2, lat=(SOUTH + NORTH) / 2)["task"]
    url, token = f"/api/tasks/{task['id']}/", task["properties"]["token"]
    assert (task["properties"]["number"], task["properties"]["state"], token) == (5, "in_progress", 1)
    assert 295 < task["properties"]["lease_s"] <= 300
    seen = client_for(team.cleo).get(f"{base}?state=in_progress").json()["features"]
    assert [(one["id"], one["properties"]["token"]) for one in seen] == [(task["id"], None)]
    assert post(ben, url + "work", action="heartbeat", token=token)["properties"]["leased"] is True
    assert post(ben, url + "work", action="heartbeat", token=token + 1)["code"] == "lease_lost"
    assert post(ben, url + "review", action="approve")["status"] == 403
    done = post(ben, url + "work", action="finish", token=token)
    assert (done["properties"]["state"], done["properties"]["done_by"]["name"]) == ("done", "ben")

    assert post(ben, base + "next", purpose="review")["status"] == 403
    assert post(rita, base + "next", purpose="review")["task"]["id"] == task["id"]
    assert post(rita, url + "review", action="return")["code"] == "note_missing"
    assert post(rita, url + "review", action="return", note="More")["properties"]["must_read"] is True
    again = post(ben, base + "next")["task"]["properties"]
    assert post(ben, url + "work", action="finish", token=again["token"])["code"] == "note_unread"
    assert post(ben, url + "work", action="acknowledge", token=again["token"])["status"] == 200
    assert post(ben, url + "work", action="finish", token=again["token"])["status"] == 200
    assert post(rita, url + "review", action="approve")["properties"]["state"] == "approved"
    assert post(rita, url + "review", action="approve")["code"] == "task_state"

    history = client_for(make_user("ana")).get(url).json()["history"]
    actions = ["create", "claim", "finish", "review", "return", "claim", "acknowledge", "finish", "approve"]
    assert [event["action"] for event in reversed(history)] == actions
    progress = ben.get(base + "progress").json()
    assert progress["states"] == {"todo": 8, "in_progress": 0, "done": 0, "approved": 1, "returned": 0, "skipped": 0}
    assert [sum(day[state] for state in progress["states"]) for day in progress["days"]] == [9]
    by_name = {row["person"]["name"]: row for row in progress["people"]}
    assert (by_name["ben"]["finished"], by_name["ben"]["approved"], by_name["ben"]["returned"]) == (2, 1, 1)
    assert by_name["rita"]["reviewed"] == 2


def test_a_page_catches_up_by_number(team: Team) -> None:
    ben, rita = client_for(team.ben), client_for(team.rita)
    base = f"/api/label-sets/{team.label_set.pk}/tasks/"
    post(rita, base, kind="metres", size=400)
    first = ben.get(base).json()
    assert (len(first["features"]), first["count"], first["seq"]) == (9, 9, 9)
    taken = post(ben, base + "next")["task"]
    later = ben.get(f"{base}?after={first['seq']}").json()
    assert [one["id"] for one in later["features"]] == [taken["id"]]
    parts = post(ben, f"/api/tasks/{taken['id']}/work", action="split", token=taken["properties"]["token"])["parts"]
    assert len(parts) == 4
    last = ben.get(f"{base}?after={later['seq']}").json()
    assert {one["id"] for one in last["features"] if one["properties"]["split"]} == {taken["id"]}
    assert last["count"] == 12
    assert rita.delete(base).json()["count"] == 8


def test_reviewers_set_person_and_order(team: Team) -> None:
    ben, rita = client_for(team.ben), client_for(team.rita)
    base = f"/api/label-sets/{team.label_set.pk}/tasks/"
    post(rita, base, kind="tiles", size=16)
    url = f"/api/tasks/{Task.objects.order_by('number')[0].pk}/"
    body = {"assigned_to": team.ben.pk, "priority": 3, "uncertainty": 0.5}
    answer = rita.patch(url, body, content_type="application/json").json()
    assert (answer["properties"]["assigned_to"]["name"], answer["properties"]["priority"]) == ("ben", 3)
    assert len(ben.get(f"{base}?person={team.ben.pk}").json()["features"]) == 1
    for wrong in ({"assigned_to": 0}, {"assigned_to": "ben"}, {"priority": "x"}, {"uncertainty": 2}):
        assert rita.patch(url, wrong, content_type="application/json").status_code == 400
    assert (
        rita.patch(url, {"assigned_to": None}, content_type="application/json").json()["properties"]["assigned_to"]
        is None
    )


def test_late_edits_come_back_as_proposals_over_rest(team: Team) -> None:
    ben, rita = client_for(team.ben), client_for(team.rita)
    base = f"/api/label-sets/{team.label_set.pk}/"
    post(rita, f"{base}tasks/", kind="tiles", size=16)
    task = post(ben, f"{base}tasks/next")["task"]
    post(rita, f"/api/tasks/{task['id']}/review", action="take_away")
    triangle = {"type": "Polygon", "coordinates": [[[85.52, 27.63], [85.521, 27.63], [85.521, 27.631], [85.52, 27.63]]]}
    edit = {
        "op_id": "6f0f1e0e-6a6f-4d5c-8a3e-0d8a5b1f0a01",
        "id": "6f0f1e0e-6a6f-4d5c-8a3e-0d8a5b1f0a02",
        "action": "create",
        "geometry": triangle,
        "task": {"id": task["id"], "token": task["properties"]["token"]},
    }
    assert post(ben, f"{base}edits", edits=[edit])["results"][0]["status"] == "proposed"
    [shown] = ben.get(f"{base}proposals?task={task['id']}").json()["results"]
    assert post(ben, f"/api/proposals/{shown['id']}/", action="accept")["status"] == 403
    assert post(rita, f"/api/proposals/{shown['id']}/", action="accept")["result"]["status"] == "ok"
    assert ben.get(f"{base}proposals").json()["results"] == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("next", {"order": "random"}),
        ("next", {"purpose": "play"}),
        ("next", {"lon": 200, "lat": 0}),
        ("next", {"lon": "x", "lat": 0}),
        ("work", {}),
        ("work", {"action": "finish"}),
        ("work", {"action": "finish", "token": True}),
        ("work", {"action": "skip", "token": 1, "note": 5}),
    ],
)
def test_what_makes_no_sense_is_refused(team: Team, name: str, body: dict[str, Any]) -> None:
    base = f"/api/label-sets/{team.label_set.pk}/tasks/"
    post(client_for(team.rita), base, kind="tiles", size=1)
    url = base + "next" if name == "next" else f"/api/tasks/{Task.objects.get().pk}/work"
    answer = post(client_for(team.ben), url, **body)
    assert answer["status"] == 400
    assert answer["fix"]


def test_lists_cost_one_query_however_long(team: Team, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    post(client_for(team.rita), f"/api/label-sets/{team.label_set.pk}/tasks/", kind="metres", size=100)
    with django_assert_num_queries(1):
        found = task_selectors.tasks(team.label_set, TaskFilter(), me=team.ben.pk)
    assert len(found.tasks) == found.count > 100
    found_task = Task.objects.all()[0]
    with django_assert_num_queries(3):
        task_selectors.progress(team.label_set)
    with django_assert_num_queries(1):
        task_selectors.proposals(team.label_set)
    with django_assert_num_queries(1):
        task_selectors.history(found_task)
