"""Who is in a room and where their pointers are, in every process: told, shown, and never stored."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from labeling.membership import watch
from labeling.seats import OUTBOX_BYTES, Seat
from labeling.threads import readers
from webapp.doorbell import MAX_TOLD_BYTES, tell

PRESENCE_LIFE_S = 25.0
CURSOR_S = 0.1
# Of what one process can tell the others at once, some bytes are for the rest of the message.
PORTION_BYTES = MAX_TOLD_BYTES - 400

# Tells our own messages from those of other processes.
PROCESS = uuid4().hex[:12]


Row = Sequence[str | float | None]


class Presence:
    """The people of one layer's room, here and in other processes."""

    def __init__(self, layer: UUID, seats: set[Seat]) -> None:
        self._layer = layer
        self._seats = seats
        self._cursors: dict[Seat, tuple[float, float]] = {}
        self._moved = asyncio.Event()
        self._elsewhere: dict[str, tuple[float, list[tuple[str, str, str | None]]]] = {}
        self._shown: list[dict[str, Any]] = []

    def forget(self, seat: Seat) -> None:
        """Forget the pointer of one who leaves."""
        self._cursors.pop(seat, None)

    async def tell(self, message: dict[str, Any]) -> None:
        """Tell the other processes something."""
        await readers.run(tell, f"room:{self._layer}", {"p": PROCESS, **message})

    def members(self) -> list[dict[str, Any]]:
        """Return the people in this layer, in every process, by name, with the features that they are changing."""
        rows = [(str(seat.user.pk), seat.name, seat.editing) for seat in self._seats]
        now = time.monotonic()
        for heard_at, others in self._elsewhere.values():
            if now - heard_at < PRESENCE_LIFE_S:
                rows += others
        people: dict[str, dict[str, Any]] = {}
        for pk, name, editing in sorted(rows, key=lambda row: (row[1], row[0], row[2] or "")):
            person = people.setdefault(pk, {"id": pk, "name": name, "editing": []})
            person["editing"] += [editing] if editing and editing not in person["editing"] else []
        return list(people.values())

    def point(self, seat: Seat, lon: float, lat: float) -> None:
        """Take a pointer's place; the last one before the next round is sent."""
        self._cursors[seat] = (lon, lat)
        self._moved.set()

    async def mark(self, seat: Seat, feature: str | None) -> None:
        """Say which feature somebody is changing; None: none."""
        if seat.editing != feature:
            seat.editing = feature
            await self.changed()

    async def changed(self) -> None:
        """Tell everybody, in every process, who is in this one."""
        people = [[str(seat.user.pk), seat.name, seat.editing] for seat in self._seats]
        for number, portion in enumerate(_portions(people)):
            await self.tell({"m": portion, "also": number > 0})
        self._show_members()

    def _show_members(self) -> None:
        now = self.members()
        if now != self._shown and not watch().late:
            self._shown = now
            text = json.dumps({"type": "presence", "members": now})
            for seat in list(self._seats):
                seat.put(text)

    def heard(self, message: dict[str, Any]) -> bool:
        """Take what another process told; return True where it asks who is in this one."""
        process = message["p"]
        if process == PROCESS:
            return False
        if message.get("c"):
            self._show_cursors(message["c"])
        if "m" in message:
            if message["m"]:
                known = self._elsewhere.get(process, (0, []))[1] if message.get("also") else []
                people = [(pk, name, what) for pk, name, what in message["m"]]
                self._elsewhere[process] = (time.monotonic(), [*known, *people])
            else:
                self._elsewhere.pop(process, None)
            self._show_members()
        return bool(message.get("ask"))

    async def pass_cursors(self) -> None:
        """Wait until a pointer moves, gather for a moment, and send all that moved."""
        await self._moved.wait()
        await asyncio.sleep(CURSOR_S)
        self._moved.clear()
        cursors, self._cursors = self._cursors, {}
        if not cursors:
            return  # who moved has left
        places: list[Row] = [[str(seat.user.pk), seat.name, *place] for seat, place in cursors.items()]
        self._show_cursors(places)
        if self._elsewhere:
            for portion in _portions(places):
                await self.tell({"c": portion})

    def _show_cursors(self, places: Sequence[Sequence[Any]]) -> None:
        """Send pointers, each (id, name, lon, lat), to everybody but one who is alone with an own one."""
        cursors = [dict(zip(("id", "name", "lon", "lat"), place, strict=True)) for place in places]
        text = json.dumps({"type": "cursors", "cursors": cursors})
        alone = {pk for pk, *_ in places} if len(places) == 1 else set()
        if watch().late:
            return
        for seat in self._seats:
            # Pointers are the first to go when a socket is slow.
            if seat.live and seat.waiting_bytes < OUTBOX_BYTES // 16 and str(seat.user.pk) not in alone:
                seat.put(text)


def _portions(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows in as many portions as can be told one by one; one that is empty where there are none."""
    portions: list[list[Row]] = [[]]
    free = PORTION_BYTES
    for row in rows:
        size = len(json.dumps(row, ensure_ascii=False).encode()) + 1
        if size > free and portions[-1]:
            portions.append([])
            free = PORTION_BYTES
        portions[-1].append(row)
        free -= size
    return portions
