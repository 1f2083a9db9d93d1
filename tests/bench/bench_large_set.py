"""A label set of 200,000 samples: its import through the dialog, its pages, its tiles and pages of features.

Run it: `python -m tests.bench.bench_large_set [--samples 200000] [--import 50000] [--markdown FILE]` with DATABASE_URL
of a scratch database that is migrated, and the front end built. A FlatGeobuf of real buildings, each shrunk into a cell
of its own over a real scene, with a few that are wrong, is chosen in the import dialog by Chromium, looked into and
imported by a real worker process, while somebody else edits samples of the same set every 250 ms. Then the labeling
page and the samples manager are opened, and the wrong ones have to be found. Last, the server is asked for vector
tiles, pages of features and boxes, one after the other.
"""

import argparse
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from playwright.sync_api import Page, expect

from tests.bench.bench_tiles import tiles_in
from tests.bench.beside_import import Writer
from tests.bench.memory import Memory
from tests.bench.report import report
from tests.bench.served import served_to
from tests.bench.tile_servers import ROOT, Server
from tests.bench.vector_data import cells

MOST_MS = 600_000
WRONG = {"duplicate": 5, "tiny": 3, "outside": 2, "repaired": 4}
ASKED = 60
# When the words or the bar of the dialog's progress last changed, and the longest time they did not.
SILENCE = """() => {
  Object.assign(window, { told: performance.now(), silent_ms: 0 });
  const tell = (changes) => {
    // Somebody else's edits change the page behind it, too.
    const place = ({ target }) => (target instanceof Element ? target : target.parentElement);
    if (!changes.some((change) => place(change)?.closest("dialog, [role=dialog]"))) return;
    const now = performance.now();
    window.silent_ms = Math.max(window.silent_ms, now - window.told);
    window.told = now;
  };
  new MutationObserver(tell).observe(document.body, { childList: true, subtree: true, characterData: true,
    attributes: true, attributeFilter: ["value", "aria-valuenow", "aria-valuetext"] });
}"""


def write_file(path: Path, buildings: Path, bounds: tuple[float, float, float, float], count: int) -> None:
    """Write so many buildings as FlatGeobuf, the last few of them wrong: `WRONG`, and a bow tie for each repaired."""
    shapes = list(cells(buildings, bounds, count - sum(WRONG.values())))
    step = (bounds[2] - bounds[0]) / np.ceil(np.sqrt(count))
    generator = random.Random(1)
    for shape in generator.sample(shapes, WRONG["duplicate"]):
        shapes.append(shapely.transform(shape, lambda xy: xy + 0.01 * step))
    for number in range(WRONG["tiny"]):
        x, y = bounds[0] + (10 + 7 * number) * step, bounds[1] + 10 * step
        shapes.append(shapely.box(x, y, x + 1e-7, y + 1e-7))
    for number in range(WRONG["outside"]):
        x, y = bounds[2] + (5 + number) * step, bounds[3] + 5 * step
        shapes.append(shapely.box(x, y, x + step, y + step))
    for number in range(WRONG["repaired"]):
        x, y = bounds[0] + (20 + number) * step, bounds[1] + 20.1 * step
        shapes.append(shapely.Polygon([(x, y), (x + step / 2, y + step / 2), (x + step / 2, y), (x, y + step / 2)]))
    kinds = np.array(["Roof", "Shed", "Hut"], dtype=object)[np.arange(count) % 3]
    pyogrio.raw.write(
        path,
        geometry=np.array([shapely.to_wkb(shape) for shape in shapes], dtype=object),
        field_data=[kinds, np.arange(count) % 9],
        fields=["kind", "storeys"],
        geometry_type="Polygon",
        crs="EPSG:4326",
        driver="FlatGeobuf",
    )


@contextmanager
def worker() -> Iterator[int]:
    """Run a worker process for as long as the block; yield its number."""
    process = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def import_by_dialog(page: Page, address: str, path: Path, pids: dict[str, int], writer: Writer) -> dict[str, Any]:
    """Import a file as a person does; return seconds, silences, memory and the waits of who edits meanwhile."""
    page.goto(address)
    expect(page.locator(".label-map")).to_have_attribute("data-loading", "false", timeout=60_000)
    page.evaluate(f"({SILENCE})()")
    watched = {name: Memory(pid) for name, pid in pids.items()}
    page.get_by_role("button", name="Import and export").click()
    page.get_by_role("menuitem", name="Import").click()
    before = time.perf_counter()
    page.get_by_label("File").set_input_files(path)
    page.get_by_label("Class", exact=True).wait_for(timeout=MOST_MS)
    looked = time.perf_counter() - before
    page.get_by_label("Class", exact=True).select_option("kind")
    before = time.perf_counter()
    writer.import_begins()
    page.get_by_role("button", name="Import", exact=True).click()
    said = page.get_by_role("dialog").get_by_role("status").filter(has_text="imported.")
    said.wait_for(timeout=MOST_MS)
    figures = {
        "file MB": round(path.stat().st_size / 1e6, 1),
        "preview after s": round(looked, 1),
        "imported after s": round(time.perf_counter() - before, 1),
        "longest time without news s": round(page.evaluate("() => window.silent_ms") / 1000, 1),
        "report": said.inner_text().replace("\n", " "),
        **{f"most memory of the {name} MB": one.end() for name, one in watched.items()},
        **writer.end(),
    }
    page.get_by_role("button", name="Done").click()
    return figures


def look(page: Page, address: str, count: int) -> dict[str, Any]:
    """Open the labeling page and the samples manager; return seconds and what was found."""
    figures: dict[str, Any] = {}
    before = time.perf_counter()
    page.goto(address)
    expect(page.locator(".label-map")).to_have_attribute("data-loading", "false", timeout=60_000)
    expect(page.get_by_text("Too many samples in view")).to_be_visible(timeout=60_000)
    expect(page.get_by_label("Classes").locator("dd").first).to_have_text(f"{count:,}", timeout=60_000)
    figures["labeling page, all of it in view, after s"] = round(time.perf_counter() - before, 1)
    for _ in range(4):
        zoom = page.url.partition("#")[2].split("/")[0]
        page.keyboard.press("+")
        page.wait_for_function("(zoom) => !location.hash.startsWith(`#${zoom}/`)", arg=zoom)
    before = time.perf_counter()
    expect(page.get_by_text("Too many samples in view")).to_be_hidden(timeout=60_000)
    figures["four zooms nearer, to be edited after s"] = round(time.perf_counter() - before, 1)
    before = time.perf_counter()
    page.goto(f"{address}samples/")
    page.get_by_role("table", name="Classes").wait_for(timeout=60_000)
    figures["samples manager, classes after s"] = round(time.perf_counter() - before, 1)
    page.get_by_role("tab", name="Problems (").click(timeout=120_000)
    page.locator(".problem").first.wait_for(timeout=120_000)
    figures["samples manager, problems after s"] = round(time.perf_counter() - before, 1)
    figures["found"] = {
        str(row.get_attribute("data-kind")): row.locator("h2 .badge").inner_text()
        for row in page.locator(".problem").all()
    }
    return figures


def ask(server: Server, layer: Any, cookie: str) -> dict[str, Any]:
    """Return what tiles, pages and boxes cost (target L9: p95 of 150, 400 and 300 ms)."""
    from webapp.projects.signing import layer_token

    token = layer_token("features", layer.pk)
    box = [layer.west, layer.south, layer.east, layer.north]
    pages = [
        f"/ogc/collections/{layer.pk}/items?limit=1000&after={layer.feature_count * n // ASKED // 1000 * 1000}"
        for n in range(ASKED)
    ]
    side = (2000 / layer.feature_count) ** 0.5
    width, height = (box[2] - box[0]) * side, (box[3] - box[1]) * side
    generator = random.Random(2)
    boxes = []
    for _ in range(ASKED):
        x = generator.uniform(box[0], box[2] - width)
        y = generator.uniform(box[1], box[3] - height)
        boxes.append(f"/api/layers/{layer.pk}/features?limit=10000&bbox={x},{y},{x + width},{y + height}")
    tiles = [
        f"/tiles/features/{layer.pk}/0/{z}/{x}/{y}.mvt?t={token}"
        for z, x, y in tiles_in(box, range(14, 20), ASKED * 5, seed=4)
    ]
    figures = {}
    for name, paths in (("vector tile", tiles), ("OGC page of 1,000", pages), ("box of 2,000", boxes)):
        server.measure(paths[:3], {"Cookie": cookie})
        done = server.measure(paths, {"Cookie": cookie})
        figures[name] = {
            "p50 ms": round(done.wait_ms(50)),
            "p95 ms": round(done.wait_ms(95)),
            "CPU ms of the server": round(1000 * done.cpu_s / done.tiles),
            "kB": round(done.size_bytes / done.tiles / 1000),
        }
    return figures


def markdown(figures: dict[str, Any], load: tuple[float, float, float]) -> str:
    """Return the tables that tell the figures."""
    imports = [name for name in figures if name.startswith("import of")]
    rows = list(figures[imports[0]]) if imports else []
    lines = ["| | " + " | ".join(imports) + " |", "|---" * (len(imports) + 1) + "|"] if imports else []
    lines += [f"| {row} | " + " | ".join(str(figures[name][row]) for name in imports) + " |" for row in rows]
    lines += ["", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in figures["pages"].items() if name != "found"]
    found = ", ".join(f"{kind} {count}" for kind, count in figures["pages"]["found"].items())
    lines += [
        f"| found | {found} |",
        "",
        "| asked one after the other | p50 ms | p95 ms | CPU ms | kB |",
        "|---" * 5 + "|",
    ]
    lines += [
        f"| {name} | " + " | ".join(str(one) for one in row.values()) + " |" for name, row in figures["asked"].items()
    ]
    lines += [
        "",
        f"{os.cpu_count()} cores shared with browser, worker, database and other programs, load {load[0]:.1f}.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, keep."""
    data = Path(os.environ.get("QUADRAT_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=Path, default=data / "banepa/banepa_buildings_osm.geojson")
    parser.add_argument("--scene", type=Path, default=data / "banepa/banepa_train.tif")
    parser.add_argument("--samples", type=int, default=200_000, help="0: only the import before it")
    parser.add_argument("--import", dest="imported", type=int, default=50_000, help="first a set of so many alone")
    parser.add_argument("--again", help="the id of a label set of an earlier run, instead of imports")
    parser.add_argument("--markdown", type=Path, help="where to keep the tables")
    parser.add_argument("--screenshots", type=Path, help="a folder for pictures of the pages")
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells each edit
    from labeling.models import LabelSet
    from labeling.services import create_label_set
    from tests.bench.scenes import ingested, owner
    from webapp.features.models import Edit, Feature
    from webapp.projects.services import create_token

    user, project = owner("Large set")
    label_set = LabelSet.objects.get(pk=args.again) if args.again else None
    scene = label_set.imagery if label_set else ingested(project, user, args.scene)
    assert scene.footprint is not None
    figures: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        worker() as working,
        served_to(user) as site,
    ):
        page = site.context.new_page()
        for count in () if label_set else filter(None, (args.imported, args.samples)):
            file = Path(folder) / f"buildings-{count}.fgb"
            write_file(file, args.buildings, scene.footprint.extent, count)
            classes = [(1, "Roof", "#d1495b"), (2, "Shed", "#1b9e77"), (3, "Hut", "#377eb8")]
            label_set = create_label_set(
                project=project, name=f"{count:,} buildings", imagery=scene, classes=classes, user=user
            )
            pids = {"worker": working, "server": site.server.pid}
            _, secret = create_token(user=user, name="beside an import", scopes=["edit"])
            writer = Writer(site.url, secret, str(label_set.pk), scene.footprint.extent)
            address = f"{site.url}/label/{label_set.pk}/"
            figures[f"import of {count:,}"] = import_by_dialog(page, address, file, pids, writer)
            assert Feature.objects.filter(layer=label_set.layer, deleted=False).count() == count
            edits = Edit.objects.filter(layer=label_set.layer).count()
            assert edits == count + writer.changed, "the history is part of it"
        if not args.samples:
            return report(figures)
        assert label_set is not None
        address = f"{site.url}/label/{label_set.pk}/"
        label_set.layer.refresh_from_db()
        figures["pages"] = look(page, address, label_set.layer.feature_count)
        if args.screenshots:
            page.screenshot(path=args.screenshots / "large-problems.png")
            page.goto(address)
            page.get_by_text("Too many samples in view").wait_for()
            page.screenshot(path=args.screenshots / "large-label.png")
        cookie = "; ".join(f"{one['name']}={one['value']}" for one in site.context.cookies())
        page.goto("about:blank")
        figures["asked"] = ask(site.server, label_set.layer, cookie)
    report(figures)
    if args.markdown:
        args.markdown.write_text(markdown(figures, os.getloadavg()))


if __name__ == "__main__":
    main()
