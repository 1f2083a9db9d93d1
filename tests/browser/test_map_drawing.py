"""How feature layers are drawn: in a worker or by the page, with the same pixels, and rings above what is drawn."""

import random

from django.contrib.gis.geos import GEOSGeometry
from playwright.sync_api import Page, expect
from shapely.geometry import LineString, Point, box

from tests.browser.driver import Pages, wait_until
from tests.factories import make_layer, make_project, make_user
from webapp.features.bulk import NewFeature, add_features
from webapp.features.models import FeatureLayer
from webapp.maps import services

LON, LAT, STEP = 85.52, 27.63, 0.0004
PIXELS = """() => Object.fromEntries([...document.querySelectorAll("canvas.leaflet-tile")].map((canvas) => {
  const { left, top } = canvas.getBoundingClientRect();
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const some = pixels.filter((_, at) => at % 16 < 4);
  return [`${Math.round(left)}/${Math.round(top)}`, btoa(String.fromCharCode(...some))];
}))"""
COUNT_CLEARED = """() => {
  window.cleared = 0;
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    if (this.canvas.classList.contains("leaflet-tile")) window.cleared += 1;
    return clear.apply(this, box);
  };
}"""


def _fill(layer: FeatureLayer) -> None:
    """Polygons that overlap, lines and points, of two classes."""
    pick = random.Random(4)
    shapes = []
    for number in range(240):
        lon, lat = LON + (pick.random() - 0.5) * 20 * STEP, LAT + (pick.random() - 0.5) * 14 * STEP
        shapes.append(
            [
                box(lon, lat, lon + STEP, lat + STEP),
                LineString([(lon, lat), (lon + STEP, lat + STEP)]),
                Point(lon, lat),
            ][number % 3]
        )
    shapes.append(box(LON - 4 * STEP, LAT - 3 * STEP, LON + 4 * STEP, LAT + 3 * STEP))
    add_features(
        layer=layer,
        features=[NewFeature(GEOSGeometry(shape.wkt), class_value=1 + at % 2) for at, shape in enumerate(shapes)],
    )


def _open(page: Page, url: str) -> dict[str, str]:
    page.goto(url)
    expect(page.locator("canvas.leaflet-tile-loaded").first).to_be_visible()
    expect(page.locator("canvas.leaflet-tile:not(.leaflet-tile-loaded)")).to_have_count(0)
    pixels: dict[str, str] = page.evaluate(PIXELS)
    return pixels


def test_a_worker_draws_the_same_pixels_as_the_page_and_a_ring_draws_no_tile_again(open_page: Pages) -> None:
    ana = make_user("ana")
    layer = make_layer(make_project(ana), [(1, "Roof", "#1b9e77"), (2, "Road", "#d95f02")], name="Town")
    _fill(layer)
    shown = services.create_map(project=layer.project, name="Town", user=ana, layers=[layer])
    url = f"/maps/{shown.pk}/#17/{LAT}/{LON}"
    page = open_page(ana)
    by_worker = _open(page, url)
    other = open_page(ana)
    other.add_init_script("delete window.OffscreenCanvas")
    assert len(by_worker) >= 12
    assert len(set(by_worker.values())) > 4
    assert _open(other, url) == by_worker

    # Pointing at the large polygon rings it in all the tiles that it lies in; going on takes the rings away.
    page.evaluate(COUNT_CLEARED)
    map_box = page.locator(".stage .map").bounding_box()
    assert map_box is not None
    centre = map_box["x"] + map_box["width"] / 2, map_box["y"] + map_box["height"] / 2
    page.mouse.move(*centre)
    expect(page.locator("canvas.tile-rings").first).to_be_visible()
    page.mouse.move(map_box["x"] + 3, map_box["y"] + map_box["height"] - 3)
    expect(page.locator("canvas.tile-rings")).to_have_count(0)
    assert page.evaluate("window.cleared") == 0

    # A restyle draws every tile anew from what is here: none is asked for, none is empty in between.
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url) if ".mvt" in request.url else None)
    page.get_by_role("button", name="More about Town", exact=True).click()
    page.get_by_role("menuitem", name="Style").click()
    page.get_by_role("combobox", name="Colour by").select_option("single")
    wait_until(lambda: page.evaluate("window.cleared") >= len(by_worker), what="the new style", page=page)
    assert not asked
    restyled = page.evaluate(PIXELS)
    assert restyled != by_worker
    assert restyled.keys() == by_worker.keys()
