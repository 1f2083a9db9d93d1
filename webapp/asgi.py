"""One ASGI application with three doors: `/tiles/` to the tile edge, `/ws/` to Channels, the rest to Django as WSGI.

Django runs as WSGI on persistent threads because under ASGI it gives every request a thread that dies: a third
of the speed, and each geometry touched leaks a GEOS handle.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

# webapp.wsgi sets Django up; the imports after it need that.
# isort: off
from a2wsgi import WSGIMiddleware

from webapp.wsgi import application as django_application
from webapp.sockets import socket_edge
from webapp.tile_edge import tile_edge

# isort: on

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

WEB_THREADS = 8
# Typed loosely: a2wsgi declares each message's shape, Channels and ours only the mapping.
django_edge: Any = WSGIMiddleware(cast(Any, django_application), workers=WEB_THREADS)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Send each connection through its door."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket":
        await socket_edge(scope, receive, send)
    elif scope["path"].startswith("/tiles/"):
        await tile_edge(scope, receive, send)
    else:
        await django_edge(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
