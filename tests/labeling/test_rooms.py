"""Rows of the log in a room: some come from the edit that made them, some from the database, each is sent once."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from labeling import membership, rooms
from labeling.presence import _portions
from labeling.seats import OUTBOX_BYTES, Seat
from labeling.threads import readers
from tests.factories import make_layer, make_project, make_user
from webapp.doorbell import tell
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


async def nothing(_: object) -> None:
    """Take what is sent."""


def test_a_socket_that_cannot_catch_up_is_closed_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = make_user("ana")
    layer, closed = make_layer(make_project(ana)), list[int]()

    async def close(code: int) -> None:
        closed.append(code)

    async def work() -> None:
        async def run(call: object, *args: object, **values: object) -> bool:
            if call is selectors.changes:
                raise OperationalError("the database is away")
            return True

        monkeypatch.setattr(readers, "run", run)
        room = rooms.Room(layer)
        room.seq = 3
        seat = Seat(ana, "ana", nothing, close, seq=3, live=True, waiting_bytes=OUTBOX_BYTES)
        seat.start()
        room.seats.add(seat)
        room.take([row(4)])
        await asyncio.gather(*room._tasks)
        assert room.seats == set()

    asyncio.run(work())
    assert closed == [1011]


def test_who_leaves_late_shuts_no_room_that_was_opened_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = make_user("ana")
    layer = make_layer(make_project(ana))

    async def work() -> None:
        async def run(call: object, *args: object, **values: object) -> object:
            await asyncio.sleep(0)
            return Changes(0, [], resync=True) if call is selectors.changes else True

        monkeypatch.setattr(readers, "run", run)
        first, second, third = (Seat(ana, "ana", nothing, nothing) for _ in range(3))
        room = await rooms.enter(layer, first)
        assert await rooms.enter(layer, second) is room
        told, slow = room.presence.tell, asyncio.Event()

        async def tell(message: dict[str, object]) -> None:
            await slow.wait()
            await told(message)

        monkeypatch.setattr(room.presence, "tell", tell)
        leaving = [asyncio.create_task(rooms.leave(room, seat)) for seat in (first, second)]
        await asyncio.sleep(0.05)
        other = await rooms.enter(layer, third)
        slow.set()
        await asyncio.gather(*leaving)
        assert other is not room
        assert await rooms.enter(layer, first) is other
        for seat in (first, third):
            await rooms.leave(other, seat)

    asyncio.run(work())
    assert rooms._rooms == {}


def test_who_does_not_read_keeps_nobody_else_in(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = make_user("ana")
    layer, closed = make_layer(make_project(ana)), list[str]()

    async def work() -> None:
        room = rooms.Room(layer)
        deaf, other = (Seat(ana, name, nothing, nothing) for name in ("deaf", "other"))
        room.seats |= {deaf, other}

        async def put_out(seat: Seat, code: int) -> None:
            if seat is deaf:
                await asyncio.Event().wait()
            closed.append(seat.name)

        async def run(call: object, seats: list[tuple[Seat, rooms.Room]]) -> list[membership.Changed]:
            return [membership.Changed(seat, of, code=4403) for seat, of in seats]

        monkeypatch.setattr(room, "put_out", put_out)
        monkeypatch.setattr(readers, "run", run)
        monkeypatch.setattr(membership, "CHECK_S", 0.0)
        watch = membership.Watch()
        watch.add(room)
        async with asyncio.timeout(5):
            while room.seats or not closed:
                await asyncio.sleep(0)
        watch.remove(room)
        for leaving in watch._leaving:
            leaving.cancel()

    asyncio.run(work())
    assert closed == ["other"]


def test_after_a_standstill_nothing_is_passed_on_before_the_members_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana, ben = make_user("ana"), make_user("ben")
    layer = make_layer(make_project(ana))
    heard: dict[str, list[str]] = {"ana": [], "ben": []}
    closed: list[int] = []

    async def work() -> None:
        room = rooms.Room(layer)
        room.seq = 3
        watch = membership.watch()
        watch.add(room)
        for user in (ana, ben):

            async def send(text: str, name: str = user.username) -> None:
                heard[name].append(text)

            async def close(code: int) -> None:
                closed.append(code)

            seat = Seat(user, user.username, send, close, seq=3, live=True)
            room.seats.add(seat)
            seat.start()

        async def run(call: Any, *args: Any, **values: Any) -> Any:
            if call is membership._changed:
                return [membership.Changed(seat, room, code=4403) for seat, room in args[0] if seat.user == ben]
            if call is selectors.changes:
                return Changes(4, [row(4)] if values["after"] < 4 else [], resync=False)
            return None

        monkeypatch.setattr(readers, "run", run)
        # As a process finds it that was stopped for longer than that.
        watch._looked_at -= membership.LATE_S
        room.take([row(4)])
        assert room.seq == 3
        room._rung("", 4)
        await room._follow()
        for seat in room.seats:
            await seat.drained()
            seat.stop()
        await asyncio.gather(*watch._leaving)
        watch.remove(room)

    asyncio.run(work())
    assert [json.loads(text)["type"] for text in heard["ana"]] == ["edits", "presence"]
    assert (heard["ben"], closed) == ([], [4403])


def test_any_number_of_names_in_any_letters_is_told_in_portions() -> None:
    people = [[str(number), "राम बहादुर श्रेष्ठ", "0" * 36] for number in range(300)]
    portions = _portions(people)
    assert [person for portion in portions for person in portion] == people
    assert all(tell("room:" + "0" * 36, {"p": "0" * 12, "m": portion, "also": True}) for portion in portions)
    assert _portions([]) == [[]]
