"""Imagery tiles beside TiTiler's: CPU seconds of either server for 1,000 tiles, in one run.

Run it: `make bench-tiles`, or `python -m tests.bench.bench_tiles [--tiles 300] [--memory 100000]` with DATABASE_URL of
a scratch database that is migrated. TiTiler is installed into an environment of its own under `var/`.

R1: the same file, drawn by both for each request, in three formats; as it is, and as a copy in UTM, to be warped.
R2: each one's own best: a web-aligned COG for TiTiler, our ingest for us; and again with what a browser holds.
R3: band math with a colour map, and relief. R4: a map that is panned before its tiles have come. R5: memory.
Nothing that we drew is kept (QUADRAT_TILE_CACHE_BYTES=0). It writes docs/benchmarks/tiles.md and tiles.svg.
"""

import argparse
import asyncio
import io
import itertools
import math
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.report import report
from tests.bench.tile_report import Row, write
from tests.bench.tile_servers import GDAL, ROOT, Measured, Server, peer_python

Tile = tuple[int, int, int]
Address = Callable[[Tile, str], str]
ROUNDS = 2
FORMATS = ("jpg", "png", "webp")
RGB = "bidx=1&bidx=2&bidx=3"
NDVI = "expression=(b8-b4)/(b8%2Bb4)&rescale=-1,1&colormap_name=rdylgn"


def tiles_in(bounds: list[float], zooms: range, count: int, seed: int = 1) -> list[Tile]:
    """Return tiles within bounds (west, south, east, north in degrees), the same ones each time."""
    rng, found = random.Random(seed), []
    west, south, east, north = bounds
    for _ in range(count):
        z = rng.choice(zooms)
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)
        x = int((lon + 180) / 360 * 2**z)
        y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
        found.append((z, x, y))
    return found


def prepared(args: argparse.Namespace) -> dict[str, Any]:
    """Return the layers (of the file itself, its UTM copy, a multi-band scene, and one ingested) and their files."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from tests.bench.tile_files import utm_copy, web_aligned
    from tests.factories import make_imagery, make_project, make_user
    from webapp.imagery.models import ImageryLayer
    from webapp.projects.models import Project

    folder = Path(settings.VAR_DIR) / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    project = Project.objects.filter(name="bench").first() or make_project(make_user("bench"))
    Project.objects.filter(pk=project.pk).update(name="bench")
    files = {
        "same": args.cog,
        "utm": utm_copy(args.ingest, folder / f"utm-{args.ingest.name}"),
        "bands": args.bands,
        "aligned": web_aligned(args.ingest, folder / f"aligned-{args.ingest.name}"),
    }
    layers = {name: make_imagery(project, files[name], name=f"bench {name}") for name in ("same", "utm", "bands")}
    own = ImageryLayer.objects.filter(name=f"bench {args.ingest.name}", display_path__gt="").first()
    if own is None:
        call_command("ingest", str(args.ingest), project="bench", name=f"bench {args.ingest.name}")
        own = ImageryLayer.objects.get(name=f"bench {args.ingest.name}")
    return {"files": files, "layers": {**layers, "own": own}}


def addresses(layer: Any, path: Path, words: str) -> tuple[Address, Address]:
    """Return how a tile is asked for: of us, of TiTiler."""
    from webapp.projects.signing import layer_token

    token = layer_token("imagery", layer.pk)
    and_words = f"&{words}" if words else ""

    def ours(tile: Tile, form: str) -> str:
        return f"/tiles/imagery/{layer.pk}/{layer.version}/{tile[0]}/{tile[1]}/{tile[2]}.{form}?t={token}{and_words}"

    def theirs(tile: Tile, form: str) -> str:
        at = f"{tile[0]}/{tile[1]}/{tile[2]}"
        return f"/cog/tiles/WebMercatorQuad/{at}.{form}?url={path}&tilesize=256{and_words}"

    return ours, theirs


def side_by_side(one: Server, other: Server, ours: list[str], theirs: list[str]) -> tuple[Measured, Measured]:
    """Return what either cost, asked by turns."""
    one.measure(ours[:20])
    other.measure(theirs[:20])
    found = [(one.measure(ours), other.measure(theirs)) for _ in range(ROUNDS)]
    mine, peer = found[0]
    for first, second in found[1:]:
        mine, peer = mine + first, peer + second
    return mine, peer


def difference(one: Server, other: Server, ours: list[str], theirs: list[str]) -> float:
    """Return the mean difference of the two servers' pixels, of 255, where both show imagery."""
    import numpy as np
    from PIL import Image

    off: list[float] = []
    for mine, peer in zip(ours, theirs, strict=True):
        pictures = []
        for server, path in ((one, mine), (other, peer)):
            pictures.append(np.asarray(Image.open(io.BytesIO(server.body(path)[0])).convert("RGBA")).astype(int))
        first, second = pictures
        both = (first[..., 3] > 0) & (second[..., 3] > 0)
        if both.any():
            off.append(float(np.abs(first - second)[both][:, :3].mean()))
    return sum(off) / max(1, len(off))


async def panned(server: Server, steps: list[list[str]]) -> tuple[float, float]:
    """Return (CPU seconds, seconds until the last view was whole) of a map that is moved on when half a view has come.

    As a browser does it: six connections, those of tiles no longer wanted are closed.
    """
    before, seconds = server.cpu_s(), 0.0
    for number, paths in enumerate(steps):
        seconds = await _viewed(server, paths, len(paths) if number == len(steps) - 1 else len(paths) // 2)
    await asyncio.sleep(0.5)
    return server.cpu_s() - before, seconds


async def _viewed(server: Server, paths: list[str], enough: int) -> float:
    """Return seconds until `enough` tiles of a view have come; the others are given up."""
    gate = asyncio.Semaphore(6)

    async def ask(path: str) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                await reader.read()
            finally:
                writer.close()

    started = asyncio.get_running_loop().time()
    tasks = [asyncio.create_task(ask(path)) for path in paths]
    for come in itertools.islice(asyncio.as_completed(tasks), enough):
        await come
    seconds = asyncio.get_running_loop().time() - started
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return seconds


def main() -> None:
    """Measure, print and write."""
    data = Path(os.environ.get("QUADRAT_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cog", type=Path, default=data / "banepa/banepa_full_cog.tif")
    parser.add_argument("--ingest", type=Path, default=data / "banepa/banepa_full_cog.tif", help="for R2 and UTM")
    parser.add_argument("--bands", type=Path, default=data / "sentinel2_boadella/Boadella_2020-06-21.tif")
    parser.add_argument("--tiles", type=int, default=300)
    parser.add_argument("--memory", type=int, default=5000, help="tiles of R5")
    args = parser.parse_args()
    # A stopped run stops its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    made = prepared(args)
    from django.conf import settings

    python = peer_python(Path(settings.VAR_DIR) / "bench-titiler", "titiler.application==2.4.0")
    with (
        Server(Path(sys.executable), "webapp.asgi:application", {"QUADRAT_TILE_CACHE_BYTES": "0"}) as one,
        Server(python, "titiler.application.main:app", GDAL) as other,
    ):
        rows = compare(one, other, made, args)
    write(rows, args)
    report({row.label: row.figures() for row in rows})


def compare(one: Server, other: Server, made: dict[str, Any], args: argparse.Namespace) -> list[Row]:
    """Return the rows of the table."""
    from webapp.raster.read import info
    from webapp.raster.shapes import footprint

    files, layers = made["files"], made["layers"]
    rows: list[Row] = []

    def series(name: str, deep: int) -> list[Tile]:
        # The zoom of the file's own pixels and those above it.
        path = files[name]
        west, south, east, north = footprint(path).bounds
        top = round(math.log2(360 / (east - west) * info(path).width / 256))
        return tiles_in([west, south, east, north], range(top - deep, top + 1), args.tiles)

    def add(label: str, name: str, form: str, words: str, tiles: list[Tile], *, compared: bool = False) -> None:
        ours, theirs = addresses(layers[name], files[name], words)
        paths = [ours(tile, form) for tile in tiles], [theirs(tile, form) for tile in tiles]
        off = difference(one, other, *(part[:12] for part in paths)) if compared else None
        rows.append(Row(label, *side_by_side(one, other, *paths), off))
        sys.stdout.write(rows[-1].line() + "\n")

    tiles = series("same", 4)
    for form in FORMATS:
        add(f"R1 same COG, {form}", "same", form, RGB, tiles, compared=form == "png")
    add("R1 same COG in UTM, warped, jpg", "utm", "jpg", RGB, series("utm", 4))
    ours, theirs = addresses(layers["own"], files["aligned"], "")
    tiles = series("aligned", 4)
    mine, peer = [ours(tile, "webp") for tile in tiles], [theirs(tile, "jpg") for tile in tiles]
    rows.append(Row("R2 own best ingest (our WebP, their JPEG)", *side_by_side(one, other, mine, peer)))
    sys.stdout.write(rows[-1].line() + "\n")
    held = {"If-None-Match": one.body(mine[0])[1]}
    repeated = one.measure([mine[0]] * len(mine), held), other.measure([peer[0]] * len(peer), held)
    rows.append(Row("R2 again, the browser holds it", *repeated))
    sys.stdout.write(rows[-1].line() + "\n")
    bands = series("bands", 3)
    add("R3 NDVI, colour map, png", "bands", "png", NDVI, bands, compared=True)
    add("R3 hillshade, png", "bands", "png", "bidx=8&algorithm=hillshade", bands)
    rows.append(panned_row(one, other, ours, theirs, tiles))
    sys.stdout.write(rows[-1].line() + "\n")
    rows += memory_rows(one, mine, args.memory)
    return rows


def panned_row(one: Server, other: Server, ours: Address, theirs: Address, tiles: list[Tile]) -> Row:
    """Return R4's row: CPU for a view of a map that is moved 9 times before its tiles have come."""
    views = []
    for z, x, y in [tile for tile in tiles if tile[0] == max(tile[0] for tile in tiles)][:10]:
        views.append([(z, x + col, y + row) for row in range(-2, 2) for col in range(-2, 3)])
    asked = sum(len(view) for view in views)
    found = []
    for server, address, form in ((one, ours, "webp"), (other, theirs, "jpg")):
        paths = [[address(tile, form) for tile in view] for view in views]
        cpu, seconds = asyncio.run(asyncio.wait_for(panned(server, paths), 300))
        found.append(Measured(asked, cpu, (1000 * seconds,), 0))
    return Row("R4 panned on at half a view (wait: last view whole)", *found)


def memory_rows(server: Server, paths: list[str], count: int) -> list[Row]:
    """Return R5's row: memory after a fifth of the tiles and after all, every second one drawn to JPEG."""
    mixed = [path.replace(".webp", ".jpg") if number % 2 else path for number, path in enumerate(paths)]
    fifth = count // 5
    before = _many(server, mixed, fifth)
    early = server.pss_mb()
    after = _many(server, mixed, count - fifth)
    late = server.pss_mb()
    label = f"R5 memory: {early:.0f} MB after {fifth:,} tiles, {late:.0f} MB after {count:,}"
    return [Row(label, before + after, None)]


def _many(server: Server, paths: list[str], count: int) -> Measured:
    found = Measured(0, 0.0, (), 0)
    while found.tiles < count:
        found = found + server.measure(paths[: count - found.tiles])
    return found


if __name__ == "__main__":
    main()
