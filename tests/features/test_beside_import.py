"""Others edit a layer while the features of an import are stored, and an import that dies there leaves nothing."""

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.gis.geos import GEOSGeometry
from django.db import OperationalError, connection

from tests.factories import make_layer, make_project, make_user
from tests.features.test_editing import run_together
from tests.features.test_ladder import counted, held
from webapp import points
from webapp.features import importing, ladder, services
from webapp.features.importing import Options, receive
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.features.services import EditRequest
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.jobs.services import interrupt
from webapp.projects.models import User

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 40


class Body(io.BytesIO):
    """A file as the request that brings it."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.META = {"CONTENT_LENGTH": str(len(text))}


@pytest.fixture
def ana(transactional_db: None) -> User:
    return make_user("ana")


@pytest.fixture
def layer(ana: User, monkeypatch: pytest.MonkeyPatch) -> FeatureLayer:
    monkeypatch.setattr(importing, "DIRECT_BYTES", 0)
    monkeypatch.setattr(ladder, "LADDER_FROM", MANY)
    return make_layer(make_project(ana))


@pytest.fixture
def job(layer: FeatureLayer, ana: User) -> Job:
    rows = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [85.5 + n / 1000, 27.6]}}
        for n in range(MANY)
    ]
    body: Any = Body(json.dumps({"type": "FeatureCollection", "features": rows}).encode())
    return Job.objects.get(pk=receive(layer=layer, stream=body, options=Options(), user=ana)["job"])


def draw(layer: FeatureLayer) -> int:
    """Draw a sample, which may wait for others for two seconds; return the number of the edit."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    edit = EditRequest(uuid4(), "create", uuid4(), geometry=GEOSGeometry("POINT(85.51 27.61)", 4326), class_value=1)
    [result] = services.apply_edits(layer=layer, edits=[edit], user=None)
    assert result.seq is not None
    return result.seq


def at_the_point(monkeypatch: pytest.MonkeyPatch, work: Any) -> list[Any]:
    """Do `work` on another thread when the features are stored and have no number; return what it returns."""
    told: list[Any] = []

    def reach(name: str) -> None:
        if name == "job.placed" and not told:
            told.append("on its way")
            told[:] = run_together(1, lambda _: work())

    monkeypatch.setattr(points, "reach", reach)
    return told


def test_what_a_colleague_draws_meanwhile_is_stored_at_once_and_comes_first(
    layer: FeatureLayer, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert draw(layer) == 1
    seen = at_the_point(monkeypatch, lambda: (draw(layer), Feature.objects.count(), Edit.objects.count()))
    assert run_now(job).result["added"] == MANY
    assert seen == [(2, 2, 2)], "stored without waiting, and nothing of the import is there yet"
    log = list(Edit.objects.filter(layer=layer).order_by("seq").values_list("seq", "source", "at"))
    assert [(seq, source) for seq, source, _ in log] == [
        *((seq, "human") for seq in (1, 2)),
        *((seq, "import") for seq in range(3, MANY + 3)),
    ]
    assert sorted(at for *_, at in log) == [at for *_, at in log], "the log can be asked how it was at a moment"
    layer.refresh_from_db()
    assert (layer.seq, layer.feature_count) == (MANY + 2, MANY + 2)
    assert Feature.objects.filter(layer=layer, fid__lt=layer.next_fid).count() == MANY + 2
    assert layer.ladder
    assert held(layer) == counted(layer), "the cells hold what was there, what came meanwhile and the import"


def test_an_import_whose_connection_dies_there_leaves_nothing_and_is_stored_once_by_the_next_attempt(
    layer: FeatureLayer, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()

    def kill() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    at_the_point(monkeypatch, kill)
    with pytest.raises(OperationalError):
        run_now(job)
    connection.close()
    job.refresh_from_db()
    assert job.token is not None
    interrupt(job_id=job.pk, token=job.token)
    assert not Feature.objects.exists()
    assert not Edit.objects.exists()
    assert draw(layer) == 1
    assert run_now(job).result["added"] == MANY
    assert Feature.objects.filter(layer=layer).count() == Edit.objects.filter(layer=layer).count() == MANY + 1
    layer.refresh_from_db()
    assert (layer.seq, layer.feature_count) == (MANY + 1, MANY + 1)
    assert held(layer) == counted(layer)
