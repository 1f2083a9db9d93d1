"""A layer of a million buildings on the map page: what its opening, panning, restyling and clicking cost the browser.

Run it: `python -m tests.bench.bench_pan [--features 1000000] [--peer 20000]` with DATABASE_URL of a scratch database
that is migrated, and the front end built. Chromium tells its long tasks itself (Long Tasks API: 50 ms and more on the
page's thread). Beside it, the same pan over `--peer` rectangles in Leaflet's own canvas (`L.geoJSON`), which is what a
Leaflet page without our layer would do.
"""

import argparse
import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.bench.pan_page import Watch
from tests.bench.report import report
from tests.bench.served import served_to
from tests.bench.tile_servers import ROOT
from tests.bench.vector_data import made_layer

NAME = "A million buildings"
STEPS, STEP_PX = 10, (330, 120)
CENTRE = (760, 420)
# Software rendering on the machine's cores: Chromium without a graphics card.
PEER = """(count) => new Promise((done) => {
  const side = Math.ceil(Math.sqrt(count)), step = 0.0001;
  const features = Array.from({ length: count }, (_, at) => {
    const x = 85.5 + (at % side) * step, y = 27.6 + Math.floor(at / side) * step, d = step * 0.6;
    return { type: "Feature", properties: {}, geometry: { type: "Polygon",
      coordinates: [[[x, y], [x + d, y], [x + d, y + d], [x, y + d], [x, y]]] } };
  });
  const place = document.createElement("div");
  place.id = "peer";
  place.style.cssText = "position:fixed;inset:0;z-index:99999;background:#fff";
  document.body.append(place);
  const map = L.map(place, { preferCanvas: true, zoomControl: false });
  map.setView([27.6 + side * step / 2, 85.5 + side * step / 2], 16);
  const before = performance.now();
  L.geoJSON({ type: "FeatureCollection", features }).addTo(map);
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - before)));
})"""


def pan(page: Page) -> None:
    """Drag the map step by step, to and fro."""
    for number in range(STEPS):
        across, down = STEP_PX if number % 4 < 2 else (-STEP_PX[0], -STEP_PX[1])
        page.mouse.move(*CENTRE)
        page.mouse.down()
        page.mouse.move(CENTRE[0] + across, CENTRE[1] + down, steps=12)
        page.mouse.up()
        page.wait_for_timeout(150)


def hover(page: Page) -> None:
    """Move the pointer over the features."""
    page.mouse.move(CENTRE[0] - 200, CENTRE[1])
    page.mouse.move(CENTRE[0] + 200, CENTRE[1] + 40, steps=40)


def one_colour(page: Page, title: str) -> None:
    """Draw the layer in one colour."""
    page.get_by_role("button", name=f"More about {title}").click()
    page.get_by_role("menuitem", name="Style").click()
    page.get_by_role("combobox", name="Colour by").select_option("single")


def measure(watch: Watch, address: str, layer: Any, peer: int) -> None:
    """Note the figures of one map page."""
    page = watch.page
    lon, lat = (layer.west + layer.east) / 2, (layer.south + layer.north) / 2
    for zoom in (12, 14, 16):
        watch.opened(f"zoom {zoom}, opened", f"{address}#{zoom}/{lat:.5f}/{lon:.5f}")
        with watch.during(f"zoom {zoom}, panned {STEPS} steps"):
            pan(page)
    with watch.during("zoom 16, pointer moved over it"):
        hover(page)
    with watch.during("zoom 16, clicked") as more:
        before = page.evaluate("() => performance.now()")
        page.mouse.click(*CENTRE)
        page.locator(".map-popup").wait_for()
        more["answered after ms"] = round(page.evaluate("() => performance.now()") - before)
    with watch.during("zoom 16, in one colour", until_drawn=True):
        one_colour(page, layer.name)
    watch.figures["memory"] = watch.memory(page.context)
    took = page.evaluate(PEER, peer)
    with watch.during(f"L.geoJSON, {peer:,} rectangles, panned {STEPS} steps") as more:
        more["shown after ms"] = round(took)
        pan(page)


def main() -> None:
    """Measure, print, keep."""
    data = Path(os.environ.get("QUADRAT_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=Path, default=data / "banepa/banepa_buildings_osm.geojson")
    parser.add_argument("--features", type=int, default=1_000_000)
    parser.add_argument("--peer", type=int, default=20_000)
    parser.add_argument("--screenshot", type=Path, help="where to keep a picture of the map")
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    from webapp.maps.models import Map
    from webapp.maps.services import create_map

    layer = made_layer(args.buildings, args.features)
    user = layer.created_by or layer.project.members.first().user
    shown = Map.objects.filter(project=layer.project, name=NAME, layers__features=layer).first() or create_map(
        project=layer.project, name=NAME, user=user, layers=[layer]
    )
    shown.layers.update(style={})  # as it is before the script chooses one colour
    with served_to(user) as site:
        watch = Watch(site.context)
        measure(watch, f"{site.url}/maps/{shown.pk}/", layer, args.peer)
        if args.screenshot:
            watch.page.evaluate("() => document.querySelector('#peer').remove()")
            watch.page.screenshot(path=args.screenshot)
    report(watch.figures)


if __name__ == "__main__":
    main()
