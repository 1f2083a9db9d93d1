"""A simulated labeler: draws, changes and deletes over the real socket and REST, by the rules of the product's client.

An edit stays in the outbox until it is answered, and goes again under the same op_id: by the socket while there is
one, by HTTP where the socket gave no answer. A gap in the log's numbers is read by HTTP. A conflict is merged with the
feature that came with the refusal and goes as a new edit.
"""

import asyncio
import contextlib
import json
import random
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.chaos.habits import Habits, Place
from tests.chaos.journal import Answer, Claim, Edit, Journal, kept_of

# The product waits 8 s for an answer; here nobody has that much time.
ANSWER_S = 5.0
HTTP_S = 10.0
# The first pause after a failure, and the longest: each is twice the one before.
RETRY_S, RETRY_MOST_S = 0.1, 2.0
LOST = (WebSocketException, OSError, TimeoutError, EOFError, httpx.HTTPError)
WEST, SOUTH, WIDTH = 85.515, 27.625, 0.01
BATCH = 20


class Labeler:
    """One person at work; `run` ends some time after `stop`, with an empty outbox."""

    def __init__(self, name: str, token: str, place: Place, habits: Habits, seed: int) -> None:
        self.journal = Journal(name)
        self.place, self.habits = place, habits
        self.random = random.Random(seed)
        self.stopping = asyncio.Event()
        self.seen_at: dict[str, float] = {}
        self._token = token
        self._socket: ClientConnection | None = None
        self._connecting = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._task: Claim | None = None
        self._left_in_task = 0
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=place.url, headers=headers, timeout=HTTP_S)

    async def run(self) -> None:
        """Work until told to stop, then catch up with the log."""
        pointing = asyncio.create_task(self._point()) if self.habits.pointer_s else None
        while not self.stopping.is_set():
            pause = self.random.uniform(0.5, 1.5) / self.habits.per_s
            try:
                await asyncio.wait_for(self.stopping.wait(), pause)
            except TimeoutError:
                if self.habits.tasks and self._left_in_task == 0:
                    await self._next_task()
                await self._save(self._next_edits())
        if pointing is not None:
            pointing.cancel()

    async def _point(self) -> None:
        """Move the pointer at a steady pace, while connected."""
        while True:
            await asyncio.sleep(self.habits.pointer_s * self.random.uniform(0.5, 1.5))
            with contextlib.suppress(*LOST):
                await (await self._connected()).send(json.dumps({"type": "cursor", "lon": WEST, "lat": SOUTH}))

    async def end(self, seq: int) -> None:
        """Read the log to number `seq` and hang up."""
        await self._again(lambda: self._catch_up(seq))
        await self.hang_up()

    async def hang_up(self) -> None:
        """Leave, with whatever is unanswered."""
        self._hang_up()
        await self._http.aclose()

    def cut(self) -> None:
        """Lose the connection without a word."""
        if self._socket is not None:
            self._socket.transport.abort()

    # --- what is drawn -----------------------------------------------------------------------------

    def _next_edits(self) -> list[Edit]:
        if self.random.random() < self.habits.batches:
            return [self._next_edit("create") for _ in range(BATCH)]
        return [self._next_edit(self.random.choices(["create", "move", "class", "delete"], [45, 30, 15, 10])[0])]

    def _next_edit(self, kind: str) -> Edit:
        edit: Edit = {"op_id": str(uuid4())}
        if self._task is not None:
            edit["task"] = {"id": self._task.task, "token": self._task.token}
        state = self.journal.state or {}
        if kind == "create" or not state:
            drawn = {"geometry": self._square(), "class_value": 1, "properties": {"by": self.journal.name}}
            return {**edit, "action": "create", "id": str(uuid4()), "base_version": 0, **drawn}
        # Every fifth change is of one of the first features, which all the others change too.
        names = sorted(state)
        pk = self.random.choice(names[:20] if self.random.random() < 0.2 else names)
        edit |= {"id": pk, "base_version": state[pk]["version"]}
        if kind == "delete":
            return {**edit, "action": "delete"}
        if kind == "move":
            return {**edit, "action": "update", "geometry": self._square()}
        return {**edit, "action": "update", "class_value": self.random.choice([1, 2])}

    def _square(self) -> dict[str, Any]:
        west, south = (start + self.random.random() * WIDTH for start in (WEST, SOUTH))
        east, north = west + 1e-4, south + 1e-4
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return {"type": "Polygon", "coordinates": [ring]}

    # --- what is saved -----------------------------------------------------------------------------

    async def _save(self, edits: list[Edit]) -> None:
        """Send a batch until each edit of it has an answer; merge what was refused, once."""
        for again in (True, False):
            answers = await self._until_answered(edits)
            self._left_in_task = max(0, self._left_in_task - len(edits))
            if any(answer["status"] == "proposed" for answer in answers):
                # The lease is somebody else's.
                self._task, self._left_in_task = None, 0
            edits = [merged for edit, answer in zip(edits, answers, strict=True) if (merged := _merged(edit, answer))]
            if not edits or not again:
                return

    async def _until_answered(self, edits: list[Edit]) -> list[Answer]:
        by_socket, pause_s = True, RETRY_S
        while True:
            for edit in edits:
                self.journal.send(edit)
            try:
                answers = await (self._by_socket(edits) if by_socket else self._by_http(edits))
            except LOST:
                if not by_socket:
                    self._hang_up()
                    await asyncio.sleep(pause_s)
                    pause_s = min(RETRY_MOST_S, 2 * pause_s)
                by_socket = not by_socket
                continue
            return answers

    async def _by_socket(self, edits: list[Edit]) -> list[Answer]:
        socket = await self._connected()
        loop = asyncio.get_running_loop()
        futures = [self._waiting.setdefault(edit["op_id"], loop.create_future()) for edit in edits]
        text = json.dumps({"type": "edit", "edits": edits})
        try:
            for _ in range(2 if self.random.random() < self.habits.doubled else 1):
                await socket.send(text)
            _, late = await asyncio.wait(futures, timeout=ANSWER_S)
            if late:
                raise TimeoutError("the socket gave no answer")
            return [future.result() for future in futures]
        finally:
            for edit in edits:
                self._waiting.pop(edit["op_id"]).cancel()

    async def _by_http(self, edits: list[Edit]) -> list[Answer]:
        of = f"label-sets/{self.place.label_set}" if self.place.label_set else f"layers/{self.place.layer}"
        reply = await self._http.post(f"/api/{of}/edits", json={"edits": edits})
        reply.raise_for_status()
        answers: list[Answer] = reply.json()["results"]
        for answer in answers:
            self.journal.answer(answer)
        return answers

    async def _next_task(self) -> None:
        """Finish the task that is held and take the next one; without any, draw outside of tasks."""
        held, self._task = self._task, None
        self._left_in_task = self.random.randint(3, 10)
        try:
            if held is not None:
                body = {"action": self.random.choice(["finish", "skip", "release"]), "token": held.token}
                await self._http.post(f"/api/tasks/{held.task}/work", json=body)
            reply = await self._http.post(f"/api/label-sets/{self.place.label_set}/tasks/next", json={})
            reply.raise_for_status()
        except LOST:
            return
        task = reply.json()["task"]
        if task is not None:
            self._task = Claim(task["id"], task["properties"]["token"])
            self.journal.claims.append(self._task)

    # --- what is heard -----------------------------------------------------------------------------

    async def _connected(self) -> ClientConnection:
        async with self._connecting:
            return self._socket or await self._connect()

    async def _connect(self) -> ClientConnection:
        url = f"{self.place.url.replace('http', 'ws')}/ws/layers/{self.place.layer}/"
        protocols: Any = [f"quadrat.token.{self._token}"]
        self._socket = await connect(url, subprotocols=protocols, max_size=None, open_timeout=HTTP_S)
        await self._socket.send(json.dumps({"type": "hello", "after": self.journal.seq}))
        self._reader = asyncio.create_task(self._read(self._socket))
        return self._socket

    def _hang_up(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        if self._socket is not None:
            self._socket.transport.abort()
        self._socket = self._reader = None

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                message = json.loads(text)
                if message["type"] != "resync" and self.random.random() < self.habits.dropped:
                    continue
                await self._take(message)
        except LOST:
            pass
        finally:
            if self._socket is socket:
                self._socket = None
            self._unanswered("the connection is lost")

    def _unanswered(self, why: str) -> None:
        """What was on its way goes again, by HTTP."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(EOFError(why))
                # Looked at here, for its labeler may have given up already.
                future.exception()

    async def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "results":
            for answer in message["results"]:
                self.journal.answer(answer)
                future = self._waiting.get(answer["op_id"])
                if future is not None and not future.done():
                    future.set_result(answer)
        elif message["type"] == "error":
            self._unanswered(message["message"])
        elif message["type"] == "resync":
            await self._load()
        elif message["type"] == "edits":
            now = asyncio.get_running_loop().time()
            for row in message["edits"]:
                self.seen_at.setdefault(row["op_id"], now)
            if not all(self.journal.hear(row) for row in message["edits"]):
                await self._catch_up(message["edits"][-1]["seq"])

    async def _catch_up(self, seq: int) -> None:
        """Read the log by HTTP to a number."""
        while self.journal.seq < seq:
            reply = await self._http.get(f"/api/layers/{self.place.layer}/edits", params={"after": self.journal.seq})
            reply.raise_for_status()
            found = reply.json()
            if found["resync"]:
                await self._load()
            for row in found["edits"]:
                self.journal.hear(row)

    async def _load(self) -> None:
        reply = await self._http.get(f"/api/layers/{self.place.layer}/features", params={"limit": 10_000})
        reply.raise_for_status()
        found = reply.json()
        state = None if found["truncated"] else {item["id"]: kept_of(item) for item in found["features"]}
        self.journal.start_over(found["seq"], state)

    async def _again(self, act: Any) -> None:
        """Do something until the site lets it be done."""
        while True:
            try:
                await act()
            except LOST:
                await asyncio.sleep(RETRY_S)
            else:
                return


def _merged(edit: Edit, answer: Answer) -> Edit | None:
    """Return a refused change on top of what is there now; None where there is nothing left to do."""
    if answer["status"] == "aborted":
        return {**edit, "op_id": str(uuid4())}
    if answer["status"] != "conflict" or answer["feature"] is None or edit["action"] == "create":
        return None
    return {**edit, "op_id": str(uuid4()), "base_version": answer["feature"]["meta"]["version"]}
