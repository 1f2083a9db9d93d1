"""Deleting what projects hold, and projects: who may, what stands in the way, what goes and what stays."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db.models import PROTECT
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from inference.models import Inference
from labeling.models import LabelSet
from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from training.models import Epoch, ModelPackage, Run, TrainingData
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.maps.models import Map, MapLayer
from webapp.projects.models import AuditEntry, Project, Role

pytestmark = pytest.mark.django_db


class Site:
    """A project with the whole chain from imagery to results, each with its file."""

    def __init__(self, media: Path) -> None:
        self.people = {role.label: make_user(role.label) for role in Role}
        others = {name: user for name, user in self.people.items() if name != "owner"}
        self.project = make_project(self.people["owner"], **others)
        labeler = self.people["labeler"]
        self.imagery = make_imagery(self.project, name="Scene", analysis_path="imagery/a.tif")
        self.labels = LabelSet.objects.create(
            project=self.project, name="Labels", imagery=self.imagery, layer=make_layer(self.project, feature_count=1)
        )
        self.feature = Feature.objects.create(
            layer=self.labels.layer, fid=1, geometry=self.imagery.footprint[0], class_value=1, verified=True
        )
        Edit.objects.create(
            layer=self.labels.layer, seq=1, op_id=uuid4(), feature_id=self.feature.pk, action="create", version=1
        )
        self.data = TrainingData.objects.create(
            project=self.project,
            name="Chips",
            label_set=self.labels,
            layer_seq=1,
            imagery_version=1,
            path="training/chips",
            created_by=labeler,
            metadata_format="Classified_Tiles",
        )
        self.package = ModelPackage.objects.create(
            project=self.project,
            name="Model",
            task="classify_pixels",
            network="unet",
            path="packages/m.dlpk",
            sha256="0" * 64,
            size_bytes=5,
            dtype="uint8",
            resolution_m=0.6,
            chip_px=256,
        )
        self.run = Run.objects.create(
            project=self.project,
            name="Run",
            training_data=self.data,
            network="unet",
            created_by=labeler,
            package=self.package,
        )
        Epoch.objects.create(run=self.run, number=1, seconds=1)
        self.result = make_imagery(self.project, name="Classes", kind="class_raster", analysis_path="imagery/r.tif")
        self.polygons = make_layer(self.project, name="Polygons", kind="polygons")
        self.map = Map.objects.create(project=self.project, name="Map")
        for position, layer in enumerate((self.imagery, self.result)):
            MapLayer.objects.create(map=self.map, position=position, imagery=layer)
        self.inference = Inference.objects.create(
            project=self.project,
            name="Inference",
            task="classify_pixels",
            package=self.package,
            imagery=self.imagery,
            imagery_version=1,
            result_imagery=self.result,
            result_features=self.polygons,
            map=self.map,
            created_by=labeler,
            settings={"numbers": 0, "asked": {"polygons": False}},
        )
        self.files = [media / "imagery/a.tif", media / "imagery/r.tif", media / "training/chips/0.tif"]
        self.files.append(media / "packages/m.dlpk")
        for path in self.files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"12345")

    def by(self, role: str) -> Client:
        return client_for(self.people[role])


@pytest.fixture
def site(settings: Settings) -> Site:
    return Site(Path(settings.MEDIA_DIR))


@pytest.fixture
def send(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Callable[..., Any]:
    """Call a method of a client; what happens after the commit happens too."""

    def call(act: Callable[..., Any], *args: Any, **values: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return act(*args, **values)

    return call


def running(site: Site, **spec: str) -> Job:
    return jobs.enqueue(project=site.project, kind="train", spec=spec, user=None, title="At work")


KINDS = [
    ("imagery", "imagery", {"label set", "inference"}),
    ("label-sets", "labels", {"training data"}),
    ("training-data", "data", {"run"}),
]


@pytest.mark.parametrize(("route", "name", "users"), KINDS)
def test_what_others_stand_on_is_not_deleted_and_the_users_are_named(
    site: Site, route: str, name: str, users: set[str]
) -> None:
    url = f"/api/{route}/{getattr(site, name).pk}/"
    told = site.by("owner").get(f"{url}deletion").json()
    assert (told["allowed"], {use["kind"] for use in told["used_by"]}) == (False, users)
    assert all(site.by("owner").get(use["url"]).status_code == 200 for use in told["used_by"])
    answer = site.by("owner").delete(url)
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert answer.json()["fix"] == told["fix"] == "Delete what uses it first."
    assert all(path.exists() for path in site.files)


def test_the_chain_is_deleted_from_its_end_each_with_its_files(site: Site, send: Callable[..., Any]) -> None:
    owner, labeler = site.by("owner"), site.by("labeler")
    assert send(labeler.delete, f"/api/inferences/{site.inference.pk}/?results=delete").status_code == 204
    assert not site.files[1].exists()
    assert not FeatureLayer.objects.filter(pk=site.polygons.pk).exists()
    assert MapLayer.objects.get(map=site.map).imagery == site.imagery
    assert send(labeler.delete, f"/api/runs/{site.run.pk}/").status_code == 204
    assert not Epoch.objects.exists()
    assert ModelPackage.objects.get() == site.package
    assert send(labeler.delete, f"/api/training-data/{site.data.pk}/").status_code == 204
    assert not site.files[2].parent.exists()
    told = owner.get(f"/api/label-sets/{site.labels.pk}/deletion").json()
    assert told["allowed"]
    assert told["goes"][0] == "1 feature, 1 of them drawn or checked by people, with their history"
    assert send(owner.delete, f"/api/label-sets/{site.labels.pk}/").status_code == 204
    assert [model for model in (Feature, Edit, FeatureLayer) if model.objects.exists()] == []
    assert owner.get(f"/api/imagery/{site.imagery.pk}/deletion").json()["goes"][1:] == ["1 place on a map"]
    assert send(owner.delete, f"/api/imagery/{site.imagery.pk}/").status_code == 204
    assert not site.files[0].exists()
    acts = list(AuditEntry.objects.order_by("pk").values_list("action", "target"))
    assert acts == [
        *(("inference.delete", "Inference"), ("imagery.delete", "Classes"), ("layer.delete", "Polygons")),
        *(("run.delete", "Run"), ("training_data.delete", "Chips")),
        *(("label_set.delete", "Labels"), ("imagery.delete", "Scene")),
    ]


def test_the_results_of_an_inference_stay_unless_asked_otherwise(site: Site) -> None:
    url = f"/api/inferences/{site.inference.pk}/"
    told = site.by("owner").get(f"{url}deletion").json()
    assert "the class raster 'Classes' and the layer 'Polygons' with 0 features" in told["options"]["results"]
    assert site.by("owner").delete(f"{url}?results=perhaps").status_code == 400
    assert site.by("owner").delete(url).status_code == 204
    assert ImageryLayer.objects.filter(pk=site.result.pk).exists()
    assert site.by("owner").delete(f"/api/layers/{site.polygons.pk}/").status_code == 204


def test_a_result_that_others_stand_on_keeps_the_inference_whole(site: Site) -> None:
    LabelSet.objects.create(project=site.project, name="Mended", imagery=site.result, layer=make_layer(site.project))
    answer = site.by("owner").delete(f"/api/inferences/{site.inference.pk}/?results=delete")
    assert answer.status_code == 409
    assert "label set 'Mended'" in answer.json()["message"]
    assert Inference.objects.filter(pk=site.inference.pk).exists()
    assert FeatureLayer.objects.filter(pk=site.polygons.pk).exists()


@pytest.mark.parametrize("name", ["data", "run", "inference"])
def test_while_its_job_works_nothing_is_deleted(site: Site, name: str) -> None:
    row = getattr(site, name)
    type(row).objects.filter(pk=row.pk).update(job=running(site))
    route = {"data": "training-data", "run": "runs", "inference": "inferences"}[name]
    answer = site.by("owner").delete(f"/api/{route}/{row.pk}/")
    assert answer.status_code == 409
    assert "job 'At work'" in answer.json()["message"]


def test_an_import_under_way_keeps_its_label_set(site: Site) -> None:
    Run.objects.all().delete()
    TrainingData.objects.all().delete()
    spec = {"layer": str(site.labels.layer_id), "path": "x"}
    jobs.enqueue(project=site.project, kind="import_features", spec=spec, user=None, title="Import")
    answer = site.by("owner").delete(f"/api/label-sets/{site.labels.pk}/")
    assert answer.json()["fix"] == "Cancel the job first, or wait until it has ended."
    told = site.by("owner").get(f"/api/layers/{site.labels.layer_id}/deletion").json()
    assert {use["kind"] for use in told["used_by"]} == {"label set", "job"}


def test_a_labeler_deletes_their_own_runs_and_nobody_elses(site: Site) -> None:
    Run.objects.update(created_by=site.people["manager"])
    assert site.by("labeler").delete(f"/api/runs/{site.run.pk}/").status_code == 403
    assert site.by("reviewer").delete(f"/api/label-sets/{site.labels.pk}/").status_code == 403
    assert site.by("manager").delete(f"/api/runs/{site.run.pk}/").status_code == 204


def delete_project(client: Client, project: Project, name: str) -> Any:
    return client.post(f"/api/projects/{project.pk}/deletion", {"name": name}, content_type="application/json")


def test_a_project_goes_whole_with_every_row_and_file(site: Site, send: Callable[..., Any]) -> None:
    other = make_project(make_user("outsider"))
    kept = make_imagery(other, analysis_path="imagery/a.tif")  # the same bytes
    pk, name = site.project.pk, site.project.name
    told = site.by("owner").get(f"/api/projects/{pk}/deletion").json()
    assert told["allowed"]
    assert {"2 imagery layers", "1 label set", "1 training data", "1 run", "1 map", "5 members"} <= set(told["goes"])
    assert delete_project(site.by("manager"), site.project, name).status_code == 403
    assert delete_project(site.by("owner"), site.project, name.lower()).json()["code"] == "wrong_name"
    assert send(delete_project, site.by("owner"), site.project, name).status_code == 204
    for model in apps.get_models():
        if any(field.name == "project" for field in model._meta.concrete_fields):
            assert not model._default_manager.filter(project=pk).exists(), model
    assert [path.exists() for path in site.files] == [True, False, False, False]
    assert ImageryLayer.objects.get() == kept
    assert not Feature.objects.exists()
    entry = AuditEntry.objects.get(action="project.delete")
    assert (entry.project, entry.target, entry.details) == (None, name, {"id": str(pk)})
    assert site.by("owner").get(f"/projects/{pk}/").status_code == 404


def test_a_project_with_a_job_at_work_or_a_model_in_use_elsewhere_stays(site: Site) -> None:
    other = make_project(site.people["owner"])
    far = Inference.objects.create(
        project=other,
        name="Far away",
        task="classify_pixels",
        package=site.package,
        imagery=make_imagery(other),
        imagery_version=1,
    )
    running(site)
    answer = delete_project(site.by("owner"), site.project, site.project.name)
    assert answer.status_code == 409
    assert answer.json()["fix"] == "Cancel the jobs and delete the others first."
    assert {use["name"] for use in answer.json()["details"]["used_by"]} == {"At work", "Far away"}
    far.delete()
    Job.objects.all().delete()
    assert delete_project(site.by("owner"), site.project, site.project.name).status_code == 204


def test_no_foreign_key_keeps_a_project_from_being_deleted_whole() -> None:
    ours = ("projects", "jobs", "imagery", "features", "maps", "labeling", "training", "inference")
    protecting = [
        f"{model.__name__}.{field.name}"
        for room in ours
        for model in apps.get_app_config(room).get_models()
        for field in model._meta.concrete_fields
        if field.remote_field is not None and field.remote_field.on_delete is PROTECT
    ]
    assert protecting == [], "use RESTRICT, which lets both go at once with their project"


def test_the_administration_deletes_as_the_pages_do(site: Site, send: Callable[..., Any]) -> None:
    root = client_for(make_user("root", is_staff=True, is_superuser=True))
    root.raise_request_exception = False

    def delete(row: Any) -> Any:
        name = f"admin:{row._meta.label_lower.replace('.', '_')}_delete"
        return send(root.post, reverse(name, args=[row.pk]), {"post": "yes"})

    assert delete(site.project).status_code == 403
    assert delete(site.package).status_code == 403
    assert delete(site.imagery).status_code == 200  # Django's own page: in use
    assert ImageryLayer.objects.filter(pk=site.imagery.pk).exists()
    TrainingData.objects.update(job=running(site))
    assert delete(site.run).status_code == 302
    assert delete(site.data).status_code == 409  # ours: its job is at work
    Job.objects.all().delete()
    for row in (site.data, site.labels, site.inference, site.imagery, site.map):
        assert delete(row).status_code == 302, row
    assert not site.files[2].exists()
    assert not site.files[0].exists()
    assert list(FeatureLayer.objects.values_list("name", flat=True)) == ["Polygons"]
