"""The web process killed in the middle of two people's work: nothing lost, nothing doubled, no number missing.

The harness is the parent of what it kills, and waits for it, so that no zombie holds the port.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import WebSocketException

from tests.browser.driver import Site
from tests.clients.server import Socket, make_site
from tests.factories import make_layer, make_project, make_token, make_user
from webapp.features import selectors
from webapp.features.models import Edit, Feature, FeatureLayer

EDITS_EACH = 100


@pytest.fixture
def site(transactional_db: None, tmp_path: Path) -> Iterator[Site]:
    found = make_site(tmp_path)
    found.start()
    yield found
    found.stop(kill=True)


class Labeler(threading.Thread):
    """Draws, changes and deletes; keeps each edit until it is answered, and sends it again after a cut."""

    def __init__(self, site: Site, layer: FeatureLayer, token: str, seed: int, done: threading.Semaphore) -> None:
        super().__init__(daemon=True)
        self.site, self.layer, self.token, self.done = site, layer.pk, token, done
        self.random = random.Random(seed)
        self.mine: dict[str, int] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.sent: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []
        self.repeats = 0

    def run(self) -> None:
        socket: Socket | None = None
        for number in range(EDITS_EACH):
            edit = self.next_edit(number)
            self.sent.append(edit)
            while edit["op_id"] not in self.answers:
                try:
                    socket = socket or self.connect()
                    socket.send(type="edit", edits=[edit])
                    [result] = socket.next("results", 5)["results"]
                    self.answers[edit["op_id"]] = result
                except (WebSocketException, OSError, TimeoutError, EOFError):
                    # Unknown: it may be stored or not. The same op_id asks again.
                    self.repeats += 1
                    self.keep(socket)
                    socket = None
            self.note(edit, self.answers[edit["op_id"]])
            self.done.release()
        self.keep(socket)

    def next_edit(self, number: int) -> dict[str, Any]:
        edit: dict[str, Any] = {"op_id": str(uuid4())}
        if self.mine and self.random.random() < 0.5:
            pk, version = self.random.choice(sorted(self.mine.items()))
            action = self.random.choice(["update", "update", "delete"])
            return {**edit, "action": action, "id": pk, "base_version": version, "properties": {"n": number}}
        lon, lat = 85 + self.random.random() / 10, 27 + self.random.random() / 10
        corners = [[lon, lat], [lon + 1e-4, lat], [lon, lat + 1e-4], [lon, lat]]
        geometry = {"type": "Polygon", "coordinates": [corners]}
        return {**edit, "action": "create", "id": str(uuid4()), "base_version": 0, "geometry": geometry}

    def note(self, edit: dict[str, Any], result: dict[str, Any]) -> None:
        assert result["status"] == "ok", result
        if edit["action"] == "delete":
            del self.mine[edit["id"]]
        else:
            self.mine[edit["id"]] = result["version"]

    def connect(self) -> Socket:
        end = time.monotonic() + 60
        while True:
            try:
                socket = Socket(self.site, self.layer, self.token, open_timeout=5)
                socket.send(type="hello", after=self.rows[-1]["seq"] if self.rows else 0)
                socket.next("welcome", 5)
                return socket
            except (WebSocketException, OSError, TimeoutError, EOFError):
                if time.monotonic() > end:
                    raise

    def keep(self, socket: Socket | None) -> None:
        """Take over the log rows that the socket brought, as a page does."""
        for row in [] if socket is None else socket.rows():
            if not self.rows or row["seq"] > self.rows[-1]["seq"]:
                self.rows.append(row)


def test_200_edits_of_two_people_survive_two_kills_of_the_web_process(site: Site, transactional_db: None) -> None:
    project = make_project(make_user("ana"), labeler=make_user("ben"))
    layer = make_layer(project)
    done = threading.Semaphore(0)
    people = [Labeler(site, layer, make_token(make_user(name)), seed, done) for seed, name in enumerate(("ana", "ben"))]
    for person in people:
        person.start()
    for _ in range(2):
        for _ in range(60):
            assert done.acquire(timeout=60)
        site.stop(kill=True)
        site.start()
    for person in people:
        person.join(timeout=120)
        assert not person.is_alive()

    assert sum(person.repeats for person in people) >= 2  # both kills struck somebody
    rows = list(Edit.objects.filter(layer=layer).order_by("seq"))
    sent = {edit["op_id"]: edit for person in people for edit in person.sent}
    assert len(sent) == 2 * EDITS_EACH
    # None lost, none doubled, none that nobody sent.
    assert sorted(str(row.op_id) for row in rows) == sorted(sent)
    assert [row.seq for row in rows] == list(range(1, 2 * EDITS_EACH + 1))
    # Every answer that anybody got is what the log holds.
    for person in people:
        for op_id, result in person.answers.items():
            row = next(row for row in rows if str(row.op_id) == op_id)
            assert (result["seq"], result["version"]) == (row.seq, row.version)
    versions: dict[Any, list[int]] = {}
    for row in rows:
        versions.setdefault(row.feature_id, []).append(row.version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    # The table is the fold of the log, and holds what the two believe they have.
    layer.refresh_from_db()
    fold = {str(row.id): row.version for row in selectors.features_at(layer, layer.seq)}
    table = Feature.objects.filter(layer=layer, deleted=False)
    assert fold == {str(pk): version for pk, version in table.values_list("pk", "version")}
    assert fold == {pk: version for person in people for pk, version in person.mine.items()}
    assert layer.feature_count == len(fold)
    # What each socket brought is a gapless part of the log from its start.
    for person in people:
        seen = [row["seq"] for row in person.rows]
        assert seen == list(range(1, len(seen) + 1))
        assert [row["op_id"] for row in person.rows] == [str(row.op_id) for row in rows[: len(seen)]]


def test_what_a_client_reads_after_a_kill_equals_a_fresh_load(site: Site, transactional_db: None) -> None:
    layer = make_layer(make_project(make_user("ana")))
    token = make_token(make_user("ana"))
    person = Labeler(site, layer, token, 7, threading.Semaphore(0))
    person.start()
    assert all(person.done.acquire(timeout=60) for _ in range(50))
    site.stop(kill=True)
    site.start()
    person.join(timeout=120)
    socket = Socket(site, layer.pk, token)
    socket.send(type="hello", after=0)
    folded: dict[str, Any] = {}
    for row in socket.read_to(EDITS_EACH):
        if row["action"] == "delete":
            folded.pop(row["id"])
        else:
            folded[row["id"]] = row["feature"]
    fresh = {json.loads(body)["id"]: json.loads(body) for body in selectors.snapshot(layer).features}
    assert set(folded) == set(fresh)
    for pk, feature in fresh.items():
        assert feature["geometry"] == folded[pk]["geometry"]
        assert feature["properties"] == folded[pk]["properties"]
        assert feature["meta"]["version"] == folded[pk]["meta"]["version"]
