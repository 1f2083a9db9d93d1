"""Inference on local files, from Python and by command."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from django.core.management import CommandError, call_command

from inference.tools import classify_pixels
from tests.factories import make_project
from tests.inference.scene import SMALL, make_package, scene_path
from training.models import Task
from training.selectors import package_file
from webapp.errors import BandMismatch, Invalid
from webapp.raster.blocks import NODATA

pytestmark = pytest.mark.django_db


def model(data: Path, task: str) -> Path:
    """Return the file of a package with random weights."""
    return package_file(make_package(make_project(), scene_path(data), task))


def test_pixels_are_classified_in_three_lines(data: Path, tmp_path: Path) -> None:
    done = classify_pixels(
        scene_path(data),
        model(data, Task.CLASSIFY_PIXELS),
        tmp_path / "classes.tif",
        polygons=tmp_path / "classes.geojson",
        **SMALL,
    )
    with rasterio.open(done.path) as raster, rasterio.open(scene_path(data)) as source:
        classes = raster.read(1)
        assert raster.transform == source.transform
        assert raster.crs == source.crs
        assert raster.colormap(1)[7] == (0xD9, 0x5F, 0x02, 255)
    assert set(np.unique(classes)) <= {0, 1, 7, NODATA}
    features = json.loads((tmp_path / "classes.geojson").read_text())["features"]
    assert len(features) == done.features
    assert {feature["properties"]["class"] for feature in features} == {"Tree", "Roof"}
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["classes.geojson", "classes.tif"]


def test_objects_are_detected_by_command(data: Path, tmp_path: Path) -> None:
    out = io.StringIO()
    target = tmp_path / "objects.geojson"
    file = model(data, Task.DETECT_OBJECTS)
    call_command("detect_objects", scene_path(data), file, target, "--threshold", "0.012", "--json", stdout=out)
    *progress, last = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["progress"] for line in progress] == sorted(line["progress"] for line in progress)
    features = json.loads(target.read_text())["features"]
    assert last["features"] == len(features) > 0
    scores = [feature["properties"]["score"] for feature in features]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= 0.012


def test_a_command_ends_with_one_sentence(data: Path, tmp_path: Path) -> None:
    file = model(data, Task.DETECT_OBJECTS)
    with pytest.raises(CommandError, match="is a package to detect objects"):
        call_command("classify_pixels", scene_path(data), file, tmp_path / "classes.tif")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("detect_objects", tmp_path / "nothing.tif", file, tmp_path / "objects.geojson")


def test_imagery_that_does_not_fit_is_refused(data: Path, tmp_path: Path) -> None:
    file = model(data, Task.CLASSIFY_PIXELS)
    with pytest.raises(BandMismatch, match="uint16"):
        classify_pixels(data / "spacenet_vegas" / "vegas_rgb_uint16.tif", file, tmp_path / "classes.tif")
    with pytest.raises(Invalid, match="no setting 'speed'"):
        classify_pixels(scene_path(data), file, tmp_path / "classes.tif", speed=3)
