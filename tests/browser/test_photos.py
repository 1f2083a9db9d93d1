"""Photos in a real browser: a folder sent, one placed by hand, one opened from a map."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.driver import PHONE, Pages, wait_until
from tests.factories import make_project, make_user
from tests.photos.make import jpeg
from webapp.photos.models import Photo


def clicked(page: Page, place: tuple[float, float], told: Locator) -> bool:
    """Click on the map unless the popup is there; the point may be drawn a moment later."""
    if told.count() == 0:
        page.mouse.click(*place)
    return told.count() > 0


@pytest.mark.usefixtures("worker")
def test_photos_are_sent_placed_and_opened_from_a_map(
    open_page: Pages, screenshot: Callable[..., None], tmp_path: Path
) -> None:
    ana = make_user("ana")
    project = make_project(ana)
    bad = tmp_path / "broken.jpg"
    bad.write_bytes(b"\xff\xd8\xff" + bytes(50))
    text = tmp_path / "notes.txt"
    text.write_text("not a photo")
    files = [
        jpeg(tmp_path / "DJI_0019.jpg", lat=53.9196, lon=27.5754, direction=126, size=(800, 450)),
        jpeg(tmp_path / "a photo with a long name of the river bank 2024-05-06.jpg", no_gps=True, size=(450, 800)),
        bad,
        text,
    ]
    page = open_page(ana, allow=("403",))
    page.goto(f"/photos/new?project={project.pk}")
    page.get_by_label("Name").fill("Flight")
    page.get_by_role("button", name="Make the set").click()
    expect(page.get_by_text("No photos yet")).to_be_visible()

    def not_now(route: Route) -> None:
        """Refuse the first photo: three are sent side by side, and any of them may arrive first."""
        if route.request.post_data_buffer == files[0].read_bytes():
            route.fulfill(status=403, json={"message": "Not now."})
        else:
            route.continue_()

    page.route("**/files", not_now)
    page.get_by_label("Choose photos").set_input_files(files)
    rest = page.get_by_role("button", name="Send the rest")
    expect(page.get_by_role("alert")).to_contain_text("Not now. 1 photo not sent")
    expect(page.get_by_role("status").filter(has_text="broken.jpg")).to_be_visible(timeout=40_000)
    screenshot(page, "photos-rest")
    page.unroute("**/files")
    rest.click()
    expect(rest).to_have_count(0)
    report = page.get_by_role("status").filter(has_text="added")
    expect(report).to_contain_text("2 photos added. 1 of them without a position", timeout=40_000)
    expect(report).to_contain_text("broken.jpg")
    cards = page.get_by_role("list", name="Photos").get_by_role("listitem")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("no place")
    cards.first.get_by_role("button", name="Place on the map").click()
    page.get_by_role("region", name="Map of the photos").click(position={"x": 120, "y": 90})
    expect(cards.first.get_by_text("no place")).to_have_count(0)
    screenshot(page, "photos", full_page=True)

    page.get_by_role("button", name="Make a map").click()
    page.wait_for_url("**/maps/*/**")
    canvas = page.locator("canvas.leaflet-tile")
    expect(canvas.first).to_be_visible()
    opened = page.url
    page.get_by_role("button", name="Hide the layer list").click()
    # The map is wider a moment later, and says in its address where it looks now.
    page.wait_for_url(lambda url: url != opened)
    place = Photo.objects.get(name="DJI_0019.jpg")
    lon, lat = place.shot["lon"], place.shot["lat"]
    # The map follows an address that changes while it is open, and writes its layers into it.
    page.goto(f"{page.url.partition('#')[0]}#17/{lat}/{lon}/")
    page.wait_for_url(re.compile(r"#17/53\.9196\d*/27\.5754\d*/\d+$"))
    page.reload()
    expect(canvas.first).to_be_visible()
    box = page.locator(".map").first.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    picture = page.get_by_role("button", name="Look at DJI_0019.jpg")
    wait_until(lambda: clicked(page, middle, picture), what="the popup of the photo", page=page)
    expect(page.locator(".map-popup")).to_contain_text("126°, south-east")
    screenshot(page, "photo-popup")
    picture.click()
    viewer = page.get_by_role("dialog", name="DJI_0019.jpg")
    expect(viewer.locator("img.leaflet-image-layer")).to_have_count(2)
    screenshot(page, "photo-viewer")
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "copy.jpg")
    with Image.open(tmp_path / "copy.jpg") as copy:
        assert copy.size == (800, 450)

    phone = open_page(ana, size=PHONE, dark=True)
    phone.goto(f"/photos/{place.layer_id}/")
    expect(phone.get_by_role("list", name="Photos")).to_be_visible()
    screenshot(phone, "photos-phone", full_page=True)
