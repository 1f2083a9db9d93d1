"""What a layer holds at a place, against rasterio and against what was written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.conf import settings
from rasterio.warp import transform

from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from webapp.imagery.models import ImageryLayer
from webapp.maps import services as maps
from webapp.projects.models import Project
from webapp.raster.blocks import NODATA, BlockFolder, BlockGrid

pytestmark = pytest.mark.django_db

PLACE = Affine(0.5, 0, 500_000, 0, -0.5, 4_649_000)
CLASSES = [{"value": 1, "name": "Tree", "colour": "#1b9e77"}, {"value": 7, "name": "Roof", "colour": "#d95f02"}]


@pytest.fixture
def project() -> Project:
    return make_project(make_user("ana"), viewer=make_user("eve"))


def lonlat(row: float, col: float) -> tuple[float, float]:
    """Return the place of a pixel's (row, col), its centre at half a pixel."""
    xs, ys = transform("EPSG:32633", "EPSG:4326", *([value] for value in PLACE @ (col, row)))
    return xs[0], ys[0]


def asked(layer: ImageryLayer, lon: object, lat: object, user: str = "eve") -> Any:
    return client_for(make_user(user)).get(f"/api/imagery/{layer.pk}/point?lon={lon}&lat={lat}")


def write(path: Path, array: Any, **profile: Any) -> Path:
    count, height, width = array.shape
    made: dict[str, Any] = {"driver": "GTiff", "count": count, "dtype": array.dtype, "height": height, "width": width}
    with rasterio.open(path, "w", crs="EPSG:32633", transform=PLACE, **made, **profile) as target:
        target.write(array)
    return path


def test_a_scene_tells_its_band_values_and_none_outside_or_without_data(project: Project, tmp_path: Path) -> None:
    array = np.random.default_rng(3).integers(1, 4000, (2, 40, 60)).astype(np.uint16)
    array[:, 5, 6] = 0
    layer = make_imagery(project, write(tmp_path / "scene.tif", array, nodata=0))
    for row, col in ((0, 0), (39, 59), (20, 31)):
        told = asked(layer, *lonlat(row + 0.5, col + 0.5)).json()
        assert told["values"] == array[:, row, col].tolist()
        assert told["class"] is None
        assert len(told["band_names"]) == 2
    for place in (lonlat(5.5, 6.5), lonlat(-0.5, 3), lonlat(3, 60.5), (0, 0), (180, -90)):
        assert asked(layer, *place).json()["values"] == [None, None]


def test_a_class_raster_names_the_class_also_while_it_grows(project: Project) -> None:
    grid = BlockGrid(40, 60, tuple(PLACE)[:6], rasterio.CRS.from_epsg(32633).to_wkt(), 32)
    folder = BlockFolder.create(Path(settings.SCRATCH_DIR) / "job" / "blocks", grid)
    layer = make_imagery(
        project,
        kind="class_raster",
        state="building",
        blocks_path="job/blocks",
        classes=CLASSES,
        bands=[{"name": "class"}],
    )
    block = np.full((32, 32), 7, np.uint8)
    block[0, 0], block[0, 1] = 0, NODATA
    folder.write_block(0, grid.window(0), block)
    assert asked(layer, *lonlat(9.5, 9.5)).json()["class"] == CLASSES[1]
    background = asked(layer, *lonlat(0.5, 0.5)).json()
    assert (background["values"], background["class"]) == ([0], None)
    for unknown in (lonlat(0.5, 1.5), lonlat(9.5, 40.5), lonlat(-3, 0)):
        assert asked(layer, *unknown).json()["values"] == [None]
    folder.assemble(Path(settings.MEDIA_DIR) / "classes.tif", colours={})
    ImageryLayer.objects.filter(pk=layer.pk).update(analysis_path="classes.tif", blocks_path="")
    assert asked(layer, *lonlat(9.5, 9.5)).json()["class"] == CLASSES[1]
    assert asked(layer, *lonlat(9.5, 40.5)).json()["values"] == [None]


@pytest.mark.parametrize("place", [("", "1"), ("x", "1"), ("nan", "1"), ("181", "0"), ("0", "91")])
def test_a_place_that_is_none_is_refused(project: Project, place: tuple[str, str]) -> None:
    assert asked(make_imagery(project), *place).status_code == 400


def test_strangers_learn_nothing_except_through_a_shared_map(project: Project, tmp_path: Path) -> None:
    layer = make_imagery(project, write(tmp_path / "scene.tif", np.full((1, 4, 4), 9, np.uint8)))
    made = maps.create_map(project=project, name="Town", user=None, layers=[layer, make_layer(project)])
    pixels, features = made.layers.order_by("position")
    lon, lat = lonlat(1.5, 1.5)
    urls = [f"/api/maps/{made.pk}/layers/{row.pk}/point?lon={lon}&lat={lat}" for row in (pixels, features)]
    assert asked(layer, lon, lat, "zoe").status_code == 404
    assert client_for(make_user("zoe")).get(urls[0]).status_code == 404
    maps.share(map=made, share="link", user=make_user("ana"))
    assert client_for(None).get(urls[0]).json()["values"] == [9]
    assert client_for(None).get(urls[1]).status_code == 404


def test_a_missing_file_is_told_as_such(project: Project) -> None:
    layer = make_imagery(project, analysis_path="gone.tif")
    assert asked(layer, 85.52, 27.63).status_code == 503
