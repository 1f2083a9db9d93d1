"""R6: a mosaic of 200 scenes beside TiTiler's, CPU seconds of either server for 1,000 tiles and the waits, in one run.

Run it: `make bench-tiles`, or `python -m tests.bench.bench_mosaic [--tiles 20]` with DATABASE_URL of a scratch database
that is migrated. TiTiler is installed into an environment of its own under `var/`.

The scenes are cut from one drone image and overlap by a tenth. Their pixels are said to be 64 times as large, so that
zoom 14 is their own and the whole mosaic is a tile of zoom 8. TiTiler reads web-aligned COGs by a MosaicJSON that its
own library makes; ours is a mosaic of the same files. Nothing that we drew is kept (QUADRAT_TILE_CACHE_BYTES=0). It
writes docs/benchmarks/mosaic.md and mosaic.svg.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.bench_tiles import Tile, difference, side_by_side, tiles_in
from tests.bench.report import report
from tests.bench.tile_report import Row, plot
from tests.bench.tile_servers import GDAL, ROOT, Server, peer_python

ROWS, COLS = 20, 10
SCALE = 64
OVERLAP = 1.1
ZOOMS = range(8, 15)
WORDS = "bidx=1&bidx=2&bidx=3&rescale=10,240"
INDEX = """
import sys
from cogeo_mosaic.mosaic import MosaicJSON
target, *files = sys.argv[1:]
made = MosaicJSON.from_urls(files, minzoom=8, maxzoom=14, quadkey_zoom=12, quiet=True, max_threads=1)
open(target, "w").write(made.model_dump_json(exclude_none=True))
"""
HEAD = """# A mosaic of 200 scenes beside TiTiler's

Written by `make bench-tiles` (tests/bench/bench_mosaic.py): R6. Both servers in one run by turns, one uvicorn process
each, asked one tile after the other over one connection. CPU-seconds are those of the server process for 1,000 tiles:
they hold on a busy machine, the waits do not. Nothing that we drew was kept in memory. TiTiler 2.4.0 with
cogeo-mosaic in an environment of its own, with the GDAL settings that its documentation recommends.

![CPU-seconds for 1,000 tiles](mosaic.svg)

"""


def cut(source: Path, folder: Path) -> list[Path]:
    """Return web-aligned JPEG COGs of overlapping parts of an image, made where they are not there yet."""
    import rasterio
    import rasterio.shutil
    from affine import Affine
    from rasterio.io import MemoryFile
    from rasterio.windows import Window

    from tests.bench.tile_files import JPEG

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with rasterio.open(source) as scene:
        high, wide = scene.height // ROWS, scene.width // COLS
        pixel = scene.res[0] * SCALE
        west, north = (round(value / pixel / 256) * 256 * pixel for value in (scene.bounds.left, scene.bounds.top))
        for number in range(ROWS * COLS):
            path = folder / f"scene-{number:03d}.tif"
            made.append(path)
            if path.exists():
                continue
            row, col = number // COLS * high, number % COLS * wide
            window = Window(
                col, row, min(int(wide * OVERLAP), scene.width - col), min(int(high * OVERLAP), scene.height - row)
            )
            profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "crs": scene.crs}
            place = Affine(pixel, 0, west + col * pixel, 0, -pixel, north - row * pixel)
            with MemoryFile() as memory:
                with memory.open(**profile, transform=place, height=window.height, width=window.width) as part:
                    part.write(scene.read(window=window))
                with memory.open() as part:
                    rasterio.shutil.copy(part, path, **(JPEG | {"BLOCKSIZE": "256"}))
    return made


def mosaic_of(files: list[Path]) -> tuple[Any, float]:
    """Return our mosaic of the files, and the CPU seconds of its overview."""
    from django.conf import settings

    from tests.factories import make_imagery, make_project, make_user
    from webapp.imagery import mosaics
    from webapp.imagery.models import ImageryLayer
    from webapp.jobs.runner import run_now
    from webapp.projects.models import Project
    from webapp.raster.display import write_display_cog
    from webapp.raster.render import Rendering

    Project.objects.filter(name="bench mosaic").delete()
    project = make_project(make_user("bench"))
    Project.objects.filter(pk=project.pk).update(name="bench mosaic")
    scenes = []
    for path in files:
        display = Path(settings.MEDIA_DIR) / "imagery" / f"bench-{path.stem}-display.tif"
        display.parent.mkdir(parents=True, exist_ok=True)
        if not display.exists():
            write_display_cog(path, display, Rendering((1, 2, 3)), progress=lambda *_: None, threads=1)
        name = str(display.relative_to(settings.MEDIA_DIR))
        scenes.append(make_imagery(project, path, display_path=name, max_zoom=ZOOMS[-1]).pk)
    started = time.process_time()
    layer = mosaics.create(project=project, user=None, name="bench mosaic", scenes=scenes, rule="first")
    assert layer.job is not None
    run_now(layer.job)
    return ImageryLayer.objects.get(pk=layer.pk), time.process_time() - started


def addresses(
    layer: Any, index: Path, tiles: list[Tile], words: str, ours: str, theirs: str
) -> tuple[list[str], list[str]]:
    """Return how the tiles are asked for: of us, of TiTiler."""
    from webapp.projects.signing import layer_token

    token, more = layer_token("imagery", layer.pk), f"&{words}" if words else ""
    mine = [f"/tiles/imagery/{layer.pk}/{layer.version}/{z}/{x}/{y}.{ours}?t={token}{more}" for z, x, y in tiles]
    peer = [
        f"/mosaicjson/tiles/WebMercatorQuad/{z}/{x}/{y}.{theirs}?url={index}&tilesize=256{more}" for z, x, y in tiles
    ]
    return mine, peer


def compare(one: Server, other: Server, layer: Any, index: Path, count: int) -> list[Row]:
    """Return the rows of the table."""
    from django.conf import settings

    from webapp.imagery.tile_work import files

    overview = files.get(Path(settings.MEDIA_DIR) / layer.display_path).max_zoom
    bounds = list(layer.footprint.extent)
    rows = []
    for label, zooms, words, form in (
        (f"R6 own look, z{ZOOMS[0]} to z{overview}", range(ZOOMS[0], overview + 1), "", "webp"),
        (f"R6 own look, z{overview + 1} to z{ZOOMS[-1]}", range(overview + 1, ZOOMS[-1] + 1), "", "webp"),
        (f"R6 words, jpg, z{ZOOMS[0]} to z{ZOOMS[-1]}", ZOOMS, WORDS, "jpg"),
    ):
        tiles = tiles_in(bounds, zooms, count)
        mine, peer = addresses(layer, index, tiles, words, form, "jpg")
        # With transparency: where nothing is, JPEG is white on one side and black on the other.
        seen = addresses(layer, index, tiles[:6], words, "png", "png")
        off = difference(one, other, *seen)
        rows.append(Row(label, *side_by_side(one, other, mine, peer), off))
        sys.stdout.write(rows[-1].line() + "\n")
    return rows


def write(rows: list[Row], said: list[str]) -> None:
    """Write docs/benchmarks/mosaic.md and mosaic.svg."""
    folder = ROOT / "docs" / "benchmarks"
    table = [
        "| work | our CPU-s / 1,000 | p50 / p95 ms | kB | TiTiler's CPU-s / 1,000 | p50 / p95 ms | kB | times "
        "| pixels differ |",
        "|---|---|---|---|---|---|---|---|---|",
        *(row.line() for row in rows),
    ]
    (folder / "mosaic.md").write_text(HEAD + "\n".join(table) + "\n\n" + "\n".join(said) + "\n")
    (folder / "mosaic.svg").write_text(plot(rows))


def main() -> None:
    """Measure, print and write."""
    data = Path(os.environ.get("QUADRAT_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cog", type=Path, default=data / "banepa/banepa_full_cog.tif")
    parser.add_argument("--tiles", type=int, default=20)
    args = parser.parse_args()
    # A stopped run stops its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    from django.conf import settings

    python = peer_python(Path(settings.VAR_DIR) / "bench-titiler", "titiler.application==2.4.0")
    files = cut(args.cog, Path(settings.VAR_DIR) / "bench" / "mosaic")
    index = Path(settings.VAR_DIR) / "bench" / "mosaic.json"
    subprocess.run([str(python), "-c", INDEX, str(index), *map(str, files)], check=True)
    layer, overview = mosaic_of(files)
    with (
        Server(Path(sys.executable), "webapp.asgi:application", {"QUADRAT_TILE_CACHE_BYTES": "0"}) as one,
        Server(python, "titiler.application.main:app", GDAL) as other,
    ):
        rows = compare(one, other, layer, index, args.tiles)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    write(
        rows,
        [
            f"{len(files)} scenes cut from `{args.cog.name}`, each overlapping the next by a tenth; {args.tiles} tiles",
            f"a series, each series twice; {os.cpu_count()} cores, load {load} at the end. A tile of zoom 8 holds all",
            f"scenes: TiTiler opens them, we open the overview, which took {overview:.1f} CPU seconds once.",
            "`pixels differ` is the mean difference of both servers' pixels (of 255), asked as PNG: in the own look",
            "ours come from WebP made of the JPEG files; far out ours are averages and theirs the nearest pixels.",
            "The CPU clock ticks every 10 ms: our first row is a tick or two.",
        ],
    )
    report({row.label: row.figures() for row in rows})


if __name__ == "__main__":
    main()
