"""An upload becomes a layer, or leaves nothing behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from tests.factories import make_user
from tests.imagery.conftest import Ingest, left_behind
from webapp.imagery import selectors, storage, uploads
from webapp.imagery.models import ImageryLayer, Upload
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project
from webapp.raster.read import Reader, info

pytestmark = pytest.mark.django_db(transaction=True)
UTM = Affine(0.5, 0, 500_000, 0, -0.5, 4_649_000)


def write(path: Path, array: np.ndarray, **profile: Any) -> Path:
    count, height, width = array.shape
    profile = {"crs": "EPSG:32633", "transform": UTM, "driver": "GTiff", **profile}
    with rasterio.open(path, "w", count=count, height=height, width=width, dtype=array.dtype, **profile) as target:
        target.write(array)
    return path


RGB = np.random.default_rng(3).integers(0, 255, (3, 300, 400)).astype(np.uint8)


def test_a_geotiff_becomes_a_layer_with_lossless_pixels_and_nothing_stays_in_quarantine(
    ingest: Ingest, tmp_path: Path
) -> None:
    job = ingest(write(tmp_path / "site.tif", RGB), name="The site", attribution="© Nobody")
    assert (job.state, job.error_message) == ("succeeded", "")
    layer = ImageryLayer.objects.get(pk=job.result["imagery"])
    assert (layer.name, layer.attribution, layer.epsg, layer.gsd_m) == (
        "The site",
        "© Nobody",
        32633,
        pytest.approx(0.5, rel=1e-3),
    )
    with Reader(selectors.analysis_file(layer)) as reader:
        np.testing.assert_array_equal(reader.read(reader.whole).array, RGB)
    assert sorted(path.suffix for path in left_behind()) == [".tif", ".tif"]
    assert [band["name"] for band in layer.bands] == ["red", "green", "blue"]
    assert sum(layer.bands[0]["histogram"]["counts"]) == 300 * 400
    assert layer.footprint is not None
    assert not layer.position_assumed


@pytest.mark.parametrize(
    ("make", "fix"),
    [
        (lambda path: write(path, RGB, crs=None), "gdal_edit.py -a_srs"),
        (lambda path: path.write_bytes(write(path, RGB).read_bytes()[:200_000]), "upload the new file"),
        (lambda path: path.write_bytes(b"PK\x03\x04 not a picture" * 50), "gdal_translate"),
    ],
)
def test_what_cannot_be_taken_names_its_fix(
    ingest: Ingest, tmp_path: Path, make: Callable[[Path], Any], fix: str
) -> None:
    path = tmp_path / "site.tif"
    make(path)
    assert fix in ingest(path).error_fix


@pytest.mark.data
def test_a_picture_without_position_is_placed_by_hand_and_says_so(ingest: Ingest, data: Path) -> None:
    picture = data / "neon_trees" / "SOAP_061.png"
    assert ingest(picture).error_code == "georeference_missing"
    job = ingest(picture, {"centre": [-119.26, 37.03], "gsd_m": 0.1, "note": "Placed by hand."})
    layer = ImageryLayer.objects.get(pk=job.result["imagery"])
    assert layer.position_assumed
    assert layer.position_note == "Placed by hand."
    assert layer.gsd_m == pytest.approx(0.1, rel=2e-3)
    assert layer.footprint.centroid.coords == pytest.approx((-119.26, 37.03), abs=1e-5)


def test_a_world_file_places_the_centre_of_the_first_pixel(ingest: Ingest, tmp_path: Path) -> None:
    path = write(tmp_path / "photo.png", RGB, driver="PNG", crs=None, transform=Affine.identity())
    position = {"world_file": "0.5\n0\n0\n-0.5\n500000.25\n4648999.75\n", "epsg": 32633}
    layer = ImageryLayer.objects.get(pk=ingest(path, position).result["imagery"])
    assert layer.transform == [0.5, 0.0, 500_000.0, 0.0, -0.5, 4_649_000.0]
    assert not layer.position_assumed


def test_the_same_file_twice_takes_its_bytes_once_and_deleting_one_keeps_the_other(
    ingest: Ingest, tmp_path: Path
) -> None:
    from webapp.imagery import services

    path = write(tmp_path / "site.tif", RGB)
    first, second = (ImageryLayer.objects.get(pk=ingest(path).result["imagery"]) for _ in range(2))
    assert first.analysis_path == second.analysis_path
    assert len(left_behind()) == 2
    services.delete(layer=first)
    assert info(selectors.analysis_file(second)).width == 400
    services.delete(layer=second)
    assert left_behind() == []


def test_a_cancelled_ingest_leaves_nothing_behind(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webapp.jobs import services as jobs
    from webapp.raster import sandbox

    path = write(tmp_path / "site.tif", RGB)
    data = path.read_bytes()
    user = make_user("ana")
    upload = uploads.begin(
        project=project, user=user, filename="site.tif", size_bytes=len(data), position={}, options={}
    )
    uploads.append(upload=upload, offset=0, data=data)
    job = uploads.complete(upload=upload)
    real = sandbox.run

    def cancel_then_run(command: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if command == "rewrite":
            jobs.cancel(job=Job.objects.get(pk=job.pk), user=user)
        return real(command, *args, **kwargs)

    monkeypatch.setattr(sandbox, "run", cancel_then_run)
    assert run_now(job).state == "cancelled"
    assert left_behind() == []
    assert not Upload.objects.exists()
    assert storage.quarantine(upload.pk).exists() is False
