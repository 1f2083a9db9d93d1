"""One socket in a room: what waits to be sent to it, and what becomes of one that does not read."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from webapp.projects.models import User

# With more than this waiting a socket gets no more rows until it has read them, then catches up from the log.
OUTBOX_BYTES = 1 << 20
STUCK_BYTES = 8 << 20
# One that reads nothing for so long is closed; it catches up by number when it comes back.
SLOW_S = 10.0
TOO_SLOW = 4413
# The server failed; the page comes back at once.
TRY_AGAIN = 1011


@dataclass(eq=False)
class Seat:
    """One socket in a room.

    Attributes:
        seq: the last number of the log that was put into its outbox.
        role: of its person, as the page was told it; "": not yet.
        editing: the feature that its person is changing: a hint for others, never stored and never a lock.
        live: it has caught up, and gets rows as they come.
        reading: held by whoever reads the log for it.
    """

    user: User
    name: str
    send: Callable[[str], Awaitable[None]]
    close: Callable[[int], Awaitable[None]]
    seq: int = 0
    role: str = ""
    editing: str | None = None
    live: bool = False
    waiting_bytes: int = 0
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    _drained: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._drained.set()
        self._task = asyncio.create_task(self._send_all())

    def stop(self) -> None:
        """End sending."""
        if self._task is not None:
            self._task.cancel()

    def has_room(self, size: int) -> bool:
        """Return True where a message of so many bytes may wait with the others."""
        return self.waiting_bytes == 0 or self.waiting_bytes + size <= OUTBOX_BYTES

    @property
    def stuck(self) -> bool:
        """So much waits that nobody can be reading: a page of the log is far smaller."""
        return self.waiting_bytes > STUCK_BYTES

    def put(self, text: str) -> None:
        """Queue one message."""
        self.waiting_bytes += len(text)
        self._drained.clear()
        self._outbox.put_nowait(text)

    async def leave(self, code: int) -> None:
        """Close the socket; one whose other end does not read is given up after a while."""
        self.live = False
        self.stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.close(code), SLOW_S)

    async def drained(self) -> None:
        """Return when the outbox is empty.

        Raises:
            TimeoutError: the other end does not read.
        """
        await asyncio.wait_for(self._drained.wait(), SLOW_S)

    async def _send_all(self) -> None:
        while True:
            text = await self._outbox.get()
            try:
                await self.send(text)
            except OSError:
                return  # the other end is gone; `disconnect` follows
            self.waiting_bytes -= len(text)
            if self._outbox.empty():
                self._drained.set()
