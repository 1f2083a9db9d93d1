"""Label sets over REST."""

from typing import Any

import pytest
from django.test import Client

from labeling.models import LabelSet
from tests.factories import client_for, make_imagery, make_project, make_user
from webapp.imagery.models import ImageryLayer

TREE = {"value": 1, "name": "Tree", "colour": "#1b9e77"}


@pytest.fixture
def imagery(db: None) -> ImageryLayer:
    return make_imagery(make_project(make_user("ana"), labeler=make_user("ben"), viewer=make_user("eve")))


@pytest.fixture
def ben(imagery: ImageryLayer) -> Client:
    return client_for(make_user("ben"))


def create(client: Client, scene: ImageryLayer, **values: object) -> Any:
    body = {"name": "Crowns", "imagery": str(scene.pk), "classes": [TREE], **values}
    return client.post("/api/label-sets/", body, content_type="application/json")


def test_a_label_set_is_made_shown_listed_and_renamed(ben: Client, imagery: ImageryLayer) -> None:
    made = create(ben, imagery)
    assert made.status_code == 201
    shown = ben.get(f"/api/label-sets/{made.json()['id']}/").json()
    assert shown["imagery"]["id"] == str(imagery.pk)
    assert [item["name"] for item in shown["layer"]["classes"]] == ["Tree"]
    assert (shown["role"], shown["url"]) == ("labeler", f"/label/{shown['id']}/")
    assert [row["name"] for row in ben.get("/api/label-sets/").json()["results"]] == ["Crowns"]
    assert ben.get(f"/api/label-sets/?project={shown['project']}").json()["results"][0]["id"] == shown["id"]
    renamed = client_for(make_user("ana")).patch(
        f"/api/label-sets/{shown['id']}/", {"name": "Trees"}, content_type="application/json"
    )
    assert (renamed.json()["name"], renamed.json()["layer"]["name"]) == ("Trees", "Trees")


def test_statistics_start_at_nothing(ben: Client, imagery: ImageryLayer) -> None:
    pk = create(ben, imagery).json()["id"]
    found = ben.get(f"/api/label-sets/{pk}/statistics").json()
    assert (found["count"], found["area_m2"], [row["count"] for row in found["classes"]]) == (0, 0, [0])


def test_viewers_make_none_and_strangers_see_none(ben: Client, imagery: ImageryLayer) -> None:
    pk = create(ben, imagery).json()["id"]
    assert create(client_for(make_user("eve")), imagery).status_code == 403
    stranger = client_for(make_user("mallory"))
    assert create(stranger, imagery).status_code == 404
    assert stranger.get(f"/api/label-sets/{pk}/").status_code == 404
    assert stranger.get("/api/label-sets/").json()["results"] == []
    assert LabelSet.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"name": ""}, 400),
        ({"name": 7}, 400),
        ({"name": "a\x00"}, 400),
        ({"imagery": "x"}, 404),
        ({"classes": "x"}, 400),
        ({"classes": [TREE, TREE]}, 409),
        ({"classes": [{**TREE, "colour": "red"}]}, 400),
    ],
)
def test_a_bad_label_set_is_refused(ben: Client, imagery: ImageryLayer, values: dict[str, object], status: int) -> None:
    answer = create(ben, imagery, **values)
    assert (answer.status_code, set(answer.json())) == (status, {"code", "message", "fix", "details"})
    assert LabelSet.objects.count() == 0
