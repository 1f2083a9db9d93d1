"""A mosaic of a scene's parts gives the same chips and the same classes as the scene."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.windows import Window
from shapely.geometry import box

from inference import selectors, services
from inference.models import Inference
from inference.specs import Settings
from tests.factories import make_imagery, make_project, make_user
from tests.inference.scene import SMALL, make_package, scene_path
from training.chips import Cutting, Label
from training.export import Order, export
from training.formats import ClassName
from webapp.imagery import mosaic_jobs, mosaics
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import analysis_file
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def mosaic(data: Path, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageryLayer:
    """The scene in four overlapping parts, with an overview too coarse to be read instead of them."""
    monkeypatch.setattr(mosaic_jobs, "factor_of", lambda found: 4)
    parts = []
    with rasterio.open(scene_path(data)) as source:
        for number, (row, col) in enumerate(((0, 0), (0, 190), (190, 0), (190, 190))):
            window = Window(col, row, 210, 210)
            profile = {**source.profile, "height": 210, "width": 210, "transform": source.window_transform(window)}
            with rasterio.open(tmp_path / f"part-{number}.tif", "w", **profile) as part:
                part.write(source.read(window=window))
            parts.append(make_imagery(project, tmp_path / f"part-{number}.tif").pk)
    layer = mosaics.create(project=project, user=None, name="Parts", scenes=parts, rule="first")
    job = layer.job
    assert job is not None
    assert run_now(job).state == Job.State.SUCCEEDED
    layer.refresh_from_db()
    return layer


def classes_on(imagery: ImageryLayer, project: Project, data: Path) -> np.ndarray:
    package = project.packages.first() or make_package(project, scene_path(data))
    asked = Settings.parse({**SMALL, "polygons": False}, task="classify_pixels")
    # Where all four parts meet.
    assert imagery.footprint is not None
    middle = imagery.footprint.centroid.buffer(1e-4).envelope
    row: Inference = services.start(
        project=project,
        user=make_user(),
        package=package,
        imagery=imagery,
        extent=shapely.from_wkb(bytes(middle.wkb)),
        settings=asked,
    )
    assert row.job is not None
    job = run_now(row.job)
    assert job.state == Job.State.SUCCEEDED, job.error_message
    made = selectors.inference(row.pk).result_imagery
    assert made is not None
    with rasterio.open(analysis_file(made)) as raster:
        return np.asarray(raster.read(1))


def test_a_model_finds_the_same_on_the_parts_as_on_the_whole(
    data: Path, project: Project, mosaic: ImageryLayer
) -> None:
    whole = classes_on(make_imagery(project, scene_path(data)), project, data)
    assert len(np.unique(whole)) > 2
    assert (classes_on(mosaic, project, data) == whole).all()


def test_chips_of_the_parts_are_chips_of_the_whole(data: Path, mosaic: ImageryLayer, tmp_path: Path) -> None:
    assert mosaic.footprint is not None
    label = Label(box(*mosaic.footprint.extent).buffer(-5e-5), 1)
    chips = []
    for name, path in (("parts", analysis_file(mosaic)), ("whole", scene_path(data))):
        order = Order(
            imagery=path,
            labels=[label],
            classes=(ClassName(1, "Tree", "#1b9e77"),),
            format="Classified_Tiles",
            cutting=Cutting(chip_px=128, stride_px=96),
            validation=0.25,
        )
        folder = export(order, tmp_path / name, threads=1)
        found = []
        for image in sorted((folder.path / "images").iterdir()):
            with rasterio.open(image) as chip:
                # What has no data is marked, not compared: the scene's own value of it is 255, the mosaic's 0.
                found.append(np.where(chip.dataset_mask() > 0, chip.read(), 0))
        chips.append(np.stack(found))
    assert len(chips[0]) >= 9
    assert (chips[0] == chips[1]).all()
