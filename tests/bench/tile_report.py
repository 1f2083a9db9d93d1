"""Table and plot of the tile benchmark."""

import argparse
import os
from dataclasses import dataclass
from html import escape

from tests.bench.tile_servers import ROOT, Measured

HEAD = """# Imagery tiles beside TiTiler

Written by `make bench-tiles` (tests/bench/bench_tiles.py). Both servers in one run by turns, one uvicorn process each,
asked one tile after the other over one connection. CPU-seconds are those of the server process for 1,000 tiles: they
hold on a busy machine, the waits do not. Nothing that we drew was kept in memory. TiTiler 2.4.0 in an environment of
its own, with the GDAL settings that its documentation recommends.

![CPU-seconds for 1,000 tiles](tiles.svg)

"""


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison."""

    label: str
    ours: Measured
    peer: Measured | None
    difference: float | None = None

    @property
    def ratio(self) -> float | None:
        """Tiles for a CPU second, ours to TiTiler's."""
        return None if self.peer is None else self.peer.cpu_per_1000 / max(self.ours.cpu_per_1000, 1e-3)

    def figures(self) -> dict[str, float]:
        """Return what is compared, by name."""
        found = {"cpu_s_per_1000": self.ours.cpu_per_1000, "p95_ms": self.ours.wait_ms(95)}
        if self.peer is not None:
            found |= {"peer_cpu_s_per_1000": self.peer.cpu_per_1000, "peer_p95_ms": self.peer.wait_ms(95)}
        return {name: round(value, 3) for name, value in found.items()}

    def line(self) -> str:
        """Return the row of the table."""
        cells = [self.label, *_numbers(self.ours), *(_numbers(self.peer) if self.peer else ["", "", ""])]
        cells.append(f"**{self.ratio:.1f}**" if self.ratio else "")
        cells.append("" if self.difference is None else f"{self.difference:.2f}")
        return "| " + " | ".join(cells) + " |"


def write(rows: list[Row], args: argparse.Namespace) -> None:
    """Write docs/benchmarks/tiles.md and tiles.svg."""
    folder = ROOT / "docs" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    table = [
        "| work | our CPU-s / 1,000 | p50 / p95 ms | kB | TiTiler's CPU-s / 1,000 | p50 / p95 ms | kB | times "
        "| pixels differ |",
        "|---|---|---|---|---|---|---|---|---|",
        *(row.line() for row in rows),
    ]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    said = [
        f"`{args.cog.name}` for R1, `{args.ingest.name}` for R2, R4, R5 and the UTM copy, `{args.bands.name}` for R3;",
        f"{args.tiles} tiles a series, each series twice; {os.cpu_count()} cores, load {load} at the end.",
        "`pixels differ` is the mean difference of both servers' pixels (of 255) in the same tiles; each resamples",
        "with its default, the nearest pixel, of the overview that it chooses.",
        "R3's relief is not the same picture: ours is lit as gdaldem lights it, by metres on the ground.",
        "R4 asks for ten views of 20 tiles and moves on when ten have come; tiles given up are counted as asked for.",
    ]
    (folder / "tiles.md").write_text(HEAD + "\n".join(table) + "\n\n" + "\n".join(said) + "\n")
    (folder / "tiles.svg").write_text(plot([row for row in rows if row.peer is not None]))


def plot(rows: list[Row], peer: str = "TiTiler") -> str:
    """Return bars of both servers' CPU seconds, one pair a row, as SVG."""
    most = max(max(row.ours.cpu_per_1000, row.peer.cpu_per_1000) for row in rows if row.peer)
    parts = []
    for number, row in enumerate(rows):
        assert row.peer is not None
        top = 34 + number * 46
        parts.append(f'<text x="8" y="{top}">{escape(row.label)}</text>')
        for step, (value, colour) in enumerate(
            ((row.ours.cpu_per_1000, "#1b9e77"), (row.peer.cpu_per_1000, "#7570b3"))
        ):
            width, y = 560 * value / most, top + 5 + step * 14
            parts.append(f'<rect x="8" y="{y}" width="{max(width, 1):.1f}" height="12" fill="{colour}"/>')
            parts.append(f'<text x="{14 + width:.1f}" y="{y + 10}">{value:.2f}</text>')
    height = 40 + len(rows) * 46
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="660" height="{height}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="660" height="{height}" fill="white"/>'
        '<text x="8" y="16">CPU-seconds for 1,000 tiles: <tspan fill="#1b9e77">Quadrat</tspan>, '
        f'<tspan fill="#7570b3">{peer}</tspan></text>' + "".join(parts) + "</svg>\n"
    )


def _numbers(found: Measured) -> list[str]:
    size = f"{found.size_bytes / max(1, found.tiles) / 1000:.1f}"
    return [f"{found.cpu_per_1000:.2f}", f"{found.wait_ms(50):.1f} / {found.wait_ms(95):.1f}", size]
