"""Every drawing tool, one after the other, as a person uses them."""

from collections.abc import Callable

import numpy as np
import pytest
from django.contrib.gis.db.models.functions import IsValid
from django.db.models.expressions import RawSQL
from playwright.sync_api import expect
from shapely import LineString, Point, Polygon

from labeling.models import LabelSet
from tests.browser.driver import PHONE, Pages, wait_until
from tests.browser.labels import Labels
from webapp.features.geometry import to_shape
from webapp.features.models import Edit, Feature
from webapp.projects.models import User

Screenshot = Callable[..., None]


def test_every_tool_draws_and_changes_what_can_be_stored(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana), label_set)
    page = labels.page

    def clicks(*points: tuple[int, int]) -> None:
        for point in points:
            labels.click(point)

    def newest() -> Feature:
        return labels.stored().latest("fid")

    labels.key("r")
    clicks((200, 200), (300, 240), (280, 300))
    labels.saved(1)
    assert len(newest().geometry.coords[0]) == 5
    labels.key("o")
    labels.drag((420, 200), (460, 200))
    labels.saved(2)
    labels.key("d")
    labels.press((560, 160))
    for point in ((640, 170), (650, 230), (600, 250), (555, 220)):
        labels.move(point)
    labels.release()
    labels.saved(3)
    assert len(newest().geometry.coords[0]) > 4
    labels.key("l")
    clicks((200, 420), (260, 440), (330, 420))
    labels.key("Enter")
    labels.key("i")
    labels.click((380, 440))
    labels.saved(5)
    assert [row.geometry.geom_type for row in labels.stored()][3:] == ["LineString", "Point"]

    # Split, and the pieces merged again: each one step, stored in one piece of the log.
    labels.key("b")
    labels.drag((200, 480), (320, 560))
    labels.saved(6)
    labels.key("k")
    clicks((260, 460), (250, 520), (262, 580))
    screenshot(page, "label-split")
    labels.key("Enter")
    labels.saved(7)
    one, other = (to_shape(row.geometry) for row in labels.stored().order_by("-fid")[:2])
    assert one.intersection(other).area == 0
    assert one.touches(other)
    log = Edit.objects.filter(layer=label_set.layer).order_by("-seq").annotate(transaction=RawSQL("xmin::text", []))
    last = log.values_list("action", "transaction")[:2]
    assert [action for action, _ in last] == ["create", "update"]
    assert len({number for _, number in last}) == 1
    labels.key("v")
    labels.click((220, 500))
    page.keyboard.down("Shift")
    labels.click((300, 500))
    page.keyboard.up("Shift")
    screenshot(page, "label-selection")
    page.get_by_role("button", name="Merge (J)").click()
    labels.saved(6)
    labels.key("Control+z")
    labels.saved(7)
    labels.key("Control+Shift+z")
    labels.saved(6)

    # A hole, a bay, the hole filled.
    labels.key("Escape")
    labels.key("c")
    clicks((230, 500), (250, 500), (250, 530), (230, 530), (230, 500))
    labels.saved(6)
    wait_until(lambda: labels.stored().filter(version__gte=4).exists(), what="the cut")
    polygons = [row for row in labels.stored() if row.geometry.geom_type == "Polygon"]
    [cut] = [row for row in polygons if len(row.geometry.coords) == 2]
    labels.key("x")
    clicks((300, 500), (350, 505), (350, 535), (300, 540))
    labels.key("Enter")
    labels.saved(6)
    bay = wait_until(lambda: labels.stored().filter(pk=cut.pk, version=cut.version + 1).first(), what="the reshaping")
    # 120 x 80 less a hole of 20 x 30 pixels; east of it the line encloses 30 pixels of 36 to 30 more.
    assert to_shape(bay.geometry).area / to_shape(cut.geometry).area == pytest.approx(9990 / 9000, abs=0.005)
    assert to_shape(cut.geometry).difference(to_shape(bay.geometry)).area == 0
    labels.key("v")
    labels.click((300, 510))
    labels.key("Shift+G")
    filled = wait_until(lambda: labels.stored().filter(pk=cut.pk, version=bay.version + 1).first(), what="no hole")
    assert list(filled.geometry.coords) == [bay.geometry.coords[0]]

    # The same again: pasted, put under the pointer, all of them of another class.
    labels.key("v")
    labels.click((440, 200))
    labels.key("Control+c")
    page.mouse.move(*labels.at((440, 330)))
    labels.key("Control+v")
    labels.saved(7)
    page.mouse.move(*labels.at((540, 330)))
    labels.key("a")
    labels.saved(8)
    labels.key("Control+a")
    labels.key("3")
    wait_until(lambda: labels.stored().filter(class_value=7).count() == 8, what="all of the third class")

    # Painted, and rubbed out.
    labels.key("Escape")
    labels.key("w")
    labels.drag((600, 480), (680, 520))
    labels.saved(9)
    painted = newest()
    labels.drag((640, 480), (640, 540))
    wait_until(lambda: Feature.objects.get(pk=painted.pk).version == 2, what="the second stroke on the same sample")
    screenshot(page, "label-brush")
    labels.key("e")
    labels.drag((600, 480), (615, 500))
    wait_until(lambda: Feature.objects.get(pk=painted.pk).version == 3, what="what was rubbed out")
    labels.saved(9)
    # The outline of what lies in a box, found in the imagery by the server.
    labels.key("Escape")
    labels.key("Shift+B")
    labels.drag((420, 390), (500, 460))
    labels.saved(10)
    # The region like the clicked pixel, which lies in it; no more than the crowns around.
    labels.key("z")
    labels.click((740, 300))
    labels.saved(11)
    grown = Polygon([labels.point_of(corner) for corner in newest().geometry.coords[0]])
    assert grown.distance(Point(740, 300)) < 2
    assert 500 < grown.area < 10_000
    # Corners that are a pixel beside the line between their neighbours go, the others stay where they are.
    labels.key("p")
    clicks((700, 100), (730, 101), (760, 100), (760, 130), (759, 150), (760, 160), (700, 160))
    labels.key("Enter")
    labels.saved(12)
    rough = newest()
    assert len(rough.geometry.coords[0]) == 8
    labels.key("v")
    labels.click((715, 130))
    labels.key("g")
    simple = wait_until(lambda: labels.stored().filter(pk=rough.pk, version=2).first(), what="fewer corners")
    assert len(simple.geometry.coords[0]) == 5
    assert set(simple.geometry.coords[0]) < set(rough.geometry.coords[0])
    assert all(labels.stored().annotate(valid=IsValid("geometry")).values_list("valid", flat=True))
    screenshot(page, "label-tools")

    # Its versions, one of them made anew; then the whole set as it was after the first drawing.
    labels.key("v")
    labels.click((640, 505))
    labels.key("Shift+H")
    past = page.get_by_role("region", name="History")
    expect(past.get_by_role("listitem")).to_have_count(3)
    past.get_by_role("listitem").filter(has_text="drawn").hover()
    screenshot(page, "label-history")
    past.get_by_role("button", name="Restore").last.click()
    wait_until(lambda: Feature.objects.get(pk=painted.pk).version == 4, what="the first version, made anew")
    versions = Edit.objects.filter(feature_id=painted.pk, geometry__isnull=False).order_by("version")
    shapes = [to_shape(row.geometry) for row in versions if row.geometry is not None]
    assert shapes[3].equals(shapes[0])
    labels.key("Escape")
    past.get_by_role("button", name="Back to here").last.click()
    screenshot(page, "label-restore")
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    wait_until(lambda: labels.stored().count() < 9, what="the set as it was")
    labels.caught_up()
    # The list is read anew after that: its first button would bring back what an older step deleted.
    expect(past.get_by_role("listitem").first).to_contain_text("deleted")
    past.get_by_role("button", name="Bring back").first.click()
    wait_until(lambda: labels.stored().count() >= 9, what="what was removed, brought back")
    page.get_by_role("tab", name="Classes").click()

    # A key of one's own, which outlives a reload.
    labels.key("?")
    page.get_by_role("searchbox", name="Find").fill("merge")
    page.get_by_role("button", name="change the key of Merge").click()
    labels.key("Control+m")
    screenshot(page, "label-keys")
    page.get_by_role("button", name="Done").click()
    labels.open()
    labels.key("Control+a")
    expect(page.get_by_role("button", name="Merge (Ctrl M)")).to_be_visible()


def test_a_border_is_shared_without_gap_or_overlap_and_corners_are_made_square(
    open_page: Pages, label_set: LabelSet, ana: User
) -> None:
    labels = Labels(open_page(ana), label_set)
    labels.key("b")
    labels.drag((300, 200), (420, 300))
    labels.saved(1)
    # Corners that are clicked a little beside the neighbour's snap to them.
    labels.key("p")
    for point in ((424, 197), (520, 190), (520, 310), (416, 303)):
        labels.click(point)
    labels.key("Enter")
    labels.saved(2)
    one, other = (to_shape(row.geometry) for row in labels.stored())
    border = one.intersection(other)
    assert border.area == 0
    east = one.bounds[2]
    assert border.equals(LineString([(east, one.bounds[1]), (east, one.bounds[3])]))
    for point in ((300, 400), (420, 412), (410, 500), (304, 490)):
        labels.click(point)
    labels.key("Enter")
    labels.saved(3)
    labels.key("v")
    labels.click((360, 450))
    labels.key("q")
    squared = wait_until(lambda: labels.stored().filter(version=2).first(), what="square corners")
    corners = np.array(squared.geometry_3857.coords[0])
    sides = np.diff(corners, axis=0)
    turned = (sides * np.roll(sides, -1, axis=0)).sum(axis=1)
    assert len(sides) == 4
    assert abs(turned / np.hypot(*sides.T) ** 2).max() < 1e-3
    assert all(labels.stored().annotate(valid=IsValid("geometry")).values_list("valid", flat=True))


def test_the_tools_fit_a_phone(open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot) -> None:
    page = open_page(ana, size=PHONE, has_touch=True, is_mobile=True, dark=True)
    labels = Labels(page, label_set)
    page.get_by_role("button", name="Draw rectangles").tap()
    for point in ((120, 250), (220, 260), (215, 320)):
        page.touchscreen.tap(*labels.at(point))
    wait_until(lambda: labels.stored().count() == 1, what="the rectangle")
    page.get_by_role("button", name="Select and edit").tap()
    page.touchscreen.tap(*labels.at((170, 285)))
    expect(page.get_by_role("toolbar", name="Selected samples")).to_be_visible()
    screenshot(page, "label-tools-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
