"""The tile door: a small ASGI application that never enters Django's middleware.

It sends imagery and feature tiles to their rooms by name, so that neither room imports the other.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Room = Callable[[Scope, Receive, Send], Awaitable[None]]

ROOMS = {"/tiles/imagery/": "webapp.imagery.tiles", "/tiles/features/": "webapp.features.tiles"}
_NOT_FOUND = b'{"code": "not_found", "message": "There are no tiles here.", "fix": "Check the address.", "details": {}}'
_loaded: dict[str, Room] = {}


async def tile_edge(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one tile request."""
    for prefix, module in ROOMS.items():
        if scope["path"].startswith(prefix):
            if prefix not in _loaded:
                _loaded[prefix] = import_module(module).answer
            await _loaded[prefix](scope, receive, send)
            return
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_NOT_FOUND)).encode())]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": _NOT_FOUND})
