"""The labeling page as a person uses it: mouse, keys, and what the page says."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

from django.db.models import QuerySet
from playwright.sync_api import Locator, Page, expect

from labeling.models import LabelSet
from tests.browser.driver import finish_job, wait_until
from webapp.features.models import Feature

Point = tuple[float, float]


# Both on the machine's one clock: when the mouse was let go, and the frame in which the number changes.
NOTE_RELEASE = """() => addEventListener("pointerup", () => { window.released_ms = Date.now(); }, { capture: true })"""
NOTE_SHOWN = """(number) => {
  window.shown_ms = null;
  const observer = new MutationObserver(() => requestAnimationFrame(() => { window.shown_ms = Date.now(); }));
  observer.observe(number, { childList: true, characterData: true, subtree: true });
}"""


class Labels:
    """The labeling page of one person. Points are pixels of the map, from its top left corner."""

    def __init__(self, page: Page, label_set: LabelSet) -> None:
        self.page = page
        self.label_set = label_set
        self.open()

    def open(self) -> None:
        """Open (or reload) the page and wait for its samples."""
        self.page.goto(f"/label/{self.label_set.pk}/")
        expect(self.map).to_have_attribute("data-loading", "false")
        expect(self.state).not_to_have_attribute("data-state", "offline")

    @property
    def map(self) -> Locator:
        """The map."""
        return self.page.locator(".label-map")

    @property
    def state(self) -> Locator:
        """The word about saving."""
        return self.page.locator(".label-save")

    @property
    def number(self) -> Locator:
        """How many samples there are."""
        return self.page.get_by_label("Classes").locator("dd").first

    @property
    def conflict(self) -> Locator:
        """The dialog about two versions of one sample."""
        return self.page.get_by_role("dialog", name=re.compile("Two versions"))

    def at(self, point: Point) -> Point:
        """Return a point of the map in page pixels."""
        box = self.map.bounding_box()
        assert box is not None
        return box["x"] + point[0], box["y"] + point[1]

    def click(self, point: Point) -> None:
        """Click on the map."""
        self.page.mouse.click(*self.at(point))

    def double_click(self, point: Point) -> None:
        """Click twice in one place."""
        self.page.mouse.dblclick(*self.at(point))

    def press(self, point: Point) -> None:
        """Press the mouse and leave it down."""
        self.page.mouse.move(*self.at(point))
        self.page.mouse.down()

    def move(self, point: Point) -> None:
        """Move the mouse, as a hand does, in some steps."""
        self.page.mouse.move(*self.at(point), steps=6)

    def release(self) -> None:
        """Let go."""
        self.page.mouse.up()

    def drag(self, start: Point, end: Point) -> None:
        """Press, move, let go."""
        self.press(start)
        self.move(end)
        self.release()

    def key(self, name: str) -> None:
        """Press a key."""
        self.page.keyboard.press(name)

    def saved(self, count: int) -> None:
        """Wait until the page says that all is stored, and shows so many samples."""
        # The number first: it is that of what is drawn, and before it is drawn "saved" is true of what was there.
        expect(self.number).to_have_text(f"{count:,}")
        expect(self.state).to_have_attribute("data-state", "saved")

    def caught_up(self) -> None:
        """Wait until the page holds all that is stored."""
        self.label_set.layer.refresh_from_db()
        expect(self.state).to_have_attribute("data-seq", str(self.label_set.layer.seq))

    def zoom_in(self, *, steps: int) -> None:
        """Zoom in by keys, each press when the map has come to rest."""
        for _ in range(steps):
            before = self.page.url
            self.key("+")
            wait_until(lambda: self.page.url != before, what="the map at rest", page=self.page)  # noqa: B023
        expect(self.map).to_have_attribute("data-loading", "false")

    def distance_px(self, place: Sequence[float], point: Point) -> float:
        """Return how far a (lon, lat) is from a point of the map, in pixels of the screen."""
        return math.dist(self.point_of(place), point)

    def point_of(self, place: Sequence[float]) -> Point:
        """Return where on the map a (lon, lat) is, in pixels of the screen.

        Web Mercator by hand, from the view that stands in the page's address.
        """
        zoom, *centre = self.view()
        size = 256 * 2**zoom
        x, y = _mercator(place[0], place[1])
        centre_x, centre_y = _mercator(*centre)
        box = self.map.bounding_box()
        assert box is not None
        return ((x - centre_x) * size + box["width"] / 2, (y - centre_y) * size + box["height"] / 2)

    def view(self) -> tuple[float, float, float]:
        """Return zoom, longitude and latitude of the map's centre, as they stand in the page's address."""
        zoom, lat, lon = (float(part) for part in self.page.url.partition("#")[2].split("/"))
        return zoom, lon, lat

    def take_out(self, form: str, folder: Path) -> Path:
        """Export the samples by the dialog; return the path of the file."""
        self.page.get_by_role("button", name="Import and export").click()
        self.page.get_by_role("menuitem", name="Export samples").click()
        self.page.get_by_label("Format").select_option(form)
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name="Export", exact=True).click()
            finish_job(self.page)
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        self.page.get_by_role("button", name="Done").click()
        return path

    def bring_in(self, path: Path, *, count: int) -> None:
        """Import a file by the dialog, as it proposes, and wait for so many new samples."""
        self.page.get_by_role("button", name="Import and export").click()
        self.page.get_by_role("menuitem", name="Import").click()
        self.page.get_by_label("File").set_input_files(path)
        finish_job(self.page)
        self.page.get_by_role("button", name="Import", exact=True).click()
        finish_job(self.page)
        expect(self.page.get_by_text(re.compile(rf"^{count} samples? imported"))).to_be_visible()
        self.page.get_by_role("button", name="Done").click()

    def stored(self) -> QuerySet[Feature]:
        """Return the samples in the database."""
        return Feature.objects.filter(layer=self.label_set.layer, deleted=False).order_by("fid")


def shown_after_ms(drawing: Labels, watching: Labels, boxes: Sequence[tuple[Point, Point]]) -> list[int]:
    """Draw boxes in one page; return for each when the other page showed it, in ms from the release of the mouse."""
    drawing.page.evaluate(NOTE_RELEASE)
    watching.number.evaluate(NOTE_SHOWN)
    took = []
    drawing.key("b")
    for start, end in boxes:
        watching.page.evaluate("window.shown_ms = null")
        drawing.drag(start, end)
        shown = watching.page.wait_for_function("() => window.shown_ms", timeout=15_000).json_value()
        took.append(shown - drawing.page.evaluate("window.released_ms"))
        drawing.caught_up()
    return took


def _mercator(lon: float, lat: float) -> Point:
    return lon / 360 + 0.5, 0.5 - math.asinh(math.tan(math.radians(lat))) / (2 * math.pi)
