"""The imagery under the samples: its bands, another date, its place; and what the drawing aids find in it."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from labeling.models import ImageryOffset, LabelSet
from tests import factories
from tests.browser.driver import Pages, finish_job, wait_until
from tests.browser.labels import Labels
from training.models import TrainingData
from webapp.features.geometry import to_shape
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import Member, Role, User
from webapp.raster.shift import per_metre

Screenshot = Callable[..., None]

# The corner of the first tile of the set's own imagery, and whether either date is seen.
TILE_X = "() => document.querySelector('.label-imagery img.leaflet-tile-loaded').getBoundingClientRect().x"
SEEN = "() => [...document.querySelectorAll('.label-imagery')].map((one) => one.style.visibility !== 'hidden')"
CUT = "() => [...document.querySelectorAll('.label-imagery')].map((one) => one.style.clipPath !== '')"


@pytest.fixture
def earlier(label_set: LabelSet) -> ImageryLayer:
    """The same place on another day (of the same files)."""
    ImageryLayer.objects.filter(pk=label_set.imagery_id).update(acquired_at=datetime(2020, 8, 31, tzinfo=UTC))
    found = ImageryLayer.objects.get(pk=label_set.imagery_id)
    found.pk, found.name, found.acquired_at = None, "Flight of spring", datetime(2018, 4, 2, tzinfo=UTC)
    found._state.adding = True
    found.save()
    return found


def drawn_words(page: Page, word: str) -> bool:
    """Return whether a tile on the map was asked for with a rendering word."""
    return bool(
        page.evaluate(
            "(word) => [...document.querySelectorAll('.label-imagery img')].some(({src}) => src.includes(word))", word
        )
    )


def test_bands_dates_and_place_of_the_imagery_while_labeling(
    open_page: Pages, label_set: LabelSet, earlier: ImageryLayer, ana: User, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana), label_set)
    page = labels.page
    page.get_by_role("tab", name="Imagery").click()

    # One band instead of three; kept for this person across a reload.
    page.get_by_text("Bands, stretch, colours").click()
    page.get_by_role("combobox", name="Show").select_option("single")
    wait_until(lambda: drawn_words(page, "bidx=1"), what="tiles of one band", page=page)

    # Another day: parted by a divider that keys move, and held up by a key.
    page.get_by_role("combobox", name="Another date").select_option(label="2 Apr 2018, Flight of spring")
    divider = page.get_by_role("slider", name="Swipe between OSBS_029 and Flight of spring")
    divider.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "48")
    wait_until(lambda: page.evaluate(CUT) == [True, True], what="both parted", page=page)
    labels.open()
    wait_until(lambda: drawn_words(page, "bidx=1"), what="the same bands after a reload", page=page)
    expect(divider).to_have_attribute("aria-valuenow", "48")
    labels.key("Shift+U")
    expect(divider).to_have_count(0)
    wait_until(lambda: page.evaluate(SEEN) == [True, False], what="the first date alone", page=page)
    page.keyboard.down("u")
    assert page.evaluate(SEEN) == [False, True]
    page.keyboard.up("u")
    assert page.evaluate(SEEN) == [True, False]

    # The imagery is brought to its place: seen here first, then by a colleague who has the set open.
    ben = factories.make_user("ben", first_name="Ben", last_name="Okafor")
    Member.objects.create(project=label_set.project, user=ben, role=Role.LABELER)
    of_ben = Labels(open_page(ben), label_set)
    before = page.evaluate(TILE_X)
    labels.key("Control+Shift+ArrowRight")
    labels.key("Control+Shift+ArrowRight")
    card = page.get_by_role("form", name="Offset of the imagery")
    expect(card.get_by_text("2 m E", exact=True)).to_be_visible()
    zoom, lat, _ = (float(part) for part in page.url.partition("#")[2].split("/"))
    px = 2 * per_metre(lat)[0] * 256 * 2**zoom / (2 * math.pi * 6_378_137)
    assert page.evaluate(TILE_X) - before == pytest.approx(px, abs=1)
    expect(of_ben.page.get_by_text("Offset 2 m E")).to_have_count(0)
    card.get_by_label("Note").fill("against the boundary stones")
    screenshot(page, "label-offset")
    card.get_by_role("button", name="Keep for all").click()
    expect(card).to_have_count(0)
    expect(of_ben.page.get_by_text("Offset 2 m E")).to_be_visible()
    assert ImageryOffset.objects.get().note == "against the boundary stones"

    # Segments: found in the imagery's own pixels, chosen by a drag and a click, one of them let go again, one sample.
    hint = page.locator(".label-hint")
    labels.key("Shift+Z")
    expect(hint).to_contain_text("(about")
    expect(hint).to_have_attribute("data-loading", "false")
    labels.drag((420, 220), (520, 260))
    chosen = int(hint.get_attribute("data-chosen") or 0)
    assert chosen > 3
    labels.click((420, 220))
    expect(hint).to_have_attribute("data-chosen", str(chosen - 1))
    labels.key("Backspace")
    expect(hint).to_have_attribute("data-chosen", str(chosen))
    screenshot(page, "label-segments")
    labels.key("Enter")
    wait_until(lambda: labels.stored().count() == 1, what="the sample", page=page)
    outline = to_shape(labels.stored().get().geometry)
    assert outline.geom_type == "Polygon"
    assert min(labels.distance_px(corner, (470, 240)) for corner in outline.exterior.coords) < 80
    labels.key("v")

    # What is drawn is stored where it was drawn on Earth.
    of_ben.key("b")
    of_ben.drag((620, 460), (680, 520))
    of_ben.saved(2)
    corner = to_shape(of_ben.stored().latest("fid").geometry).exterior.coords
    assert min(of_ben.distance_px(place, (620, 460)) for place in corner) < 1

    # What is exported for training keeps the offset that the labels were drawn with.
    page.goto(f"/training-data/new?label_set={label_set.pk}")
    page.get_by_role("button", name="Export", exact=True).click()
    page.wait_for_url(re.compile(r"/training-data/[0-9a-f-]{36}/"))
    finish_job(page)
    expect(page.get_by_text("shown 2 m E of where its file says")).to_be_visible()
    kept = TrainingData.objects.get().spec["imagery_offset"]
    assert (kept["east_m"], kept["north_m"], kept["note"]) == (2, 0, "against the boundary stones")


def test_a_sample_is_copied_to_the_other_date(
    open_page: Pages, label_set: LabelSet, earlier: ImageryLayer, ana: User, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana), label_set)
    page = labels.page
    labels.key("b")
    labels.drag((420, 220), (480, 280))
    labels.saved(1)
    labels.key("v")
    labels.key("Shift+D")
    expect(page.get_by_text("Choose another date in the Imagery panel first.")).to_be_visible()
    page.get_by_role("combobox", name="Another date").select_option(label="2 Apr 2018, Flight of spring")
    page.get_by_role("slider", name="Swipe between OSBS_029 and Flight of spring").press("ArrowLeft")

    # None is selected: all in view, once that was said.
    labels.key("Shift+D")
    asked = page.get_by_role("dialog", name="Copy 1 sample to 2 Apr 2018, Flight of spring?")
    screenshot(page, "label-copy-asks")
    asked.get_by_role("button", name="Copy", exact=True).click()
    other_name = "Tree crowns, Flight of spring, 2 Apr 2018"
    expect(page.get_by_text(f"1 sample copied into “{other_name}”.")).to_be_visible()
    # The selected one, by the button: it is there already.
    labels.click((470, 265))
    page.get_by_role("button", name="Copy to the other date").click()
    expect(page.get_by_text(f"Nothing new was copied into “{other_name}”. 1 was there already.")).to_be_visible()
    screenshot(page, "label-copied")

    # The way there leads to the same place; each set is of its own date, and each is the other's other date.
    place = page.url.partition("#")[2]
    other = LabelSet.objects.select_related("layer").get(copied_from=label_set)
    page.get_by_role("link", name="Open it").last.click()
    page.wait_for_url(f"**/label/{other.pk}/#{place}")
    mine = to_shape(labels.stored().get().geometry)
    labels.label_set = other
    labels.saved(1)
    page.get_by_role("tab", name="Imagery").click()
    facts = page.get_by_label("Imagery", exact=True).locator("dl.facts")
    expect(facts).to_contain_text("Taken2 Apr 2018Copied fromTree crowns")
    expect(page.get_by_role("combobox", name="Another date")).to_have_value(str(label_set.imagery_id))
    told = [page.request.get(f"/api/label-sets/{pk}/").json()["imagery_date"] for pk in (label_set.pk, other.pk)]
    assert told == ["2020-08-31T00:00:00+00:00", "2018-04-02T00:00:00+00:00"]

    # There it waits to be looked at.
    copy = labels.stored().get()
    assert (copy.class_value, copy.verified, to_shape(copy.geometry).equals(mine)) == (1, False, True)
    assert min(labels.distance_px(corner, (420, 220)) for corner in mine.exterior.coords) < 1
    labels.key("Shift+W")
    expect(page.get_by_role("region", name="Review")).to_contain_text("1 left")
    screenshot(page, "label-copy-review")
    labels.key("a")
    wait_until(lambda: labels.stored().filter(verified=True).count() == 1, what="the accepted copy", page=page)
