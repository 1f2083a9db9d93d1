"""Making a mosaic and changing its list, in a real browser with a real worker."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.browser.driver import PHONE, Pages, wait_until
from tests.factories import make_project
from tests.imagery.test_mosaics import MakeScene, ramp
from tests.raster.conftest import MakeRaster, make_raster  # noqa: F401
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import User

Screenshot = Callable[..., None]
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
    # From the moment that the list is saved until the overview is there the page says so, before it asks again, too.
    held: list[Route] = []
    page.route("**/api/imagery/*/", lambda route: route.continue_() if held else held.append(route))
    page.get_by_role("button", name="Save the list").click()
    expect(page.get_by_text("Overview being made")).to_be_visible()
    wait_until(lambda: held, what="the page to ask for the layer", page=page)
    held[0].continue_()
    expect(page.get_by_text("Overview being made")).to_have_count(0)
    layer = ImageryLayer.objects.get(kind="mosaic")
    assert (layer.state, layer.scenes.count(), layer.mosaic.rule) == ("ready", 2, "first")
    expect(page.get_by_role("heading", name="2 scenes")).to_be_visible()
    expect(page.locator("path.footprint")).to_have_count(2)
    screenshot(page, "mosaic")
    phone = open_page(ana, size=PHONE, dark=True)
    phone.goto(layer.get_absolute_url())
    expect(phone.locator("img.leaflet-tile-loaded").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    screenshot(phone, "mosaic-phone", full_page=True)
