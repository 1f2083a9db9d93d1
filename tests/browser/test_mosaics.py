"""Making a mosaic and changing its list, in a real browser with a real worker."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.driver import PHONE, Pages, wait_until
from tests.factories import make_project
from tests.imagery.test_mosaics import MakeScene, ramp
from tests.raster.conftest import MakeRaster, make_raster  # noqa: F401
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import User

Screenshot = Callable[..., Path]
Worker = subprocess.Popen[bytes]


def test_scenes_are_put_together_reordered_and_taken_out(
    open_page: Pages,
    worker: Worker,
    ana: User,
    make_raster: MakeRaster,  # noqa: F811
    tmp_path: Path,
    screenshot: Screenshot,
) -> None:
    project = make_project(ana)
    scene = MakeScene(make_raster, project, tmp_path)
    for col, name in enumerate(("Flight one", "Flight two", "Flight three")):
        scene(ramp(20 + 60 * col, 200), col, name=name)
    page = open_page(ana)
    page.goto("/?kind=imagery")
    page.get_by_role("link", name="New mosaic").click()
    page.get_by_label("Name").fill("All flights")
    page.get_by_role("button", name="Add scenes").click()
    page.get_by_label("Search by name").fill("flight")
    page.get_by_label("All 3 shown").check()
    page.get_by_role("button", name="Add 3 scenes").click()
    expect(page.locator("path.footprint")).to_have_count(3)
    page.get_by_label("Where scenes overlap").select_option("first")
    page.get_by_role("button", name="Move Flight one up").click()
    expect(page.get_by_role("button", name="Move Flight one up")).to_be_focused()
    screenshot(page, "mosaic-new")
    page.get_by_role("button", name="Create mosaic").click()
    expect(page.get_by_role("heading", name="All flights")).to_be_visible()
    # The worker makes the overview, and the page shows the mosaic's next version.
    expect(page.get_by_text("Overview being made")).to_have_count(0)
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    rows = page.get_by_role("list", name="Scenes, the first on top").get_by_role("link")
    expect(rows).to_have_text(["Flight three", "Flight one", "Flight two"])
    page.get_by_role("button", name="Take Flight two out").click()
    page.get_by_role("button", name="Save the list").click()
    expect(page.get_by_role("heading", name="2 scenes")).to_be_visible()
    expect(page.locator("path.footprint")).to_have_count(2)
    expect(page.get_by_text("Overview being made")).to_have_count(0)
    screenshot(page, "mosaic")
    layer = ImageryLayer.objects.get(kind="mosaic")
    assert (layer.scenes.count(), layer.mosaic.rule) == (2, "first")
    wait_until(lambda: ImageryLayer.objects.get(pk=layer.pk).state == "ready", what="the overview", page=page)
    phone = open_page(ana, size=PHONE, dark=True)
    phone.goto(layer.get_absolute_url())
    expect(phone.locator("img.leaflet-tile-loaded").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    screenshot(phone, "mosaic-phone", full_page=True)
