"""Rows of the log in a room: some come from the edit that made them, some from the database, each is sent once."""

import asyncio
import json
from collections.abc import Callable

import pytest

from labeling import rooms
from labeling.seats import Seat
from labeling.threads import readers
from tests.factories import make_layer, make_project, make_user
from webapp.features import selectors
from webapp.features.models import FeatureLayer
from webapp.features.selectors import Changes, LogRow

pytestmark = pytest.mark.django_db


def row(seq: int) -> LogRow:
    return LogRow(seq, json.dumps({"seq": seq}))


def sent_by(monkeypatch: pytest.MonkeyPatch, last: int, act: Callable[[rooms.Room], None]) -> list[int]:
    """Return the numbers that a seat at 3 is sent, where `act` happens while the room reads a log up to `last`."""
    ana = make_user("ana")
    layer = make_layer(make_project(ana))
    sent: list[str] = []

    async def send(text: str) -> None:
        sent.append(text)

    async def close(code: int) -> None:
        raise AssertionError(code)

    async def work() -> None:
        room = rooms.Room(layer)
        room.seq = 3
        seat = Seat(ana, "ana", send, close, seq=3, live=True)
        room.seats.add(seat)
        seat.start()

        async def run(call: object, read: FeatureLayer, *, after: int, limit: int) -> Changes:
            assert (call, read) == (selectors.changes, layer)
            act(room)
            return Changes(last, [row(seq) for seq in range(after + 1, last + 1)], resync=False)

        monkeypatch.setattr(readers, "run", run)
        room._rung("", last)
        if room._bell.is_set():
            await room._follow()
        else:
            act(room)
        await seat.drained()
        seat.stop()

    asyncio.run(work())
    return [item["seq"] for text in sent for item in json.loads(text)["edits"]]


def test_a_row_that_was_taken_while_the_log_is_read_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_by(monkeypatch, 5, lambda room: room.take([row(4)])) == [4, 5]


def test_rows_that_are_not_the_next_ones_wait_for_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_by(monkeypatch, 6, lambda room: room.take([row(5), row(6)])) == [4, 5, 6]


def test_rows_that_the_log_brought_are_not_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(room: rooms.Room) -> None:
        room.take([row(4), row(5)])
        room.take([row(4), row(5)])

    assert sent_by(monkeypatch, 5, twice) == [4, 5]


def test_the_ring_of_a_taken_row_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_by(monkeypatch, 3, lambda room: room.take([row(4)])) == [4]


def test_who_comes_back_together_reads_the_log_once(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, reads = make_layer(make_project(make_user("ana"))), list[int]()

    async def work() -> list[list[int]]:
        room = rooms.Room(layer)

        async def run(call: object, read: FeatureLayer, *, after: int, limit: int) -> Changes:
            reads.append(after)
            await asyncio.sleep(0)
            return Changes(450, [row(seq) for seq in range(after + 1, min(after + limit, 450) + 1)], resync=False)

        monkeypatch.setattr(readers, "run", run)
        pages = await asyncio.gather(room._page(200), room._page(207), room._page(3), room._page(450))
        return [[item.seq for item in page.rows] for page in pages]

    second, same, first, none = asyncio.run(work())
    assert second == same == list(range(201, 401))
    assert first == list(range(1, 201))
    assert none == []
    # Nothing is after 450: the page from 400 has nothing newer, so that it is asked for itself.
    assert sorted(reads) == [0, 200, 400, 450]
