"""A socket of the site in tests, through the site's own door, without a server."""

import json
from typing import Any
from urllib.parse import urlsplit

from asgiref.testing import ApplicationCommunicator
from django.test import Client

from tests.factories import client_for
from webapp.projects.models import User

HOST = "testserver"


def cookie_of(client: Client) -> bytes:
    """Return the Cookie header of a client that is signed in."""
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()).encode()


class Socket:
    """One connection: `open`, `send`, `receive`, `close`, in one event loop."""

    def __init__(
        self, path: str, *, user: User | None = None, token: str = "", origin: str | None = f"http://{HOST}"
    ) -> None:
        from webapp.sockets import socket_edge

        headers = [(b"host", HOST.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if user is not None:
            headers.append((b"cookie", cookie_of(client_for(user))))
        parts = urlsplit(path)
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": headers,
            "subprotocols": ["quadrat", f"quadrat.token.{token}"] if token else [],
        }
        self._talk = ApplicationCommunicator(socket_edge, scope)

    async def open(self) -> str | None:
        """Open; return the subprotocol that the server chose."""
        await self._talk.send_input({"type": "websocket.connect"})
        message = await self._talk.receive_output(timeout=10)
        assert message["type"] == "websocket.accept", "sockets are accepted first, so that a page can read the code"
        chosen: str | None = message.get("subprotocol")
        return chosen

    async def send(self, message: object) -> None:
        """Send JSON, text or bytes."""
        if isinstance(message, bytes):
            await self._talk.send_input({"type": "websocket.receive", "bytes": message})
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            await self._talk.send_input({"type": "websocket.receive", "text": text})

    async def receive(self, within_s: float = 10.0) -> Any:
        """Return the next JSON message, or the code (a number) with which the server closed.

        Raises:
            TimeoutError: nothing came; the connection is of no more use.
        """
        message = await self._talk.receive_output(timeout=within_s)
        return message.get("code", 1000) if message["type"] == "websocket.close" else json.loads(message["text"])

    async def close(self) -> None:
        """Close from our side."""
        await self._talk.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._talk.wait(timeout=5)
