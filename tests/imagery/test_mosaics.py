"""Mosaics through the API and the tile edge: pixels against the scenes' own, versions, who may, MosaicJSON."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from django.conf import settings
from django.test import Client
from PIL import Image

from tests.factories import client_for, make_imagery, make_project, make_user
from tests.imagery.test_tiles import ask, token
from tests.raster.conftest import MakeRaster, make_raster  # noqa: F401
from webapp.housekeeping import projects
from webapp.imagery import mosaic_jobs, services, tile_work
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project
from webapp.raster.display import write_display_cog
from webapp.raster.render import Rendering
from webapp.raster.statistics import Gatherer
from webapp.raster.tiff import TileFile

pytestmark = pytest.mark.django_db(transaction=True)
# Whole Web Mercator tiles of zoom 17: pixels of the scenes are pixels of the tiles.
Z, X, Y = 17, 70_000, 45_000
HALF_M = 20_037_508.342789244
PIXEL_M = 2 * HALF_M / 2**Z / 256
RNG = np.random.default_rng(8)
LON, LAT = 12.2575, 49.49305  # within the second tile, where two scenes overlap


@pytest.fixture
def project() -> Project:
    return make_project(make_user("ana"), labeler=make_user("ben"), viewer=make_user("eve"))


@pytest.fixture
def ana(project: Project) -> Client:
    return client_for(make_user("ana"))


def ramp(low: int, high: int) -> np.ndarray:
    """Return (3, 256, 512) that WebP keeps nearly as it is."""
    rows, cols = np.mgrid[0:256, 0:512]
    return np.stack([low + (high - low) * part for part in (rows / 255, cols / 511, (rows + cols) / 766)]).astype(
        np.uint8
    )


class MakeScene:
    """Makes scenes of two tiles side by side, the first of which is `X + col`."""

    def __init__(self, make: MakeRaster, project: Project, folder: Path) -> None:
        self._make, self._project, self._folder = make, project, folder

    def __call__(self, array: np.ndarray, col: int = 0, *, name: str = "scene", **values: Any) -> ImageryLayer:
        corner = Affine(PIXEL_M, 0, (X + col) * 256 * PIXEL_M - HALF_M, 0, -PIXEL_M, HALF_M - Y * 256 * PIXEL_M)
        path = self._make(array, f"{name}.tif", crs="EPSG:3857", transform=corner, tiled=True)
        gatherer = Gatherer(len(array), str(array.dtype), array[0].size, has_nodata=False)
        gatherer.add(array, np.ones(array.shape[1:], bool))
        bands = [{"name": f"B{n}", **found.as_json()} for n, found in enumerate(gatherer.result(), 1)]
        display = Path(settings.MEDIA_DIR) / f"{name}-display.tif"
        rendering = Rendering(tuple(range(1, len(array) + 1)))
        write_display_cog(path, display, rendering, progress=lambda *_: None)
        defaults = {"rendering": {"bands": list(rendering.bands), "stretch": None}, "display_path": display.name}
        return make_imagery(self._project, path, **{"name": name, "bands": bands, "max_zoom": Z, **defaults, **values})


@pytest.fixture
def scene(make_raster: MakeRaster, project: Project, tmp_path: Path) -> MakeScene:  # noqa: F811
    return MakeScene(make_raster, project, tmp_path)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Overviews hold a sixteenth of the pixels, as those of large mosaics do."""
    monkeypatch.setattr(mosaic_jobs, "factor_of", lambda mosaic: 4)


def make(
    client: Client, project: Project, scenes: list[ImageryLayer], *, run: bool = True, **values: Any
) -> ImageryLayer:
    body = {"project": str(project.pk), "name": "All", "scenes": [str(row.pk) for row in scenes], **values}
    reply = client.post("/api/mosaics/", body, content_type="application/json")
    assert reply.status_code == 201, reply.json()
    return made_ready(ImageryLayer.objects.get(pk=reply.json()["id"]), run=run)


def made_ready(layer: ImageryLayer, *, run: bool = True) -> ImageryLayer:
    layer.refresh_from_db()
    if run:
        job = layer.job
        assert job is not None
        run_now(job)
        assert job.state == Job.State.SUCCEEDED, job.error
        layer.refresh_from_db()
        assert layer.state == "ready"
    tile_work.forget()
    return layer


def tile(layer: ImageryLayer, x: int, y: int = Y, z: int = Z, *, form: str = "webp", words: str = "") -> Any:
    path = f"/tiles/imagery/{layer.pk}/{layer.version}/{z}/{x}/{y}.{form}"
    return ask(path, query="&".join(filter(None, (token(layer), words))))


def pixels(body: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)).convert(mode)).astype(int)


def own(scene: ImageryLayer, x: int) -> bytes:
    return TileFile(Path(settings.MEDIA_DIR) / scene.display_path).tile(Z, x, Y)


def patch(client: Client, layer: ImageryLayer, **values: Any) -> Any:
    return client.patch(f"/api/imagery/{layer.pk}/mosaic", values, content_type="application/json")


def test_a_tile_of_one_scene_leaves_as_its_stored_bytes_and_overlaps_follow_the_rule(
    ana: Client, project: Project, scene: MakeScene, coarse: None
) -> None:
    first, second = scene(ramp(20, 120), name="first"), scene(ramp(200, 90), 1, name="second")
    layer = make(ana, project, [first, second], rule="first")
    assert (layer.version, layer.max_zoom, layer.width, layer.height) == (2, Z, 768, 256)
    assert [tile(layer, X + at).body for at in range(3)] == [own(first, X), own(first, X + 1), own(second, X + 2)]
    assert pixels(tile(layer, X + 3).body, "RGBA")[..., 3].max() == 0
    above, below = pixels(own(first, X + 1)), pixels(own(second, X + 1))
    for rule, expected in (
        ("mean", (above + below) / 2),
        ("highest", np.maximum(above, below)),
        ("lowest", np.minimum(above, below)),
    ):
        assert patch(ana, layer, rule=rule).status_code == 200
        made_ready(layer)
        got = pixels(tile(layer, X + 1, form="png").body)
        assert np.abs(got - expected).max() <= 1, rule
        assert tile(layer, X).body == own(first, X)


def test_low_zooms_come_from_the_overview_alone(
    ana: Client, project: Project, scene: MakeScene, coarse: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = scene(ramp(20, 120), name="first"), scene(ramp(200, 90), 1, name="second")
    layer = make(ana, project, [first, second], rule="first")
    overview = TileFile(Path(settings.MEDIA_DIR) / layer.display_path)
    assert overview.max_zoom == Z - 2
    opened: list[str] = []
    get = tile_work.files.get
    monkeypatch.setattr(tile_work.files, "get", lambda path: opened.append(path.name) or get(path))
    reply = tile(layer, X >> 2, Y >> 2, Z - 2)
    assert reply.body == overview.tile(Z - 2, X >> 2, Y >> 2)
    assert set(opened) <= {Path(layer.display_path).name}
    # What it shows is the scenes, four by four pixels averaged.
    whole = np.concatenate([pixels(own(first, X)), pixels(own(first, X + 1)), pixels(own(second, X + 2))], axis=1)
    small = whole.reshape(64, 4, 192, 4, 3).mean(axis=(1, 3))
    top, left = (Y % 4) * 64, (X % 4) * 64
    got = pixels(reply.body)[top : top + 64, left : left + 192]
    assert np.abs(got - small)[2:-2, 2:-2].mean() < 3


def test_a_small_mosaic_is_one_file_at_all_zooms(ana: Client, project: Project, scene: MakeScene) -> None:
    first, second = scene(ramp(20, 120), name="first"), scene(ramp(200, 90), 1, name="second")
    layer = make(ana, project, [first, second], rule="first")
    file = TileFile(Path(settings.MEDIA_DIR) / layer.display_path)
    assert (file.max_zoom, tile(layer, X + 2).body) == (Z, file.tile(Z, X + 2, Y))
    assert np.abs(pixels(tile(layer, X + 2).body) - pixels(own(second, X + 2))).mean() < 3


def test_words_are_drawn_over_the_whole_mosaic(ana: Client, project: Project, scene: MakeScene, coarse: None) -> None:
    low, high = (RNG.integers(*span, (2, 256, 512)).astype(np.uint16) for span in ((100, 2000), (1500, 9000)))
    looks = [{"bands": [1], "stretch": [[100, 2000]]}, {"bands": [1], "stretch": [[1500, 9000]]}]
    first, second = scene(low, name="low", rendering=looks[0]), scene(high, 1, name="high", rendering=looks[1])
    layer = make(ana, project, [first, second], rule="mean")
    both = np.concatenate([low[0].ravel(), high[0].ravel()]).astype(float)
    band = layer.bands[0]
    assert (band["min"], band["max"]) == (both.min(), both.max())
    assert (band["mean"], band["std"]) == pytest.approx((both.mean(), both.std()), rel=1e-6)
    assert (band["p2"], band["p98"]) == pytest.approx(tuple(np.percentile(both, (2, 98))), abs=40)
    assert layer.rendering == {"bands": [1], "stretch": [[band["p2"], band["p98"]]]}
    mean = (low[:, :, 256:].astype(float) + high[:, :, :256]) / 2
    got = pixels(tile(layer, X + 1, form="png", words="bidx=2&rescale=0,9000").body, "L")
    assert np.abs(got - np.clip(mean[1] * 255 / 9000 + 0.5, 0, 255).astype(int)).max() <= 1
    # By itself each scene is stretched otherwise: the mosaic's own look is one for all.
    plain = pixels(tile(layer, X + 2, form="png").body, "L")
    wanted = np.clip((high[0, :, 256:] - band["p2"]) * 255 / (band["p98"] - band["p2"]), 0, 255)
    assert np.abs(plain - wanted).max() <= 2
    found = ana.get(f"/api/imagery/{layer.pk}/statistics").json()
    assert found["b1"]["mean"] == pytest.approx(both.mean(), rel=1e-6)
    picture = ana.get(f"/api/imagery/{layer.pk}/preview.png?bidx=1&max_size=768")
    assert (picture.status_code, Image.open(io.BytesIO(picture.content)).size) == (200, (768, 256))


def test_a_place_tells_its_scenes_to_identify_wms_and_stac(ana: Client, project: Project, scene: MakeScene) -> None:
    first = scene(np.full((1, 256, 512), 10, np.uint8), name="first", acquired_at="2024-01-01T00:00:00Z")
    second = scene(np.full((1, 256, 512), 30, np.uint8), 1, name="second", acquired_at="2025-01-01T00:00:00Z")
    layer = make(ana, project, [first, second])
    west, south, east, north = layer.footprint.extent
    lon, lat = (west + east) / 2, (south + north) / 2
    found = ana.get(f"/api/imagery/{layer.pk}/point?lon={lon}&lat={lat}").json()
    assert (found["values"], [row["name"] for row in found["scenes"]]) == ([30], ["second", "first"])
    box = f"{lon - 1e-4},{lat - 1e-4},{lon + 1e-4},{lat + 1e-4}"
    info = ana.get(
        f"/ogc/wms?service=WMS&version=1.3.0&request=GetFeatureInfo&layers={layer.pk}&query_layers={layer.pk}&styles="
        f"&crs=CRS:84&bbox={box}&width=3&height=3&i=1&j=1&info_format=text/plain"
    )
    assert "Scene: second, first" in info.content.decode()
    item = ana.get(f"/stac/collections/{project.pk}/items/{layer.pk}").json()
    assert [link["href"].split("/")[-1] for link in item["links"] if link["rel"] == "derived_from"] == [
        str(first.pk), str(second.pk)
    ]  # fmt: skip
    assert item["properties"]["start_datetime"] == "2024-01-01T00:00:00Z"
    assert (set(item["assets"]), ana.get(f"/stac/files/{layer.pk}.tif").status_code) == (
        {"mosaic", "thumbnail", "page"}, 404,
    )  # fmt: skip


def test_the_version_changes_with_the_list_the_dates_and_the_scenes(
    ana: Client, project: Project, scene: MakeScene, coarse: None
) -> None:
    first = scene(ramp(20, 120), name="first", acquired_at="2024-01-01T00:00:00Z")
    second = scene(ramp(200, 90), 1, name="second")
    layer = make(ana, project, [second, first], rule="newest")
    assert tile(layer, X + 1).body == own(first, X + 1)
    dated = ana.patch(f"/api/imagery/{second.pk}/", {"acquired_at": "2024-02-01"}, content_type="application/json")
    assert dated.status_code == 200
    assert made_ready(layer).version == 4
    assert tile(layer, X + 1).body == own(second, X + 1)
    stale = layer.job
    assert patch(ana, layer, scenes=[str(first.pk)]).status_code == 200
    layer.refresh_from_db()
    assert (layer.version, layer.state, layer.width, layer.display_path) == (5, "building", 512, "")
    # From near by it is seen at once, and a job for another list changes nothing any more.
    tile_work.forget()
    assert tile(layer, X).body == own(first, X)
    services.bump(first)
    layer.refresh_from_db()
    assert (layer.version, layer.job != stale) == (6, True)
    assert Job.objects.filter(kind="mosaic", state=Job.State.CANCELLED).count() == 1
    made_ready(layer)
    assert (layer.version, pixels(tile(layer, X + 2).body, "RGBA")[..., 3].max()) == (7, 0)


def test_a_scene_in_a_mosaic_is_not_deleted(ana: Client, project: Project, scene: MakeScene) -> None:
    first, second = scene(ramp(20, 120), name="first"), scene(ramp(200, 90), 1, name="second")
    layer = make(ana, project, [first, second])
    refused = ana.delete(f"/api/imagery/{first.pk}/")
    assert refused.status_code == 409
    assert refused.json()["details"]["used_by"] == [{"kind": "mosaic", "name": "All", "url": f"/imagery/{layer.pk}/"}]
    assert patch(ana, layer, scenes=[str(second.pk)]).status_code == 200
    made_ready(layer)
    assert ana.delete(f"/api/imagery/{first.pk}/").status_code == 204
    files = [Path(settings.MEDIA_DIR) / name for name in (layer.analysis_path, layer.display_path)]
    assert all(file.is_file() for file in files)
    assert ana.delete(f"/api/imagery/{layer.pk}/").status_code == 204
    assert not any(file.exists() for file in files)
    assert ImageryLayer.objects.filter(pk=second.pk).exists()


def test_a_project_goes_with_its_mosaics_and_their_files(ana: Client, project: Project, scene: MakeScene) -> None:
    layer = make(ana, project, [scene(ramp(20, 120), name="first")])
    names = (layer.analysis_path, layer.display_path, layer.mosaic.overview_path)
    files = [Path(settings.MEDIA_DIR) / name for name in names]
    assert all(file.is_file() for file in files)
    projects.delete(project=project, user=make_user("ana"), name=project.name)
    assert not ImageryLayer.objects.exists()
    assert not any(file.exists() for file in files)


def test_only_scenes_of_the_project_that_fit_are_taken_and_only_by_its_labelers(
    ana: Client, project: Project, scene: MakeScene
) -> None:
    first = scene(ramp(20, 120), name="first")
    grey = scene(ramp(20, 120)[:1], name="grey")
    other = make_imagery(make_project(make_user("ana")))
    body = {"project": str(project.pk), "name": "All", "scenes": [str(first.pk)]}

    def answer(client: Client, **values: Any) -> tuple[int, str, str]:
        reply = client.post("/api/mosaics/", {**body, **values}, content_type="application/json")
        return reply.status_code, reply.json().get("code", ""), reply.json().get("message", "")

    assert answer(client_for(make_user("eve")))[0] == 403
    assert answer(client_for(make_user("zoe")))[0] == 404
    assert answer(client_for(None))[0] == 401
    assert answer(ana, scenes=[str(first.pk), str(other.pk)])[1] == "scene_unknown"
    assert answer(ana, scenes=[str(first.pk)] * 2)[1] == "scene_twice"
    assert answer(ana, rule="best")[0] == 400
    status, code, message = answer(ana, scenes=[str(first.pk), str(grey.pk)])
    assert (status, code, message.startswith("'grey' has the bands")) == (400, "bands_differ", True)
    layer = make(client_for(make_user("ben")), project, [first], run=False)
    assert answer(ana, scenes=[str(first.pk), str(layer.pk)])[1] == "no_scene"
    assert patch(client_for(make_user("eve")), layer, rule="first").status_code == 403
    assert client_for(make_user("eve")).get(f"/api/imagery/{layer.pk}/mosaic").json()["rule"] == "newest"
    assert client_for(make_user("zoe")).get(f"/api/imagery/{layer.pk}/mosaic.json").status_code == 404
    assert ana.get(f"/api/imagery/{first.pk}/mosaic").status_code == 404


def test_mosaicjson_goes_out_and_comes_in_again(ana: Client, project: Project, scene: MakeScene) -> None:
    first, second = scene(ramp(20, 120), name="first"), scene(ramp(200, 90), 1, name="second")
    layer = make(ana, project, [second, first], rule="first", run=False)
    found = ana.get(f"/api/imagery/{layer.pk}/mosaic.json").json()
    assert (found["mosaicjson"], found["asset_type"], found["data_type"]) == ("0.0.3", "COG", "uint8")
    assert found["minzoom"] <= found["quadkey_zoom"] <= found["maxzoom"] == Z
    keys = {key: [asset[:36] for asset in assets] for key, assets in found["tiles"].items()}
    assert {len(key) for key in keys} == {found["quadkey_zoom"]}
    names = {str(first.pk): "first", str(second.pk): "second"}
    # At zoom 17 the three tiles of one row, in the order in which the scenes lie on each other.
    assert sorted([names[pk] for pk in assets] for assets in keys.values()) == [
        ["first"], ["second"], ["second", "first"],
    ]  # fmt: skip
    again = ana.post(
        "/api/mosaics/", {"project": str(project.pk), "mosaicjson": json.dumps(found)}, content_type="application/json"
    )
    assert again.status_code == 201, again.json()
    assert (again.json()["name"], again.json()["mosaic"]["rule"]) == ("All", "first")
    assert [row["name"] for row in again.json()["mosaic"]["scenes"]] == ["second", "first"]
    ImageryLayer.objects.filter(pk=first.pk).update(remote={"url": "https://example.com/first.tif"})
    mixed = ana.get(f"/api/imagery/{layer.pk}/mosaic.json").json()
    assert ("asset_prefix" in mixed, {asset for assets in mixed["tiles"].values() for asset in assets}) == (
        False,
        {"https://example.com/first.tif", f"http://testserver/stac/files/{second.pk}.tif"},
    )
    body = {"project": str(project.pk), "mosaicjson": mixed, "name": "Mixed"}
    assert ana.post("/api/mosaics/", body, content_type="application/json").status_code == 201
    key = next(iter(found["tiles"]))
    strange = {**found, "asset_prefix": "", "tiles": {key: ["https://example.com/a.tif", f"/imagery/{first.pk}/"]}}
    refused = ana.post(
        "/api/mosaics/", {"project": str(project.pk), "mosaicjson": strange}, content_type="application/json"
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "asset_unknown")
    assert refused.json()["details"]["assets"] == ["https://example.com/a.tif"]
    for broken in ("{", {"mosaicjson": "9"}, {"mosaicjson": "0.0.3", "tiles": {"0": "x"}}):
        reply = ana.post(
            "/api/mosaics/", {"project": str(project.pk), "mosaicjson": broken}, content_type="application/json"
        )
        assert (reply.status_code, reply.json()["code"]) == (400, "mosaicjson_invalid")


def test_whose_imagery_it_is_follows_the_list_unless_somebody_wrote_it(
    ana: Client, project: Project, scene: MakeScene, coarse: None
) -> None:
    city = scene(ramp(20, 120), name="first", attribution="© City")
    state = scene(ramp(20, 120), 1, name="second", attribution="© State")
    layer = make(ana, project, [city], run=False)
    patch(ana, layer, scenes=[str(city.pk), str(state.pk)])
    layer.refresh_from_db()
    assert layer.attribution == "© City; © State"
    ImageryLayer.objects.filter(pk=layer.pk).update(attribution="© Us")
    patch(ana, layer, scenes=[str(state.pk)])
    layer.refresh_from_db()
    assert layer.attribution == "© Us"
