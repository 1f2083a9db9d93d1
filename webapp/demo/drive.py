"""The demo: from labels to a finished map, through nothing but the public HTTP API.

Training data from the north of a scene, a U-Net trained on it, that model over the whole scene, and the result
on a map with its score in the south, whose labels no step of the training has seen.
"""

import time
from collections.abc import Callable, MutableMapping
from dataclasses import asdict
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from webapp.demo import sources
from webapp.demo.client import Client
from webapp.demo.score import areas, score
from webapp.errors import Conflict, QuadratError
from webapp.raster.shapes import to_crs

POLL_S = 1.0
# Shares of the scene's height, from its south: scored below the first, trained on above the second. Between them lies
# a gap of twelve metres, so that no crown is in both.
SCORED_BELOW, TRAINED_ABOVE = 0.35, 0.40
# Crowns are two to six metres wide: at 0.25 m they are seen well, and a scene is learnt on a laptop's CPU.
RESOLUTION_M = 0.25
CHIP_PX = 192
STRIDE_PX = 96
TRAINING = {"epochs": 12, "batch_size": 8, "learning_rate": 0.002, "patience": 5}

Tell = Callable[[float, str], None]
# What is done already, kept by the caller between attempts.
State = MutableMapping[str, str]


def run(client: Client, project: str, state: State, tell: Tell) -> dict[str, Any]:
    """Return {map, score, sentence, …} after driving the whole loop.

    Args:
        client: with a token of scopes read, edit and run.
        project: id of the demo's project.
        state: ids of what an earlier attempt made; filled as the demo goes on.
        tell: called with the done fraction and a few words; what it raises ends the demo.

    Raises:
        QuadratError: a step failed; its own message.
    """
    sets = client.get("/api/label-sets/", project=project)["results"]
    label_set = client.get(f"/api/label-sets/{_named(sets, sources.EDGE.name)}/")
    data = _export(client, label_set, state, tell)
    package = _train(client, data, state, tell)
    made = _infer(client, package, label_set, state, tell)
    tell(0.96, "Measuring against the held-out labels")
    return _finish(client, made, label_set, tell)


def _part(label_set: dict[str, Any], low: float, high: float) -> BaseGeometry:
    """Return the part of the scene between two shares of its height, in EPSG:4326."""
    west, south, east, north = label_set["imagery"]["bounds"]
    height = north - south
    part: BaseGeometry = shapely.box(west, south + low * height, east, south + high * height)
    return part


def _named(sets: list[dict[str, Any]], name: str) -> str:
    for row in sets:
        if row["name"] == name:
            return str(row["id"])
    raise Conflict(f"The label set '{name}' is gone.", fix="Load it with `manage.py demo --load`.", code="demo_missing")


def _export(client: Client, label_set: dict[str, Any], state: State, tell: Tell) -> str:
    if "data" not in state:
        tell(0.0, "Exporting training data")
        made = client.post(
            "/api/training-data/",
            {
                "label_set": label_set["id"],
                "name": "Demo: tree crowns",
                "metadata_format": "Classified_Tiles",
                "chip_px": CHIP_PX,
                "stride_px": STRIDE_PX,
                "resolution_m": RESOLUTION_M,
                # Every tree of the scene is labelled, so what holds no label is background.
                "extent": shapely.geometry.mapping(_part(label_set, TRAINED_ABOVE, 1.0)),
                "validation": 0.2,
            },
        )
        state["data"], state["data_job"] = made["id"], _job_of(made)
    _wait(client, state["data_job"], state, tell, (0.0, 0.08), "Training data")
    return state["data"]


def _train(client: Client, data: str, state: State, tell: Tell) -> str:
    if "run" not in state:
        body = {"training_data": data, "network": "unet", "name": "Demo: tree crowns U-Net", "settings": TRAINING}
        made = client.post("/api/runs/", body)
        state["run"], state["run_job"] = made["id"], _job_of(made)
    _wait(client, state["run_job"], state, tell, (0.08, 0.75), "Training")
    return str(client.get(f"/api/runs/{state['run']}/")["package"]["id"])


def _infer(client: Client, package: str, label_set: dict[str, Any], state: State, tell: Tell) -> dict[str, Any]:
    if "inference" not in state:
        body = {
            "package": package,
            "imagery": label_set["imagery"]["id"],
            "extent": None,
            "settings": {"min_area_m2": 1.0},
        }
        made = client.post("/api/inferences/", body)
        state["inference"], state["inference_job"] = made["id"], _job_of(made)
    _wait(client, state["inference_job"], state, tell, (0.75, 0.95), "Inference")
    answer: dict[str, Any] = client.get(f"/api/inferences/{state['inference']}/")
    return answer


def _finish(client: Client, inference: dict[str, Any], label_set: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Score the result in the held-out part, put the labels on its map, and say the score there."""
    imagery, labels = label_set["imagery"], label_set["layer"]
    map_id = _id_of(inference["map"])
    shown = client.get(f"/api/maps/{map_id}/")
    on_map = [_id_of(row["features"]) for row in shown["layers"] if row["kind"] == "features"]
    found = next(layer for layer in on_map if layer != labels["id"])
    extent = to_crs(_part(label_set, 0.0, SCORED_BELOW), 4326, imagery["epsg"])
    ours = areas(client.get(f"/api/layers/{found}/export.geojson"), imagery["epsg"])
    truth = areas(client.get(f"/api/layers/{labels['id']}/export.geojson"), imagery["epsg"])
    held_out = [area for area in truth if area.centroid.within(extent)]
    result = score(ours, truth, extent)
    sentence = result.sentence(len(held_out))
    if labels["id"] not in on_map:
        body = {"kind": "features", "id": labels["id"], "title": "Labels (south: held out)"}
        client.post(f"/api/maps/{map_id}/layers", body)
    about = f"{sentence} {imagery['attribution']}. {imagery['position_note']}"
    client.patch(f"/api/maps/{map_id}/", {"name": "Demo: tree crowns found", "description": about})
    tell(1.0, sentence)
    return {"map": f"/maps/{map_id}/", "score": asdict(result), "labels": len(held_out), "sentence": sentence}


def _job_of(made: dict[str, Any]) -> str:
    return _id_of(made["job"])


def _id_of(value: Any) -> str:
    """Return the id of an object that an answer holds whole or as its id."""
    return str(value["id"] if isinstance(value, dict) else value)


def _wait(client: Client, job: str, state: State, tell: Tell, span: tuple[float, float], what: str) -> None:
    """Follow a job to its end.

    Raises:
        QuadratError: it failed or was cancelled.
    """
    state["waiting_for"] = job
    first, last = span
    while True:
        now = client.get(f"/api/jobs/{job}/")
        tell(first + (last - first) * now["progress"], f"{what}: {now['message'] or now['state']}")
        if now["state"] == "succeeded":
            return
        if now["state"] == "failed":
            error = now["error"]
            raise QuadratError(f"{what} failed: {error['message']}", fix=error["fix"], code=error["code"])
        if now["state"] == "cancelled":
            raise Conflict(f"{what} was cancelled.", fix="Run the demo again.", code="cancelled")
        time.sleep(POLL_S)


def cancel(client: Client, state: State) -> None:
    """Cancel the job that the demo waits for, if it still runs."""
    job = state.get("waiting_for")
    if job is not None and client.get(f"/api/jobs/{job}/")["finished_at"] is None:
        client.post(f"/api/jobs/{job}/cancel", {})
