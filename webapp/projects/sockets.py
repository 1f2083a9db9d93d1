"""Who is at the other end of a socket: a session from our own pages, or a program with an API token."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from django.conf import settings

from webapp.errors import Unauthenticated
from webapp.projects.authentication import token_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# A browser cannot set headers on a socket, so a token comes as a subprotocol.
TOKEN_PROTOCOL = "quadrat.token."
PLAIN_PROTOCOL = "quadrat"
# Close codes of every socket of the site.
SIGN_IN, NOT_ALLOWED, NOT_FOUND = 4401, 4403, 4404


def authenticated(inner: Application) -> Application:
    """Return the application with `scope["user"]` known: by token from anywhere, by session from our own pages.

    Cookies are sent by any page in the world, so a session counts only where the Origin is ours; a token is
    sent on purpose, so its Origin does not matter.
    """

    async def known(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["user"].is_authenticated:
            setattr(scope["user"], "session_key", scope["session"].session_key)  # read by access.role_in
        await inner(scope, receive, send)

    by_session: Application = AuthMiddlewareStack(known)

    async def edge(scope: Scope, receive: Receive, send: Send) -> None:
        raw = next((name for name in scope.get("subprotocols", []) if name.startswith(TOKEN_PROTOCOL)), None)
        answer = _choosing_protocol(scope, send)
        if raw is not None:
            await _by_token(inner, scope, receive, answer, raw.removeprefix(TOKEN_PROTOCOL))
        elif same_origin(scope):
            await by_session(scope, receive, answer)
        else:
            await refuse(receive, answer, NOT_ALLOWED)

    return edge


def same_origin(scope: Scope) -> bool:
    """Return True where the Origin header names this very host and port, or a trusted origin."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
    origin = headers.get("origin", "")
    parts = urlsplit(origin)
    ours = parts.scheme in ("http", "https") and parts.netloc != "" and parts.netloc == headers.get("host")
    return ours or (origin != "" and origin in settings.CSRF_TRUSTED_ORIGINS)


async def refuse(receive: Receive, send: Send, code: int) -> None:
    """Close with a code that the page can read: that takes an accepted socket."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code})


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for a path that no socket has."""
    await refuse(receive, send, NOT_FOUND)


async def _by_token(inner: Application, scope: Scope, receive: Receive, send: Send, raw: str) -> None:
    try:
        token = await database_sync_to_async(token_of, thread_sensitive=False)(raw)
    except Unauthenticated:
        await refuse(receive, send, SIGN_IN)
        return
    setattr(token.user, "api_token", token)  # read by access.role_in
    await inner({**scope, "user": token.user, "api_token": token}, receive, send)


def _choosing_protocol(scope: Scope, send: Send) -> Send:
    """Return `send`, answering with a subprotocol where the client offered some: browsers insist on that."""
    offered = scope.get("subprotocols", [])
    chosen = PLAIN_PROTOCOL if PLAIN_PROTOCOL in offered else next(iter(offered), None)

    async def answer(message: Message) -> None:
        if message["type"] == "websocket.accept" and chosen is not None and not message.get("subprotocol"):
            message = {**message, "subprotocol": chosen}
        await send(message)

    return answer
