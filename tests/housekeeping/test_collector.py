"""The collector: what no row names goes, whatever folder it lies in; what anybody needs stays."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone
from pytest_django import Settings

from labeling.models import LabelSet
from tests.factories import make_imagery, make_layer, make_project, make_user
from training.models import TrainingData
from webapp import disk
from webapp.errors import Conflict
from webapp.housekeeping import collector
from webapp.housekeeping.stores import NAMING_COLUMNS
from webapp.imagery import storage
from webapp.imagery.models import Upload
from webapp.jobs import services, worker
from webapp.jobs.models import Job
from webapp.projects.models import Project

pytestmark = pytest.mark.django_db

# Times of files cannot be set back (ctime), so the clock is set forward.
TOMORROW = timedelta(hours=25)


def later() -> datetime:
    return timezone.now() + TOMORROW


def put(root: Path, name: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"12345")
    return path


@pytest.fixture
def project() -> Project:
    return make_project(make_user("ana"))


@pytest.fixture
def named(project: Project, settings: Settings) -> list[Path]:
    """A file in each folder that a row names."""
    media, quarantine, scratch = Path(settings.MEDIA_DIR), Path(settings.QUARANTINE_DIR), Path(settings.SCRATCH_DIR)
    imagery = make_imagery(project, analysis_path="imagery/aa/aa.tif", display_path="imagery/bb/bb.tif")
    labels = LabelSet.objects.create(project=project, name="L", imagery=imagery, layer=make_layer(project))
    data = TrainingData.objects.create(
        project=project, name="D", label_set=labels, layer_seq=1, imagery_version=1, path=f"training/{uuid4()}-1"
    )
    upload = Upload.objects.create(project=project, user=make_user("ana"), filename="a.tif", size_bytes=9)
    job = services.enqueue(
        project=project, kind="import_features", spec={"path": "import-1.geojson"}, user=None, title=""
    )
    return [
        put(media, "imagery/aa/aa.tif"),
        put(media, "imagery/bb/bb.tif"),
        put(media, f"{data.path}/images/0.tif"),
        put(quarantine, f"{upload.pk}/source"),
        put(quarantine, "import-1.geojson"),
        put(scratch, f"jobs/{job.pk}/rows.copy"),
    ]


@pytest.fixture
def unnamed(settings: Settings) -> list[Path]:
    """A file in each folder that no row names."""
    media, quarantine, scratch = Path(settings.MEDIA_DIR), Path(settings.QUARANTINE_DIR), Path(settings.SCRATCH_DIR)
    return [
        put(media, "imagery/cc/cc.tif"),
        put(media, "imagery/cc/.cc.tif.4711"),
        put(media, f"training/{uuid4()}-2/images/0.tif"),
        put(media, "packages/dd.dlpk"),
        put(quarantine, f"{uuid4()}/source"),
        put(quarantine, f"{uuid4()}.dlpk"),
        put(scratch, f"jobs/{uuid4()}/blocks/1.bin"),
    ]


def test_what_no_row_names_goes_and_what_one_names_stays(named: list[Path], unnamed: list[Path]) -> None:
    report = collector.collect(now=later())
    assert [path for path in named if not path.exists()] == []
    assert [path for path in unnamed if path.exists()] == []
    assert (len(report.removed), report.bytes, report.young) == (len(unnamed), 5 * len(unnamed), 0)
    assert collector.collect(now=later()).removed == []


def test_what_is_young_stays(unnamed: list[Path]) -> None:
    report = collector.collect()
    assert all(path.exists() for path in unnamed)
    assert (report.removed, report.young) == ([], len(unnamed))


def test_a_dry_run_says_what_would_go(
    unnamed: list[Path], capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.COLLECT_GRACE_H = -1
    call_command("collect", "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["dry_run"], len(told["removed"]), told["bytes"]) == (True, len(unnamed), 5 * len(unnamed))
    assert all(path.exists() for path in unnamed)
    call_command("collect")
    assert f"{len(unnamed)} removed" in capsys.readouterr().out
    assert not any(path.exists() for path in unnamed)


def test_nothing_goes_that_is_younger_than_a_running_job(project: Project, settings: Settings) -> None:
    job = services.enqueue(project=project, kind="ingest", spec={}, user=None, title="")
    services.claim(worker="w", lanes=Job.Lane.values)
    written = put(Path(settings.MEDIA_DIR), "imagery/ee/ee.tif")
    assert collector.collect(now=later()).young == 1
    assert written.exists()
    job.refresh_from_db()
    assert job.token is not None
    services.finish(job_id=job.pk, token=job.token, result={})
    assert len(collector.collect(now=later()).removed) == 1


def test_bytes_that_a_job_takes_up_while_they_are_judged_stay(
    project: Project, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = put(Path(settings.MEDIA_DIR), "imagery/ff/ff.tif")
    rename = Path.rename

    def refreshed(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        os.utime(target)  # what `storage.keep` does to a file that it finds, a moment before the move
        return moved

    monkeypatch.setattr(Path, "rename", refreshed)
    assert collector.collect(now=later()).removed == []
    assert kept.read_bytes() == b"12345"


@pytest.mark.parametrize("moment", ["_changed_at", "_size", "_remove"])
def test_a_file_that_is_kept_while_the_collector_looks_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moment: str
) -> None:
    name = storage.keep(put(tmp_path, "a.tif"))
    step = getattr(collector, moment)

    def kept_meanwhile(*given: object) -> object:
        before = step(*given) if moment == "_changed_at" else None
        storage.keep(put(tmp_path, "b.tif"))
        return before if moment == "_changed_at" else step(*given)

    monkeypatch.setattr(collector, moment, kept_meanwhile)
    assert collector.collect(now=later()).removed == []
    assert (Path(settings.MEDIA_DIR) / name).read_bytes() == b"12345"


def test_a_file_that_is_kept_while_its_last_layer_is_deleted_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = storage.keep(put(tmp_path, "a.tif"))
    needed = storage._needed

    def kept_meanwhile(relative: str) -> bool:
        answer = needed(relative)
        storage.keep(put(tmp_path, "b.tif"))
        return answer

    monkeypatch.setattr(storage, "_needed", kept_meanwhile)
    storage.drop_unnamed(name)
    assert (Path(settings.MEDIA_DIR) / name).read_bytes() == b"12345"
    monkeypatch.undo()
    storage.drop_unnamed(name, "imagery/aa/gone.tif")
    assert not (Path(settings.MEDIA_DIR) / name).exists()


def test_what_a_killed_collector_moved_aside_comes_back(project: Project, settings: Settings) -> None:
    make_imagery(project, analysis_path="imagery/aa/aa.tif")
    put(Path(settings.MEDIA_DIR), f"imagery/aa/{disk.ASIDE}0badf00d-aa.tif")
    collector.collect(now=later())
    assert (Path(settings.MEDIA_DIR) / "imagery/aa/aa.tif").exists()


def test_a_file_that_vanishes_while_it_is_kept_is_written_anew(settings: Settings, tmp_path: Path) -> None:
    first, again = put(tmp_path, "a.tif"), put(tmp_path, "b.tif")
    name = storage.keep(first)
    (Path(settings.MEDIA_DIR) / name).unlink()
    assert storage.keep(again) == name
    assert (Path(settings.MEDIA_DIR) / name).read_bytes() == b"12345"


@pytest.mark.django_db(transaction=True)
def test_two_collections_do_not_run_at_once() -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [collector.LOCK])
        with pytest.raises(Conflict, match="under way"):
            collector.collect()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [collector.LOCK])
    other.close()
    assert collector.collect().removed == []


def test_workers_queue_one_collection_a_day(settings: Settings) -> None:
    worker._start_collection()
    worker._start_collection()
    job = Job.objects.get(kind="collect")
    assert (job.project, job.lane, job.state) == (None, "light", "queued")
    settings.COLLECT_EVERY_H = 0
    Job.objects.all().delete()
    worker._start_collection()
    assert not Job.objects.exists()


def test_every_column_that_names_a_file_is_known_to_the_collector() -> None:
    rooms = ("projects", "jobs", "imagery", "features", "photos", "maps", "labeling", "training", "inference")
    columns = {
        f"{model._meta.app_label}.{model.__name__}.{column.name}"
        for room in rooms
        for model in apps.get_app_config(room).get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, models.FileField) or column.name == "path" or column.name.endswith("_path")
    }
    assert columns == NAMING_COLUMNS, "say in webapp/housekeeping/stores.py which files the new column names"


def test_links_are_not_followed(settings: Settings, tmp_path: Path) -> None:
    outside = put(tmp_path, "outside/file")
    folder = Path(settings.SCRATCH_DIR) / "jobs" / str(uuid4())
    folder.parent.mkdir()
    folder.symlink_to(outside.parent)
    collector.collect(now=later())
    assert outside.exists()
    assert not folder.is_symlink()
