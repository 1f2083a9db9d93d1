"""Threads that talk to the database for the sockets, few and for ever, each with its own connection.

Channels' own `database_sync_to_async` puts every consumer of a process into one thread (20 calls of 50 ms took
1.01 s), or, without that, into a pool that all sockets of the site share with slow work.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThreads:
    """A bounded pool; what is more waits its turn."""

    def __init__(self, name: str, size: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=size, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `call` returns on one of the threads."""

        def work() -> T:
            # A connection that broke or is too old is replaced before and after, not in the middle.
            close_old_connections()
            try:
                return call(*args, **kwargs)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


# Edits of one layer wait for each other in the database; readers must not wait behind them.
writers = DatabaseThreads("labeling-write", 4)
readers = DatabaseThreads("labeling-read", 2)
