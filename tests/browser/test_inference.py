"""Running a model in the browser: choose, draw where, follow, see the result."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from inference import services
from inference.jobs import SHOW_EVERY_S
from inference.models import Block, Inference
from inference.specs import Settings
from tests import factories
from tests.browser.driver import PHONE, Pages, wait_until
from tests.inference.scene import make_package
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project, User

Screenshot = Callable[..., None]


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


# How many pixels of the class raster's tiles are drawn; every finished block adds some.
PAINTED = """(id) => [...document.querySelectorAll("img.leaflet-tile-loaded")]
    .filter((tile) => tile.src.includes(id) && tile.complete && tile.naturalWidth > 0)
    .reduce((sum, tile) => {
        const canvas = new OffscreenCanvas(tile.naturalWidth, tile.naturalHeight);
        const pen = canvas.getContext("2d");
        pen.drawImage(tile, 0, 0);
        return sum + pen.getImageData(0, 0, canvas.width, canvas.height).data.filter((v, i) => i % 4 === 3 && v).length;
    }, 0)"""


@contextmanager
def halted(row: Inference, *, blocks: int) -> Iterator[None]:
    """Hold the job still, once so many blocks are stored: its guard waits for the row that we lock."""
    wait_until(lambda: Block.objects.filter(inference=row).count() >= blocks, timeout_s=240, what=f"{blocks} blocks")
    with transaction.atomic():
        job = Job.objects.select_for_update(no_key=True).get(pk=row.job_id)
        assert job.finished_at is None, "too late: it is done"
        row.refresh_from_db()
        yield


@pytest.mark.timeout(420)
def test_an_open_map_shows_blocks_and_polygons_while_the_job_runs(
    open_page: Pages,
    scene: ImageryLayer,
    ana: User,
    worker: subprocess.Popen[bytes],
    screenshot: Screenshot,
) -> None:
    """The worker is a real process; the test only holds it still where it looks."""
    asked = {"core_px": 64, "block_px": 64, "halo_px": 32, "simplify_px": 0}
    row = services.start(
        project=scene.project,
        user=ana,
        package=scene.project.packages.get(task="classify_pixels"),
        imagery=scene,
        extent=None,
        settings=Settings.parse(asked, task="classify_pixels"),
    )
    page = open_page(ana)
    page.goto(f"/maps/{row.map_id}/")
    page.evaluate("window.neverReloaded = true")
    painted = 0
    for blocks in (4, 20):
        with halted(row, blocks=blocks):
            layer, before = str(row.result_imagery_id), painted
            wait_until(
                lambda: page.evaluate(PAINTED, layer) > before,  # noqa: B023
                what=f"more of the class raster at {blocks} blocks",
            )
            seen_at = time.monotonic()
            expect(page.get_by_text("Growing while its job runs").first).to_be_visible()
            painted = page.evaluate(PAINTED, layer)
            screenshot(page, f"inference-growing-{blocks}")
            # Open maps are told once in two seconds, counted from before we saw it: the next block after that is told.
            wait_until(lambda: time.monotonic() > seen_at + SHOW_EVERY_S, what="the next telling", page=page)  # noqa: B023
    with halted(row, blocks=row.blocks_total + 1):
        expect(page.locator("li.layer", has_text="Polygons").locator(".legend .numeric").first).not_to_have_text("0")
        wait_until(
            lambda: page.evaluate(PAINTED, layer) > painted, what="the last blocks, before the raster is written"
        )
    expect(page.get_by_text("Growing while its job runs")).to_have_count(0, timeout=90_000)
    classes = page.locator("li.layer", has_text="Classes").get_by_label("Classes", exact=True)
    expect(classes.get_by_text(re.compile(r"Tree.*m² · [\d.]+ %"))).to_be_visible()
    assert page.evaluate("window.neverReloaded")
    screenshot(page, "inference-grown")


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
    page.get_by_label("Score threshold").fill("0.87")  # between two steps of the arrow keys
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
