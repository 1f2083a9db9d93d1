"""Every raster of a folder through the whole road, its pixels compared with rasterio's, and a contact sheet of them.

    python -m tests.bench.every_raster [--folder FOLDER]

with DATABASE_URL of a scratch database that is migrated. The folder is ingested by one command (`manage.py ingest`);
then places of each scene are asked for as a client asks: by identify (`/point`), by tiles (a band, stretched over its
range, nearest pixel) and by `/statistics`. What was refused is listed with its reason, and the previews are laid side
by side in var/bench/contact-sheet.png, to be looked at.
"""

import argparse
import hashlib
import io
import json
import math
import os
import random
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import rasterio
from PIL import Image, ImageDraw
from rasterio.warp import transform

from tests.bench.report import FOLDER, report
from tests.bench.tile_servers import ROOT, Server

PLACES = 12
THUMB_PX, LINE_PX, COLUMNS = 150, 26, 10
HALF_WORLD_M = 20_037_508.342789244


@dataclass
class Found:
    """How the pixels of one scene compare: places asked for, and those that differ."""

    places: int = 0
    by_point: int = 0
    by_tile: int = 0
    by_statistics: int = 0
    notes: list[str] = field(default_factory=list)


class Api:
    """The site's answers to one token."""

    def __init__(self, port: int, token: str) -> None:
        self._base, self._headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}"}

    def bytes(self, path: str, **query: Any) -> bytes:
        """Return the body of a GET."""
        address = f"{self._base}{path}?{urlencode(query)}" if query else self._base + path
        with urllib.request.urlopen(urllib.request.Request(address, headers=self._headers), timeout=60) as answer:
            body: bytes = answer.read()
        return body

    def json(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET."""
        return json.loads(self.bytes(path, **query))


def ingested(folder: Path, project: str) -> dict[str, Any]:
    """Run the one command; return its report, with each file's line."""
    command = [sys.executable, "manage.py", "ingest", str(folder), "--project", project, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines or "report" not in lines[-1]:
        raise SystemExit(f"the ingest broke off:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return {"report": lines[-1]["report"], "refused": [line for line in lines if "error" in line]}


def places(scene: Any, generator: random.Random) -> list[tuple[int, int]]:
    """Return (row, col) of pixels that have data, away from the edge where there is room."""
    mask = scene.dataset_mask() > 0
    rows, cols = np.nonzero(mask[1:-1, 1:-1] if min(mask.shape) > 4 else mask)
    shift = 1 if min(mask.shape) > 4 else 0
    chosen = [generator.randrange(len(rows)) for _ in range(min(PLACES, len(rows)))]
    return [(int(rows[at]) + shift, int(cols[at]) + shift) for at in chosen]


def compare(api: Api, layer: Any, path: Path, token: str) -> Found:
    """Return how a layer's answers compare with the pixels that rasterio reads from the original."""
    found = Found()
    with rasterio.open(path) as scene:
        array = scene.read()
        chosen = places(scene, random.Random(7))
        centres = [scene.transform @ (col + 0.5, row + 0.5) for row, col in chosen]
        lons, lats = transform(scene.crs, "EPSG:4326", *zip(*centres, strict=True))
        for (row, col), lon, lat in zip(chosen, lons, lats, strict=True):
            found.places += 1
            told = api.json(f"/api/imagery/{layer.pk}/point", lon=lon, lat=lat)["values"]
            if not np.allclose(np.array(told, float), array[:, row, col].astype(float)):
                found.by_point += 1
                found.notes.append(f"point {row},{col}: {told} for {array[:, row, col].tolist()}")
            found.by_tile += _tile_differs(api, layer, scene, array, (lon, lat), token)
        valid = scene.dataset_mask() > 0
        told = list(api.json(f"/api/imagery/{layer.pk}/statistics").values())
        for band, numbers in zip(array, told, strict=True):
            expected = band[valid].astype(float)
            mine = [numbers[key] for key in ("min", "max", "mean", "std")]
            if not np.allclose(mine, [expected.min(), expected.max(), expected.mean(), expected.std()], rtol=1e-6):
                found.by_statistics += 1
                found.notes.append(f"statistics {mine}")
    return found


def _tile_differs(api: Api, layer: Any, scene: Any, array: np.ndarray, at: tuple[float, float], token: str) -> bool:
    """Return True where the pixel of a tile that covers a place is not the stretched value of the pixel under it."""
    low, high = float(array[0].min()), float(array[0].max())
    if low == high:
        high = low + 1
    z = min(24, layer.max_zoom + 1)
    x, y = transform("EPSG:4326", "EPSG:3857", [at[0]], [at[1]])
    world_px = 256 * 2**z / (2 * HALF_WORLD_M)
    across, down = (x[0] + HALF_WORLD_M) * world_px, (HALF_WORLD_M - y[0]) * world_px
    words = {"t": token, "bidx": 1, "rescale": f"{low},{high}", "resampling": "nearest"}
    body = api.bytes(
        f"/tiles/imagery/{layer.pk}/{layer.version}/{z}/{int(across // 256)}/{int(down // 256)}.png", **words
    )
    grey = np.array(Image.open(io.BytesIO(body)).convert("RGBA"))[int(down % 256), int(across % 256)]
    # Which pixel of the scene lies under the middle of that pixel of the tile.
    middle = transform(
        "EPSG:3857",
        scene.crs,
        [(math.floor(across) + 0.5) / world_px - HALF_WORLD_M],
        [HALF_WORLD_M - (math.floor(down) + 0.5) / world_px],
    )
    col, row = ~scene.transform @ (middle[0][0], middle[1][0])
    # GDAL's warp is exact to an eighth of a pixel: within that of an edge, the neighbour is right too.
    allowed = {
        round((float(array[0, r, c]) - low) / (high - low) * 255)
        for r in {int(row - 0.125), int(row + 0.125)}
        for c in {int(col - 0.125), int(col + 0.125)}
        if 0 <= r < array.shape[1] and 0 <= c < array.shape[2]
    }
    return not any(abs(int(grey[0]) - value) <= 1 for value in allowed)


def contact_sheet(pictures: list[tuple[str, bytes]], target: Path) -> None:
    """Lay previews side by side, each with its name below."""
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * THUMB_PX, rows * (THUMB_PX + LINE_PX)), "#d0d0d0")
    pen = ImageDraw.Draw(sheet)
    for number, (name, body) in enumerate(pictures):
        left, top = number % COLUMNS * THUMB_PX, number // COLUMNS * (THUMB_PX + LINE_PX)
        thumb = Image.open(io.BytesIO(body)).convert("RGBA")
        thumb.thumbnail((THUMB_PX - 6, THUMB_PX - 6))
        sheet.paste(thumb, (left + 3, top + 3), thumb)
        pen.text((left + 3, top + THUMB_PX), name[:24], fill="black")
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target)


def main() -> None:
    """Ingest, compare, draw, tell; exits 1 where a pixel differs."""
    data = Path(os.environ.get("QUADRAT_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=data)
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    from tests.factories import make_project, make_token, make_user
    from webapp.imagery.models import ImageryLayer
    from webapp.projects.signing import layer_token

    user = make_user(f"rasters-{os.getpid()}")
    project = make_project(user)
    token = make_token(user)
    told = ingested(args.folder, str(project.pk))
    originals = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path for path in args.folder.rglob("*") if path.is_file()
    }
    layers = list(ImageryLayer.objects.filter(project=project).order_by("name", "created_at"))
    pictures, differ, places_asked = [], {}, 0
    with Server(Path(sys.executable), "webapp.asgi:application", {}) as server:
        api = Api(server.port, token)
        for layer in layers:
            found = compare(api, layer, originals[layer.sha256], layer_token("imagery", layer.pk))
            places_asked += found.places
            if found.by_point or found.by_tile or found.by_statistics:
                differ[layer.name] = vars(found)
            pictures.append((layer.name, api.bytes(f"/api/imagery/{layer.pk}/preview.png", max_size=THUMB_PX)))
    contact_sheet(pictures, FOLDER / "contact-sheet.png")
    refused: dict[str, int] = {}
    for line in told["refused"]:
        refused[line["error"]] = refused.get(line["error"], 0) + 1
    report({**told["report"], "refused as": refused, "places": places_asked, "scenes that differ": differ})
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
