"""The demo: from labels to a finished map, through nothing but the public HTTP API.

Training data from the north of a scene, a U-Net trained on it, that model over the whole scene, and the result
on a map with its score in the south, whose labels no step of the training has seen. Then the same model over another
scene of which it has seen nothing: how a model does at home says little about how it does elsewhere.
"""

import time
from collections.abc import Callable, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from webapp.demo import sources
from webapp.demo.score import Measured, areas, score, sentence
from webapp.errors import Conflict, QuadratError
from webapp.notebook.client import Client
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
    made = _infer(client, package, label_set, state, tell, key="inference", span=(0.72, 0.88))
    other_set = client.get(f"/api/label-sets/{_named(sets, sources.FOREST.name)}/")
    elsewhere = _infer(client, package, other_set, state, tell, key="elsewhere", span=(0.88, 0.96))
    tell(0.96, "Measuring against labels that the model never saw")
    return _finish(client, _Scored(made, label_set), _Scored(elsewhere, other_set), tell)


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
    _wait(client, state["run_job"], state, tell, (0.08, 0.72), "Training")
    return str(client.get(f"/api/runs/{state['run']}/")["package"]["id"])


def _infer(
    client: Client,
    package: str,
    label_set: dict[str, Any],
    state: State,
    tell: Tell,
    *,
    key: str,
    span: tuple[float, float],
) -> dict[str, Any]:
    """Return the finished inference of the package over the label set's imagery; `key` names it in the state."""
    imagery = label_set["imagery"]
    if key not in state:
        body = {"package": package, "imagery": imagery["id"], "extent": None, "settings": {"min_area_m2": 1.0}}
        made = client.post("/api/inferences/", body)
        state[key], state[f"{key}_job"] = made["id"], _job_of(made)
    _wait(client, state[f"{key}_job"], state, tell, span, f"Inference on {imagery['name']}")
    answer: dict[str, Any] = client.get(f"/api/inferences/{state[key]}/")
    return answer


@dataclass(frozen=True)
class _Scored:
    """An inference, and the label set over the same imagery that it is measured against."""

    inference: dict[str, Any]
    label_set: dict[str, Any]

    @property
    def map(self) -> str:
        """Id of the inference's map."""
        return _id_of(self.inference["map"])

    @property
    def imagery(self) -> dict[str, Any]:
        """The imagery of both."""
        found: dict[str, Any] = self.label_set["imagery"]
        return found


def _finish(client: Client, within: _Scored, elsewhere: _Scored, tell: Tell) -> dict[str, Any]:
    """Score both results, put the labels on their maps, and say both scores on each map."""
    south = _measure(client, within, 0.0, SCORED_BELOW)
    other = _measure(client, elsewhere, 0.0, 1.0)
    _add_labels(client, within, "Labels (south: held out)")
    _add_labels(client, elsewhere, "Labels (all held out)")
    spoken = sentence(south, other, elsewhere.imagery["name"])
    for made, name in ((within, "Demo: tree crowns found"), (elsewhere, "Demo: the same model elsewhere")):
        about = f"{spoken}\n{made.imagery['attribution']}. {made.imagery['position_note']}"
        client.patch(f"/api/maps/{made.map}/", {"name": name, "description": about})
    tell(1.0, spoken)
    return {
        "map": f"/maps/{within.map}/",
        "score": asdict(south.score),
        "labels": south.labels,
        "elsewhere": {
            "map": f"/maps/{elsewhere.map}/",
            "imagery": elsewhere.imagery["name"],
            "score": asdict(other.score),
            "labels": other.labels,
        },
        "sentence": spoken,
        "position_assumed": [made.imagery["name"] for made in (within, elsewhere) if made.imagery["position_assumed"]],
    }


def _measure(client: Client, made: _Scored, low: float, high: float) -> Measured:
    """Return the score of the polygons found between two shares of the scene's height, from its south."""
    epsg = made.imagery["epsg"]
    extent = to_crs(_part(made.label_set, low, high), 4326, epsg)
    ours = areas(client.get(f"/api/layers/{_found_layer(made)}/export.geojson"), epsg)
    truth = areas(client.get(f"/api/layers/{made.label_set['layer']['id']}/export.geojson"), epsg)
    held_out = sum(area.centroid.within(extent) for area in truth)
    return Measured(score(ours, truth, extent), held_out)


def _found_layer(made: _Scored) -> str:
    """Return the id of the layer of polygons that the inference wrote."""
    return next(str(row["id"]) for row in made.inference["results"] if row["kind"] != "class_raster")


def _add_labels(client: Client, made: _Scored, title: str) -> None:
    """Put the labels on top of the map. The classes shine through, and the polygons, which are the same areas, wait."""
    labels = made.label_set["layer"]["id"]
    shown = client.get(f"/api/maps/{made.map}/")["layers"]
    looks: dict[str, dict[str, Any]] = {"class_raster": {"opacity": 0.5}, "features": {"visible": False}}
    for row in shown:
        change = looks.get(row["kind"])
        if change and (row["kind"] != "features" or _id_of(row["features"]) != labels):
            client.patch(f"/api/maps/{made.map}/layers/{row['id']}", change)
    if all(row["kind"] != "features" or _id_of(row["features"]) != labels for row in shown):
        client.post(f"/api/maps/{made.map}/layers", {"kind": "features", "id": labels, "title": title})


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
