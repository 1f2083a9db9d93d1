"""One room for each layer that somebody has open in this process: reads the log once, sends it to all who are in.

The database log is the truth. A ring only says "look again"; every socket has its own number and gets every row
after it exactly once, in order.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from labeling.membership import watch
from labeling.presence import Presence
from labeling.seats import TOO_SLOW, TRY_AGAIN, Seat
from labeling.threads import readers
from webapp import points
from webapp.doorbell import listener
from webapp.features import selectors
from webapp.features.models import FeatureLayer
from webapp.features.selectors import Changes, LogRow
from webapp.projects.sockets import NOT_FOUND

logger = logging.getLogger(__name__)

PAGE_ROWS = 200
PRESENCE_S = 10.0
RETRY_S = 1.0


class Room:
    """The sockets of one layer in this process."""

    def __init__(self, layer: FeatureLayer) -> None:
        self.layer = layer
        self.seq = 0
        self.seats: set[Seat] = set()
        self.presence = Presence(layer.pk, self.seats)
        self._bell = asyncio.Event()
        self._classes_changed = False
        self._tasks_seq: int | None = None
        self._comments_changed = False
        self._offsets_changed = False
        self._ends: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._pages: dict[int, asyncio.Task[Changes]] = {}

    async def open(self) -> None:
        """Listen first, then read the number: whatever comes after it rings."""
        loop = asyncio.get_running_loop()

        def here(call: Callable[..., None]) -> Callable[..., None]:
            def from_thread(*args: Any) -> None:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(call, *args)

            return from_thread

        self._ends = [
            listener.subscribe(f"layer:{self.layer.pk}", here(self._rung)),
            listener.subscribe(f"classes:{self.layer.pk}", here(self._classes_rung)),
            listener.subscribe(f"tasks:{self.layer.pk}", here(self._tasks_rung)),
            listener.subscribe(f"comments:{self.layer.pk}", here(self._comments_rung)),
            listener.subscribe(f"offsets:{self.layer.pk}", here(self._offsets_rung)),
            listener.hear(f"room:{self.layer.pk}", here(self._heard)),
        ]
        self.seq = (await readers.run(selectors.changes, self.layer, after=-1)).seq
        self._tasks = [
            asyncio.create_task(self._forever(loop_of, every_s))
            for loop_of, every_s in (
                (self._follow, 0.0),
                (self.presence.pass_cursors, 0.0),
                (self._say_presence, PRESENCE_S),
            )
        ]
        watch().add(self)
        await self.presence.tell({"m": [], "ask": True})

    def shut(self) -> None:
        """Stop listening."""
        watch().remove(self)
        for end in self._ends:
            end()
        for task in self._tasks:
            task.cancel()

    # --- the log -----------------------------------------------------------------------------------

    async def join(self, seat: Seat, after: int | None, role: str) -> None:
        """Welcome a socket and send it every row after `after` (None: only what comes from now on)."""
        async with seat.reading:
            seat.live = False
            log = await readers.run(selectors.changes, self.layer, after=-1 if after is None else after, limit=1)
            classes = await readers.run(selectors.classes_json, self.layer)
            seat.role = role
            told = {"seq": log.seq, "role": role, "members": self.presence.members(), "classes": classes}
            seat.put(json.dumps({"type": "welcome", **told}))
            if log.resync:
                seat.seq = log.seq
                if after is not None:
                    seat.put(json.dumps({"type": "resync", "seq": log.seq}))
            else:
                seat.seq = after or 0
        await self._catch_up(seat)
        await self.presence.changed()

    async def leave(self, seat: Seat) -> None:
        """Forget a socket."""
        self.seats.discard(seat)
        self.presence.forget(seat)
        seat.stop()
        if self.seats:
            await self.presence.changed()

    async def put_out(self, seat: Seat, code: int) -> None:
        """Close somebody's socket, who hears nothing more from now on: closing takes long where nobody reads."""
        self.seats.discard(seat)
        self.presence.forget(seat)
        try:
            await self.presence.changed()
        finally:
            await seat.leave(code)

    async def _catch_up(self, seat: Seat) -> None:
        async with seat.reading:
            try:
                # Nothing is awaited between the last look and `live`, so no row falls between.
                while seat.seq < self.seq:
                    await seat.drained()
                    log = await self._page(seat.seq)
                    await watch().in_time()
                    if seat not in self.seats:
                        return  # put out meanwhile
                    if log.resync:
                        seat.seq = log.seq
                        seat.put(json.dumps({"type": "resync", "seq": log.seq}))
                    _deliver(seat, log.rows, log.seq)
                seat.live = True
            except TimeoutError:
                await self.put_out(seat, TOO_SLOW)
            except Exception:
                # Without the rest it would hear nothing for ever: its page comes back and asks again.
                logger.exception("a socket of layer %s could not catch up", self.layer.pk)
                await self.put_out(seat, TRY_AGAIN)

    async def _page(self, after: int) -> Changes:
        """Return rows after a number. Who comes back at the same time as others, as after a restart, reads with them.

        They were cut off within a few numbers of each other, so pages begin at round ones.
        """
        first = after - after % PAGE_ROWS
        if first not in self._pages:
            reading = asyncio.create_task(self._read(first))
            self._pages[first] = reading
            reading.add_done_callback(lambda _: self._pages.pop(first))
        log = await asyncio.shield(self._pages[first])
        if log.resync or not log.rows or log.rows[-1].seq <= after:
            # The page was cut for its size before this number, or is older than what came since.
            log = await self._read(after)
        return log

    async def _read(self, after: int) -> Changes:
        points.reach("room.reading")
        return await readers.run(selectors.changes, self.layer, after=after, limit=PAGE_ROWS)

    def take(self, rows: Sequence[LogRow]) -> None:
        """Pass on rows that this process has just stored, if they are the next ones: nobody has to read them again.

        Otherwise the ring that they made has the log read.
        """
        if rows and not watch().late and rows[0].seq == self.seq + 1 and rows[-1].seq == self.seq + len(rows):
            self.seq = rows[-1].seq
            self._fan_out(rows, self.seq)

    def _rung(self, topic: str, number: int) -> None:
        if number < 0 or number > self.seq:
            self._bell.set()

    def _classes_rung(self, topic: str, number: int) -> None:
        self._classes_changed = True
        self._bell.set()

    def _tasks_rung(self, topic: str, number: int) -> None:
        self._tasks_seq = number
        self._bell.set()

    def _comments_rung(self, topic: str, number: int) -> None:
        self._comments_changed = True
        self._bell.set()

    def _offsets_rung(self, topic: str, number: int) -> None:
        self._offsets_changed = True
        self._bell.set()

    async def _follow(self) -> None:
        await self._bell.wait()
        self._bell.clear()
        await watch().in_time()
        if self._tasks_seq is not None:
            # Only the number: pages read what changed after the last one they know.
            self._all(json.dumps({"type": "tasks", "seq": self._tasks_seq}))
            self._tasks_seq = None
        if self._comments_changed:
            self._comments_changed = False
            self._all(json.dumps({"type": "comments"}))
        if self._offsets_changed:
            self._offsets_changed = False
            self._all(json.dumps({"type": "offsets"}))
        if self._classes_changed:
            self._classes_changed = False
            try:
                classes = await readers.run(selectors.classes_json, self.layer)
            except Exception:
                self._classes_changed = True
                raise
            self._all(json.dumps({"type": "classes", "classes": classes}))
        while True:
            log = await self._read(self.seq)
            await watch().in_time()
            if log.resync:
                self._resync(log.seq)
            # Rows that this process stored may have been taken while the log was read.
            rows = [row for row in log.rows if row.seq > self.seq]
            if rows:
                self.seq = rows[-1].seq
                self._fan_out(rows, log.seq)
            if not log.rows or self.seq >= log.seq:
                return  # what came since rings

    def _fan_out(self, rows: Sequence[LogRow], seq: int) -> None:
        first = rows[0].seq
        text = _edits_text(rows, seq)
        for seat in list(self.seats):
            if not seat.live:
                continue
            if not seat.has_room(len(text)):
                seat.live = False
                self._tasks.append(asyncio.create_task(self._catch_up(seat)))
            elif seat.seq == first - 1:
                seat.seq = rows[-1].seq
                seat.put(text)
            else:
                _deliver(seat, rows, seq)

    def _resync(self, seq: int) -> None:
        self.seq = seq
        for seat in self.seats:
            seat.seq = seq
        self._all(json.dumps({"type": "resync", "seq": seq}))

    # --- who is here -------------------------------------------------------------------------------

    def _heard(self, message: dict[str, Any]) -> None:
        if self.presence.heard(message) and self.seats:
            self._tasks.append(asyncio.create_task(self.presence.changed()))

    async def _say_presence(self) -> None:
        self._tasks = [task for task in self._tasks if not task.done()]
        await self.presence.changed()

    # --- the loop ----------------------------------------------------------------------------------

    async def _forever(self, step: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            try:
                await asyncio.sleep(every_s)
                await step()
            except FeatureLayer.DoesNotExist:
                for seat in list(self.seats):
                    await seat.leave(NOT_FOUND)
                return
            except Exception:
                # The socket loop. The database may be away for a moment; the log waits.
                logger.exception("room of layer %s: a step failed, trying again", self.layer.pk)
                await asyncio.sleep(RETRY_S)
                self._bell.set()

    def _all(self, text: str) -> None:
        for seat in list(self.seats):
            if seat.stuck:
                self.seats.discard(seat)
                self._tasks.append(asyncio.create_task(self.put_out(seat, TOO_SLOW)))
            else:
                seat.put(text)


_rooms: dict[tuple[int, UUID], asyncio.Task[Room]] = {}


async def enter(layer: FeatureLayer, seat: Seat) -> Room:
    """Return the process's room of the layer, opened, with the seat in it."""
    key = (id(asyncio.get_running_loop()), layer.pk)
    while True:
        if key not in _rooms:
            _rooms[key] = asyncio.create_task(_open(layer))
        opening = _rooms[key]
        try:
            room = await asyncio.shield(opening)
        except BaseException:
            if opening.done() and _rooms.get(key) is opening:
                del _rooms[key]
            raise
        # While we waited the last one may have left and shut it.
        if _rooms.get(key) is opening:
            room.seats.add(seat)
            return room


async def leave(room: Room, seat: Seat) -> None:
    """Leave the room; the last one out shuts it."""
    await room.leave(seat)
    key = (id(asyncio.get_running_loop()), room.layer.pk)
    opening = _rooms.get(key)
    # Meanwhile somebody may have shut it, and another be open in its place.
    if not room.seats and opening is not None and opening.done() and opening.result() is room:
        del _rooms[key]
        room.shut()
        await room.presence.tell({"m": []})


async def _open(layer: FeatureLayer) -> Room:
    room = Room(layer)
    try:
        await room.open()
    except BaseException:
        room.shut()
        raise
    return room


def _deliver(seat: Seat, rows: Sequence[LogRow], seq: int) -> None:
    new = [row for row in rows if row.seq > seat.seq]
    if new:
        seat.seq = new[-1].seq
        seat.put(_edits_text(new, seq))


def _edits_text(rows: Sequence[LogRow], seq: int) -> str:
    return f'{{"type":"edits","seq":{seq},"edits":[{",".join(row.body for row in rows)}]}}'
