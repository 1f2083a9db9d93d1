"""The labeling page with 5,000 polygons in view: frames while panning, and how soon a new one is drawn and stored.

Run it: `python -m tests.bench.bench_label_page [--samples 5000] [--markdown FILE]` with DATABASE_URL of a scratch
database that is migrated, and the front end built. The samples are real buildings, each shrunk into a cell of its own
over a real scene. Chromium draws without a graphics card, so beside the frames stands what the page's own thread
computed for each of them (from a trace), which does not depend on what else the machine does.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page, expect

from tests.bench.pan_page import TAKE, WATCH, cpu_ms
from tests.bench.report import report
from tests.bench.served import SIZE, served_to
from tests.bench.tile_servers import ROOT
from tests.bench.vector_data import cells

MIDDLE = (470, 400)
DRAGS, NEW = 8, 20
# From the last click: when the samples' canvas was painted anew, when the next frame began (by then the picture is on
# the screen), and when the page said that it is stored.
TIMES = """() => {
  Object.assign(window, { drawn: null, rows_ms: [] });
  window.note = (what) => {
    const { drawn } = window;
    if (!drawn || drawn[what] !== undefined) return;
    drawn[what] = performance.now() - drawn.from;
    if (drawn.painted === undefined || drawn.seen === undefined || drawn.saved === undefined) return;
    window.rows_ms.push(drawn);
    window.drawn = null;
  };
  addEventListener("pointerup", ({ timeStamp }) => (window.drawn = { from: timeStamp }), { capture: true });
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    if (window.drawn && this.canvas.closest(".leaflet-samples-pane")) {
      queueMicrotask(() => window.note("painted"));
      requestAnimationFrame(() => window.note("seen"));
    }
    return clear.apply(this, box);
  };
}"""
STORED = """() => {
  const state = document.querySelector(".label-save");
  new MutationObserver(() => {
    if (state.dataset.state === "saving" && window.drawn) window.drawn.sending = true;
    else if (state.dataset.state === "saved" && window.drawn?.sending) window.note("saved");
  }).observe(state, { attributes: true });
}"""


def during(page: Page, act: Callable[[], None]) -> dict[str, float]:
    """Return frames and the thread's own work while something is done."""
    browser = page.context.browser
    assert browser is not None
    page.evaluate(TAKE)
    browser.start_tracing(page=page, categories=["toplevel"])
    before = time.perf_counter()
    act()
    took = time.perf_counter() - before
    told = page.evaluate(TAKE)
    tasks = list(cpu_ms(json.loads(browser.stop_tracing())["traceEvents"]))
    gaps = sorted(told["gaps"])
    return {
        "frames a second": round(len(gaps) / took, 1),
        "p95 of frames ms": round(gaps[int(len(gaps) * 0.95)], 1),
        "CPU of the page's thread, ms a frame": round(sum(tasks) / len(gaps), 1),
        "most CPU in a task ms": round(max(tasks, default=0), 1),
        "tasks over 50 ms": len(told["long"]),
    }


def pan(page: Page) -> None:
    """Drag the map to and fro."""
    for number in range(DRAGS):
        across, down = (300, 140) if number % 4 < 2 else (-300, -140)
        page.mouse.move(*MIDDLE)
        page.mouse.down()
        page.mouse.move(MIDDLE[0] + across, MIDDLE[1] + down, steps=20)
        page.mouse.up()


def hover(page: Page) -> None:
    """Move the pointer over the samples."""
    page.mouse.move(MIDDLE[0] - 250, MIDDLE[1] - 150)
    page.mouse.move(MIDDLE[0] + 250, MIDDLE[1] + 150, steps=80)


def draw(page: Page) -> dict[str, dict[str, float]]:
    """Draw polygons of four corners; return milliseconds from the last click of each."""
    page.evaluate(f"({STORED})()")
    page.keyboard.press("p")
    for number in range(NEW):
        x, y = 260 + 22 * (number % 10), 420 + 22 * (number // 10)
        for corner in ((x, y), (x + 12, y + 1), (x + 11, y + 12), (x + 1, y + 11), (x, y)):
            page.mouse.click(*corner)
        page.wait_for_function("(count) => window.rows_ms.length === count", arg=number + 1)
    rows = page.evaluate("() => window.rows_ms")
    spread: dict[str, dict[str, float]] = {}
    for name, key in (("painted", "painted"), ("on the screen", "seen"), ("stored", "saved")):
        values = sorted(row[key] for row in rows)
        spread[f"{name} after ms"] = {
            "median": round(median(values)),
            "p95": round(values[int(len(values) * 0.95)]),
            "most": round(values[-1]),
        }
    return spread


def measure(page: Page, address: str, count: int) -> dict[str, Any]:
    """Return the figures of one label set's page."""
    page.add_init_script(f"({WATCH})(); ({TIMES})()")
    page.goto(address)
    expect(page.locator(".label-map")).to_have_attribute("data-loading", "false", timeout=60_000)
    expect(page.get_by_label("Classes").locator("dd").first).to_have_text(f"{count:,}")
    page.keyboard.press("s")  # corners must not jump to their neighbours'
    page.wait_for_timeout(1000)
    figures: dict[str, Any] = {"samples": count}
    figures["panned"] = during(page, lambda: pan(page))
    page.keyboard.press("Shift+F")
    page.wait_for_timeout(1000)
    figures["pointer moved over them"] = during(page, lambda: hover(page))
    figures["drawn"] = draw(page)
    return figures


def markdown(figures: dict[str, Any], load: tuple[float, float, float]) -> str:
    """Return the page that tells the figures."""
    names = list(figures["panned"])
    moves = [
        f"| {title} | {' | '.join(str(figures[title][name]) for name in names)} |"
        for title in ("panned", "pointer moved over them")
    ]
    times = [f"| {name} | {one['median']} | {one['p95']} | {one['most']} |" for name, one in figures["drawn"].items()]
    return "\n".join(
        [
            f"| | {' | '.join(names)} |",
            "|---" * (len(names) + 1) + "|",
            *moves,
            "",
            "| from the last click of a new polygon | median | p95 | most |",
            "|---|---|---|---|",
            *times,
            "",
            f"{figures['samples']:,} samples in view, {SIZE[0]} by {SIZE[1]} pixels, {NEW} new polygons,"
            f" {os.cpu_count()} cores shared with server, database and other programs, load {load[0]:.1f}.",
            "",
        ]
    )


def main() -> None:
    """Measure, print, keep."""
    data = Path(os.environ.get("QUADRAT_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=Path, default=data / "banepa/banepa_buildings_osm.geojson")
    parser.add_argument("--scene", type=Path, default=data / "neon_trees/OSBS_029.tif")
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--markdown", type=Path, help="where to keep the table")
    parser.add_argument("--screenshot", type=Path, help="where to keep a picture of the page")
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    from labeling.services import create_label_set
    from tests.bench.scenes import ingested, owner
    from webapp.features.bulk import NewFeature, add_features

    user, project = owner("Labeling page")
    scene = ingested(project, user, args.scene)
    assert scene.footprint is not None
    classes = [(1, "Roof", "#d1495b"), (2, "Shed", "#1b9e77"), (3, "Hut", "#377eb8")]
    label_set = create_label_set(project=project, name="Many", imagery=scene, classes=classes, user=user)
    shapes = cells(args.buildings, scene.footprint.extent, args.samples)
    rows = (NewFeature(shape, class_value=1 + number % 3) for number, shape in enumerate(shapes))
    add_features(layer=label_set.layer, features=rows)
    with served_to(user) as site:
        page = site.context.new_page()
        figures = measure(page, f"{site.url}/label/{label_set.pk}/", args.samples)
        if args.screenshot:
            page.screenshot(path=args.screenshot)
    report(figures)
    if args.markdown:
        args.markdown.write_text(markdown(figures, os.getloadavg()))


if __name__ == "__main__":
    main()
