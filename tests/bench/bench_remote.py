"""A COG on another server: bytes, requests and time for a tile, by a server on this machine that takes its time.

Run it: `python -m tests.bench.bench_remote --imagery cog.tif [--tiles 60] [--latency-ms 40]`.

Tiles of each zoom are drawn where nothing is known of the file (cold), then again where its bytes are in memory (warm),
and from the same file on this disk. Every request waits for the latency, as a server 40 ms away lets one wait.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affine import Affine
from pyproj import Transformer

from tests.bench.report import report
from tests.remote.server import Site, allowed, serving
from webapp.raster import remote
from webapp.raster.canvas import tile_canvas
from webapp.raster.display import display_grid
from webapp.raster.read import Reader
from webapp.raster.readers import open_raster
from webapp.raster.warp import read_onto
from webapp.remote import files

Tile = tuple[int, int, int]


@dataclass(frozen=True)
class Cost:
    """Of one tile, on average."""

    requests: float
    kilobytes: float
    ms: float


def tiles_at(path: Path, count: int, seed: int = 1) -> dict[int, list[Tile]]:
    """Return tiles within the raster, by zoom, from its full resolution up to where it is a few tiles."""
    with Reader(path) as reader:
        info = reader.info
    grid = display_grid(crs_wkt=info.crs_wkt, transform=Affine(*info.transform), height=info.height, width=info.width)
    to_mercator = Transformer.from_crs(info.crs_wkt, "EPSG:3857", always_xy=True)
    west, south, east, north = info.bounds
    rng, half = random.Random(seed), 20_037_508.342789244
    found: dict[int, list[Tile]] = {}
    for z in range(grid.zoom, max(grid.zoom - grid.levels, 0), -1):
        places = [to_mercator.transform(rng.uniform(west, east), rng.uniform(south, north)) for _ in range(count)]
        span = 2 * half / 2**z
        found[z] = list(dict.fromkeys((z, int((x + half) // span), int((half - y) // span)) for x, y in places))
    return found


def cost(path: Path, tiles: Sequence[Tile], site: Site) -> Cost:
    """Return what the tiles cost, drawn from a raster that is opened for them."""
    site.log.clear()
    began = time.perf_counter()
    with open_raster(path) as reader:
        bands = tuple(range(1, min(3, reader.info.count) + 1))
        for tile in tiles:
            read_onto(reader, tile_canvas(*tile, 256), bands)
    ms = 1000 * (time.perf_counter() - began) / len(tiles)
    return Cost(len(site.log) / len(tiles), site.sent / len(tiles) / 1000, ms)


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--imagery", type=Path, required=True)
    parser.add_argument("--tiles", type=int, default=60)
    parser.add_argument("--latency-ms", type=float, default=40)
    args = parser.parse_args()
    rows: dict[str, object] = {}
    with serving() as site, allowed(site), tempfile.TemporaryDirectory() as folder:
        site.latency_s = args.latency_ms / 1000
        site.files["scene.tif"] = args.imagery.read_bytes()
        there = Path(folder) / "scene.remote"
        remote.write(files.look(site.url("scene.tif")), there)
        for z, tiles in tiles_at(args.imagery, args.tiles).items():
            files.forget()
            cold, warm, here = (cost(path, tiles, site) for path in (there, there, args.imagery))
            rows[f"zoom {z}, {len(tiles)} tiles"] = {
                "cold": f"{cold.requests:.2f} requests, {cold.kilobytes:.0f} kB, {cold.ms:.0f} ms",
                "warm": f"{warm.requests:.2f} requests, {warm.kilobytes:.0f} kB, {warm.ms:.0f} ms",
                "this disk": f"{here.ms:.0f} ms",
            }
    report({"file_bytes": args.imagery.stat().st_size, **rows})


if __name__ == "__main__":
    main()
