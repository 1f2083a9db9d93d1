"""The demo over HTTP: who may start it, and the loop against a real site and a real worker."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import Settings

from tests.browser.driver import Site
from tests.clients.server import make_site
from tests.factories import client_for, make_user
from webapp.demo import drive, load, sources
from webapp.demo.selectors import PROJECT
from webapp.demo.services import api_client
from webapp.errors import Unavailable
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job
from webapp.maps.models import Map
from webapp.notebook.client import Client
from webapp.projects import services as projects
from webapp.projects.models import ApiToken

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_without_the_demo_the_button_says_how_to_load_it() -> None:
    answer = client_for(make_user("ana")).post("/api/demo/")
    assert answer.status_code == 409
    assert "manage.py demo --load" in answer.json()["fix"]


@pytest.mark.django_db
def test_two_clicks_start_one_job_and_a_stranger_starts_none() -> None:
    user = load.demo_user()
    projects.create_project(name=PROJECT, user=user)
    first = client_for(user).post("/api/demo/")
    second = client_for(user).post("/api/demo/")
    assert (first.status_code, first.json()["id"]) == (201, second.json()["id"])
    assert first.json()["url"] == f"/jobs/{first.json()['id']}/"
    assert client_for(make_user("eve")).post("/api/demo/").status_code == 404
    assert Job.objects.filter(kind="demo").count() == 1


@pytest.mark.django_db
def test_the_demos_token_is_narrow_and_gone_afterwards() -> None:
    user = load.demo_user()
    project = projects.create_project(name=PROJECT, user=user)
    with api_client(project=project, user=user):
        token = ApiToken.objects.get()
        assert (token.scopes, token.project_id) == (["read", "edit", "run"], project.pk)
        assert token.expires_at is not None
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_site_that_does_not_answer_is_one_sentence() -> None:
    with pytest.raises(Unavailable, match=r"does not answer on http://127\.0\.0\.1:9"):
        Client("http://127.0.0.1:9", "x").get("/api/jobs/")


@contextmanager
def _site_with_worker(folder: Path) -> Iterator[Site]:
    """A real web process and a real worker on the test database and this test's folders."""
    folders = {
        f"QUADRAT_{name}": str(getattr(settings, name)) for name in ("MEDIA_DIR", "QUARANTINE_DIR", "SCRATCH_DIR")
    }
    site = make_site(folder / "web", **folders, QUADRAT_COMPUTE_THREADS="2")
    site.start()
    try:
        with (folder / "worker.log").open("w") as log:
            worker = subprocess.Popen(
                [sys.executable, "manage.py", "worker"], cwd=ROOT, env=site.env, stdout=log, stderr=log
            )
            try:
                yield site
            finally:
                worker.terminate()
                worker.wait(60)
    finally:
        site.stop(kill=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
def test_the_demo_goes_from_labels_to_a_scored_map(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load.load(lambda text: None)
    assert load.load(lambda text: None) == project
    assert ImageryLayer.objects.filter(project=project).count() == 3
    assert ImageryLayer.objects.filter(project=project, position_assumed=True).count() == 2
    monkeypatch.setattr(drive, "TRAINING", {**drive.TRAINING, "epochs": 1})
    told: list[float] = []
    with _site_with_worker(tmp_path) as site:
        settings.INTERNAL_URL = site.url
        with api_client(project=project, user=load.demo_user()) as client:
            result = drive.run(client, str(project.pk), {}, lambda fraction, text: told.append(fraction))
    found = Map.objects.get(pk=result["map"].split("/")[2])
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert 150 < result["labels"] < 350
    assert 0.0 <= result["score"]["iou"] <= 1.0
    assert result["sentence"] in found.description
    assert "NEON" in found.description
    assert "not recorded" in found.description
    elsewhere = result["elsewhere"]
    assert elsewhere["labels"] == 279
    assert elsewhere["score"]["chance_iou"] == pytest.approx(0.38, abs=0.02)
    other = Map.objects.get(pk=elsewhere["map"].split("/")[2])
    assert result["position_assumed"] == [sources.EDGE.name, sources.FOREST.name]
    for shown in (found, other):
        assert result["sentence"] in shown.description
        assert shown.layers.filter(features__label_set__isnull=False).exists()
        assert shown.layers.filter(imagery__kind="class_raster").exists()
