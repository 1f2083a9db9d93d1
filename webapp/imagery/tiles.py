"""The tile edge: a small ASGI application that never enters Django's middleware."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any


async def tile_edge(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer one tile request."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})
