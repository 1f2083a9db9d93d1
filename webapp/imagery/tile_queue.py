"""Work for the tile edge's threads: bounded, each picture once, and nothing for clients that have left."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from webapp.errors import Unavailable

Answer = TypeVar("Answer")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
RETRY_AFTER_S = 1


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


@dataclass(eq=False, slots=True)
class _Flight(Generic[Answer]):
    """One piece of work, and how many clients wait for it."""

    future: "asyncio.Future[Answer]"
    waiting: int = 0


class TileQueue(Generic[Answer]):
    """Runs work on threads, from one event loop.

    Args:
        executor: the threads.
        most: pieces of work that may run or wait at once.
    """

    def __init__(self, executor: Executor, most: int) -> None:
        self._executor = executor
        self._most = most
        self._flights: dict[Hashable, _Flight[Answer]] = {}

    @property
    def length(self) -> int:
        """Pieces of work that run or wait."""
        return len(self._flights)

    async def run(self, key: Hashable, work: Callable[[], Answer], receive: Receive) -> Answer:
        """Return what the work gives; who asks for the same key meanwhile gets the same answer.

        Args:
            key: what is made.
            work: run on a thread; not begun where every client has left before its turn.
            receive: of the client's connection.

        Raises:
            Unavailable: too much is waiting already.
            ClientGone: the client has left.
        """
        flight = self._flights.get(key)
        if flight is None:
            if len(self._flights) >= self._most:
                raise Unavailable(
                    "The server draws as many tiles as it can.",
                    fix="Ask again in a moment.",
                    code="overloaded",
                    details={"retry_after_s": RETRY_AFTER_S},
                )
            flight = _Flight(asyncio.get_running_loop().run_in_executor(self._executor, work))
            self._flights[key] = flight
            flight.future.add_done_callback(lambda _: self._flights.pop(key, None))
        flight.waiting += 1
        leaving = asyncio.ensure_future(_left(receive))
        either: set[asyncio.Future[Any]] = {flight.future, leaving}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not flight.future.done():
                raise ClientGone()
            return flight.future.result()
        finally:
            leaving.cancel()
            flight.waiting -= 1
            if not flight.waiting and not flight.future.done():
                # Takes it out of the threads' queue; where it runs already, its answer is thrown away.
                flight.future.cancel()


async def _left(receive: Receive) -> None:
    """Return when the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
