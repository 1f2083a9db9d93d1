"""Real work by a scripted pointer: every building of Catanduanes, drawn on the labeling page from the mapped truth.

Run it: `python -m tests.bench.bench_labeling [--count N] [--screenshot FILE]` with DATABASE_URL of a scratch database
that is migrated, and the front end built. Chromium opens two label sets and draws each building as a hand would: a
rectangle by three clicks where it is one, otherwise a polygon, corner by corner; it turns to the next building by arrow
keys. Told are keys and clicks for each building, seconds of the script's hand, and how far what is stored lies from the
truth.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import shapely
from playwright.sync_api import Page, expect
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry

from tests.bench.report import report
from tests.bench.served import served_to
from tests.bench.tile_servers import ROOT

SCENES = ("a", "b")
# Room around the building for the page's own things: tools on the left, hints above.
MARGIN = {"left": 130, "top": 70, "right": 60, "bottom": 60}
PAN_PX = 80  # of an arrow key
# The polygon tool closes at a click so near to its first corner, and passes over one so near to the last.
CLOSE_PX, SAME_PX = 10, 5
# A rectangle that fits so well is drawn as one: a fifth of a pixel of the imagery is not seen.
FITS_PX = 0.2
ZOOM_STEP = 0.5

Point = tuple[float, float]


def world(lon: float, lat: float) -> Point:
    """Return Web Mercator as 0..1, y downwards."""
    return lon / 360 + 0.5, 0.5 - math.asinh(math.tan(math.radians(lat))) / (2 * math.pi)


@dataclass
class Hand:
    """One page, with what was pressed on it."""

    page: Page
    keys: int = 0
    clicks: int = 0
    box: dict[str, float] = field(default_factory=dict)

    def press(self, name: str) -> None:
        """Press a key."""
        self.page.keyboard.press(name)
        self.keys += 1

    def click(self, at: Point) -> None:
        """Click on the map."""
        self.page.mouse.click(self.box["x"] + at[0], self.box["y"] + at[1])
        self.clicks += 1

    def at(self, place: Point) -> Point:
        """Return where a place (world) is on the map, in pixels of the screen."""
        zoom, lat, lon = (float(part) for part in self.page.url.partition("#")[2].split("/"))
        size, centre = 256 * 2**zoom, world(lon, lat)
        return (
            (place[0] - centre[0]) * size + self.box["width"] / 2,
            (place[1] - centre[1]) * size + self.box["height"] / 2,
        )

    @property
    def zoom(self) -> float:
        """The map's zoom, as the page's address tells it."""
        return float(self.page.url.partition("#")[2].split("/")[0])

    def turn(self, corners: Sequence[Point]) -> None:
        """Zoom by keys until all of it fits into the view, and its shortest edge can be told apart where that fits."""
        edges = [math.dist(a, b) for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
        room = (
            self.box["width"] - MARGIN["left"] - MARGIN["right"] - 2 * PAN_PX,
            self.box["height"] - MARGIN["top"] - MARGIN["bottom"] - 2 * PAN_PX,
        )
        sides = [max(corner[axis] for corner in corners) - min(corner[axis] for corner in corners) for axis in (0, 1)]
        while any(side * 256 * 2**self.zoom > most for side, most in zip(sides, room, strict=True)):
            self.step("-")
        while min(edges) * 256 * 2**self.zoom < 1.3 * SAME_PX and all(
            side * 256 * 2 ** (self.zoom + 1) < most for side, most in zip(sides, room, strict=True)
        ):
            self.step("+")

    def step(self, key: str) -> None:
        """Zoom by one and wait until the map has come to rest."""
        wanted = self.zoom + (1 if key == "+" else -1)
        self.press(key)
        self.page.wait_for_function("(zoom) => Number(location.hash.slice(1).split('/')[0]) === zoom", arg=wanted)

    def bring(self, corners: Sequence[Point]) -> None:
        """Pan by arrow keys until all corners are in view."""
        for axis, low, high, keys in (
            (0, MARGIN["left"], self.box["width"] - MARGIN["right"], ("ArrowLeft", "ArrowRight")),
            (1, MARGIN["top"], self.box["height"] - MARGIN["bottom"], ("ArrowUp", "ArrowDown")),
        ):
            for _ in range(200):
                seen = [self.at(corner)[axis] for corner in corners]
                if min(seen) < low and max(seen) < high:
                    self.press(keys[0])
                elif max(seen) > high and min(seen) > low:
                    self.press(keys[1])
                else:
                    break


def first_zoom(pixel: float) -> float:
    """Return the zoom at which a pixel of the imagery (world units) is 1.5 of the screen, or a little more."""
    return math.ceil(math.log2(1.5 / (pixel * 256)) / ZOOM_STEP) * ZOOM_STEP


def rectangle(corners: Sequence[Point]) -> tuple[float, Sequence[Point]]:
    """Return how far (world) the best rectangle by three clicks is from four corners, and these clicks."""
    best: tuple[float, Sequence[Point]] = (math.inf, ())
    for turn in range(4):
        a, b, c, d = (*corners[turn:], *corners[:turn])
        length = math.dist(a, b)
        across = ((b[1] - a[1]) / length, -(b[0] - a[0]) / length)
        depth = (c[0] - b[0]) * across[0] + (c[1] - b[1]) * across[1]
        made = [(at[0] + across[0] * depth, at[1] + across[1] * depth) for at in (b, a)]
        best = min(best, (max(math.dist(made[0], c), math.dist(made[1], d)), (a, b, c)))
    return best


def from_first(corners: Sequence[Point]) -> list[Point]:
    """Return the ring begun where its other corners are furthest away: a click near the first one closes it."""
    turns = [[*corners[turn:], *corners[:turn]] for turn in range(len(corners))]
    return max(turns, key=lambda ring: min(math.dist(ring[0], other) for other in ring[2:-1] or ring[1:]))


def in_order(buildings: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """Return the buildings, each followed by the nearest one left: how an eye goes over a scene."""
    left = sorted(buildings, key=lambda one: (-one.centroid.y, one.centroid.x))
    found = [left.pop(0)]
    while left:
        nearest = min(left, key=lambda one: found[-1].centroid.distance(one.centroid))
        left.remove(nearest)
        found.append(nearest)
    return found


def draw(hand: Hand, building: BaseGeometry, tool: str, pixel: float) -> str:
    """Draw one building and return the tool that was used; `pixel` is one of the imagery, in world units."""
    corners = [world(*corner) for corner in building.exterior.coords[:-1]]
    hand.turn(corners)
    hand.bring(corners)
    off, three = rectangle(corners) if len(corners) == 4 else (math.inf, ())
    wanted, clicks = ("r", three) if off < FITS_PX * pixel else ("p", from_first(corners))
    if wanted != tool:
        hand.press(wanted)
    for corner in clicks:
        hand.click(hand.at(corner))
    if wanted == "p":
        hand.press("Enter")
    return wanted


def label(page: Page, url: str, buildings: Sequence[BaseGeometry], pixel: float) -> tuple[Hand, list[dict[str, Any]]]:
    """Draw all buildings on one label set and return the hand, and what each took."""
    lon, lat = buildings[0].centroid.coords[0]
    page.goto(f"{url}#{first_zoom(pixel)}/{lat:.8f}/{lon:.8f}")
    expect(page.locator(".label-map")).to_have_attribute("data-loading", "false", timeout=30_000)
    hand = Hand(page)
    hand.press("m")  # the panel is not needed
    hand.press("s")  # no snapping: the truth's own corners are wanted
    hand.box = page.locator(".label-map").bounding_box() or {}
    rows, tool = [], ""
    for building in buildings:
        keys, clicks, began = hand.keys, hand.clicks, time.monotonic()
        tool = draw(hand, building, tool, pixel)
        rows.append(
            {
                "keys": hand.keys - keys,
                "clicks": hand.clicks - clicks,
                "seconds": time.monotonic() - began,
                "tool": tool,
            }
        )
    expect(page.locator(".label-save")).to_have_attribute("data-state", "saved", timeout=60_000)
    return hand, rows


def deviations(stored: Sequence[BaseGeometry], truth: Sequence[BaseGeometry], pixel: float) -> list[float]:
    """Return how far each building's outline lies from the stored one in its place, in pixels of the imagery."""

    def plane(one: BaseGeometry) -> Polygon:
        return Polygon([world(*corner) for corner in one.exterior.coords])

    left = [plane(one) for one in stored]
    found = []
    for one in map(plane, truth):
        twin = min(left, key=lambda other: shapely.hausdorff_distance(one.exterior, other.exterior))
        left.remove(twin)
        found.append(float(shapely.hausdorff_distance(one.exterior, twin.exterior, densify=0.05)) / pixel)
    return found


def main() -> None:
    """Draw, compare, print, keep."""
    data = Path(os.environ.get("QUADRAT_TEST_DATA", ROOT.parent / "shared" / "data")) / "catanduanes"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="buildings of each scene, at most")
    parser.add_argument("--screenshot", type=Path, help="where to keep a picture of the drawn scene")
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    from labeling.services import create_label_set
    from tests.bench.scenes import ingested, owner
    from webapp.features.geometry import to_shape
    from webapp.features.models import Feature

    user, project = owner("Catanduanes by a scripted hand")
    truth = [
        shape(row["geometry"])
        for row in json.loads((data / "catanduanes_buildings_osm.geojson").read_text())["features"]
    ]
    rows: list[dict[str, Any]] = []
    apart: list[float] = []
    with served_to(user) as site:
        for name in SCENES:
            scene = ingested(project, user, data / f"catanduanes_{name}.tif")
            assert scene.footprint is not None
            area = to_shape(scene.footprint)
            buildings = in_order([one for one in truth if area.intersects(one)])[: args.count]
            label_set = create_label_set(
                project=project, name=scene.name, imagery=scene, classes=[(1, "Building", "#d1495b")], user=user
            )
            # Web Mercator's own pixel: the scenes are in it.
            pixel = abs(scene.transform[0]) / (2 * math.pi * 6_378_137)
            hand, done = label(site.context.new_page(), f"{site.url}/label/{label_set.pk}/", buildings, pixel)
            stored = [to_shape(row.geometry) for row in Feature.objects.filter(layer=label_set.layer, deleted=False)]
            if len(stored) != len(buildings):
                sys.exit(f"{len(stored)} of {len(buildings)} buildings of scene {name} are stored.")
            rows += done
            apart += deviations(stored, buildings, pixel)
            if args.screenshot:
                hand.page.keyboard.press("Shift+F")
                hand.page.wait_for_load_state("networkidle")
                hand.page.screenshot(path=args.screenshot.with_stem(f"{args.screenshot.stem}-{name}"))
    report(_figures(rows, apart))


def _figures(rows: Sequence[dict[str, Any]], apart: Sequence[float]) -> dict[str, Any]:
    def spread(name: str) -> dict[str, float]:
        values = [row[name] for row in rows]
        return {
            "median": round(median(values), 2),
            "mean": round(sum(values) / len(values), 2),
            "most": round(max(values), 2),
        }

    return {
        "buildings": len(rows),
        "rectangles by three clicks": sum(row["tool"] == "r" for row in rows),
        "keys a building": spread("keys"),
        "clicks a building": spread("clicks"),
        "seconds a building (the script's hand)": spread("seconds"),
        "from the truth, pixels of the imagery": {"median": round(median(apart), 3), "most": round(max(apart), 3)},
    }


if __name__ == "__main__":
    main()
