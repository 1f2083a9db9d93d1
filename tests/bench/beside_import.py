"""Somebody who goes on labeling while a file is imported into the same set: how long each edit waits for its answer."""

import threading
import time
from typing import Any
from uuid import uuid4

import httpx

from tests.bench.tile_servers import Measured

SAMPLES = 100
EVERY_S = 0.25
BEFORE_S = 20.0
# As long as the labeling page would wait in the worst case; the import's own limit is longer.
ANSWER_S = 120.0


class Writer:
    """Changes the classes of samples of its own, one every 250 ms, by the API; they are deleted with `end`.

    Args:
        box: west, south, east, north (degrees) of the imagery.
    """

    def __init__(self, url: str, token: str, label_set: str, box: tuple[float, float, float, float]) -> None:
        self.changed = 0
        self._path = f"/api/label-sets/{label_set}/edits"
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=ANSWER_S)
        self._versions: dict[str, int] = {}
        self._waits_ms: dict[str, list[float]] = {"before": [], "during": []}
        self._when = "before"
        self._broken: Exception | None = None
        self._ended = threading.Event()
        self._save([_drawn(box, number) for number in range(SAMPLES)])
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        self._ended.wait(BEFORE_S)

    def import_begins(self) -> None:
        """Count what is sent from now on as sent during the import."""
        self._when = "during"

    def end(self) -> dict[str, Any]:
        """Stop, delete the samples and return what the waits were: p50, p95 and longest, in ms.

        Raises:
            RuntimeError: an edit was not stored.
        """
        self._ended.set()
        self._thread.join()
        if self._broken is not None:
            raise RuntimeError("somebody else's edit was not stored during the import") from self._broken
        self._save([{"action": "delete", "id": pk, "base_version": old} for pk, old in self._versions.items()])
        self._http.close()
        return {f"edits of somebody else {when} it, ms": _told(waits) for when, waits in self._waits_ms.items()}

    def _work(self) -> None:
        try:
            while not self._ended.is_set():
                pk = list(self._versions)[self.changed % SAMPLES]
                edit = {"action": "update", "id": pk, "base_version": self._versions[pk]}
                when, before = self._when, time.perf_counter()
                self._save([{**edit, "class_value": self._versions[pk] % 2 + 1}])
                took_s = time.perf_counter() - before
                self._waits_ms[when].append(1000 * took_s)
                self._ended.wait(max(0.0, EVERY_S - took_s))
        except (httpx.HTTPError, ValueError) as error:
            self._broken = error

    def _save(self, edits: list[dict[str, Any]]) -> None:
        """Send edits and return when all of them are stored.

        Raises:
            httpx.HTTPError: there was no answer, or it was an error.
            ValueError: one was refused.
        """
        reply = self._http.post(self._path, json={"edits": [{"op_id": str(uuid4()), **edit} for edit in edits]})
        reply.raise_for_status()
        for edit, result in zip(edits, reply.json()["results"], strict=True):
            if result["status"] != "ok":
                raise ValueError(f"an edit was not stored: {result}")
            self._versions[edit["id"]] = result["version"]
        self.changed += len(edits)


def _drawn(box: tuple[float, float, float, float], number: int) -> dict[str, Any]:
    """Return the making of a small square on the imagery's diagonal."""
    width, height = (box[2] - box[0]) / SAMPLES, (box[3] - box[1]) / SAMPLES
    west, south = box[0] + (number + 0.3) * width, box[1] + (number + 0.3) * height
    east, north = west + 0.1 * width, south + 0.1 * height
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    made = {"action": "create", "id": str(uuid4()), "base_version": 0, "properties": {}}
    return {**made, "geometry": geometry, "class_value": 1}


def _told(waits_ms: list[float]) -> str:
    """Return p50, p95 and the longest wait, and of how many."""
    if not waits_ms:
        return "none"
    waits = Measured(len(waits_ms), 0.0, tuple(waits_ms), 0)
    return f"p50 {waits.wait_ms(50):.0f}, p95 {waits.wait_ms(95):.0f}, most {max(waits_ms):.0f} ({len(waits_ms)} edits)"
