"""The map viewer in a real browser, on real imagery."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from shapely.geometry import Point

from tests.browser.driver import PHONE, Pages, wait_until
from tests.browser.scenes import make_scene, make_trees, pixel_box
from tests.factories import make_layer, make_project, make_user
from webapp.features.bulk import add_features
from webapp.features.models import Feature, FeatureLayer
from webapp.imagery import selectors
from webapp.imagery.models import ImageryLayer
from webapp.imagery.services import bump
from webapp.maps import services
from webapp.maps.models import Map, MapLayer
from webapp.projects.models import User
from webapp.raster.read import info
from webapp.raster.shapes import to_crs

DRAWN = "() => [...document.querySelectorAll('canvas.leaflet-tile')].reduce((sum, canvas) => { const pixels = " \
    "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; " \
    "for (let i = 3; i < pixels.length; i += 4) if (pixels[i]) sum += 1; return sum; }, 0)"  # fmt: skip


@dataclass
class Forest:
    """A map of one scene and its trees."""

    owner: User
    scene: ImageryLayer
    trees: FeatureLayer
    map: Map

    def open(self, page: Page, hash: str = "") -> Page:  # noqa: A002
        """Open the viewer and wait until imagery and trees are drawn."""
        page.goto(f"/maps/{self.map.pk}/{hash}")
        expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
        expect(page.locator("img.leaflet-tile:not(.leaflet-tile-loaded)")).to_have_count(0)
        wait_until(lambda: page.evaluate(DRAWN) > 0, what="trees on the map")
        return page

    def tree(self) -> Feature:
        """The largest tree: no other lies above its middle."""
        return Feature.objects.filter(layer=self.trees).order_by("-area_m2")[0]


@pytest.fixture
def forest(open_page: Pages) -> Forest:
    ana = make_user("ana")
    project = make_project(ana, labeler=make_user("ben"), viewer=make_user("eve"))
    scene = make_scene(project, ana)
    trees = make_trees(project, ana, scene)
    return Forest(
        ana, scene, trees, services.create_map(project=project, name="Ordway", user=ana, layers=[scene, trees])
    )


def titles(page: Page) -> list[str]:
    return page.locator(".layer-title").all_inner_texts()


def zoom_of(page: Page) -> float:
    """The zoom that the page's address says."""
    return float(page.url.partition("#")[2].split("/")[0])


def layer(page: Page, title: str) -> Locator:
    return page.locator(".layer").filter(has=page.get_by_role("checkbox", name=f"Show {title}"))


def test_a_map_shows_its_scene_and_trees_and_a_click_says_what_is_there(
    open_page: Pages, forest: Forest, screenshot: Callable[..., None]
) -> None:
    page = open_page(forest.owner)
    place = forest.tree().geometry.centroid
    forest.open(page, f"#22/{place.y}/{place.x}")
    expect(layer(page, "Trees").get_by_text("61")).to_be_visible()
    box = page.locator(".map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    popup = page.locator(".map-popup")
    expect(popup.get_by_role("heading", name="Tree").first).to_be_visible()
    expect(popup.get_by_text(re.compile(r"\d m²")).first).to_be_visible()
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("NEON")
    expect(page.locator(".leaflet-control-scale-line")).to_be_visible()
    expect(page.get_by_label("Coordinates under the pointer")).to_contain_text(f"{place.y:.6f}"[:6])
    screenshot(page, "map-popup")


def test_layers_are_stacked_by_keyboard_and_by_mouse_and_stay_so(open_page: Pages, forest: Forest) -> None:
    page = forest.open(open_page(forest.owner))
    assert titles(page) == ["Trees", "OSBS_029"]
    page.get_by_role("button", name="Move Trees").press("ArrowDown")
    wait_until(lambda: titles(page) == ["OSBS_029", "Trees"], what="the new order")
    rows = [page.locator(".layer").nth(index).bounding_box() for index in (0, 1)]
    grip = page.get_by_role("button", name="Move Trees").bounding_box()
    assert grip is not None
    assert rows[0] is not None
    page.mouse.move(grip["x"] + 8, grip["y"] + 8)
    page.mouse.down()
    page.mouse.move(grip["x"] + 8, rows[0]["y"] + 4, steps=8)
    page.mouse.up()
    wait_until(lambda: titles(page) == ["Trees", "OSBS_029"], what="the old order")
    wait_until(lambda: [row.features_id is None for row in forest.map.layers.all()] == [True, False], what="the rows")
    page.reload()
    expect(page.locator(".layer-title").first).to_have_text("Trees")


def test_a_link_shows_the_same_place_layers_and_opacities_to_somebody_else(open_page: Pages, forest: Forest) -> None:
    page = forest.open(open_page(forest.owner))
    page.get_by_role("checkbox", name="Show OSBS_029").uncheck()
    page.get_by_role("slider", name="Opacity of Trees").fill("40")
    zoom = zoom_of(page)
    page.get_by_role("button", name="Zoom in").click()
    wait_until(lambda: re.search(r"[/,]\d+:0\.4$", page.url), what="the opacity in the address", page=page)
    wait_until(lambda: zoom_of(page) == zoom + 1, what="the zoom in the address", page=page)
    other = open_page(make_user("eve"))
    other.goto(page.url)
    expect(other.get_by_role("checkbox", name="Show OSBS_029")).not_to_be_checked()
    expect(other.get_by_role("slider", name="Opacity of Trees")).to_have_value("40")
    wait_until(lambda: other.url == page.url, what="the same address", page=other)
    expect(other.get_by_role("button", name="Add layer")).to_have_count(0)


def test_new_features_appear_and_only_the_tiles_that_they_touch_are_asked_for_again(
    open_page: Pages, forest: Forest
) -> None:
    page = open_page(forest.owner)
    place = forest.tree().geometry.centroid
    forest.open(page, f"#23/{place.y}/{place.x}")
    page.wait_for_load_state("networkidle")
    shown = page.locator("canvas.leaflet-tile").count()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if f"/{forest.trees.pk}/" in request.url else None)
    found = info(selectors.analysis_file(forest.scene))
    a, _, west, _, e, north = found.transform
    centre = to_crs(Point(place.x, place.y), 4326, found.crs_wkt)
    column, row = (centre.x - west) / a, (centre.y - north) / e
    add_features(layer=forest.trees, features=[pixel_box(found, column - 3, row - 3, column + 3, row + 3)])
    expect(layer(page, "Trees").get_by_text("62")).to_be_visible()
    wait_until(lambda: any("/tiles/" in url for url in asked), what="tiles of the new state", page=page)
    tiles = [url for url in asked if "/tiles/" in url]
    # The address is the same whatever is edited; by its tag the browser learns whether its tile still holds.
    assert all(f"/tiles/features/{forest.trees.pk}/0/" in url for url in tiles)
    assert 1 <= len(tiles) <= 4 < shown


def test_a_new_version_of_a_scene_replaces_the_old_tile_by_tile(open_page: Pages, forest: Forest) -> None:
    page = forest.open(open_page(forest.owner))
    before = page.locator("img.leaflet-tile-loaded").count()
    page.evaluate(
        "() => { window.gone = 0; new MutationObserver(list => list.forEach(item => window.gone += "
        "item.removedNodes.length)).observe(document.querySelector('.leaflet-tile-pane'), "
        "{childList: true, subtree: true}); }"
    )
    version = bump(forest.scene)
    wait_until(
        lambda: page.locator(f"img.leaflet-tile-loaded[src*='/{version}/']").count() == before, what="the new version"
    )
    assert page.evaluate("() => window.gone") == 0


def test_a_layer_is_added_renamed_and_removed_and_a_second_viewer_sees_it(open_page: Pages, forest: Forest) -> None:
    make_layer(forest.map.project, name="Roofs", classes=[(1, "Roof", "#d95f02")])
    page, other = forest.open(open_page(forest.owner)), forest.open(open_page(make_user("eve")))
    page.get_by_role("button", name="Add layer").click()
    page.get_by_placeholder("Search imagery and feature layers").fill("roo")
    page.get_by_role("button", name="Add Roofs").click()
    expect(page.get_by_text("Nothing by that name")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    wait_until(lambda: titles(other) == ["Roofs", "Trees", "OSBS_029"], what="the layer in the other browser")
    page.get_by_role("button", name="More about Roofs").click()
    page.get_by_role("menuitem", name="Rename").click()
    name = page.get_by_role("textbox", name="Name")
    expect(name).to_be_focused()
    name.fill("Houses")
    name.press("Enter")
    wait_until(lambda: titles(other)[0] == "Houses", what="the name in the other browser")
    page.get_by_role("button", name="More about Houses").click()
    page.get_by_role("menuitem", name="Remove from map").click()
    page.get_by_role("button", name="Remove from map").click()
    wait_until(lambda: titles(other) == ["Trees", "OSBS_029"], what="the layer gone in the other browser")


def test_a_saved_view_is_how_the_map_opens(open_page: Pages, forest: Forest) -> None:
    page = forest.open(open_page(forest.owner))
    zoom = zoom_of(page)
    page.get_by_role("button", name="Zoom in").click()  # saved while the zoom is still moving
    page.get_by_role("slider", name="Opacity of OSBS_029").fill("55")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("The map now opens like this.")).to_be_visible()
    expect(page.get_by_role("button", name="Save view")).to_be_disabled()
    page.goto("/")
    page.goto(f"/maps/{forest.map.pk}/")
    expect(page.get_by_role("slider", name="Opacity of OSBS_029")).to_have_value("55")
    wait_until(lambda: "#" in page.url and zoom_of(page) == zoom + 1, what="the saved zoom", page=page)


def test_a_map_shared_by_link_opens_to_a_stranger_to_look_at(open_page: Pages, forest: Forest) -> None:
    page = forest.open(open_page(forest.owner))
    page.get_by_role("button", name="Share").click()
    page.get_by_role("radio", name=re.compile("Anyone with the link")).check()
    wait_until(lambda: Map.objects.get(pk=forest.map.pk).share == "link", what="the share")
    stranger = forest.open(open_page())
    expect(stranger.get_by_role("button", name="Add layer")).to_have_count(0)
    expect(stranger.get_by_role("link", name="Sign in")).to_be_visible()
    expect(stranger.locator(".live-note")).to_have_count(0)


def test_on_a_phone_the_layers_come_as_a_sheet(
    open_page: Pages, forest: Forest, screenshot: Callable[..., None]
) -> None:
    page = forest.open(open_page(forest.owner, size=PHONE, dark=True))
    expect(page.locator(".layers")).to_be_hidden()
    page.get_by_role("button", name="Layers", exact=True).click()
    expect(page.get_by_role("checkbox", name="Show Trees")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE[0]
    screenshot(page, "map-phone")


def test_a_map_is_styled_compared_measured_and_printed_and_opens_again_exactly(
    open_page: Pages, forest: Forest, screenshot: Callable[..., None], tmp_path: Path
) -> None:
    older = make_scene(forest.map.project, forest.owner, name="Older scene")
    page = forest.open(open_page(forest.owner))
    page.get_by_role("button", name="Add layer").click()
    page.get_by_role("button", name="Add Older scene").click()
    page.get_by_role("button", name="Done").click()

    # One band in colours, stretched by a handle of its histogram; then a step back and forth again.
    page.get_by_role("button", name="More about Older scene").click()
    page.get_by_role("menuitem", name="Style").click()
    page.get_by_role("combobox", name="Show").select_option("single")
    page.get_by_role("combobox", name="Colours").select_option("viridis")
    page.get_by_role("slider", name=re.compile(" to$")).fill("150")
    styled = forest.map.layers.get(imagery=older)
    wait_until(lambda: _words(styled).get("rescale", [""])[0].endswith(",150"), what="the stretch to be saved")
    page.get_by_role("button", name="Undo").click()
    wait_until(lambda: not _words(styled).get("rescale", [""])[0].endswith(",150"), what="the step back")
    page.get_by_role("button", name="Redo").click()
    page.get_by_role("button", name="Back to the layers").click()
    expect(layer(page, "Older scene").locator(".ramp-ends")).to_contain_text("150")

    # Trees by area, those of 20 square metres and more.
    page.get_by_role("button", name="More about Trees").click()
    page.get_by_role("menuitem", name="Style").click()
    page.get_by_role("combobox", name="Colour by").select_option("field:area_m2")
    expect(page.get_by_role("spinbutton", name="Step 2 from")).to_be_visible()
    page.get_by_role("tab", name="Filter").click()
    page.get_by_role("combobox", name="Filter by another field").select_option("area_m2")
    page.get_by_role("slider", name="Area (m²) from").fill("20")
    page.get_by_role("button", name="Back to the layers").click()
    expect(layer(page, "Trees").get_by_text("Only Area (m²) from 20")).to_be_visible()

    # The table shows what the filter leaves, and finds a tree on the map.
    page.get_by_role("button", name="More about Trees").click()
    page.get_by_role("menuitem", name="Table").click()
    left = Feature.objects.filter(layer=forest.trees, area_m2__gte=20).count()
    expect(page.get_by_role("status").filter(has_text=f"of {left}")).to_be_visible()
    table = page.get_by_role("region", name="Table of Trees")
    table.get_by_role("button", name="Area (m²)").click()
    table.get_by_role("button", name="Area (m²)").click()
    number = forest.tree().fid
    zoom = zoom_of(page)
    table.get_by_role("button", name=f"Show number {number}").click()
    wait_until(lambda: zoom_of(page) != zoom, what="the way to the tree", page=page)
    page.get_by_role("button", name="Close the table").click()

    # A distance, a place, a swipe.
    tools = page.get_by_role("toolbar", name="Tools")
    tools.get_by_role("button", name="Measure").click()
    box = page.locator(".stage .map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 100, box["y"] + 200)
    page.mouse.click(box["x"] + 200, box["y"] + 200)
    expect(page.locator(".measured")).to_contain_text(re.compile(r"\d m$"))
    tools.get_by_role("button", name="Find a place").click()
    page.get_by_role("searchbox", name="Place or coordinates").fill("gainesv")
    expect(page.get_by_role("list", name="Places").get_by_text("Gainesville").first).to_be_visible()
    page.get_by_role("textbox", name="Bookmark this view").fill("The tree")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("list", name="Bookmarks").get_by_text("The tree")).to_be_visible()
    tools.get_by_role("button", name="Compare").click()
    page.get_by_role("slider", name="Swipe between the two layers").press("ArrowLeft")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("The map now opens like this.")).to_be_visible()
    expect(page.get_by_role("button", name="Save view")).to_be_disabled()
    place = page.url

    tools.get_by_role("button", name="Print").click()
    with page.expect_download() as made:
        page.get_by_role("button", name="Make a PDF").click()
    made.value.save_as(tmp_path / "map.pdf")
    assert re.match(rb"%PDF-1\.4.+/Width 1754 /Height 1240.+%%EOF\n$", (tmp_path / "map.pdf").read_bytes(), re.DOTALL)
    screenshot(page, "map-tools")

    page.goto("/")
    page.goto(f"/maps/{forest.map.pk}/")
    expect(page.get_by_role("slider", name="Swipe between the two layers")).to_have_attribute("aria-valuenow", "48")
    expect(layer(page, "Trees").get_by_text("Only Area (m²) from 20")).to_be_visible()
    expect(layer(page, "Older scene").locator(".ramp-ends")).to_contain_text("150")
    wait_until(lambda: page.url == place, what="the same address", page=page)


def _words(row: MapLayer) -> dict[str, list[str]]:
    row.refresh_from_db()
    words: dict[str, list[str]] = row.style.get("words", {})
    return words
