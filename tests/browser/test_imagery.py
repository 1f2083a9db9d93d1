"""Bringing imagery in and looking at it, in a real browser with a real worker."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.driver import PHONE, Pages, wait_until
from tests.factories import make_project
from webapp.imagery.models import ImageryLayer, Upload
from webapp.projects.models import User

Screenshot = Callable[..., None]
Worker = subprocess.Popen[bytes]


def choose(page: Page, *files: Path) -> None:
    """Choose files as in the file dialog."""
    page.get_by_label("Choose files").set_input_files(list(files))


def test_a_geotiff_is_uploaded_read_and_shown_with_its_facts(
    open_page: Pages, worker: Worker, ana: User, osbs: Path, screenshot: Screenshot
) -> None:
    make_project(ana)
    page = open_page(ana)
    page.goto("/imagery/upload")
    page.get_by_label("Attribution").fill("NEON")
    choose(page, osbs)
    page.get_by_role("button", name="Upload 1 file").click()
    page.get_by_role("link", name="Open", exact=True).click(timeout=60_000)
    expect(page.get_by_role("heading", name="OSBS_029")).to_be_visible()
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    expect(page.get_by_text("400 × 400 pixels")).to_be_visible()
    expect(page.get_by_text("EPSG:32617")).to_be_visible()
    expect(page.get_by_role("img", name="Histogram of red")).to_be_visible()
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("NEON")
    screenshot(page, "imagery")
    phone = open_page(ana, size=PHONE, dark=True)
    phone.goto(ImageryLayer.objects.get().pk and f"/imagery/{ImageryLayer.objects.get().pk}/")
    expect(phone.locator("img.leaflet-tile-loaded").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    screenshot(phone, "imagery-phone", full_page=True)


def test_a_picture_is_placed_by_hand_and_the_page_says_that_its_place_is_assumed(
    open_page: Pages, worker: Worker, ana: User, osbs: Path, screenshot: Screenshot
) -> None:
    make_project(ana)
    page = open_page(ana)
    page.goto("/imagery/upload")
    choose(page, osbs.with_name("SOAP_061.png"))
    expect(page.get_by_text("A PNG or JPEG does not say where it lies.")).to_be_visible()
    expect(page.get_by_role("button", name="Upload 1 file")).to_have_count(0)
    page.get_by_label("Position on Earth").select_option("centre")
    page.get_by_label("Longitude").fill("-119.26")
    page.get_by_label("Latitude").fill("37.03")
    page.get_by_label("Metres per pixel").fill("0.1")
    screenshot(page, "imagery-upload")
    page.get_by_role("button", name="Upload 1 file").click()
    page.get_by_role("link", name="Open", exact=True).click(timeout=60_000)
    expect(page.get_by_text("Its place on Earth is assumed.")).to_be_visible()
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()


def test_a_file_that_cannot_be_taken_says_what_to_do_and_may_be_tried_again(
    open_page: Pages, worker: Worker, ana: User, tmp_path: Path, screenshot: Screenshot
) -> None:
    make_project(ana)
    path = tmp_path / "site.tif"
    path.write_bytes(b"II*\x00 no picture at all" * 100)
    page = open_page(ana)
    page.goto("/imagery/upload")
    choose(page, path)
    page.get_by_role("button", name="Upload 1 file").click()
    expect(page.get_by_role("alert")).to_contain_text("'site.tif' is damaged", timeout=60_000)
    expect(page.get_by_role("alert")).to_contain_text("Export it again")
    screenshot(page, "imagery-upload-refused")
    page.get_by_role("button", name="Change and try again").click()
    expect(page.get_by_label("Position on Earth")).to_be_visible()
    wait_until(lambda: not Upload.objects.exists(), what="the upload to be gone")


def test_a_paused_upload_goes_on_after_a_reload_with_the_same_file(
    open_page: Pages, worker: Worker, ana: User, tmp_path: Path
) -> None:
    make_project(ana)
    path = tmp_path / "large.tif"
    path.write_bytes(b"II*\x00" + bytes(range(256)) * 12_000)
    page = open_page(ana)
    pieces: list[int] = []

    def count(route: Route) -> None:
        pieces.append(int(route.request.headers.get("upload-offset", "-1")))
        if len(pieces) == 2:
            page.get_by_role("button", name="Pause").dispatch_event("click")
        route.continue_()

    page.route(
        "**/api/uploads/*/", lambda route: count(route) if route.request.method == "PATCH" else route.continue_()
    )
    page.goto("/imagery/upload")
    choose(page, path)
    page.get_by_role("button", name="Upload 1 file").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    received = Upload.objects.get().received_bytes
    assert 0 < received < path.stat().st_size
    page.unroute("**/api/uploads/*/")
    page.reload()
    expect(page.get_by_text("Unfinished uploads")).to_be_visible()
    choose(page, path)
    page.get_by_role("button", name="Go on").click()
    # It is no picture, so the job refuses it: but every byte had come.
    expect(page.get_by_role("alert")).to_contain_text("damaged", timeout=60_000)
    wait_until(lambda: not Upload.objects.exists(), what="the upload to be gone")


@pytest.mark.usefixtures("worker")
def test_imagery_leads_to_labels_maps_and_its_end(
    open_page: Pages, ana: User, osbs: Path, ingest: Callable[..., ImageryLayer]
) -> None:
    layer = ingest(make_project(ana), ana, osbs)
    page = open_page(ana)
    page.goto(f"/imagery/{layer.pk}/")
    page.get_by_role("button", name="Add to a map").click()
    page.get_by_role("button", name="Create map").click()
    page.wait_for_url("**/maps/*/**")
    page.goto(f"/imagery/{layer.pk}/")
    page.get_by_role("button", name="Label on it").click()
    page.get_by_role("button", name="Create label set").click()
    page.wait_for_url("**/label/*/**")
    page.goto(f"/imagery/{layer.pk}/")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit details").click()
    page.get_by_label("Name").fill("Another name")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Another name")).to_be_visible()
