"""Comments: pinned, answered, settled; who is named has to read."""

from typing import Any
from uuid import uuid4

import pytest

from labeling.models import Comment
from tests.factories import client_for
from tests.labeling.tasks import Team, make_team
from webapp.projects.models import User


@pytest.fixture
def team(db: None) -> Team:
    return make_team(tasks_m=0)


def url(team: Team) -> str:
    return f"/api/label-sets/{team.label_set.pk}/comments"


def write(team: Team, user: User, text: str, **values: Any) -> Any:
    body = {"id": str(uuid4()), "text": text, "lon": 85.52, "lat": 27.63, **values}
    return client_for(user).post(url(team), body, content_type="application/json")


def listed(team: Team, user: User, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client_for(user).get(url(team), query).json()["results"]
    return found


def change(user: User, pk: str, **body: Any) -> Any:
    return client_for(user).patch(f"/api/comments/{pk}/", body, content_type="application/json")


def test_who_is_named_or_answered_has_to_read(team: Team) -> None:
    made = write(team, team.rita, "Is this a roof, @ben? ask@cleo.org @nobody").json()
    assert [person["name"] for person in made["mentions"]] == ["ben"]
    assert [row["must_read"] for row in listed(team, team.ben)] == [True]
    assert [row["must_read"] for row in listed(team, team.cleo)] == [False]
    answer = write(team, team.ben, "It is.", parent=made["id"]).json()
    assert (answer["parent"], answer["lon"]) == (made["id"], 85.52)
    [thread] = listed(team, team.rita)
    assert [one["must_read"] for one in thread["answers"]] == [True]
    # An answer to an answer hangs beside it.
    assert write(team, team.rita, "Thanks", parent=answer["id"]).json()["parent"] == made["id"]
    change(team.ben, made["id"], read=True)
    assert listed(team, team.ben)[0]["must_read"] is False


def test_a_settled_comment_leaves_the_list_but_not_before_it_was_read(team: Team) -> None:
    made = write(team, team.rita, "Please square this, @ben").json()
    change(team.cleo, made["id"], resolved=True)
    assert listed(team, team.cleo) == []
    assert len(listed(team, team.ben)) == 1
    change(team.ben, made["id"], read=True)
    assert listed(team, team.ben) == []
    assert listed(team, team.ben, resolved="1")[0]["resolved_by"]["name"] == "cleo"
    change(team.ben, made["id"], resolved=False)
    assert len(listed(team, team.ben)) == 1


def test_sent_twice_it_is_one_and_what_is_wrong_is_refused(team: Team) -> None:
    pk = str(uuid4())
    assert [write(team, team.ben, "Once", id=pk).status_code for _ in range(2)] == [201, 201]
    assert Comment.objects.count() == 1
    assert write(team, team.rita, "Mine", id=pk).json()["code"] == "id_taken"
    assert write(team, team.ben, "  ").status_code == 400
    wrong: list[dict[str, Any]] = [{"lon": None}, {"lat": 99}, {"id": None}, {"parent": str(uuid4())}]
    for values in wrong:
        assert write(team, team.ben, "x", **values).status_code == 400
    assert write(team, team.ben, "x", feature=str(uuid4())).status_code == 400


def test_authors_and_managers_delete(team: Team) -> None:
    pk = write(team, team.ben, "Oops").json()["id"]
    assert client_for(team.rita).delete(f"/api/comments/{pk}/").status_code == 403
    assert client_for(team.ben).delete(f"/api/comments/{pk}/").status_code == 204
    pk = write(team, team.ben, "Again").json()["id"]
    assert client_for(team.ana).delete(f"/api/comments/{pk}/").status_code == 204
    assert not Comment.objects.exists()
