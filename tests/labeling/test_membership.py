"""Who was removed hears nothing more, whatever the server was at; and nobody else waits for the looks that find it."""

import asyncio
from typing import Any

import pytest

from labeling import membership, rooms
from labeling.seats import Seat
from labeling.threads import readers
from tests.factories import make_layer, make_project, make_user
from tests.labeling.test_rooms import row
from webapp.features import selectors
from webapp.features.selectors import Changes
from webapp.projects.models import User

pytestmark = pytest.mark.django_db


class Heard:
    """The only person of a room, at number 3 of a log whose last number is 4, and what the socket is sent."""

    def __init__(self, user: User, room: rooms.Room, *, live: bool) -> None:
        self.sent: list[str] = []
        self.closed: list[int] = []
        self.looks = 0
        self.seat = Seat(user, user.username, self._send, self._close, seq=3, live=live)
        room.seats.add(self.seat)
        self.seat.start()

    async def _send(self, text: str) -> None:
        self.sent.append(text)

    async def _close(self, code: int) -> None:
        self.closed.append(code)


def test_a_look_that_takes_longer_than_looks_may_be_apart_withholds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = make_user("ana")
    layer = make_layer(make_project(ana))
    monkeypatch.setattr(membership, "LATE_S", 0.01)

    async def work() -> Heard:
        room = rooms.Room(layer)
        room.seq = 3
        watch = membership.watch()
        watch.add(room)
        heard = Heard(ana, room, live=True)

        async def run(call: Any, *args: Any, **values: Any) -> Any:
            if call is membership._changed:
                heard.looks += 1
                while not watch.late:
                    await asyncio.sleep(0)
                return []
            return Changes(4, [row(4)] if values["after"] < 4 else [], resync=False)

        monkeypatch.setattr(readers, "run", run)
        watch._looked_at -= 1
        room._rung("", 4)
        await asyncio.wait_for(room._follow(), 5)
        await heard.seat.drained()
        heard.seat.stop()
        watch.remove(room)
        return heard

    heard = asyncio.run(work())
    assert (len(heard.sent), heard.closed) == (1, [])
    assert 1 <= heard.looks <= 3


def test_who_was_removed_while_catching_up_is_sent_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    ana, ben = make_user("ana"), make_user("ben")
    layer = make_layer(make_project(ana))

    async def work() -> Heard:
        room = rooms.Room(layer)
        room.seq = 4
        watch = membership.watch()
        watch.add(room)
        heard = Heard(ben, room, live=False)

        async def run(call: Any, *args: Any, **values: Any) -> Any:
            if call is membership._changed:
                return [membership.Changed(seat, room, code=4403) for seat, room in args[0]]
            if call is selectors.changes:
                return Changes(4, [row(4)] if values["after"] < 4 else [], resync=False)
            return None

        monkeypatch.setattr(readers, "run", run)
        watch._looked_at -= membership.LATE_S
        await room._catch_up(heard.seat)
        await asyncio.gather(*watch._leaving)
        watch.remove(room)
        return heard

    heard = asyncio.run(work())
    assert (heard.sent, heard.closed) == ([], [4403])
    assert not heard.seat.live
