"""Table and plot of the vector tile benchmark."""

import argparse
import os
from dataclasses import dataclass

from tests.bench.tile_report import Row, plot
from tests.bench.tile_servers import ROOT

HEAD = """# Vector tiles beside tipg

Written by `make bench-vector` (tests/bench/bench_vector.py). Both servers in one run by turns, one uvicorn process
each, asked one tile after the other over one connection, on the same database. CPU-seconds are those of the server
process **and of its connections' processes in PostgreSQL** for 1,000 tiles: they hold on a busy machine, the waits do
not. tipg 1.6.0 in an environment of its own, with its defaults; parallel queries are off for both. Nothing of ours is
kept in memory between requests.

![CPU-seconds for 1,000 tiles](vector.svg)

"""


@dataclass(frozen=True, slots=True)
class Shown:
    """Features that lie in some tiles, and how many of them each server's tiles account for."""

    lie: int
    ours: int
    peer: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """How an edit is seen by a browser that holds a view of tiles.

    Attributes:
        median_ms, most_ms: from the commit to the new tile.
        same: tiles of the views that stayed as they were (304).
        asked: tiles of the views.
    """

    median_ms: float
    most_ms: float
    same: int
    asked: int


def write(rows: list[Row], told: list[Shown], seen: Fresh, args: argparse.Namespace) -> None:
    """Write docs/benchmarks/vector.md and vector.svg."""
    folder = ROOT / "docs" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    table = [
        "| work | our CPU-s / 1,000 | p50 / p95 ms | kB | tipg's CPU-s / 1,000 | p50 / p95 ms | kB | times "
        "| features of those there: ours, tipg's |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for number, row in enumerate(rows):
        cells = row.line().rstrip("| ").rstrip("|").rstrip()
        share = _share(told[number]) if number < len(told) else ""
        table.append(f"{cells} | {share} |")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    said = [
        f"{args.features:,} polygons made of `{args.buildings.name}`, town beside town at the real density;",
        f"{args.tiles} tiles a row, each row twice; {os.cpu_count()} cores, load {load} at the end.",
        "The last column: of the features that lie in a row's first tiles, how many the answer accounts for: as",
        "themselves or, where they are more than 5,000, counted in cells of 4 pixels. tipg shows the first 10,000 and",
        "does not say that there are more; ours says so wherever features are left out (`Quadrat-Truncated`).",
        "",
        f"V3: ten buildings were changed. The new tile was there {seen.median_ms:.0f} ms after the commit (at most",
        f"{seen.most_ms:.0f} ms); of {seen.asked} tiles of zoom 17 around them, {seen.same} stayed as the browser held",
        f"them (304, {100 * seen.same / seen.asked:.0f} %). tipg sends no ETag: every tile is made anew.",
    ]
    (folder / "vector.md").write_text(HEAD + "\n".join(table) + "\n\n" + "\n".join(said) + "\n")
    (folder / "vector.svg").write_text(plot([row for row in rows if row.peer is not None], "tipg"))


def _share(found: Shown) -> str:
    if not found.lie:
        return ""
    return f"{100 * found.ours / found.lie:.0f} %, {100 * found.peer / found.lie:.0f} %"
