"""The API and pages of inferences."""

from pathlib import Path
from typing import Any

import pytest

from inference.models import Inference
from tests.factories import client_for, make_project, make_token, make_user
from tests.inference.scene import make_package, scene, scene_path
from training.models import ModelPackage
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db

Site = tuple[ImageryLayer, ModelPackage]


@pytest.fixture
def site(data: Path) -> Site:
    """A project with imagery, a package, and people: ana owns, leo labels, eve looks."""
    project = make_project(make_user("ana"), labeler=make_user("leo"), viewer=make_user("eve"))
    imagery = scene(data, project)
    return imagery, make_package(project, scene_path(data))


def body(site: Site, **values: Any) -> dict[str, Any]:
    """Return the body of a start."""
    imagery, package = site
    return {"imagery": str(imagery.pk), "package": str(package.pk), "extent": None, "settings": {}, **values}


def post(site: Site, name: str = "leo", url: str = "/api/inferences/", **values: Any) -> Any:
    """Post as somebody."""
    return client_for(make_user(name)).post(url, body(site, **values), content_type="application/json")


def test_a_start_answers_with_job_and_map(site: Site) -> None:
    answer = post(site)
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert made["job"]["kind"] == "classify_pixels"
    assert made["job"]["state"] == "queued"
    assert made["map"]["url"].startswith("/maps/")
    assert (made["blocks_total"], made["blocks_done"], made["results"]) == (1, 0, [])
    assert client_for(make_user("eve")).get(f"/api/inferences/{made['id']}/").json() == made
    listed = client_for(make_user("eve")).get(f"/api/inferences/?imagery={made['imagery']['id']}").json()
    assert [row["id"] for row in listed["results"]] == [made["id"]]


def test_settings_are_frozen_with_their_defaults(site: Site) -> None:
    made = post(site, settings={"min_area_m2": 2.5}).json()
    assert made["settings"]["min_area_m2"] == 2.5
    assert made["settings"]["polygons"] is True
    frozen = Inference.objects.get(pk=made["id"]).settings
    assert frozen["asked"] == made["settings"]
    assert {"threads", "device", "numbers"} <= set(frozen)


def test_a_viewer_may_look_but_not_start_and_a_stranger_sees_nothing(site: Site) -> None:
    made = post(site).json()
    assert post(site, "eve").status_code == 403
    assert post(site, "eve", "/api/inferences/estimate").status_code == 403
    assert post(site, "zoe").status_code == 404
    assert client_for(make_user("zoe")).get(f"/api/inferences/{made['id']}/").status_code == 404
    assert client_for(make_user("zoe")).get("/api/inferences/").json()["results"] == []
    assert client_for(None).get("/api/inferences/").status_code == 401


def test_a_model_of_a_project_one_is_not_in_does_not_exist(site: Site, data: Path) -> None:
    foreign = make_package(make_project(make_user("zoe")), scene_path(data))
    assert post((site[0], foreign)).status_code == 404


def test_a_token_bound_to_a_project_cannot_use_models_of_another(site: Site, data: Path) -> None:
    leo = make_user("leo")
    other = make_package(make_project(leo), scene_path(data))
    token = make_token(leo, project=site[0].project)
    headers = {"Authorization": f"Bearer {token}"}
    client = client_for(None)
    asked = body((site[0], other))
    assert client.post("/api/inferences/", asked, content_type="application/json", headers=headers).status_code == 404
    assert post((site[0], other)).status_code == 201


@pytest.mark.parametrize(
    ("extent", "code"),
    [
        ({"type": "Point", "coordinates": [1, 2]}, "extent_invalid"),
        ({"type": "Polygon", "coordinates": []}, "extent_invalid"),
        ({"type": "Polygon", "coordinates": "text"}, "extent_invalid"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "extent_invalid"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [999, 0], [999, 1], [0, 0]]]}, "extent_invalid"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}, "extent_outside"),
        ("everything", "extent_invalid"),
        ({}, "extent_invalid"),
    ],
)
def test_an_extent_that_cannot_be_used_is_refused_before_any_job(site: Site, extent: Any, code: str) -> None:
    answer = post(site, extent=extent)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["fix"]
    assert not Job.objects.exists()


def test_the_whole_world_is_a_good_extent(site: Site) -> None:
    world = [[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]
    assert post(site, extent={"type": "Polygon", "coordinates": [world]}).status_code == 201


@pytest.mark.parametrize(
    "asked",
    [{"threshold": 2}, {"threshold": "much"}, {"threshold": True}, {"halo_px": 7}, {"stitch": "glue"}, {"speed": 1}],
)
def test_settings_out_of_range_are_refused_with_what_is_right(site: Site, asked: dict[str, Any]) -> None:
    answer = post(site, settings=asked)
    assert answer.status_code == 400
    assert answer.json()["fix"]


def test_an_estimate_says_how_much_work_it_is_without_starting_any(site: Site) -> None:
    found = post(site, url="/api/inferences/estimate").json()
    assert found == {"fits": True, "problem": None, "notes": [], "blocks": 1, "pixels": 160_000, "seconds": None}
    assert not Inference.objects.exists()


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"resolution_m": 10.0}, "resolution_mismatch", "0.1 m pixels"),
        ({"dtype": "uint16"}, "band_mismatch", "trained on uint16"),
        ({"bands": ["B1", "B2"]}, "band_mismatch", "3 bands"),
    ],
)
def test_a_package_that_does_not_fit_is_refused_with_the_reason(
    site: Site, change: dict[str, Any], code: str, words: str
) -> None:
    ModelPackage.objects.filter(pk=site[1].pk).update(**change)
    answer = post(site)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert words in answer.json()["message"]
    problem = post(site, url="/api/inferences/estimate").json()["problem"]
    assert problem["code"] == code


def test_another_resolution_and_bands_by_order_are_said(site: Site) -> None:
    ModelPackage.objects.filter(pk=site[1].pk).update(resolution_m=0.2, bands=["red", "green", "blue"])
    notes = post(site, url="/api/inferences/estimate").json()["notes"]
    assert len(notes) == 2
    assert "in order" in notes[0]
    assert "2 times coarser" in notes[1]


def test_an_uninstalled_model_cannot_be_started(site: Site) -> None:
    from django.utils import timezone

    ModelPackage.objects.filter(pk=site[1].pk).update(uninstalled_at=timezone.now())
    assert post(site).json()["code"] == "model_missing"


def test_the_pages_hold_what_they_show(site: Site) -> None:
    made = post(site).json()
    leo, eve = client_for(make_user("leo")), client_for(make_user("eve"))
    new = leo.get(f"/inferences/new?imagery={site[0].pk}")
    assert new.status_code == 200
    assert [row["id"] for row in new.context["config"]["imagery"]] == [str(site[0].pk)]
    assert [row["id"] for row in new.context["config"]["packages"]] == [str(site[1].pk)]
    assert eve.get("/inferences/new").context["config"]["imagery"] == []
    page = eve.get(made["url"])
    assert page.status_code == 200
    assert page.context["config"]["may_run"] is False
    assert client_for(make_user("zoe")).get(made["url"]).status_code == 404
