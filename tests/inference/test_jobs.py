"""Inference as jobs: in this process, killed in a real worker, cancelled, failed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.conf import settings as django_settings
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings as DjangoSettings
from shapely.geometry import Polygon, shape

from inference import jobs as handlers
from inference import selectors, services
from inference.matching import parse_extent
from inference.models import Block, Inference
from inference.specs import Settings
from tests.factories import make_project, make_user
from tests.inference.scene import SMALL, make_package, scene, scene_path
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.imagery.classes import class_areas
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import analysis_file, tile_source
from webapp.jobs.context import JobContext
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.jobs.services import JobCancelled
from webapp.raster.blocks import NODATA, BlockFolder

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., Inference]


@pytest.fixture
def start(data: Path) -> Start:
    """Start inferences on one real scene."""
    project = make_project()
    imagery = scene(data, project)

    def begin(task: str = "classify_pixels", extent: dict[str, Any] | None = None, **asked: Any) -> Inference:
        package = project.packages.filter(task=task).first() or make_package(project, scene_path(data), task)
        # Random scores of a fresh detector lie around 0.01.
        base = SMALL if task == "classify_pixels" else {"block_px": 128, "threshold": 0.012, "max_overlap": 0.3}
        return services.start(
            project=project,
            user=make_user(),
            package=package,
            imagery=imagery,
            extent=parse_extent(extent),
            settings=Settings.parse({**base, **asked}, task=task),
        )

    return begin


def ran(row: Inference) -> Inference:
    """Run its job here and return it as it is then."""
    assert row.job is not None
    job = run_now(row.job)
    assert job.state == Job.State.SUCCEEDED, (job.error_message, list(job.events.values_list("text", flat=True)))
    return selectors.inference(row.pk)


def objects(row: Inference) -> list[tuple[Any, ...]]:
    """Return the living features of the result, sorted."""
    assert row.result_features is not None
    rows = Feature.objects.filter(layer=row.result_features, deleted=False)
    return sorted((item.geometry.wkt, item.class_value, item.score) for item in rows)


def test_a_scene_becomes_a_class_raster_and_polygons_on_a_map(start: Start) -> None:
    row = ran(start())
    layer, features = row.result_imagery, row.result_features
    assert layer is not None
    assert features is not None
    assert (layer.state, features.state) == ("ready", "ready")
    assert row.blocks.filter(sha256__gt="").count() == row.blocks_total == 16
    with rasterio.open(analysis_file(layer)) as raster:
        classes = raster.read(1)
        assert raster.transform[0] == pytest.approx(0.1)
    assert set(np.unique(classes)) <= {0, 1, 7, NODATA}
    assert {1, 7} <= set(np.unique(classes))
    areas = {item["value"]: (item["count"], item["area_m2"], item["share"]) for item in class_areas(layer)}
    assert set(areas) == {0, 1, 7}
    for value, (count, area_m2, share) in areas.items():
        assert count == (classes == value).sum()
        assert area_m2 == pytest.approx(count * 0.01, rel=0.01)
        assert share == pytest.approx(count / (classes != NODATA).sum())
    assert row.map is not None
    placed = [(item.imagery_id, item.features_id) for item in row.map.layers.order_by("position")]
    assert placed == [(row.imagery_id, None), (layer.pk, None), (None, features.pk)]
    assert row.job is not None
    assert row.job.result["class_raster"] == str(layer.pk)
    assert row.job.result["pixels_per_s"] > 0


def test_polygons_cover_the_pixels_of_their_class(start: Start) -> None:
    row = ran(start(simplify_px=0))
    assert row.result_imagery is not None
    with rasterio.open(analysis_file(row.result_imagery)) as raster:
        pixels = int((raster.read(1) == 7).sum()) * 0.01
    areas = Feature.objects.filter(layer=row.result_features, class_value=7).values_list("geometry", flat=True)
    ground = sum(geometry.transform(32611, clone=True).area for geometry in areas)
    # Corners are stored in degrees: 1e-9 of their value.
    assert ground == pytest.approx(pixels, rel=1e-4)


def test_the_class_raster_is_on_the_map_while_it_grows(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    row = start()
    monkeypatch.setattr(handlers, "SHOW_EVERY_S", 0.0)
    seen: list[tuple[str, int, int]] = []
    told = JobContext.progress

    def look(self: JobContext, fraction: float, message: str = "") -> None:
        layer = ImageryLayer.objects.filter(kind="class_raster").first()
        if layer is not None and layer.blocks_path:
            source = tile_source(layer.pk)
            assert source is not None
            assert source.blocks is not None
            seen.append((layer.state, layer.version, len(BlockFolder(source.blocks).numbers())))
        told(self, fraction, message)

    monkeypatch.setattr(JobContext, "progress", look)
    ran(row)
    assert {state for state, _, _ in seen} == {"building"}
    versions = [version for _, version, _ in seen]
    assert versions == sorted(versions)
    assert versions[-1] - versions[0] == 16
    assert [count for _, _, count in seen][:3] == [0, 1, 2]


def test_without_polygons_there_is_no_feature_layer(start: Start) -> None:
    row = ran(start(polygons=False))
    assert row.result_features is None
    assert not FeatureLayer.objects.exists()


def test_a_drawn_extent_limits_blocks_and_masks_the_output(start: Start) -> None:
    whole = start()
    west, south, east, north = whole.imagery.footprint.extent
    middle = ((west + east) / 2, (south + north) / 2)
    corners = [(west, north), (middle[0], north), (middle[0], middle[1]), (west, middle[1]), (west, north)]
    row = ran(start(extent={"type": "Polygon", "coordinates": [corners]}))
    assert 0 < row.blocks_total < whole.blocks_total
    assert row.result_imagery is not None
    with rasterio.open(analysis_file(row.result_imagery)) as raster:
        classes = raster.read(1)
    # North of the grid is not quite north of the globe: some pixels along the sides.
    assert (classes[20:180, 20:180] != NODATA).all()
    assert (classes[220:] == NODATA).all()
    assert (classes[:, 220:] == NODATA).all()


def test_objects_are_merged_across_blocks_with_class_score_and_model(start: Start) -> None:
    row = ran(start("detect_objects"))
    found = Feature.objects.filter(layer=row.result_features, deleted=False)
    assert found.count() > 10
    assert {item.source for item in found} == {"model"}
    assert set(found.values_list("class_value", flat=True)) <= {1, 7}
    assert all(0.012 <= (item.score or 0) <= 1 for item in found)
    assert {item.properties["model"] for item in found} == {"Random retinanet"}
    boxes = [(shape({"type": "Polygon", "coordinates": item.geometry.coords}), item.class_value) for item in found]
    for index, (one, value) in enumerate(boxes):
        for other, same in boxes[:index]:
            if value == same and one.intersects(other):
                # Boxes are turned to degrees; a hundredth is more than that changes.
                assert one.intersection(other).area / one.union(other).area < 0.31


def test_the_number_of_blocks_does_not_change_the_objects(start: Start) -> None:
    many = ran(start("detect_objects"))
    one = ran(start("detect_objects", block_px=2048))
    assert many.blocks_total > one.blocks_total == 1
    assert objects(many) == objects(one)


def test_what_a_person_verified_or_deleted_meanwhile_is_left_alone(start: Start) -> None:
    row = start("detect_objects", max_overlap=0.05)
    planned = selectors.planned(row)
    services.make_layers(row, planned, blocks_path="")
    assert row.result_features is not None
    drawn = handlers.NewFeature(
        geometry=Polygon([(-119, 37), (-118, 37), (-118, 38)]), class_value=1, verified=True, source="human"
    )
    handlers.features.add_features(layer=row.result_features, features=[drawn])
    row = ran(row)
    assert Feature.objects.filter(layer=row.result_features, verified=True, deleted=False).count() == 1


def test_a_second_attempt_goes_on_at_the_stored_blocks(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = ran(start())
    row = start()
    calls: list[int] = []
    store = services.store_block

    def dying(*args: Any, **values: Any) -> bool:
        calls.append(values["number"])
        if len(calls) == 6:
            raise handlers.Draining("The worker shuts down.")
        return store(*args, **values)

    monkeypatch.setattr(services, "store_block", dying)
    assert row.job is not None
    assert run_now(row.job).state == Job.State.QUEUED
    assert Block.objects.filter(inference=row).count() == 5
    assert selectors.inference(row.pk).result_imagery is not None
    monkeypatch.setattr(services, "store_block", store)
    again = ran(row)
    assert again.result_imagery is not None
    assert undisturbed.result_imagery is not None
    assert again.result_imagery.sha256 == undisturbed.result_imagery.sha256
    assert objects(again) == objects(undisturbed)


def test_a_lost_or_damaged_block_file_is_made_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = ran(start("detect_objects"))
    row = start("detect_objects")

    def dying(*args: Any, **values: Any) -> int:
        raise handlers.Draining("The worker shuts down.")

    settle = services.settle_objects
    monkeypatch.setattr(services, "settle_objects", dying)
    assert row.job is not None
    assert run_now(row.job).state == Job.State.QUEUED
    folder = Path(django_settings.SCRATCH_DIR) / "jobs" / str(row.job_id) / "objects"
    files = sorted(folder.glob("*.npy"))
    files[0].unlink()
    files[1].write_bytes(b"damaged")
    monkeypatch.setattr(services, "settle_objects", settle)
    again = ran(row)
    assert objects(again) == objects(undisturbed)
    created = [
        Edit.objects.filter(layer=item.result_features, action="create").count() for item in (again, undisturbed)
    ]
    assert created[0] == created[1], "no feature was added twice"


@pytest.mark.parametrize("task", ["classify_pixels", "detect_objects"])
def test_cancel_leaves_no_layer_behind(start: Start, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    row = start(task)

    def cancelled(self: JobContext, fraction: float, message: str = "") -> None:
        if fraction > 0.3:
            raise JobCancelled("cancelled")

    monkeypatch.setattr(JobContext, "progress", cancelled)
    assert row.job is not None
    assert run_now(row.job).state == Job.State.CANCELLED
    row = selectors.inference(row.pk)
    assert (row.result_imagery, row.result_features) == (None, None)
    assert not FeatureLayer.objects.exists()
    assert not ImageryLayer.objects.filter(kind="class_raster").exists()
    assert not Feature.objects.exists()
    assert row.map is not None
    assert row.map.layers.count() == 1


def test_what_a_dead_job_left_is_withdrawn_when_the_next_one_starts(start: Start) -> None:
    row = start()
    services.make_layers(row, selectors.planned(row), blocks_path="somewhere")
    Job.objects.filter(pk=row.job_id).update(state=Job.State.FAILED, error_code="worker_lost", finished_at=Now())
    start()
    assert selectors.inference(row.pk).result_imagery is None
    assert not ImageryLayer.objects.filter(kind="class_raster").exists()


def test_an_uninstalled_model_fails_the_job_with_a_sentence(start: Start) -> None:
    from django.utils import timezone

    row = start()
    row.package.uninstalled_at = timezone.now()
    row.package.save()
    assert row.job is not None
    job = run_now(row.job)
    assert (job.state, job.error_code) == (Job.State.FAILED, "model_missing")
    assert "uninstalled" in job.error_message


# --- a real worker -----------------------------------------------------------------------------------------------

LEASE_S = 3.0


def until(true: Callable[[], bool], *, within_s: float = 180.0) -> None:
    """Return as soon as `true()`; fail after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)


@pytest.fixture
def worker(transactional_db: None, own_folders: Path, settings: DjangoSettings) -> Iterator[Callable[[], Any]]:
    """Start real workers on the test database."""
    settings.JOB_LEASE_S = LEASE_S
    base = os.environ.get("DATABASE_URL") or django_settings.DATABASE_URL
    environment = {
        **os.environ,
        "DATABASE_URL": base.rsplit("/", 1)[0] + "/" + str(connection.settings_dict["NAME"]),
        "QUADRAT_SECRET_KEY": settings.SECRET_KEY,
        "QUADRAT_SCRATCH_DIR": str(settings.SCRATCH_DIR),
        "QUADRAT_MEDIA_DIR": str(settings.MEDIA_DIR),
        "QUADRAT_JOB_LEASE_S": str(LEASE_S),
    }
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(django_settings.BASE_DIR / "manage.py"), "worker"]
        started.append(subprocess.Popen(command, env=environment, cwd=django_settings.BASE_DIR))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.terminate()
    for process in started:
        process.wait(timeout=30)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "times"), [("classify_pixels", 1), ("detect_objects", 2)])
def test_a_worker_killed_between_blocks_changes_no_byte_and_doubles_nothing(
    start: Start, worker: Callable[[], Any], task: str, times: int
) -> None:
    undisturbed = ran(start(task))
    row = start(task)
    worker()
    for kill in range(1, times + 1):
        until(lambda kill=kill: Block.objects.filter(inference=row).count() >= 4 * kill)
        children = subprocess.run(
            ["pgrep", "-f", f"run_job {row.job_id}"], capture_output=True, text=True, check=False
        ).stdout.split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
    until(lambda: Job.objects.filter(pk=row.job_id, finished_at__isnull=False).exists())
    job = Job.objects.get(pk=row.job_id)
    assert job.state == Job.State.SUCCEEDED, list(job.events.values_list("text", flat=True))
    assert job.attempt > 1
    one, other = selectors.inference(undisturbed.pk), selectors.inference(row.pk)
    if task == "classify_pixels":
        assert one.result_imagery is not None
        assert other.result_imagery is not None
        assert other.result_imagery.sha256 == one.result_imagery.sha256
        assert analysis_file(other.result_imagery).read_bytes() == analysis_file(one.result_imagery).read_bytes()
    assert objects(other) == objects(one)
    creates = Edit.objects.filter(layer=other.result_features, action="create")
    assert creates.count() == creates.values("feature_id").distinct().count()
