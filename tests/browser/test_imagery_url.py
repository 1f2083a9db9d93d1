"""Imagery of another server: looked at, added, seen, and told when it changes there. And of a folder of our own."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from labeling.services import create_label_set
from tests.browser.driver import PHONE, Pages, Site
from tests.browser.labels import Labels
from tests.factories import make_project
from tests.remote.holed import holed
from tests.remote.server import Site as FileServer
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import User

Screenshot = Callable[..., None]


def test_a_folders_raster_is_taken_and_a_cog_added_by_its_url_until_it_changes(
    open_page: Pages, site: Site, file_server: FileServer, ana: User, data: Path, osbs: Path, screenshot: Screenshot
) -> None:
    make_project(ana)
    folder = site.log.parent / "import"
    (folder / "2018 Ordway-Swisher, flights of the second week").mkdir(exist_ok=True)
    shutil.copyfile(osbs, folder / osbs.name)
    # Refused addresses and tiles of a changed file are answered with errors, which a console repeats.
    page = open_page(ana, allow=("status of 400", "status of 502"))
    file_server.files["banepa.tif"] = (data / "banepa" / "banepa_full_cog.tif").read_bytes()
    file_server.files["rows.tif"] = (data / "banepa" / "banepa_train.tif").read_bytes()
    visual = {"href": "banepa.tif", "type": "image/tiff", "roles": ["visual"], "title": "True colour"}
    file_server.files["item.json"] = json.dumps(
        {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": "banepa",
            "properties": {"datetime": "2024-05-31T10:00:00Z", "license": "CC-BY-4.0", "title": "Banepa by drone"},
            "assets": {"visual": visual, "away": {"href": "https://elsewhere.example.org/a.tif"}},
        }
    ).encode()
    page.goto("/imagery/upload?from=folder")
    page.get_by_role("checkbox", name=osbs.name).check()
    screenshot(page, "imagery-folder")
    page.get_by_role("button", name="Add 1 file").click()
    expect(page.get_by_text("0 of 1 file taken")).to_be_visible()
    page.get_by_role("tab", name="From a URL").click()
    address = page.get_by_label("Address of a COG or a STAC item")
    address.fill("https://elsewhere.example.org/a.tif")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("alert")).to_contain_text("QUADRAT_REMOTE_HOSTS")
    screenshot(page, "imagery-url-refused")
    address.fill(file_server.url("rows.tif"))
    address.press("Enter")
    expect(page.get_by_text("has no overviews")).to_be_visible()
    expect(page.get_by_label("The file").get_by_role("option")).to_have_count(1)
    screenshot(page, "imagery-url-copy")
    address.fill(file_server.url("item.json"))
    address.press("Enter")
    expect(page.get_by_role("checkbox", name="True colour")).to_be_checked()
    expect(page.get_by_role("checkbox", name="away")).to_be_disabled()
    expect(page.get_by_role("img", name="Small picture of banepa.tif")).to_be_visible()
    expect(page.get_by_text("11,264 × 8,704 pixels")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Banepa by drone")
    screenshot(page, "imagery-url-item", full_page=True)
    page.get_by_role("button", name="Add imagery").click()
    page.get_by_role("link", name="Open", exact=True).click()
    expect(page.get_by_role("heading", name="Banepa by drone")).to_be_visible()
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    expect(page.get_by_text("Unchanged")).to_be_visible()
    screenshot(page, "imagery-url-layer", full_page=True)
    layer = ImageryLayer.objects.get()
    file_server.files["banepa.tif"] += b"more"
    page.reload()
    expect(page.get_by_text("has changed on its server").first).to_be_visible()
    # What was drawn before is still right; what is not drawn yet says why it cannot be.
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_function("() => document.querySelector('.leaflet-zoom-anim') === null")
    expect(page.locator(".toast").first).to_contain_text("has changed on its server")
    screenshot(page, "imagery-url-changed")
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_text("Unchanged")).to_be_visible()
    phone = open_page(ana, size=PHONE, dark=True)
    phone.goto(f"/imagery/upload?from=url&project={layer.project_id}")
    phone.get_by_label("Address of a COG or a STAC item").fill(file_server.url("banepa.tif"))
    phone.get_by_role("button", name="Look").click()
    expect(phone.get_by_role("img", name="Small picture of banepa.tif")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    screenshot(phone, "imagery-url-phone", full_page=True)


# How long the first tile took, in milliseconds.
FIRST_TILE = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => /\\/tiles\\//.test(name)).sort((a, b) => a.responseEnd - b.responseEnd)[0]?.duration"""


def test_a_cog_of_over_two_gigabytes_is_drawn_on_in_true_coordinates_where_it_lies(
    open_page: Pages, file_server: FileServer, ana: User, data: Path, record_property: Callable[[str, object], None]
) -> None:
    project = make_project(ana)
    page = open_page(ana)
    file_server.files["large.tif"] = holed((data / "banepa" / "banepa_full_cog.tif").read_bytes(), 2_200_000_000)
    page.goto("/imagery/upload?from=url")
    page.get_by_label("Address of a COG or a STAC item").fill(file_server.url("large.tif"))
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_text("11,264 × 8,704 pixels")).to_be_visible()
    page.get_by_role("button", name="Add imagery").click()
    expect(page.get_by_role("link", name="Open", exact=True)).to_be_visible()
    layer = ImageryLayer.objects.get()
    classes = [(1, "Roof", "#1b9e77")]
    labels = Labels(page, create_label_set(project=project, name="Roofs", imagery=layer, classes=classes, user=ana))
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    first_ms = page.evaluate(FIRST_TILE)
    record_property("first_tile_ms", first_ms)
    assert first_ms < 2_000
    labels.zoom_in(steps=5)
    # A pixel of the screen is half a pixel of the imagery by now, or less.
    zoom = float(page.url.partition("#")[2].split("/")[0])
    seen_m = 40_075_017 * math.cos(math.radians(27.63)) / 256 / 2**zoom
    assert seen_m < layer.gsd_m / 2 * 1.02
    labels.key("b")
    labels.drag((300, 200), (420, 300))
    labels.saved(1)
    told = page.request.get(f"/api/layers/{labels.label_set.layer_id}/export.geojson").json()
    corners = told["features"][0]["geometry"]["coordinates"][0]
    for wanted in ((300, 200), (420, 200), (420, 300), (300, 300)):
        assert min(labels.distance_px(corner, wanted) for corner in corners) <= 1
    # Of the gigabytes nearly nothing was read.
    assert file_server.sent < 40_000_000
