"""Running jobs again."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from inference.models import Inference
from labeling.models import LabelSet
from tests.factories import client_for, make_imagery, make_layer, make_project, make_token, make_user
from training.models import Epoch, ModelPackage, Run, TrainingData
from webapp.errors import Invalid
from webapp.imagery import storage, uploads
from webapp.imagery.models import Upload
from webapp.jobs import restarts, services
from webapp.jobs.context import scratch_folder
from webapp.jobs.models import Job
from webapp.jobs.worker import _sweep
from webapp.projects.models import Project, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return make_user("ana")


@pytest.fixture
def project(ana: User) -> Project:
    return make_project(ana, labeler=make_user("ben"), viewer=make_user("eve"))


def failed(project: Project, kind: str, spec: dict[str, Any]) -> Job:
    """Return a job that has failed, with something stored in its scratch folder."""
    job = services.enqueue(project=project, kind=kind, spec=spec, user=make_user("ana"), title=f"A {kind}", priority=3)
    claimed = services.claim(worker="w", lanes=Job.Lane.values, job_id=job.pk)
    assert claimed is not None
    assert claimed.token is not None
    folder = scratch_folder(job.pk)
    folder.mkdir(parents=True)
    (folder / "kept").write_text("stored")
    services.fail(job_id=job.pk, token=claimed.token, error=Invalid("It broke."))
    job.refresh_from_db()
    return job


def again(job: Job, who: str = "ana", **headers: str) -> Any:
    return client_for(make_user(who)).post(f"/api/jobs/{job.pk}/restart/", **headers)  # type: ignore[arg-type]


def of_ingest(project: Project) -> tuple[Job, Upload]:
    upload = uploads.begin(
        project=project, user=make_user("ana"), filename="a.tif", size_bytes=3, position={}, options={}
    )
    job = failed(project, "ingest", {"upload": str(upload.pk)})
    Upload.objects.filter(pk=upload.pk).update(job=job, state=Upload.State.INGESTING)
    return job, upload


def test_a_failed_job_is_run_again_as_a_new_one_that_names_the_old(project: Project) -> None:
    job, upload = of_ingest(project)
    answer = again(job, "ben")
    assert answer.status_code == 201
    new = Job.objects.get(pk=answer.json()["id"])
    assert (new.restarts, new.state, new.kind, new.spec, new.priority) == (job, "queued", "ingest", job.spec, 3)
    assert (new.title, new.lane, new.created_by) == (job.title, job.lane, make_user("ben"))
    upload.refresh_from_db()
    assert upload.job == new
    assert "Starts anew" in new.events.last().text
    twice = again(job)
    assert (twice.status_code, twice.json()["details"]["url"]) == (409, f"/jobs/{new.pk}/")
    assert again(new).status_code == 409  # it has not failed


def test_a_job_whose_file_is_gone_says_what_to_do(project: Project) -> None:
    job, upload = of_ingest(project)
    storage.drop_quarantine(upload.pk)
    answer = again(job)
    assert (answer.status_code, answer.json()["code"]) == (409, "inputs_gone")
    assert answer.json()["fix"] == "Upload it again."
    assert Job.objects.count() == 1


def test_the_upload_of_a_failed_ingest_waits_as_long_as_the_job_may_be_run_again(
    project: Project, settings: Settings
) -> None:
    _, upload = of_ingest(project)
    uploads.sweep()
    assert storage.quarantined_file(upload.pk).exists()
    settings.UPLOAD_KEEP_H = -1
    uploads.sweep()
    assert not storage.quarantined_file(upload.pk).exists()


@pytest.mark.parametrize(("kind", "lowest"), [("import_features", "ben"), ("install_package", "ana")])
def test_who_may_start_one_may_run_one_again(project: Project, settings: Settings, kind: str, lowest: str) -> None:
    layer = make_layer(project)
    (Path(settings.QUARANTINE_DIR) / "f.dlpk").touch()
    job = failed(project, kind, {"layer": str(layer.pk), "path": "f.dlpk", "file": "f.dlpk"})
    for name in ("eve", "ben"):
        if name != lowest:
            assert again(job, name).status_code == 403
    scope = {"import_features": "edit", "install_package": "manage"}[kind]
    tokens = (["read", "run"], 403), (["read", "run", scope], 201)
    for scopes, status in tokens:
        bearer = f"Bearer {make_token(make_user(lowest), scopes)}"
        assert client_for(None).post(f"/api/jobs/{job.pk}/restart/", HTTP_AUTHORIZATION=bearer).status_code == status


def of_run(project: Project, settings: Settings) -> tuple[Job, Run]:
    imagery = make_imagery(project)
    labels = LabelSet.objects.create(project=project, name="L", imagery=imagery, layer=make_layer(project))
    data = TrainingData.objects.create(
        project=project, name="D", label_set=labels, layer_seq=1, imagery_version=1, path="training/d"
    )
    (Path(settings.MEDIA_DIR) / "training/d").mkdir(parents=True)
    run = Run.objects.create(project=project, name="R", training_data=data, network="unet", best_epoch=1)
    Epoch.objects.create(run=run, number=1, seconds=1)
    job = failed(project, "train", {"run": str(run.pk)})
    Run.objects.filter(pk=run.pk).update(job=job)
    return job, run


def test_a_run_goes_on_from_what_the_failed_job_stored(project: Project, settings: Settings) -> None:
    job, run = of_run(project, settings)
    _sweep()  # the worker's own round leaves what may be wanted
    new = Job.objects.get(pk=again(job).json()["id"])
    assert (scratch_folder(new.pk) / "kept").read_text() == "stored"
    assert not scratch_folder(job.pk).exists()
    assert "Goes on" in new.events.last().text
    run.refresh_from_db()
    assert (run.job, run.best_epoch, run.epochs.count()) == (new, 1, 1)


def test_a_run_whose_files_are_gone_starts_anew_and_says_so(project: Project, settings: Settings) -> None:
    job, run = of_run(project, settings)
    settings.COLLECT_GRACE_H = 0
    _sweep()
    assert not scratch_folder(job.pk).exists()
    new = Job.objects.get(pk=again(job).json()["id"])
    assert "Starts anew" in new.events.last().text
    run.refresh_from_db()
    assert (run.best_epoch, run.epochs.count()) == (None, 0)


def test_an_inference_needs_its_model_and_its_imagery(project: Project) -> None:
    package = ModelPackage.objects.create(
        project=project,
        name="M",
        task="detect_objects",
        network="retinanet",
        path="packages/m.dlpk",
        sha256="",
        size_bytes=1,
        dtype="uint8",
        resolution_m=1,
        chip_px=64,
    )
    imagery = make_imagery(project)
    row = Inference.objects.create(
        project=project, name="I", task="detect_objects", package=package, imagery=imagery, imagery_version=1
    )
    row.result_features = make_layer(project)
    job = row.job = failed(project, "detect_objects", {"inference": str(row.pk)})
    row.save()
    imagery.version = 2
    imagery.save()
    assert again(job).json()["code"] == "inputs_gone"
    type(imagery).objects.update(version=1)
    answer = again(job)
    assert answer.status_code == 201
    row.refresh_from_db()
    assert (str(row.job_id), row.result_features) == (answer.json()["id"], None)


def test_a_kind_that_is_not_run_again_says_so(project: Project, extra: None) -> None:
    answer = again(failed(project, "count", {}))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.fixture
def extra(settings: Settings) -> None:
    settings.EXTRA_JOB_KINDS = {"count": "tests.jobs.handlers:count"}


def test_the_page_offers_it_to_those_who_may(project: Project) -> None:
    job, _ = of_ingest(project)

    def shown(who: str) -> Any:
        return client_for(make_user(who)).get(f"/jobs/{job.pk}/").context["config"]

    assert (shown("ben")["may_restart"], shown("eve")["may_restart"]) == (True, False)
    again(job)
    assert shown("ben")["restarted_by"].startswith("/jobs/")


def test_every_way_to_run_again_leads_to_a_function_and_a_rule() -> None:
    for kind in restarts.KINDS:
        assert callable(restarts._adopt(kind))
        assert restarts.rule_of(Job(kind=kind)).scope != "read"
