"""The whole loop on imagery and labels of your own, over the public HTTP API: time, memory and held-out IoU.

    python -m tests.bench.whole_loop --imagery scene.tif --labels buildings.geojson --class-name Building

needs a running site (`make run`) on this machine. The labelled area (bounds of the labels inside the scene) is cut
in two: the western part is exported and trained on, the eastern part is only used to measure the pixel IoU of
the class raster that the model makes of the whole scene.
"""

import argparse
import json
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import numpy as np
import shapely
from shapely.geometry import mapping, shape

from tests.bench.report import report as keep

CHUNK_BYTES = 8 * 1024**2


class Memory(threading.Thread):
    """Watches the processes that run jobs; `peak_bytes` is the most they held together (PSS)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(1.0):
            self.peak_bytes = max(self.peak_bytes, sum(_pss_of_jobs()))


def _pss_of_jobs() -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"run_job" not in (folder / "cmdline").read_bytes():
                continue
            for line in (folder / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    yield int(line.split()[1]) * 1024
        except OSError:
            continue  # the process ended between two reads


@contextmanager
def timed(report: dict[str, Any], name: str) -> Iterator[None]:
    """Put the wall time and the peak memory of a step into the report."""
    memory = Memory()
    memory.start()
    begun = time.monotonic()
    yield
    memory.ended.set()
    memory.join()
    seconds = time.monotonic() - begun
    report[name] = {"seconds": round(seconds, 1), "peak_mb": round(memory.peak_bytes / 1024**2)}
    sys.stderr.write(f"{name}: {seconds:.0f} s, {memory.peak_bytes / 1024**2:.0f} MB\n")


def upload(client: Any, project: str, file: Path, options: dict[str, Any]) -> str:
    """Return the id of the imagery layer made of a file, sent in pieces."""
    size = file.stat().st_size
    body = {"project": project, "filename": file.name, "size_bytes": size, "position": {}, "options": options}
    made = client.post("/api/uploads/", body)
    with file.open("rb") as source:
        offset = 0
        while piece := source.read(CHUNK_BYTES):
            request = urllib.request.Request(
                f"{client.base}/api/uploads/{made['id']}/",
                data=piece,
                method="PATCH",
                headers={
                    "Authorization": f"Bearer {client.token}",
                    "Upload-Offset": str(offset),
                    "Content-Type": "application/octet-stream",
                },
            )
            with urllib.request.urlopen(request, timeout=60):
                offset += len(piece)
    job = wait(client, client.post(f"/api/uploads/{made['id']}/complete", {})["job"])
    return str(job["result"]["imagery"])


def wait(client: Any, job: Any) -> dict[str, Any]:
    """Return a job when it has succeeded; its own error ends the program."""
    key = job["id"] if isinstance(job, dict) else job
    while True:
        now: dict[str, Any] = client.get(f"/api/jobs/{key}/")
        if now["finished_at"] is not None:
            break
        time.sleep(1.0)
    if now["state"] != "succeeded":
        sys.exit(f"{now['title']}: {now['state']} {now['error']}")
    return now


def parts(labels: dict[str, Any], footprint: Any, share: float) -> tuple[Any, Any]:
    """Return the western (training) and eastern (held-out) part of the labelled area, EPSG:4326."""
    scene = shape(footprint)
    inside = [item for item in (shape(row["geometry"]) for row in labels["features"]) if scene.intersects(item)]
    west, south, east, north = shapely.union_all(inside).intersection(scene).bounds
    border = west + share * (east - west)
    return shapely.box(west, south, border, north), shapely.box(border, south, east, north)


def pixel_iou(raster: Path, truth: list[Any], extent: Any, value: int) -> float:
    """Return the IoU of one class value within an extent (both EPSG:4326), pixel by pixel of the class raster."""
    from webapp.raster.read import Reader
    from webapp.raster.shapes import burn, to_crs
    from webapp.raster.windows import Window

    with Reader(raster) as reader:
        info = reader.info
        crs = info.epsg or info.crs_wkt
        west, south, east, north = to_crs(extent, 4326, crs).bounds
        step_x, _, left, _, step_y, top = info.transform
        col, row = int((west - left) / step_x), int((north - top) / step_y)
        window = Window(row, col, int((south - top) / step_y) - row, int((east - left) / step_x) - col)
        chip = reader.read(window)
        shapes = [(to_crs(item, 4326, crs), 1) for item in truth]
        labelled = burn(shapes, height=window.height, width=window.width, transform=chip.transform).astype(bool)
        found = chip.array[0] == value
    return float(np.sum(found & labelled) / np.sum(found | labelled))


def main() -> None:
    """Run the loop and print the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imagery", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True, help="GeoJSON polygons, EPSG:4326")
    parser.add_argument("--class-name", default="Building")
    parser.add_argument("--user", default="demo", help="the site's user whose token is made")
    parser.add_argument("--url", default="")
    parser.add_argument("--training-share", type=float, default=0.7)
    parser.add_argument("--resolution-m", type=float, default=None)
    parser.add_argument("--chip-px", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=12)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    from django.conf import settings

    from inference.models import Inference
    from webapp.imagery.selectors import analysis_file
    from webapp.notebook.client import Client
    from webapp.projects.models import User
    from webapp.projects.services import create_token

    user = User.objects.get(username=arguments.user)
    _, secret = create_token(user=user, name="whole loop", scopes=["read", "edit", "run", "manage"])
    client = Client(arguments.url or f"http://{settings.HOST}:{settings.PORT}", secret)
    labels = json.loads(arguments.labels.read_text())
    report: dict[str, Any] = {"imagery": arguments.imagery.name, "labels": len(labels["features"])}
    project = client.post("/api/projects/", {"name": f"Whole loop: {arguments.imagery.stem}"})["id"]
    with timed(report, "ingest"):
        imagery = client.get(f"/api/imagery/{upload(client, project, arguments.imagery, {})}/")
    report["pixels"] = [imagery["height"], imagery["width"]]
    schema = [{"value": 1, "name": arguments.class_name, "colour": "#d95f02"}]
    body = {"project": project, "name": arguments.class_name, "imagery": imagery["id"], "classes": schema}
    label_set = client.post("/api/label-sets/", body)
    with timed(report, "import"):
        answer = client.post(f"/api/layers/{label_set['layer']['id']}/import?class_value=1", labels)
        if "job" in answer:
            wait(client, answer["job"])
    west, east = parts(labels, imagery["footprint"], arguments.training_share)
    spec: dict[str, Any] = {"label_set": label_set["id"], "name": "west", "extent": mapping(west)}
    spec |= {"chip_px": arguments.chip_px, "stride_px": arguments.chip_px // 2}
    if arguments.resolution_m:
        spec["resolution_m"] = arguments.resolution_m
    with timed(report, "export"):
        data = client.post("/api/training-data/", spec)
        wait(client, data["job"])
    with timed(report, "train"):
        hows = {"epochs": arguments.epochs, "learning_rate": 0.002}
        run = client.post("/api/runs/", {"training_data": data["id"], "network": "unet", "settings": hows})
        wait(client, run["job"])
    package = client.get(f"/api/runs/{run['id']}/")["package"]
    report["validation"] = client.get(f"/api/models/{package['id']}/")["metrics"]
    with timed(report, "classify"):
        body = {"package": package["id"], "imagery": imagery["id"], "extent": None, "settings": {}}
        inference = client.post("/api/inferences/", body)
        wait(client, inference["job"])
    made = Inference.objects.select_related("result_imagery", "map").get(pk=inference["id"])
    assert made.result_imagery is not None
    truth = [shape(row["geometry"]) for row in labels["features"]]
    report["held_out_iou"] = round(pixel_iou(analysis_file(made.result_imagery), truth, east, 1), 4)
    report["map"] = f"{client.base}/maps/{made.map_id}/"
    keep(report)


if __name__ == "__main__":
    main()
