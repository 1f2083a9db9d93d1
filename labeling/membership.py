"""Who may stay in the rooms of this process: everybody is looked at together, in one statement every second or two."""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

from labeling.seats import Seat
from labeling.threads import readers
from webapp.features.models import FeatureLayer
from webapp.projects.access import roles_of, signed_in
from webapp.projects.sockets import NOT_ALLOWED, SIGN_IN

logger = logging.getLogger(__name__)

CHECK_S = 1.5
# Nothing is passed on while the last look is older than this, as in a process that was stopped for a while.
LATE_S = 2.0


class Watched(Protocol):
    """A room."""

    layer: FeatureLayer
    seats: set[Seat]

    async def put_out(self, seat: Seat, code: int) -> None:
        """Close somebody's socket, who hears nothing more from now on."""


@dataclass(frozen=True)
class Changed:
    """Somebody whose standing is not what the page was told.

    Attributes:
        code: why the socket is closed; None: it stays.
        role: the new one, of who stays.
    """

    seat: Seat
    room: Watched
    code: int | None = None
    role: str = ""


class Watch:
    """Puts out of their rooms who is no member any more, has signed out, or has lost the token; tells new roles."""

    def __init__(self) -> None:
        self._rooms: set[Watched] = set()
        self._task: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._looking = asyncio.Lock()
        self._looked_at = 0.0

    def add(self, room: Watched) -> None:
        """Look after a room too."""
        self._rooms.add(room)
        if self._task is None:
            # Who comes in was looked at at the door.
            self._looked_at = time.monotonic()
            self._task = asyncio.create_task(self._forever())

    def remove(self, room: Watched) -> None:
        """Look after a room no longer."""
        self._rooms.discard(room)
        if not self._rooms and self._task is not None:
            self._task.cancel()
            self._task = None

    @property
    def late(self) -> bool:
        """Somebody may be in a room who was removed more than `LATE_S` ago: look before anything is passed on."""
        return self._task is not None and time.monotonic() - self._looked_at > LATE_S

    async def in_time(self) -> None:
        """Return when no look is overdue, or one that began after this call has ended: it may take long itself."""
        asked = time.monotonic()
        while self.late and self._looked_at < asked:
            async with self._looking:
                if self.late and self._looked_at < asked:
                    await self._look()

    async def _look(self) -> None:
        begun = time.monotonic()
        seats = [(seat, room) for room in self._rooms for seat in room.seats]
        for found in await readers.run(_changed, seats):
            if found.code is None:
                found.seat.role = found.role
                found.seat.put(json.dumps({"type": "role", "role": found.role}))
                continue
            # Nobody else waits for a socket whose other end does not read.
            found.room.seats.discard(found.seat)
            leaving = asyncio.create_task(found.room.put_out(found.seat, found.code))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        self._looked_at = max(self._looked_at, begun)

    async def _forever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await self._look()
            except Exception:
                # The loop of all rooms. The database may be away for a moment.
                logger.exception("the members of %d rooms were not checked, trying again", len(self._rooms))


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch() -> Watch:
    """Return the watch of the running loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())


def _changed(seats: Sequence[tuple[Seat, Watched]]) -> list[Changed]:
    roles = roles_of([(seat.user, room.layer.project) for seat, room in seats])
    found = []
    for (seat, room), role in zip(seats, roles, strict=True):
        if role is None:
            found.append(Changed(seat, room, code=NOT_ALLOWED if signed_in(seat.user) else SIGN_IN))
        elif seat.role not in ("", role.name.lower()):
            found.append(Changed(seat, room, role=role.name.lower()))
    return found
