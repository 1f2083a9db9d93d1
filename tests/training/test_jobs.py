"""From a label set to an installed model through the API and the jobs."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.gis.geos import GEOSGeometry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from shapely.geometry import box

from labeling.models import LabelSet
from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from tests.training.conftest import corner, labels_of
from training.models import Epoch, ModelPackage, Run, TrainingData
from webapp.errors import Invalid
from webapp.features.editing import apply_edits
from webapp.features.edits import EditRequest
from webapp.features.models import FeatureLayer
from webapp.jobs import services as job_services
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.data]

SPEC = {"chip_px": 128, "resolution_m": 0.3, "validation": 0.25}
QUICK = {"epochs": 2, "batch_size": 8, "threads": 1, "device": "cpu"}


def post(client: Client, url: str, body: Any) -> Any:
    answer = client.post(url, json.dumps(body), content_type="application/json")
    assert answer.status_code in (201, 202), answer.content
    return answer.json()


def run_job(pk: str) -> Job:
    job = run_now(Job.objects.get(pk=pk))
    assert job.state == "succeeded", (job.error_message, [event.text for event in job.events.all()])
    return job


def draw(layer: FeatureLayer, shapes: list[Any], value: int) -> None:
    edits = [
        EditRequest(
            op_id=uuid4(),
            action="create",
            feature_id=uuid4(),
            base_version=0,
            geometry=GEOSGeometry(found.wkt, srid=4326),
            class_value=value,
            properties={},
            score=None,
        )
        for found in shapes
    ]
    for at in range(0, len(edits), 100):
        apply_edits(layer=layer, edits=edits[at : at + 100], user=make_user("ana"))


@pytest.fixture
def label_set(data: Path) -> LabelSet:
    ana = make_user("ana")
    project = make_project(ana, labeler=make_user("ben"), viewer=make_user("eve"), manager=make_user("mia"))
    scene = data / "banepa" / "banepa_train.tif"
    imagery = make_imagery(project, scene, attribution="OpenAerialMap")
    layer = make_layer(project, [(7, "Building", "#d95f02"), (9, "Pond", "#0000ff")])
    area = corner(scene, 1000, 1200)
    found = labels_of(data / "banepa" / "banepa_buildings_osm.geojson", 7, area)
    draw(layer, [label.geometry for label in found], 7)
    return LabelSet.objects.create(project=project, name="Roofs", imagery=imagery, layer=layer)


def run_again_after_a_failure_at_the_end(client: Client, pk: str) -> str:
    """Let a training fail after its last epoch; return the id of the job that runs it again, without a new epoch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.jobs.pack", Mock(side_effect=Invalid("The disk is full.")))
        assert run_now(Job.objects.get(pk=pk)).state == "failed"
    trained = list(Epoch.objects.values_list("number", "seconds", "at"))
    new = post(client, f"/api/jobs/{pk}/restart/", {})
    assert list(Epoch.objects.values_list("number", "seconds", "at")) == trained
    return str(new["id"])


@pytest.mark.slow
def test_a_label_set_becomes_a_model_that_can_be_downloaded_installed_and_uninstalled(label_set: LabelSet) -> None:
    ben, mia = client_for(make_user("ben")), client_for(make_user("mia"))
    data = post(ben, "/api/training-data/", {"label_set": str(label_set.pk), "name": "Roofs 1", **SPEC})
    seq = FeatureLayer.objects.get(pk=label_set.layer_id).seq
    assert data["layer_seq"] == seq
    # What is drawn after the export was asked for is not in it.
    draw(label_set.layer, [box(85.5, 27.6, 85.6, 27.7)], 9)
    run_job(data["job"]["id"])
    data = ben.get(f"/api/training-data/{data['id']}/").json()
    assert data["state"] == "succeeded"
    assert [entry["name"] for entry in data["statistics"]["classes"]] == ["Building"]
    assert data["statistics"]["chips"]["validation"] > 0
    picture = ben.get(data["samples"][0])
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/png")
    row = TrainingData.objects.get(pk=data["id"])
    names = {path.name for path in (Path(django_settings.MEDIA_DIR) / row.path).iterdir()}
    assert {"images", "labels", "map.txt", "esri_model_definition.emd", "esri_accumulated_stats.json"} <= names

    run = post(ben, "/api/runs/", {"training_data": data["id"], "name": "Roof finder", "settings": QUICK})
    run_job(run_again_after_a_failure_at_the_end(ben, run["job"]["id"]))
    run = ben.get(f"/api/runs/{run['id']}/").json()
    epochs = ben.get(f"/api/runs/{run['id']}/epochs").json()["results"]
    assert [(epoch["number"], epoch["finished"]) for epoch in epochs] == [(1, True), (2, True)]
    assert all(epoch["steps"] and epoch["metrics"]["iou"] >= 0 for epoch in epochs)
    assert Epoch.objects.count() == 2
    assert "Goes on from" in "".join(Job.objects.get(pk=run["job"]["id"]).events.values_list("text", flat=True))
    assert run["best_epoch"] in (1, 2)

    model = ben.get(f"/api/models/{run['package']['id']}/").json()
    assert (model["name"], model["task"], model["network"]) == ("Roof finder", "classify_pixels", "unet")
    assert model["classes"] == [{"value": 7, "name": "Building", "colour": "#d95f02"}]
    assert model["run"]["id"] == run["id"]
    assert ben.get(model["samples"][0]["prediction"]).content.startswith(b"\x89PNG")
    raw = b"".join(ben.get(model["download"]).streaming_content)  # type: ignore[attr-defined]

    upload = {"project": str(label_set.project_id), "file": SimpleUploadedFile("roofs.dlpk", raw)}
    answer = mia.post("/api/models/", upload)
    assert answer.status_code == 202, answer.content
    # Its worker shuts down between the commit of the package and the job's end: it is not installed twice.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_services, "finish", Mock(side_effect=job_services.Draining("The worker shuts down.")))
        assert run_now(Job.objects.get(pk=answer.json()["job"]["id"])).state == "queued"
    job = run_job(answer.json()["job"]["id"])
    assert ModelPackage.objects.filter(source="installed").count() == 1
    installed = mia.get(f"/api/models/{job.result['package']}/").json()
    assert (installed["sha256"], installed["source"]) == (model["sha256"], "installed")

    assert ben.delete(f"/api/models/{model['id']}/").status_code == 403
    assert mia.delete(f"/api/models/{model['id']}/").status_code == 204
    assert [entry["id"] for entry in mia.get("/api/models/").json()["results"]] == [installed["id"]]
    assert ben.get(model["download"]).status_code == 404
    # The twin's file is the same one and stays until its last owner goes.
    assert mia.get(installed["download"]).status_code == 200
    mia.delete(f"/api/models/{installed['id']}/")
    kept = ModelPackage.objects.get(pk=installed["id"])
    assert not (Path(django_settings.MEDIA_DIR) / kept.path).exists()


def test_a_damaged_upload_fails_with_a_sentence_and_leaves_nothing_behind(label_set: LabelSet) -> None:
    mia = client_for(make_user("mia"))
    upload = {"project": str(label_set.project_id), "file": SimpleUploadedFile("bad.dlpk", b"PK\x03\x04 no zip")}
    job = run_now(Job.objects.get(pk=mia.post("/api/models/", upload).json()["job"]["id"]))
    assert (job.state, job.error_code) == ("failed", "archive_damaged")
    assert not list(Path(django_settings.QUARANTINE_DIR).iterdir())
    assert not ModelPackage.objects.exists()


def test_roles_decide_who_exports_trains_and_installs(label_set: LabelSet) -> None:
    eve, ben = client_for(make_user("eve")), client_for(make_user("ben"))
    body = json.dumps({"label_set": str(label_set.pk)})
    assert eve.post("/api/training-data/", body, content_type="application/json").status_code == 403
    stranger = client_for(make_user("stranger"))
    assert stranger.post("/api/training-data/", body, content_type="application/json").status_code == 404
    upload = {"project": str(label_set.project_id), "file": SimpleUploadedFile("a.dlpk", b"x")}
    assert ben.post("/api/models/", upload).status_code == 403


WRONG: list[dict[str, Any]] = [
    {"chip_px": 100},
    {"chip_px": "256"},
    {"stride_px": 300, "chip_px": 256},
    {"metadata_format": "KITTI_rectangles"},
    {"validation": 0.9},
    {"bands": [4]},
    {"bands": [1, 1]},
    {"extent": {"type": "Point", "coordinates": [1, 2]}},
    {"extent": {"type": "Polygon"}},
    {"resolution_m": -1},
    {"no_such_option": 1},
]


def test_a_wrong_spec_is_refused_at_once(label_set: LabelSet) -> None:
    # One test: to draw the label set takes longer than all of it.
    ben = client_for(make_user("ben"))
    for wrong in WRONG:
        body = json.dumps({"label_set": str(label_set.pk)} | wrong)
        answer = ben.post("/api/training-data/", body, content_type="application/json")
        assert answer.status_code == 400, (wrong, answer.content)
        assert answer.json()["fix"], wrong
    assert not TrainingData.objects.exists()


def test_a_run_needs_finished_data_a_fitting_network_and_sane_settings(label_set: LabelSet) -> None:
    ben = client_for(make_user("ben"))
    data = post(ben, "/api/training-data/", {"label_set": str(label_set.pk), **SPEC})
    early = ben.post(
        "/api/runs/", json.dumps({"training_data": data["id"], "settings": QUICK}), content_type="application/json"
    )
    assert early.status_code == 409
    run_job(data["job"]["id"])
    for body in (
        {"network": "retinanet"},
        {"settings": {"epochs": 0}},
        {"settings": {"epochs": "3"}},
        {"settings": {"nonsense": 1}},
        {"settings": []},
    ):
        sent = json.dumps({"training_data": data["id"]} | body)
        assert ben.post("/api/runs/", sent, content_type="application/json").status_code == 400
    assert not Run.objects.exists()


@pytest.mark.parametrize("page", ["/training-data/new?label_set={label_set}", "/training-data/{data}/", "/models/"])
def test_pages_show_their_data(label_set: LabelSet, page: str) -> None:
    ben = client_for(make_user("ben"))
    data = post(ben, "/api/training-data/", {"label_set": str(label_set.pk), **SPEC})
    answer = ben.get(page.format(label_set=label_set.pk, data=data["id"]))
    assert answer.status_code == 200
    assert b'id="config"' in answer.content
