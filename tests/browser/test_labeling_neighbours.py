"""Drawing beside what is there: followed, kept clear of, stamped again; and chosen without a mouse."""

import pytest
from playwright.sync_api import expect
from shapely import LineString, Polygon

from labeling.models import LabelSet
from tests.browser.driver import Pages, wait_until
from tests.browser.labels import Labels
from webapp.features.geometry import to_shape
from webapp.features.models import Feature
from webapp.projects.models import User


def shown(labels: Labels, row: Feature) -> Polygon:
    """Return a stored sample in pixels of the map as it is shown now."""
    outline, *holes = ([labels.point_of(corner) for corner in ring] for ring in row.geometry.coords)
    return Polygon(outline, holes)


def press(labels: Labels, *names: str) -> None:
    """Press keys, one after the other."""
    for name in names:
        labels.key(name)


def test_a_neighbour_is_followed_kept_clear_of_and_its_like_stamped(
    open_page: Pages, label_set: LabelSet, ana: User
) -> None:
    labels = Labels(open_page(ana), label_set)
    page = labels.page

    def draw(*points: tuple[int, int]) -> None:
        for point in points:
            labels.click(point)
        labels.key("Enter")

    labels.key("p")
    # A bay in its east side, of three corners.
    draw((300, 200), (420, 200), (420, 240), (380, 260), (420, 280), (420, 320), (300, 320))
    labels.saved(1)
    neighbour = labels.stored().get()
    beside = ((422, 202), (422, 318), (520, 320), (520, 200))

    labels.key("y")
    expect(page.get_by_text("not followed any more")).to_be_visible()
    draw(*beside)
    labels.saved(2)
    assert labels.stored().latest("fid").geometry.num_coords == 5
    labels.key("Control+z")
    labels.saved(1)
    labels.key("y")
    draw(*beside)
    labels.saved(2)
    following = labels.stored().latest("fid")
    assert following.geometry.num_coords == 8
    shore = neighbour.geometry.coords[0][1:6]
    assert set(shore) < set(following.geometry.coords[0])
    border = to_shape(neighbour.geometry).intersection(to_shape(following.geometry))
    assert (border.area, border.length) == (0, pytest.approx(LineString(shore).length, rel=1e-9))

    # Over both, less what they have; where all is theirs, nothing is made.
    labels.key("Shift+O")
    labels.key("b")
    labels.drag((460, 160), (600, 260))
    labels.saved(3)
    clear = labels.stored().latest("fid")
    assert to_shape(clear.geometry).intersection(to_shape(following.geometry)).area == 0
    assert shown(labels, clear).area == pytest.approx(140 * 100 - 60 * 60, rel=0.01)
    labels.drag((320, 220), (360, 250))
    expect(page.get_by_text("All of it is other samples' already")).to_be_visible()
    labels.key("Shift+O")

    # The stamp lies where it is seen: a corner of another one within reach does not pull it.
    labels.key("o")
    labels.drag((650, 420), (680, 420))
    labels.saved(4)
    labels.key("Shift+S")
    labels.click((305, 325))
    labels.saved(5)
    press(labels, *["."] * 9)
    labels.click((560, 420))
    labels.saved(6)
    drawn, first, turned = (shown(labels, row) for row in labels.stored().order_by("fid")[3:])
    for stamped, (x, y) in ((first, (305, 325)), (turned, (560, 420))):
        assert (stamped.centroid.x, stamped.centroid.y) == pytest.approx((x, y), abs=1)
        assert stamped.area == pytest.approx(drawn.area, rel=1e-3)
    assert labels.stored().filter(class_value=1).count() == 6


def test_two_samples_are_drawn_and_chosen_without_a_mouse(open_page: Pages, label_set: LabelSet, ana: User) -> None:
    labels = Labels(open_page(ana), label_set)
    down, up, left, right = (f"Arrow{way}" for way in ("Down", "Up", "Left", "Right"))
    press(labels, "b", "Space", right, right, down, down, "Space")
    labels.saved(1)
    press(labels, right, "Space", right, right, up, up, "Space")
    labels.saved(2)
    press(labels, "Space", left, left, up, up, "Space")
    labels.saved(3)
    one, two, last = labels.stored()
    assert shown(labels, one).area == pytest.approx(160 * 160, rel=0.01)
    assert shown(labels, one).distance(shown(labels, two)) == pytest.approx(80, abs=1)

    # The middle of the second, then the first too: both get a class, the third stays.
    press(labels, "v", right, down, down, down, "Enter", left, left, left, "Shift+Enter", "3")
    wait_until(lambda: labels.stored().filter(class_value=7).count() == 2, what="a class for two", page=labels.page)
    assert set(labels.stored().filter(class_value=7)) == {one, two}
    # Once more lets go of the first; what is deleted is the other.
    press(labels, "Shift+Enter", "Delete")
    labels.saved(2)
    assert list(labels.stored()) == [one, last]
