"""The tile edge's queue and memory: bounded, each picture once, nothing for clients that have left."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from webapp.errors import Unavailable
from webapp.imagery.tile_cache import OVERHEAD_BYTES, TileCache
from webapp.imagery.tile_queue import ClientGone, TileQueue


class Client:
    """A connection that stays until `leave`."""

    def __init__(self) -> None:
        self._gone = asyncio.Event()

    def leave(self) -> None:
        self._gone.set()

    async def receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}


class Bench:
    """One thread whose work is held back until `go`, so that all else has to queue."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.done: list[str] = []

    def work(self, name: str) -> Callable[[], str]:
        def run() -> str:
            self.go.wait(10)
            self.done.append(name)
            return name

        return run


def test_work_of_clients_that_left_in_the_queue_is_never_done() -> None:
    async def play() -> None:
        bench = Bench()
        with ThreadPoolExecutor(1) as threads:
            queue: TileQueue[str] = TileQueue(threads, 10)
            stays, leaves = Client(), Client()
            first = asyncio.create_task(queue.run("a", bench.work("a"), stays.receive))
            await asyncio.sleep(0)
            second = asyncio.create_task(queue.run("b", bench.work("b"), leaves.receive))
            await asyncio.sleep(0)
            leaves.leave()
            with pytest.raises(ClientGone):
                await second
            bench.go.set()
            assert await first == "a"
            assert await queue.run("c", bench.work("c"), stays.receive) == "c"
            assert (bench.done, queue.length) == (["a", "c"], 0)

    asyncio.run(play())


def test_the_same_picture_is_made_once_and_stays_wanted_while_one_client_waits() -> None:
    async def play() -> None:
        bench = Bench()
        with ThreadPoolExecutor(1) as threads:
            queue: TileQueue[str] = TileQueue(threads, 1)
            clients = [Client() for _ in range(3)]
            tasks = [asyncio.create_task(queue.run("a", bench.work("a"), client.receive)) for client in clients]
            await asyncio.sleep(0.01)
            clients[0].leave()
            with pytest.raises(ClientGone):
                await tasks[0]
            bench.go.set()
            assert await asyncio.gather(*tasks[1:]) == ["a", "a"]
            assert bench.done == ["a"]

    asyncio.run(play())


def test_a_full_queue_says_when_to_come_again() -> None:
    async def play() -> None:
        bench = Bench()
        with ThreadPoolExecutor(1) as threads:
            queue: TileQueue[str] = TileQueue(threads, 2)
            client = Client()
            tasks = [asyncio.create_task(queue.run(name, bench.work(name), client.receive)) for name in "ab"]
            await asyncio.sleep(0)
            with pytest.raises(Unavailable) as caught:
                await queue.run("c", bench.work("c"), client.receive)
            assert (caught.value.code, caught.value.details) == ("overloaded", {"retry_after_s": 1})
            bench.go.set()
            assert await asyncio.gather(*tasks) == ["a", "b"]

    asyncio.run(play())


def test_memory_holds_the_latest_pictures_and_no_more_bytes_than_allowed() -> None:
    cache = TileCache(40 * (100 + OVERHEAD_BYTES))
    for number in range(1000):
        cache.put(("layer", "1-256", number), bytes(100))
        assert cache.get(("layer", "1-256", 0)) == (b"\0" * 100)  # used all the time: never the one that goes
    assert cache.size_bytes <= 40 * (100 + OVERHEAD_BYTES)
    assert cache.get(("layer", "1-256", 999)) is not None
    assert cache.get(("layer", "1-256", 500)) is None
    assert cache.get(("layer", "2-256", 999)) is None
    cache.put(("layer", "1-256", 7), bytes(10**6))  # larger than its share: not kept
    assert cache.get(("layer", "1-256", 7)) is None


def test_a_cache_of_no_bytes_keeps_nothing() -> None:
    cache = TileCache(0)
    cache.put("a", b"a")
    assert (cache.get("a"), cache.size_bytes) == (None, 0)
