"""Running a model in the browser: choose, draw where, follow, see the result."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from inference.models import Inference
from tests import factories
from tests.browser.driver import PHONE, Pages, wait_until
from tests.inference.scene import make_package
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project, User

Screenshot = Callable[..., Path]


@pytest.fixture
def scene(ana: User, ingest: Callable[[Project, User, Path], ImageryLayer], osbs: Path) -> ImageryLayer:
    """A real scene with a pixel classifier and a detector of random weights beside it."""
    project = factories.make_project(ana)
    for task in ("classify_pixels", "detect_objects"):
        make_package(project, osbs, task)
    return ingest(project, ana, osbs)


def fits(page: Page) -> bool:
    """Return whether nothing is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_model_is_run_inside_an_extent_drawn_on_the_map(
    open_page: Pages, scene: ImageryLayer, ana: User, screenshot: Screenshot
) -> None:
    page = open_page(ana)
    page.goto(f"/inferences/new?imagery={scene.pk}")
    page.get_by_label("Model").select_option(label=f"Random unet ({scene.project.name})")
    expect(page.get_by_text("The model fits this imagery.")).to_be_visible()
    expect(page.get_by_text("1 block, 0.2 Mpx")).to_be_visible()
    page.get_by_role("button", name="Draw an extent").click()
    box = page.locator(".inference-map").bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for across, down in ((-90, -80), (90, -80), (90, 80)):
        page.mouse.click(middle[0] + across, middle[1] + down)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Only inside the extent.")).to_be_visible()
    page.get_by_label("Minimum area").fill("0.5")
    expect(page.get_by_text("The model fits this imagery.")).to_be_visible()
    screenshot(page, "inference-new", full_page=True)
    page.get_by_role("button", name="Run the model").click()
    page.wait_for_url(re.compile(r"/inferences/[0-9a-f-]{36}/"))
    row = Inference.objects.get()
    assert row.extent is not None
    assert len(row.extent.coords[0]) == 4
    assert row.settings["asked"]["min_area_m2"] == 0.5
    expect(page.get_by_text("Nothing yet")).to_be_visible()

    assert row.job is not None
    assert run_now(row.job).state == Job.State.SUCCEEDED
    expect(page.get_by_text("1 of 1 stored")).to_be_visible()
    expect(page.get_by_role("link", name="Random unet on OSBS_029: classes")).to_be_visible()
    screenshot(page, "inference", full_page=True)
    page.get_by_role("link", name="Open the map").click()
    page.wait_for_url(re.compile(r"/maps/[0-9a-f-]{36}/"))
    wait_until(lambda: page.locator(".leaflet-tile-loaded").count() > 0, what="tiles of the result")
    for title in ("Polygons", "Classes", "OSBS_029"):
        expect(page.get_by_text(title, exact=True).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    screenshot(page, "inference-map")


def test_the_form_says_why_a_model_does_not_fit(open_page: Pages, scene: ImageryLayer, ana: User) -> None:
    scene.project.packages.update(resolution_m=10.0)
    page = open_page(ana)
    page.goto(f"/inferences/new?imagery={scene.pk}")
    expect(page.get_by_text("the package was trained on 10 m")).to_be_visible()
    expect(page.get_by_role("button", name="Run the model")).to_be_disabled()


def test_by_keyboard_what_is_seen_is_the_extent(open_page: Pages, scene: ImageryLayer, ana: User) -> None:
    page = open_page(ana)
    page.goto(f"/inferences/new?imagery={scene.pk}")
    page.get_by_role("button", name="Use the current view").press("Enter")
    expect(page.get_by_text("Only inside the extent.")).to_be_visible()
    page.get_by_role("button", name="Whole imagery").press("Enter")
    expect(page.get_by_text("The whole imagery.", exact=True)).to_be_visible()
    page.get_by_label("Model").select_option(label=f"Random retinanet ({scene.project.name})")
    page.get_by_label("Score threshold").fill("")
    expect(page.get_by_text("The threshold is a number from 0 to 1.")).to_be_visible()
    expect(page.get_by_role("button", name="Run the model")).to_be_disabled()
    page.get_by_label("Score threshold").fill("0.9")
    run = page.get_by_role("button", name="Run the model")
    expect(run).to_be_enabled()
    run.press("Enter")
    page.wait_for_url(re.compile(r"/inferences/[0-9a-f-]{36}/"))
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(page.get_by_text("No result was kept")).to_be_visible()
    expect(page.get_by_role("link", name="Run it again")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_the_form_fits_a_phone_and_the_dark(
    open_page: Pages, scene: ImageryLayer, ana: User, screenshot: Screenshot, dark: bool
) -> None:
    page = open_page(ana, size=PHONE, dark=dark)
    page.goto(f"/inferences/new?imagery={scene.pk}")
    expect(page.get_by_text("The model fits this imagery.")).to_be_visible()
    assert fits(page)
    screenshot(page, f"inference-new-phone-{'dark' if dark else 'light'}", full_page=True)


def test_without_imagery_the_form_says_what_to_do(open_page: Pages) -> None:
    page = open_page(factories.make_user("new"))
    page.goto("/inferences/new")
    expect(page.get_by_text("No imagery yet")).to_be_visible()
    expect(page.get_by_role("link", name="Upload imagery")).to_be_visible()
