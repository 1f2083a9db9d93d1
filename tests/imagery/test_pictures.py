"""Rendering words on tiles and under TiTiler's addresses, saved renderings, statistics: against numpy on the pixels."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from django.test import Client
from PIL import Image

from tests.factories import client_for, make_imagery, make_project, make_user
from tests.imagery.test_tiles import ask, token
from tests.raster.conftest import MakeRaster, make_raster  # noqa: F401
from webapp.imagery import tile_work, tiles
from webapp.imagery.models import ImageryLayer
from webapp.raster.statistics import Gatherer

pytestmark = pytest.mark.django_db(transaction=True)
# Whole Web Mercator tiles of zoom 17: pixels of the raster are pixels of the tiles.
Z, X, Y = 17, 70_000, 45_000
PIXEL_M = 2 * 20_037_508.342789244 / 2**Z / 256
CORNER = Affine(
    PIXEL_M, 0, X * 256 * PIXEL_M - 20_037_508.342789244, 0, -PIXEL_M, 20_037_508.342789244 - Y * 256 * PIXEL_M
)
RNG = np.random.default_rng(8)
ARRAY = np.stack([RNG.integers(500, 4000, (512, 512)), RNG.integers(100, 9000, (512, 512))]).astype(np.uint16)


@pytest.fixture
def layer(make_raster: MakeRaster) -> ImageryLayer:  # noqa: F811
    path = make_raster(ARRAY, crs="EPSG:3857", transform=CORNER, tiled=True, blockxsize=256, blockysize=256)
    gatherer = Gatherer(2, "uint16", ARRAY[0].size, has_nodata=False)
    gatherer.add(ARRAY, np.ones(ARRAY.shape[1:], bool))
    bands = [{"name": f"B{n}", **found.as_json()} for n, found in enumerate(gatherer.result(), 1)]
    project = make_project(make_user("ana"), viewer=make_user("eve"))
    return make_imagery(project, path, bands=bands, rendering={"bands": [1], "stretch": [[500, 4000]]})


@pytest.fixture
def ana(layer: ImageryLayer) -> Client:
    return client_for(make_user("ana"))


def tile(layer: ImageryLayer, words: str, *, form: str = "png", at: str = f"{Z}/{X}/{Y}", **headers: str) -> Any:
    return ask(
        f"/tiles/imagery/{layer.pk}/{layer.version}/{at}.{form}", query=f"{token(layer)}&{words}", headers=headers
    )


def pixels(body: bytes, mode: str = "RGBA") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)).convert(mode)).astype(int)


def test_a_band_is_stretched_exactly(layer: ImageryLayer) -> None:
    reply = tile(layer, "bidx=2&rescale=100,9000")
    expected = np.clip((ARRAY[1, :256, :256] - 100.0) * 255 / 8900 + 0.5, 0, 255).astype(int)
    assert np.abs(pixels(reply.body, "L") - expected).max() <= 1
    assert (reply.headers["content-type"], "immutable" in reply.headers["cache-control"]) == ("image/png", True)


def test_band_math_goes_through_a_colour_map(layer: ImageryLayer) -> None:
    from webapp.raster.colours import colormap

    reply = tile(layer, "expression=(b2-b1)/(b2%2Bb1)&rescale=-1,1&colormap_name=rdylgn")
    first, second = ARRAY[:, :256, :256].astype(float)
    index = np.clip(((second - first) / (second + first) + 1) * 127.5 + 0.5, 0, 255).astype(int)
    off = np.abs(pixels(reply.body)[..., :3] - colormap("rdylgn")[index][..., :3].astype(int)).max(axis=2)
    assert Image.open(io.BytesIO(reply.body)).mode == "P"
    # float32 may fall to the other side of a step: one entry of the map further.
    assert (off > 8).mean() < 1e-3


def test_the_same_tile_is_drawn_once_and_revalidated(layer: ImageryLayer, django_assert_num_queries: Any) -> None:
    words = "bidx=1&rescale=0,4000"
    first = tile(layer, words)
    with django_assert_num_queries(0):
        again = tile(layer, words)
        held = tile(layer, words, **{"if-none-match": first.headers["etag"]})
    assert (again.body, held.status, held.body) == (first.body, 304, b"")
    assert tiles.cache.hits >= 2
    assert tile(layer, "bidx=1&rescale=0,3000").headers["etag"] != first.headers["etag"]


def test_twice_the_resolution_is_the_four_tiles_below(layer: ImageryLayer) -> None:
    large = pixels(tile(layer, "bidx=1&rescale=0,4000", at=f"{Z - 1}/{X // 2}/{Y // 2}@2x").body, "L")
    assert large.shape == (512, 512)
    small = pixels(tile(layer, "bidx=1&rescale=0,4000").body, "L")
    np.testing.assert_array_equal(large[:256, :256], small)


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ("bidx=3", "bidx"),
        ("expression=b1%2Bb9&rescale=0,1", "expression"),
        ("expression=b1*2", "rescale"),
        ("algorithm=nosuch", "algorithm"),
        ("rendering=nosuch", "rendering"),
        ("url=/etc/passwd", "url"),
    ],
)
def test_bad_words_are_named(layer: ImageryLayer, words: str, word: str) -> None:
    reply = tile(layer, words)
    body = json.loads(reply.body)
    assert (reply.status, body["details"]["word"], bool(body["fix"])) == (400, word, True)


def test_a_saved_rendering_is_drawn_under_its_name_and_changes_at_once(layer: ImageryLayer, ana: Client) -> None:
    address = f"/api/imagery/{layer.pk}/renderings"
    made = ana.post(address, {"name": "dark", "words": {"bidx": 1, "rescale": "0,60000"}}, "application/json")
    assert (made.status_code, made.json()["words"]) == (201, {"bidx": ["1"], "rescale": ["0,60000"]})
    assert "rendering=dark" in made.json()["tiles"]
    again = ana.post(address, {"name": "dark", "words": {}}, "application/json")
    bad = ana.post(address, {"name": "x", "words": {"bidx": 7}}, "application/json")
    assert (again.status_code, bad.status_code, bad.json()["details"]["word"]) == (409, 400, "bidx")
    assert ana.post(address, {"name": "../x", "words": {}}, "application/json").status_code == 400
    dark = tile(layer, "rendering=dark")
    assert (pixels(dark.body, "L").max() < 20, dark.headers["cache-control"]) == (True, "private, no-cache")
    assert tile(layer, "rendering=dark", **{"if-none-match": dark.headers["etag"]}).status == 304
    ana.patch(f"{address}/dark", {"words": {"bidx": 1, "rescale": "0,600"}}, "application/json")
    tile_work.forget()  # five seconds later
    bright = tile(layer, "rendering=dark", **{"if-none-match": dark.headers["etag"]})
    assert (bright.status, pixels(bright.body, "L").min() > 200) == (200, True)
    assert client_for(make_user("eve")).post(address, {"name": "y", "words": {}}, "application/json").status_code == 403
    assert ana.delete(f"{address}/dark").status_code == 204
    assert ana.get(address).json() == {"results": []}


def test_statistics_are_those_of_the_pixels(layer: ImageryLayer, ana: Client) -> None:
    whole = ana.get(f"/api/imagery/{layer.pk}/statistics").json()
    assert whole["b2"]["exact"]
    assert (whole["b1"]["min"], whole["b1"]["max"]) == (float(ARRAY[0].min()), float(ARRAY[0].max()))
    part = ARRAY[:, 128:256, :128].astype(float)
    west, north = CORNER @ (0, 128)
    east, south = CORNER @ (128, 256)
    view = f"bbox={west},{south},{east},{north}&coord_crs=EPSG:3857&max_size=128"
    band = ana.get(f"/api/imagery/{layer.pk}/statistics?bidx=2&{view}").json()["b2"]
    assert (band["count"], band["min"], band["max"]) == (128 * 128, part[1].min(), part[1].max())
    assert band["mean"] == pytest.approx(part[1].mean())
    ratio = ana.get(f"/api/imagery/{layer.pk}/statistics?expression=b1/b2&{view}").json()["b1/b2"]
    assert ratio["median"] == pytest.approx(np.median(part[0] / part[1]), rel=1e-5)
    ranges = ana.get(f"/api/imagery/{layer.pk}/stretch?bidx=1&kind=percentile,5,95&{view}").json()["rescale"]
    np.testing.assert_allclose(ranges[0], np.percentile(part[0], [5, 95]), atol=15)
    stored = ana.get(f"/api/imagery/{layer.pk}/stretch?kind=minmax").json()["rescale"]
    assert stored == [[float(ARRAY[0].min()), float(ARRAY[0].max())]]
    away = ana.get(f"/api/imagery/{layer.pk}/stretch?bbox=0,0,1,1")
    assert (away.status_code, away.json()["code"]) == (400, "view_empty")


def test_preview_box_and_point_show_the_same_pixels(layer: ImageryLayer, ana: Client) -> None:
    base = f"/api/imagery/{layer.pk}"
    preview = ana.get(f"{base}/preview.png?bidx=1&rescale=0,4000&max_size=512")
    expected = np.clip(ARRAY[0] * 255.0 / 4000 + 0.5, 0, 255).astype(int)
    assert np.abs(pixels(preview.content, "L") - expected).max() <= 1
    assert ana.get(f"{base}/preview?max_size=64").headers["content-type"] == "image/png"
    assert ana.get(f"{base}/preview.png", headers={"if-none-match": "x"}).status_code == 200
    west, north = CORNER @ (100, 60)
    east, south = CORNER @ (140, 90)
    box = f"{base}/bbox/{west},{south},{east},{north}/40x30.png?coord_crs=EPSG:3857&bidx=1&rescale=0,4000"
    assert np.abs(pixels(ana.get(box).content, "L") - expected[60:90, 100:140]).max() <= 1
    assert ana.get(f"{base}/bbox/1,1,0,0.png").status_code == 400
    assert ana.get(f"{base}/bbox/0,0,1,1/9000x9000.png").status_code == 400
    assert ana.get(f"{base}/preview.gif").status_code == 400
    from pyproj import Transformer

    lon, lat = Transformer.from_crs(3857, 4326, always_xy=True).transform(*(CORNER @ (100.5, 60.5)))
    point = ana.get(f"{base}/point?lon={lon}&lat={lat}&expression=b1%2Bb2").json()
    assert point["values"] == [float(ARRAY[:, 60, 100].astype(int).sum())]
    assert ana.get(f"{base}/point?lon={lon}&lat={lat}&bidx=2").json()["values"] == [int(ARRAY[1, 60, 100])]


def test_class_rasters_keep_their_exact_colours_also_warped(make_raster: MakeRaster, tmp_path: Path) -> None:  # noqa: F811
    classes = np.where(np.arange(300)[None, :] < 150, 1, 2).astype(np.uint8)[None].repeat(300, axis=1)
    path = make_raster(classes)
    project = make_project(make_user("ana"))
    table = [{"value": 1, "name": "A", "colour": "#1b9e77"}, {"value": 2, "name": "B", "colour": "#d95f02"}]
    layer = make_imagery(project, path, kind="class_raster", classes=table)
    west, south, east, north = layer.footprint.extent
    address = f"/api/imagery/{layer.pk}/bbox/{west},{south},{east},{north}.png?max_size=300&resampling=bilinear"
    picture = pixels(client_for(make_user("ana")).get(address).content)
    shown = {tuple(pixel) for pixel in picture[picture[..., 3] > 0]}
    assert shown == {(0x1B, 0x9E, 0x77, 255), (0xD9, 0x5F, 0x02, 255)}
