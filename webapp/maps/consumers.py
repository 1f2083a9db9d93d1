"""`/ws/maps/<id>/`: tells viewers of a map what became newer. It says "look again"; the API holds the truth."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from webapp.doorbell import listener
from webapp.maps import selectors
from webapp.maps.models import Map
from webapp.maps.selectors import LayerState, MapState
from webapp.projects import access
from webapp.projects.models import Role
from webapp.projects.sockets import NOT_FOUND, SIGN_IN

logger = logging.getLogger(__name__)

# A viewer hears of changes at most this often: an inference job stores many blocks a second.
QUIET_S = 0.5
# A look without a ring, so that somebody who lost access is not told more, and nothing rung while away is missed.
LOOK_AGAIN_S = 15.0


def topics_of(pk: UUID, state: MapState) -> set[str]:
    """Return the doorbell's topics that concern a map."""
    topics = {f"map:{pk}"}
    for layer in state.layers:
        topics |= (
            {f"imagery:{layer.source}"}
            if layer.kind == "imagery"
            else {f"layer:{layer.source}", f"classes:{layer.source}"}
        )
    return topics


def message_of(layer: LayerState, before: LayerState | None, bounds: tuple[float, ...] | None) -> dict[str, Any]:
    """Return what a viewer is told of a layer that changed."""
    return {
        "type": "layer",
        "layer": layer.layer,
        "kind": layer.kind,
        "number": layer.number,
        "state": layer.state,
        "classes_changed": before is not None and before.schema != layer.schema,
        "changed": bounds,
    }


class MapConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """One viewer of one map."""

    async def connect(self) -> None:
        """Let in members, and anybody where the map is shared by link; say how things stand."""
        self.map_id: UUID = self.scope["url_route"]["kwargs"]["pk"]
        self.subscriptions: dict[str, Callable[[], None]] = {}
        self.bell = asyncio.Event()
        self.watcher: asyncio.Task[None] | None = None
        await self.accept()
        state, refusal = await self._look()
        if state is None:
            await self.close(refusal)
            return
        self.state = state
        self._subscribe(state)
        await self.send_json({"type": "welcome", **_welcome(state)})
        self.watcher = asyncio.create_task(self._watch())

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Answer a ping; nothing else is expected from a viewer."""
        if isinstance(content, dict) and content.get("type") == "ping":
            await self.send_json({"type": "pong"})

    async def disconnect(self, code: int) -> None:
        """Stop listening."""
        if self.watcher is not None:
            self.watcher.cancel()
        for stop in self.subscriptions.values():
            stop()
        self.subscriptions.clear()

    def _subscribe(self, state: MapState) -> None:
        loop = asyncio.get_running_loop()

        def heard(topic: str, number: int) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self.bell.set)

        wanted = topics_of(self.map_id, state)
        for topic in set(self.subscriptions) - wanted:
            self.subscriptions.pop(topic)()
        for topic in wanted - set(self.subscriptions):
            self.subscriptions[topic] = listener.subscribe(topic, heard)
            # What rang after the look that named the layer, and before this, is heard by looking once more.
            self.bell.set()

    async def _watch(self) -> None:
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.bell.wait(), LOOK_AGAIN_S)
                self.bell.clear()
                await self._tell()
                await asyncio.sleep(QUIET_S)
        except Exception:
            # The socket loop: a viewer that hears nothing more must come again rather than show old tiles for ever.
            logger.exception("viewer of map %s failed", self.map_id)
            await self.close(1011)

    async def _tell(self) -> None:
        state, refusal = await self._look()
        if state is None:
            await self.close(refusal)
            return
        before, self.state = self.state, state
        if state.version != before.version:
            self._subscribe(state)
            await self.send_json({"type": "map", "version": state.version})
        known = {layer.layer: layer for layer in before.layers}
        for layer in state.layers:
            old = known.get(layer.layer)
            if old is not None and old != layer:
                await self.send_json(message_of(layer, old, await self._changed(layer, old)))

    async def _changed(self, layer: LayerState, before: LayerState) -> tuple[float, ...] | None:
        if layer.kind != "features" or layer.number == before.number:
            return None
        look = database_sync_to_async(selectors.changed_bounds, thread_sensitive=False)
        bounds: tuple[float, ...] | None = await look(layer.source, before.number, layer.number)
        return bounds

    async def _look(self) -> tuple[MapState | None, int]:
        # Not thread-sensitive: that would put every socket of the process into one thread.
        look = database_sync_to_async(self._standing, thread_sensitive=False)
        found: tuple[MapState | None, int] = await look()
        return found

    def _standing(self) -> tuple[MapState | None, int]:
        """Return the map's state, or None with the code that refuses this user; asked anew at every ring."""
        state = selectors.state_of(self.map_id)
        user = self.scope["user"]
        strangers = SIGN_IN if not user.is_authenticated else NOT_FOUND
        if state is None:
            return None, strangers
        if state.share in (Map.Share.LINK, Map.Share.PUBLIC):
            return state, 0
        project = selectors.project_of(self.map_id)
        role: Role | None = None if project is None else access.role_in(user, project)
        if role is None or not selectors.may_open(state.share, state.author, role, user):
            return None, strangers
        return state, 0


def _welcome(state: MapState) -> dict[str, Any]:
    return {
        "version": state.version,
        "layers": [
            {"layer": layer.layer, "kind": layer.kind, "number": layer.number, "state": layer.state}
            for layer in state.layers
        ],
    }
