"""`/ws/layers/<id>/`: live editing of one layer. Commands go to the same services as the REST edge."""

import asyncio
import contextlib
import json
import logging
import re
import time
from collections import Counter
from typing import Any
from uuid import UUID

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import InterfaceError, OperationalError, transaction

from labeling import rooms
from labeling.seats import TOO_SLOW, TRY_AGAIN, Seat
from labeling.task_edits import Applied, parse_leased, store_leased
from labeling.threads import readers, writers
from webapp import locks, points
from webapp.errors import Invalid, NotFound, QuadratError, Unavailable
from webapp.features.models import FeatureLayer
from webapp.features.parsing import parse_json
from webapp.projects.access import hold_role, role_in
from webapp.projects.models import Role, User
from webapp.projects.sockets import NOT_ALLOWED, NOT_FOUND, SIGN_IN

logger = logging.getLogger(__name__)

MAX_FRAME_BYTES = 256 * 1024
# Commands a second, and how many may come at once. What comes faster is not lost, it waits: an outbox that was
# offline is emptied at this speed.
COMMANDS_PER_S = 20.0
COMMANDS_BURST = 40.0
CURSORS_PER_S = 20.0
MAX_BAD_MESSAGES = 10
MAX_SOCKETS_OF_USER = 10
TOO_BIG, BINARY, BAD, TOO_MANY = 1009, 1003, 4400, 4429

COMMANDS = "Send hello, edit, cursor, editing or ping."
UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_sockets: Counter[int] = Counter()


class Bucket:
    """A token bucket on the process's clock."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._tokens, self._at = burst, time.monotonic()

    def wait_s(self) -> float:
        """Take one token; return the seconds until it is really there."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s) - 1
        self._at = now
        return max(0.0, -self._tokens / self._per_s)

    def take(self) -> bool:
        """Take one token if there is one."""
        if self.wait_s() == 0:
            return True
        self._tokens += 1
        return False


class LayerConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One person's socket on one layer."""

    _closed = _counted = False
    _room: rooms.Room | None = None
    _seat: Seat | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket; however it ends, its seat is given back."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._give_back()

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """Close the socket, once; it may be gone already."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError, RuntimeError):
                await super().close(code, reason)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Do what a message asks for. The base class visits a thread before each, to close this loop's old database
        connections; it has none: threads of `labeling.threads` look after theirs.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        """Let in members of the layer's project; others are closed with a code that the page can read."""
        self._bad = 0
        self._commands = Bucket(COMMANDS_PER_S, COMMANDS_BURST)
        self._cursors = Bucket(CURSORS_PER_S, CURSORS_PER_S)
        await self.accept()
        user = self.scope["user"]
        if not isinstance(user, User):
            await self.close(SIGN_IN)
            return
        self._user = user
        found = await readers.run(_layer_and_role, self._pk, user)
        if found is None:
            await self.close(NOT_FOUND)
            return
        self._layer = found[0]
        if _sockets[user.pk] >= MAX_SOCKETS_OF_USER:
            await self.close(TOO_MANY)
            return
        _sockets[user.pk] += 1
        self._counted = True
        self._seat = Seat(user, user.get_full_name() or user.get_username(), self._send_text, self.close)
        self._seat.start()

    async def disconnect(self, code: int) -> None:
        """Leave the room."""
        self._closed = True
        await self._give_back()

    async def _give_back(self) -> None:
        if self._counted:
            _sockets[self._user.pk] -= 1
            self._counted = False
        seat, self._seat = self._seat, None
        if seat is not None:
            seat.stop()
            if self._room is not None:
                await rooms.leave(self._room, seat)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Do one command; commands of one socket are done in the order they came."""
        if self._seat is None or self._closed:
            return
        if text_data is None:
            await self.close(BINARY)
        elif len(text_data) > MAX_FRAME_BYTES:
            await self.close(TOO_BIG)
        else:
            await self._command(text_data)

    async def _command(self, text: str) -> None:
        try:
            message = parse_json(text)
            if not isinstance(message, dict):
                raise Invalid("The message is no object.", fix='Send {"type": …}.', code="bad_message")
            await self._do(message)
        except QuadratError as error:
            await self._refuse(error)
        except TimeoutError:
            await self.close(TOO_SLOW)
        except (OperationalError, InterfaceError) as error:
            if locks.timed_out(error):
                await self._refuse(locks.busy())
                return
            logger.exception("the database is away")
            await self._refuse(Unavailable("The server cannot save now; nothing is lost.", fix="Wait and try again."))
        except Exception:
            # The socket loop: the client reconnects, and sends again what was not acknowledged.
            logger.exception("a command on layer %s failed", self._pk)
            await self.close(TRY_AGAIN)

    async def _do(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "cursor":
            if self._cursors.take():
                self._point(message)
            return
        if kind == "editing":
            if self._cursors.take():
                await self._editing(message)
            return
        await asyncio.sleep(self._commands.wait_s())
        if kind == "ping":
            self._put({"type": "pong"})
        elif kind == "hello":
            await self._hello(message)
        elif kind == "edit":
            await self._edit(message)
        else:
            raise Invalid(f"{kind!r:.40} is no command.", fix=COMMANDS, code="bad_message")

    async def _hello(self, message: dict[str, Any]) -> None:
        after = message.get("after")
        if after is not None and (not isinstance(after, int) or isinstance(after, bool)):
            raise Invalid("after is no number.", fix="Send the last seq you know, or null.", code="bad_message")
        found = await readers.run(_layer_and_role, self._pk, self._user)
        if found is None or self._seat is None:
            await self.close(NOT_ALLOWED)
            return
        if self._room is None:
            self._room = await rooms.enter(self._layer, self._seat)
        try:
            await self._room.join(self._seat, after, found[1].name.lower())
        except (OperationalError, InterfaceError):
            # Its page says hello again when it comes back.
            logger.exception("a hello to layer %s failed", self._pk)
            await self.close(TRY_AGAIN)

    async def _edit(self, message: dict[str, Any]) -> None:
        if self._room is None:
            raise Invalid("Say hello first.", fix='Send {"type": "hello", "after": seq}.', code="not_ready")
        assert self._seat is not None
        if not self._seat.has_room(0):
            # Who does not read the answers has to, before more is done.
            await self._seat.drained()
        applied = await writers.run(_apply, self._layer, self._user, message)
        self._put({"type": "results", "results": applied.answers})
        points.reach("edit.answered")
        self._room.take(applied.rows)

    def _point(self, message: dict[str, Any]) -> None:
        lon, lat = _number(message.get("lon"), 180), _number(message.get("lat"), 90)
        if self._room is not None and self._seat is not None and lon is not None and lat is not None:
            self._room.presence.point(self._seat, lon, lat)

    async def _editing(self, message: dict[str, Any]) -> None:
        feature = message.get("feature")
        if feature is not None and not (isinstance(feature, str) and UUID_TEXT.fullmatch(feature)):
            raise Invalid("feature is no UUID.", fix="Send the id of a feature, or null.", code="bad_message")
        if self._room is not None and self._seat is not None:
            await self._room.presence.mark(self._seat, feature)

    async def _refuse(self, error: QuadratError) -> None:
        self._put({"type": "error", "code": error.code, "message": error.message, "fix": error.fix})
        if isinstance(error, NotFound):
            await self._after_outbox(NOT_ALLOWED)
        if error.code in ("bad_json", "bad_message"):
            self._bad += 1
            if self._bad >= MAX_BAD_MESSAGES:
                await self._after_outbox(BAD)

    async def _after_outbox(self, code: int) -> None:
        if self._seat is not None:
            with contextlib.suppress(TimeoutError):
                await self._seat.drained()
        await self.close(code)

    def _put(self, message: dict[str, Any]) -> None:
        if self._seat is not None:
            self._seat.put(json.dumps(message))

    async def _send_text(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    @property
    def _pk(self) -> UUID:
        pk: UUID = self.scope["url_route"]["kwargs"]["pk"]
        return pk


def _layer_and_role(pk: UUID, user: User) -> tuple[FeatureLayer, Role] | None:
    layer = FeatureLayer.objects.select_related("project").filter(pk=pk).first()
    role = None if layer is None else role_in(user, layer.project)
    return None if layer is None or role is None else (layer, role)


def _apply(layer: FeatureLayer, user: User, message: dict[str, Any]) -> Applied:
    """Return what became of the edits; membership is looked at in the very transaction that stores the edits."""
    edits = parse_leased(message)
    points.reach("edit.received")
    with transaction.atomic():
        hold_role(user, layer.project, Role.LABELER)
        applied = store_leased(layer=layer, edits=edits, user=user)
    points.reach("edit.committed")
    return applied


def _number(value: Any, most: int) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most
    return float(value) if fits else None
