"""`/api/maps/` through the client: who may do what, and what comes back."""

import json
from typing import Any

import pytest
from django.contrib.gis.geos import Polygon
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from webapp.features.models import Feature
from webapp.maps import services
from webapp.maps.models import Map

pytestmark = pytest.mark.django_db


def put(client: Client, url: str, body: Any, method: str = "put") -> Any:
    answer = getattr(client, method)(url, json.dumps(body), content_type="application/json")
    return answer.status_code, (answer.json() if answer.content else None)


@pytest.fixture
def made() -> Map:
    ana = make_user("ana")
    people = {"labeler": make_user("ben"), "viewer": make_user("eve"), "manager": make_user("mia")}
    project = make_project(ana, **people)
    scene, trees = make_imagery(project, name="Scene"), make_layer(project, name="Trees")
    return services.create_map(project=project, name="Town", user=ana, layers=[scene, trees])


def test_a_map_comes_with_its_layers_bottom_first_and_what_the_caller_may_do(made: Map) -> None:
    shown = client_for(make_user("eve")).get(f"/api/maps/{made.pk}/").json()
    assert [layer["kind"] for layer in shown["layers"]] == ["imagery", "features"]
    assert shown["layers"][0]["imagery"]["name"] == "Scene"
    assert shown["layers"][1]["features"]["classes"][0]["name"] == "Tree"
    assert (shown["role"], shown["can_edit"], shown["can_share"]) == ("viewer", False, False)
    assert client_for(make_user("mia")).get(f"/api/maps/{made.pk}/").json()["can_share"] is True


def test_a_labeler_makes_a_map_of_layers_of_the_project(made: Map) -> None:
    scene = made.project.imagery.get()
    body = {"project": str(made.project_id), "name": " Mine ", "layers": [{"kind": "imagery", "id": str(scene.pk)}]}
    status, shown = put(client_for(make_user("ben")), "/api/maps/", body, "post")
    assert (status, shown["name"], len(shown["layers"])) == (201, "Mine", 1)
    assert put(client_for(make_user("eve")), "/api/maps/", body, "post")[0] == 403
    foreign = make_imagery(make_project(make_user("zoe")))
    body["layers"] = [{"kind": "imagery", "id": str(foreign.pk)}]
    assert put(client_for(make_user("ben")), "/api/maps/", body, "post")[0] == 404


def test_layers_are_added_once_changed_stacked_and_removed_and_each_change_raises_the_version(made: Map) -> None:
    client, url = client_for(make_user("ben")), f"/api/maps/{made.pk}"
    other = make_layer(made.project, name="Roofs")
    status, shown = put(client, f"{url}/layers", {"kind": "features", "id": str(other.pk)}, "post")
    assert status == 201
    ids = [layer["id"] for layer in shown["layers"]]
    again = put(client, f"{url}/layers", {"kind": "features", "id": str(other.pk)}, "post")
    assert again[0] == 409
    _, shown = put(client, f"{url}/order", {"layers": ids[::-1]})
    assert [layer["id"] for layer in shown["layers"]] == ids[::-1]
    assert put(client, f"{url}/order", {"layers": ids[:1]})[0] == 409
    _, shown = put(client, f"{url}/layers/{ids[0]}", {"opacity": 0.4, "visible": False, "title": "Base"}, "patch")
    changed = next(layer for layer in shown["layers"] if layer["id"] == ids[0])
    assert (changed["opacity"], changed["visible"], changed["title"]) == (0.4, False, "Base")
    assert put(client, f"{url}/layers/{ids[0]}", {"opacity": 1.4}, "patch")[0] == 400
    status, shown = put(client, f"{url}/layers/{ids[0]}", None, "delete")
    assert (status, len(shown["layers"])) == (200, 2)
    assert shown["version"] == made.version + 4


def test_a_view_is_kept_and_a_place_off_the_earth_is_refused(made: Map) -> None:
    client, url = client_for(make_user("ben")), f"/api/maps/{made.pk}/"
    status, shown = put(client, url, {"view": {"lon": 85.52, "lat": 27.63, "zoom": 17.5}, "name": "City"}, "patch")
    assert (status, shown["view"], shown["name"]) == (200, {"lon": 85.52, "lat": 27.63, "zoom": 17.5}, "City")
    assert put(client, url, {"view": {"lon": 85.52, "lat": 127.63, "zoom": 17}}, "patch")[0] == 400
    assert put(client, url, {"view": {"lon": True, "lat": 1, "zoom": 17}}, "patch")[0] == 400
    assert put(client, url, {"name": " "}, "patch")[0] == 400


def test_only_a_manager_shares_a_map_and_then_anybody_may_open_but_not_change_it(made: Map) -> None:
    stranger, url = client_for(None), f"/api/maps/{made.pk}/"
    assert stranger.get(url).status_code == 401
    assert client_for(make_user("zoe")).get(url).status_code == 404
    assert put(client_for(make_user("ben")), f"{url}share", {"share": "link"})[0] == 403
    assert put(client_for(make_user("mia")), f"{url}share", {"share": "world"})[0] == 400
    assert put(client_for(make_user("mia")), f"{url}share", {"share": "link"})[0] == 200
    shown = stranger.get(url).json()
    assert (shown["role"], shown["can_edit"]) == (None, False)
    assert stranger.get(f"/maps/{made.pk}/").status_code == 200
    assert put(stranger, url, {"name": "Mine"}, "patch")[0] == 401
    assert put(client_for(make_user("zoe")), url, {"name": "Mine"}, "patch")[0] == 404


def test_the_page_of_a_map_that_is_not_shared_sends_a_stranger_to_the_log_in(made: Map) -> None:
    answer = client_for(None).get(f"/maps/{made.pk}/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/login/?next=/maps/{made.pk}/"


def test_candidates_are_the_layers_of_the_project_that_are_not_on_the_map(made: Map) -> None:
    make_layer(made.project, name="Roofs")
    make_imagery(made.project, name="Second scene")
    make_layer(make_project(make_user("zoe")), name="Roofs of others")
    client = client_for(make_user("ben"))
    found = client.get(f"/api/maps/{made.pk}/candidates").json()["results"]
    assert {item["name"] for item in found} == {"Roofs", "Second scene"}
    found = client.get(f"/api/maps/{made.pk}/candidates?q=roof").json()["results"]
    assert [(item["name"], item["kind"]) for item in found] == [("Roofs", "features")]


def test_the_legend_counts_and_a_feature_is_read_through_the_map(made: Map) -> None:
    row = made.layers.get(features__isnull=False)
    tree = Feature.objects.create(
        layer=row.features, fid=1, class_value=1, geometry=Polygon.from_bbox((85.52, 27.63, 85.521, 27.631))
    )
    services.share(map=made, share="link", user=make_user("ana"))
    stranger = client_for(None)
    classes = stranger.get(f"/api/maps/{made.pk}/layers/{row.pk}/legend").json()["classes"]
    assert [(item["name"], item["count"]) for item in classes] == [("Tree", 1)]
    feature = stranger.get(f"/api/maps/{made.pk}/layers/{row.pk}/features/{tree.pk}").json()
    assert feature["meta"]["area_m2"] == pytest.approx(98.6 * 110.8, rel=0.01)
    assert "updated_by" not in feature["meta"]
    # A shared map opens its own layers only.
    hidden = Feature.objects.create(layer=make_layer(made.project), fid=1, geometry=tree.geometry)
    assert stranger.get(f"/api/maps/{made.pk}/layers/{row.pk}/features/{hidden.pk}").status_code == 404


def test_the_list_holds_the_maps_of_the_callers_projects(made: Map) -> None:
    services.create_map(project=make_project(make_user("zoe")), name="Hidden", user=None)
    shown = client_for(make_user("eve")).get("/api/maps/").json()
    assert ([item["name"] for item in shown["results"]], shown["next"]) == (["Town"], None)


def test_a_map_is_read_in_few_queries(made: Map, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(5):
        services.add_layer(map=made, layer=make_imagery(made.project))
    client = client_for(make_user("eve"))
    with django_assert_max_num_queries(10):
        client.get(f"/api/maps/{made.pk}/")
