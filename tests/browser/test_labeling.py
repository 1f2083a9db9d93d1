"""The labeling page: drawing, classes, undo, what lasts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from labeling.models import LabelSet
from tests import factories
from tests.browser.driver import DESKTOP, PHONE, Pages, wait_until
from tests.browser.labels import Labels
from webapp.features.models import Edit
from webapp.projects.models import Member, Role, User

Screenshot = Callable[..., None]

BOX = ((300, 200), (420, 300))
TRIANGLE = ((500, 200), (620, 220), (600, 330))


def test_a_box_and_a_polygon_are_drawn_with_classes_and_last(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana), label_set)
    labels.key("b")
    labels.drag(*BOX)
    labels.saved(1)
    labels.key("2")
    labels.key("p")
    for point in TRIANGLE:
        labels.click(point)
    labels.key("Enter")
    labels.saved(2)
    screenshot(labels.page, "label-drawn")
    box, triangle = labels.stored()
    assert (box.class_value, triangle.class_value) == (1, 2)
    assert len(box.geometry.coords[0]) == 5
    assert len(triangle.geometry.coords[0]) == 4
    # The corner lies where the mouse was, to a pixel of the screen.
    west, south, east, north = box.geometry.extent
    assert labels.distance_px((west, north), BOX[0]) <= 1
    assert labels.distance_px((east, south), BOX[1]) <= 1

    labels.open()
    labels.saved(2)
    assert labels.stored().count() == 2


def test_a_polygon_closes_on_its_first_corner_and_by_a_double_click(
    open_page: Pages, label_set: LabelSet, ana: User
) -> None:
    labels = Labels(open_page(ana), label_set)
    labels.key("p")
    for point in (*TRIANGLE, TRIANGLE[0]):
        labels.click(point)
    labels.saved(1)
    labels.click((300, 400))
    labels.click((400, 410))
    labels.double_click((390, 500))
    labels.saved(2)
    assert [len(row.geometry.coords[0]) for row in labels.stored()] == [4, 4]


def test_a_digit_gives_the_selected_sample_another_class(open_page: Pages, label_set: LabelSet, ana: User) -> None:
    labels = Labels(open_page(ana), label_set)
    labels.key("b")
    labels.drag(*BOX)
    labels.saved(1)
    labels.key("v")
    labels.click((360, 250))
    labels.key("3")
    labels.saved(1)
    wait_until(lambda: labels.stored().get().class_value == 7, what="the third class, whose value is 7")
    assert labels.stored().get().version == 2


def test_corners_are_moved_added_and_removed(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana), label_set)
    labels.key("p")
    for point in TRIANGLE:
        labels.click(point)
    labels.key("Enter")
    labels.key("v")
    labels.click((580, 250))
    labels.drag(TRIANGLE[0], (460, 180))
    labels.saved(1)
    labels.drag((540, 200), (540, 150))  # half-way between the moved corner and the next
    labels.saved(1)
    wait_until(lambda: len(labels.stored().get().geometry.coords[0]) == 5, what="a fourth corner")
    screenshot(labels.page, "label-corners")
    places = labels.stored().get().geometry.coords[0]
    assert any(labels.distance_px(place, (460, 180)) <= 1 for place in places)
    assert any(labels.distance_px(place, (540, 150)) <= 1 for place in places)
    labels.page.mouse.click(*labels.at((540, 150)), button="right")
    wait_until(lambda: len(labels.stored().get().geometry.coords[0]) == 4, what="the corner to be gone")


def test_a_sample_is_moved_as_a_whole_and_a_box_stays_a_box(open_page: Pages, label_set: LabelSet, ana: User) -> None:
    labels = Labels(open_page(ana), label_set)
    labels.key("b")
    labels.drag(*BOX)
    labels.saved(1)
    labels.key("v")
    labels.click((360, 250))
    labels.drag((360, 250), (400, 280))
    labels.saved(1)
    wait_until(lambda: labels.stored().get().version == 2, what="the move")
    west, south, east, north = labels.stored().get().geometry.extent
    assert labels.distance_px((west, north), (340, 230)) <= 1.5
    labels.drag((460, 330), (500, 380))
    wait_until(lambda: labels.stored().get().version == 3, what="the resize")
    box = labels.stored().get().geometry
    west, south, east, north = box.extent
    assert labels.distance_px((east, south), (500, 380)) <= 1.5
    assert len({x for x, _ in box.coords[0]}) == 2


def test_undo_and_redo_go_back_and_forth_through_the_server(open_page: Pages, label_set: LabelSet, ana: User) -> None:
    labels = Labels(open_page(ana), label_set)
    labels.key("b")
    labels.drag(*BOX)
    labels.saved(1)
    labels.key("v")
    labels.click((360, 250))
    labels.key("Delete")
    labels.saved(0)
    assert labels.stored().count() == 0
    labels.key("Control+z")
    labels.saved(1)
    restored = labels.stored().get()
    assert restored.version == 3  # created, deleted, restored: one history
    labels.open()  # the steps outlive a reload
    labels.saved(1)
    labels.key("Control+z")
    labels.saved(0)
    labels.key("Control+Shift+z")
    labels.saved(1)
    wait_until(lambda: labels.stored().filter(pk=restored.pk, version=5).exists(), what="the sample, once more")
    numbers = Edit.objects.filter(layer=label_set.layer).order_by("seq").values_list("seq", flat=True)
    assert list(numbers) == [1, 2, 3, 4, 5]


def test_everything_is_done_with_keys_alone(open_page: Pages, label_set: LabelSet, ana: User) -> None:
    labels = Labels(open_page(ana), label_set)
    for key in ("p", "Space", "ArrowRight", "Space", "ArrowDown", "Space", "Enter"):
        labels.key(key)
    labels.saved(1)
    for key in ("v", "n", "]", "Alt+ArrowLeft", "2"):
        labels.key(key)
    wait_until(lambda: labels.stored().filter(class_value=2, version=3).exists(), what="a nudged, reclassed sample")
    labels.key("Escape")
    labels.key("?")
    expect(labels.page.get_by_role("dialog", name="Keys")).to_be_visible()
    labels.key("Escape")
    expect(labels.page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_classes_are_added_renamed_and_retired(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana), label_set)
    page = labels.page
    page.get_by_role("button", name="Edit classes").click()
    page.get_by_role("button", name="Add class").click()
    page.get_by_label("Name of class 4").fill("Road")
    page.get_by_label("Name of class 1").fill("Tree crown")
    page.get_by_role("button", name="Retire").nth(2).click()
    screenshot(page, "label-schema")
    page.get_by_role("button", name="Save classes").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Tree crown 0")).to_be_visible()
    rows = list(label_set.layer.classes.order_by("position").values_list("value", "name", "retired"))
    assert rows == [(1, "Tree crown", False), (2, "Building", False), (7, "Water", True), (8, "Road", False)]
    labels.key("3")
    labels.key("b")
    labels.drag(*BOX)
    labels.saved(1)
    assert labels.stored().get().class_value == 8


def test_a_viewer_looks_and_cannot_draw(open_page: Pages, label_set: LabelSet) -> None:
    eve = factories.make_user("eve")
    Member.objects.create(project=label_set.project, user=eve, role=Role.VIEWER)
    labels = Labels(open_page(eve), label_set)
    expect(labels.page.get_by_role("button", name="Draw boxes")).to_have_count(0)
    labels.key("b")
    labels.drag(*BOX)
    expect(labels.state).to_have_attribute("data-pending", "0")
    assert labels.stored().count() == 0


def test_a_stranger_is_told_nothing(open_page: Pages, label_set: LabelSet) -> None:
    page = open_page(factories.make_user("mallory"), allow=["404"])
    answer = page.goto(f"/label/{label_set.pk}/")
    assert answer is not None
    assert answer.status == 404
    assert label_set.name not in page.content()


def test_fingers_draw_select_and_undo_on_a_phone(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    page = open_page(ana, size=PHONE, has_touch=True, is_mobile=True)
    labels = Labels(page, label_set)
    page.get_by_role("button", name="Draw polygons").tap()
    for point in ((120, 250), (220, 260), (200, 350)):
        page.touchscreen.tap(*labels.at(point))
    screenshot(page, "label-phone-drawing")
    page.get_by_role("button", name="Close", exact=True).tap()
    expect(labels.state).to_have_attribute("data-state", "saved")
    wait_until(lambda: labels.stored().count() == 1, what="the polygon")
    page.get_by_role("button", name="Select and edit").tap()
    page.touchscreen.tap(*labels.at((180, 285)))
    page.get_by_role("button", name="Water").tap()
    wait_until(lambda: labels.stored().get().class_value == 7, what="the class of the tapped chip")
    page.get_by_role("button", name="Undo").tap()
    wait_until(lambda: labels.stored().get().class_value == 1, what="the former class")


@pytest.mark.parametrize(("size", "name"), [(DESKTOP, "wide"), (PHONE, "phone")])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_stands_at_both_sizes_in_both_themes(
    open_page: Pages,
    label_set: LabelSet,
    ana: User,
    screenshot: Screenshot,
    size: tuple[int, int],
    name: str,
    dark: bool,
) -> None:
    page = open_page(ana, size=size, dark=dark, has_touch=size == PHONE)
    labels = Labels(page, label_set)
    labels.key("b")
    labels.drag((120, 120), (200, 190))
    labels.key("2")
    labels.drag((210, 200), (290, 260))
    expect(labels.state).to_have_attribute("data-state", "saved")
    labels.key("v")
    labels.click((160, 150))
    screenshot(page, f"label-{name}-{'dark' if dark else 'light'}")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    if size == PHONE:
        page.get_by_role("button", name="Unfold the panel").last.click()
        expect(page.get_by_role("tab", name="Samples")).to_be_visible()
        screenshot(page, f"label-{name}-sheet-{'dark' if dark else 'light'}")
