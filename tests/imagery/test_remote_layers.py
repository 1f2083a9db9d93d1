"""Imagery that stays on another server is added, drawn, asked and labelled like imagery that lies here."""

import json
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from scipy.ndimage import gaussian_filter
from shapely.geometry import box

from tests.factories import client_for, make_project, make_user
from tests.imagery.test_tiles import ask, token, url
from tests.remote.server import Site, allowed, hurried, serving
from training.chips import Label
from training.export import Order, export
from training.formats import ClassName
from webapp.imagery import mosaics, selectors, tiles
from webapp.imagery.models import ImageryLayer, Upload
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project
from webapp.raster.canvas import tile_canvas
from webapp.raster.read import Reader
from webapp.raster.readers import open_raster
from webapp.raster.warp import read_onto
from webapp.raster.windows import Window
from webapp.remote import client as far
from webapp.remote import files

pytestmark = pytest.mark.django_db(transaction=True)
UTM = Affine(0.5, 0, 500_000, 0, -0.5, 4_649_000)


@pytest.fixture(scope="module")
def cog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A COG with noise in it, so that it does not pack well: 2.5 MB."""
    path = tmp_path_factory.mktemp("cog") / "town.tif"
    noise = np.random.default_rng(5).integers(0, 255, (3, 1400, 1800)).astype(np.float32)
    array = (gaussian_filter(noise, (0, 3, 3)) * 3 % 255).astype(np.uint8)
    shape: dict[str, Any] = {"count": 3, "height": 1400, "width": 1800, "dtype": "uint8"}
    with rasterio.open(
        path, "w", driver="COG", crs="EPSG:32633", transform=UTM, nodata=0, blocksize=256, compress="deflate", **shape
    ) as target:
        target.write(np.maximum(array, 1))
    return path


@pytest.fixture(scope="module")
def server() -> Iterator[Site]:
    """One address for all tests: a file that was looked at once is known."""
    with serving() as found:
        yield found


@pytest.fixture
def site(server: Site, cog: Path) -> Iterator[Site]:
    server.reset()
    with allowed(server):
        server.files["scenes/town.tif"] = cog.read_bytes()
        yield server


@pytest.fixture
def project() -> Project:
    return make_project(make_user("ana"), viewer=make_user("eve"))


@pytest.fixture
def browser(project: Project) -> Client:
    return client_for(make_user("ana"))


def post(browser: Client, path: str, **body: Any) -> Any:
    return browser.post(f"/api/imagery/{path}", json.dumps(body), content_type="application/json")


@pytest.fixture
def layer(site: Site, browser: Client, project: Project) -> ImageryLayer:
    added = post(browser, "remote", project=str(project.pk), url=site.url("scenes/town.tif"), options={"name": "Town"})
    assert added.status_code == 201, added.json()
    return selectors.layer(added.json()["id"])


def test_a_look_tells_what_is_there_and_reads_little_of_it(site: Site, browser: Client, project: Project) -> None:
    found = post(browser, "remote/look", project=str(project.pk), url=site.url("scenes/town.tif")).json()
    assert (found["kind"], found["width"], found["height"], found["epsg"]) == ("raster", 1800, 1400, 32633)
    assert (found["compression"], found["problem"], found["bands"]) == (
        "Deflate",
        None,
        [f"Band {number}" for number in (1, 2, 3)],
    )
    assert found["picture"].startswith("data:image/webp;base64,")
    assert site.sent < 0.35 * found["size_bytes"]


def test_a_layer_by_url_has_the_facts_of_the_file(layer: ImageryLayer, site: Site, cog: Path) -> None:
    assert (layer.name, layer.kind, layer.display_path, layer.dtype, layer.nodata) == ("Town", "scene", "", "uint8", 0)
    assert layer.gsd_m == pytest.approx(0.5, rel=1e-3)
    assert layer.remote["url"] == site.url("scenes/town.tif")
    with Reader(cog) as reader:
        chip = reader.read(reader.whole)
    # A quarter of the pixels was counted.
    assert layer.bands[0]["mean"] == pytest.approx(chip.array[0].mean(), abs=1.0)
    assert layer.bands[0]["sampled"] is True
    assert layer.footprint is not None and layer.footprint.valid  # noqa: PT018
    stored = [path.stat().st_size for path in Path(settings.MEDIA_DIR).rglob("*") if path.is_file()]
    assert sum(stored) < 1000


def middle(layer: ImageryLayer, z: int) -> tuple[int, int]:
    lon, lat = layer.footprint.centroid.coords
    x = int((lon + 180) / 360 * 2**z)
    y = int((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**z)
    return x, y


@pytest.mark.parametrize("up", [0, 1, 3])
def test_a_tile_shows_the_pixels_of_the_file_and_costs_a_part_of_it(
    layer: ImageryLayer, site: Site, cog: Path, up: int
) -> None:
    z = layer.max_zoom - up
    x, y = middle(layer, z)
    files.forget()
    site.log.clear()
    reply = ask(url(layer, z, x, y, "png"), query=token(layer))
    assert (reply.status, reply.headers["content-type"]) == (200, "image/png")
    with rasterio.MemoryFile(reply.body) as memory, memory.open() as found:
        shown = found.read()
    with Reader(cog) as reader:
        expected = read_onto(reader, tile_canvas(z, x, y, 256), (1, 2, 3), resampling="bilinear")
    assert np.array_equal(shown[:3][:, expected.valid], expected.array[:, expected.valid])
    assert expected.valid.mean() > 0.2
    assert site.sent < 0.4 * cog.stat().st_size
    site.log.clear()
    again = ask(url(layer, z, x, y, "png"), query=token(layer), headers={"if-none-match": reply.headers["etag"]})
    assert (again.status, site.log) == (304, [])


def test_rendering_words_identify_tilejson_wms_and_stac_work(layer: ImageryLayer, browser: Client, cog: Path) -> None:
    z = layer.max_zoom
    x, y = middle(layer, z)
    drawn = ask(
        url(layer, z, x, y), query=f"{token(layer)}&expression=(b1-b2)/(b1%2Bb2)&rescale=-1,1&colormap_name=viridis"
    )
    assert drawn.status == 200
    lon, lat = layer.footprint.centroid.coords
    told = browser.get(f"/api/imagery/{layer.pk}/point?lon={lon}&lat={lat}").json()
    with rasterio.open(cog) as source:
        xs, ys = rasterio.warp.transform("EPSG:4326", source.crs, [lon], [lat])
        assert told["values"] == [int(value) for value in next(source.sample([(xs[0], ys[0])]))]
    assert browser.get(f"/api/imagery/{layer.pk}/tilejson.json").json()["maxzoom"] == z
    assert browser.get(f"/api/imagery/{layer.pk}/preview.png").status_code == 200
    item = browser.get(f"/stac/collections/{layer.project_id}/items/{layer.pk}").json()
    assert item["assets"]["data"]["href"] == layer.remote["url"]
    assert browser.get(f"/stac/files/{layer.pk}.tif").status_code == 404


@pytest.mark.parametrize(("manner", "status", "code"), [("stall", 504, "source_slow"), ("cut", 502, "source_cut_off")])
def test_a_tile_whose_server_fails_says_so(
    layer: ImageryLayer, site: Site, manner: str, status: int, code: str
) -> None:
    files.forget()
    site.manner = manner
    x, y = middle(layer, layer.max_zoom)
    with hurried(0.4 if manner == "stall" else 20.0):
        reply = ask(url(layer, layer.max_zoom, x, y), query=token(layer))
    told = json.loads(reply.body)
    assert (reply.status, told["code"], bool(told["fix"])) == (status, code, True)
    assert reply.headers["cache-control"] == "no-store"


def test_a_server_that_stalls_holds_up_no_tile_of_another_layer(layer: ImageryLayer, site: Site) -> None:
    files.forget()
    site.manner = "stall"
    x, y = middle(layer, layer.max_zoom)
    waiting = [
        threading.Thread(target=ask, args=(url(layer, layer.max_zoom, x + step, y),), kwargs={"query": token(layer)})
        for step in range(6)
    ]
    with hurried():
        for thread in waiting:
            thread.start()
        # Done by the threads that draw what lies here: none of them waits.
        began = [tiles._threads.submit(threading.get_ident) for _ in range(tiles.THREADS)]
        for done in began:
            done.result(timeout=5)
        assert any(thread.is_alive() for thread in waiting)
        for thread in waiting:
            thread.join(10)
    assert not any(thread.is_alive() for thread in waiting)


def test_a_file_that_changed_is_told_and_can_be_read_again(
    layer: ImageryLayer, site: Site, browser: Client, cog: Path
) -> None:
    source = f"/api/imagery/{layer.pk}/source"
    assert browser.get(source).json()["state"] == "same"
    site.files["scenes/town.tif"] = cog.read_bytes() + b"more"
    assert browser.get(source).json()["state"] == "changed"
    files.forget()
    x, y = middle(layer, layer.max_zoom)
    reply = ask(url(layer, layer.max_zoom, x, y), query=token(layer))
    assert (reply.status, json.loads(reply.body)["code"]) == (502, "source_changed")
    fresh = browser.post(source).json()
    assert fresh["version"] == layer.version + 1
    layer.refresh_from_db()
    assert ask(url(layer, layer.max_zoom, x, y), query=token(layer)).status == 200
    site.manner = "404"
    far.forget()
    assert browser.get(source).json()["state"] == "unreachable"
    assert client_for(make_user("eve")).post(source).status_code == 403


def test_a_layer_whose_server_is_named_no_more_says_so(layer: ImageryLayer, site: Site) -> None:
    files.forget()
    x, y = middle(layer, layer.max_zoom)
    with allowed(Site(port=1)):
        reply = ask(url(layer, layer.max_zoom, x, y), query=token(layer))
    assert json.loads(reply.body)["code"] == "host_not_allowed"


def test_a_file_that_is_no_cog_is_refused_with_a_way_out_that_works(
    site: Site, browser: Client, project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "rows.tif"
    shape: dict[str, Any] = {"count": 1, "height": 1100, "width": 60, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32633", transform=UTM, **shape) as target:
        target.write(np.arange(66_000).astype(np.uint8).reshape(1, 1100, 60))
    site.files["rows.tif"] = path.read_bytes()
    body = {"project": str(project.pk), "url": site.url("rows.tif")}
    looked = post(browser, "remote/look", **body).json()
    assert (looked["problem"]["code"], looked["height"]) == ("not_cog", 1100)
    refused = post(browser, "remote", **body)
    assert (refused.status_code, refused.json()["code"]) == (400, "not_cog")
    site.manner = "whole"
    job = Job.objects.get(pk=post(browser, "remote", mode="copy", options={"name": "Rows"}, **body).json()["job"])
    assert "url" not in json.dumps(job.spec)
    ended = run_now(job)
    assert (ended.state, ended.error_message) == ("succeeded", "")
    copied = ImageryLayer.objects.get(pk=ended.result["imagery"])
    with Reader(selectors.analysis_file(copied)) as here, Reader(path) as there:
        assert np.array_equal(here.read(here.whole).array, there.read(there.whole).array)
    assert copied.remote == {}


def test_chips_for_training_are_those_of_the_file(layer: ImageryLayer, cog: Path, tmp_path: Path) -> None:
    lon, lat = layer.footprint.centroid.coords
    labels = [Label(box(lon - 1e-4, lat - 1e-4, lon + 1e-4, lat + 1e-4), 1)]

    def chips(imagery: Path, folder: Path) -> dict[str, bytes]:
        extent = box(lon - 1e-3, lat - 1e-3, lon + 1e-3, lat + 1e-3)
        classes = (ClassName(1, "Roof", "#ff0000"),)
        order = Order(imagery, labels, classes, "Classified_Tiles", extent=extent, validation=0.0)
        export(order, folder, progress=lambda fraction, message: None)
        return {path.name: path.read_bytes() for path in sorted((folder / "images").iterdir())}

    found = chips(selectors.analysis_file(layer), tmp_path / "far")
    assert found
    assert found == chips(cog, tmp_path / "near")


def test_a_mosaic_takes_it_like_any_scene(layer: ImageryLayer, site: Site) -> None:
    owner = make_user("ana")
    mosaic = mosaics.create(project=layer.project, user=owner, name="Both", scenes=[layer.pk], rule="first")
    z = layer.max_zoom
    x, y = middle(layer, z)
    assert ask(url(mosaic, z, x, y), query=token(mosaic)).status == 200
    files.forget()
    site.manner = "404"
    told = ask(url(mosaic, z, x + 1, y), query=token(mosaic))
    assert json.loads(told.body)["code"] == "source_missing"


def test_a_command_adds_a_file_by_its_url(site: Site, project: Project) -> None:
    told = StringIO()
    call_command("ingest", site.url("scenes/town.tif"), "--json", "--name", "By command", stdout=told)
    assert ImageryLayer.objects.get(pk=json.loads(told.getvalue())["imagery"]).name == "By command"
    with pytest.raises(CommandError, match="QUADRAT_REMOTE_HOSTS"):
        call_command("ingest", "https://elsewhere.example.org/a.tif")


def test_a_copy_that_breaks_off_leaves_nothing(site: Site, browser: Client, project: Project) -> None:
    body = {"project": str(project.pk), "url": site.url("scenes/town.tif"), "mode": "copy"}
    job = Job.objects.get(pk=post(browser, "remote", **body).json()["job"])
    site.manner = "cut"
    ended = run_now(job)
    assert (ended.state, ended.error_code) == ("failed", "source_cut_off")
    assert not Upload.objects.exists()
    assert list(Path(settings.QUARANTINE_DIR).rglob("*")) == []


def test_what_cannot_be_added_is_refused(site: Site, browser: Client, project: Project) -> None:
    for body, status, code in (
        ({"url": "https://elsewhere.example.org/a.tif"}, 400, "host_not_allowed"),
        ({"url": "http://169.254.169.254/latest/"}, 400, "host_not_allowed"),
        ({"url": ""}, 400, "bad_url"),
        ({"url": 7}, 400, "bad_url"),
        ({"mode": "steal"}, 400, "invalid"),
        ({"project": "x"}, 404, "not_found"),
        ({"bands": "red"}, 400, "invalid"),
        ({"options": {"nodata": 0}}, 400, "invalid"),
    ):
        whole = {"project": str(project.pk), "url": site.url("scenes/town.tif"), **body}
        answer = post(browser, "remote", **whole)
        assert (answer.status_code, answer.json()["code"]) == (status, code), body
    assert not ImageryLayer.objects.exists()


def test_a_viewer_asks_no_server(site: Site, project: Project) -> None:
    eve = client_for(make_user("eve"))
    body = {"project": str(project.pk), "url": site.url("scenes/town.tif")}
    assert post(eve, "remote/look", **body).status_code == 403
    assert post(eve, "remote", **body).status_code == 403
    assert site.log == []


def test_a_signature_in_the_address_is_used_and_never_shown(site: Site, browser: Client, project: Project) -> None:
    added = post(browser, "remote", project=str(project.pk), url=site.url("scenes/town.tif?sig=hidden"))
    layer = selectors.layer(added.json()["id"])
    assert "hidden" not in json.dumps(added.json())
    assert "hidden" not in browser.get(f"/stac/collections/{project.pk}/items/{layer.pk}").content.decode()
    with open_raster(selectors.analysis_file(layer)) as reader:
        assert reader.read(Window(0, 0, 8, 8)).array.any()


def test_a_stac_item_offers_its_rasters(site: Site, browser: Client, project: Project) -> None:
    site.files["scenes/item.json"] = json.dumps(
        {
            "type": "Feature",
            "stac_version": "1.1.0",
            "id": "S2_1",
            "properties": {
                "title": "Town in May",
                "datetime": "2024-05-31T10:00:00Z",
                "license": "CC-BY-4.0",
                "providers": [{"name": "City", "roles": ["producer"]}],
            },
            "assets": {
                "thumb": {"href": "./thumb.png", "type": "image/png", "roles": ["thumbnail"]},
                "visual": {
                    "href": "./town.tif",
                    "type": "image/tiff; application=geotiff; profile=cloud-optimized",
                    "bands": [{"name": "B04", "eo:common_name": "red"}, {"name": "B03"}, {"name": "B02"}],
                },
                "away": {"href": "https://elsewhere.example.org/b.tif", "type": "image/tiff"},
            },
            "links": [],
        }
    ).encode()
    found = post(browser, "remote/look", project=str(project.pk), url=site.url("scenes/item.json")).json()
    assert (found["kind"], found["title"], found["datetime"]) == ("item", "Town in May", "2024-05-31T10:00:00Z")
    assert found["attribution"] == "© City, CC-BY-4.0"
    visual, away = found["assets"]
    assert (visual["key"], visual["url"], visual["bands"]) == (
        "visual",
        site.url("scenes/town.tif"),
        ["red", "B03", "B02"],
    )
    assert (away["key"], away["problem"]["code"]) == ("away", "host_not_allowed")
    options = {"name": found["title"], "attribution": found["attribution"], "acquired_at": found["datetime"]}
    added = post(
        browser,
        "remote",
        project=str(project.pk),
        url=visual["url"],
        options=options,
        bands=visual["bands"],
        item=site.url("scenes/item.json"),
    ).json()
    assert (added["attribution"], added["acquired_at"][:10]) == ("© City, CC-BY-4.0", "2024-05-31")
    assert [band["name"] for band in added["bands"]] == ["red", "B03", "B02"]
    assert added["remote"]["item"] == site.url("scenes/item.json")
