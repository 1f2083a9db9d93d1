"""The tile edge's imagery door: `/tiles/imagery/<layer>/<version>/<z>/<x>/<y>[@2x].<png|jpg|webp>?t=`, and rendering
words. It never enters Django's middleware.

A tile that lies in the display file as it is asked for leaves from the event loop, undecoded; all others are made on
threads. What has been drawn stays in memory under the layer's version.
"""

import json
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings

from webapp.api import STATUS, headers_of
from webapp.errors import Denied, Invalid, NotFound, QuadratError, WrongMethod
from webapp.imagery import far, tile_work
from webapp.imagery.drawing import split_words
from webapp.imagery.tile_cache import TileCache
from webapp.imagery.tile_queue import ClientGone, TileQueue
from webapp.imagery.tile_work import Answer, Request
from webapp.projects.signing import check_layer_token
from webapp.raster.canvas import check_tile
from webapp.raster.render import MEDIA_TYPES, Format
from webapp.raster.tiff import TILE_PX

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ROUTE = re.compile(
    r"/tiles/imagery/(?P<pk>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})/(?P<version>[0-9]{1,9})"
    r"/(?P<z>-?[0-9]{1,10})/(?P<x>-?[0-9]{1,10})/(?P<y>-?[0-9]{1,10})(?P<large>@2x)?\.(?P<form>webp|png|jpg)"
)
# Pictures are made by the processor: more threads than this only wait for each other.
THREADS = 4
FAR_THREADS = 8
# Seconds for which a good token needs no second look.
TOKEN_S = 300.0
MOST_TOKENS = 4096
# Longest query: an expression, a colour map.
MAX_QUERY = 8192
# The version is in the URL: what it names never changes.
IMMUTABLE = b"private, max-age=31536000, immutable"
FRESH = b"private, no-cache"

_tokens: dict[tuple[str, str], float] = {}
# The threads live as long as the process, and so do their database connections.
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tiles")
_queue: TileQueue[Answer | None] = TileQueue(_threads, settings.TILE_QUEUE)
# Tiles of other servers' files wait for the network, and only for each other.
_far_threads = ThreadPoolExecutor(FAR_THREADS, thread_name_prefix="far-tiles", initializer=far.reserve)
_far_queue: TileQueue[Answer] = TileQueue(_far_threads, settings.TILE_QUEUE)
cache = TileCache(settings.TILE_CACHE_BYTES)


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request for a tile."""
    try:
        request = _parse(scope)
        tile = _at_once(request) or await _drawn(request, receive)
    except ClientGone:
        return
    except QuadratError as error:
        await _refuse(send, error)
        return
    headers = [(b"cache-control", IMMUTABLE if tile.lasting else FRESH)]
    if tile.tag:
        tag = f'"{request.pk.hex[:12]}-{tile.tag}-{request.z}-{request.x}-{request.y}-{request.form}"'.encode()
        headers.append((b"etag", tag))
        if _header(scope, b"if-none-match") == tag:
            await _send(send, 304, b"", headers)
            return
    headers.append((b"content-type", tile.media_type.encode()))
    await _send(send, 200, tile.body if scope["method"] == "GET" else b"", headers, length=len(tile.body))


def _at_once(request: Request) -> Answer | None:
    """Return the tile where neither disk nor database nor processor need be waited for."""
    if not request.words and request.form == "webp" and request.size == TILE_PX:
        data = tile_work.at_hand(request)
        if data is not None:
            return Answer(data, MEDIA_TYPES["webp"], lasting=True, tag=f"{request.version}-{TILE_PX}")
    found = _known_tag(request)
    if found is None:
        return None
    tag, lasting = found
    data = cache.get(_key(request, tag))
    return None if data is None else Answer(data, _media_type(request), lasting, tag)


def _known_tag(request: Request) -> tuple[str, bool] | None:
    """Return what a picture of the layer as it is now is kept under, and whether it lasts; None where the layer's row
    must be looked up first."""
    if not request.words:
        row = tile_work.sources.known(request.pk)
        if row is None or row.blocks is not None or row.version < request.version:
            return None
        return f"{row.version}-{request.size}", row.version == request.version
    source = tile_work.drawn.known(request.pk)
    if source is None or source.version < request.version:
        return None
    rendering = tile_work.asked_rendering(source, request)
    return tile_work.tag_of(source, rendering, request), tile_work.lasts(source, request)


async def _drawn(request: Request, receive: Receive) -> Answer:
    """Return the tile, made on a thread; on one of those for other servers' files where the layer is such a file."""
    if not tile_work.is_far(request):
        near = await _queue.run(request, lambda: _made_here(request), receive)
        if near is not None:
            return near
    return await _far_queue.run(request, lambda: _made(request), receive)


def _made_here(request: Request) -> Answer | None:
    """Return the tile, made on this thread; None where it would have to wait for another server."""
    tile_work.learn(request)
    return None if tile_work.is_far(request) else _made(request)


def _made(request: Request) -> Answer:
    """Return the tile, made on this thread."""
    made = tile_work.drawn_tile(request) if request.words else tile_work.plain_tile(request)
    if made.tag:
        cache.put(_key(request, made.tag), made.body)
    return made


def _key(request: Request, tag: str) -> tuple[Any, ...]:
    return request.pk, tag, request.z, request.x, request.y, request.form


def _media_type(request: Request) -> str:
    row = None if request.words else tile_work.sources.known(request.pk)
    return "image/png" if row is not None and row.palette is not None else MEDIA_TYPES[request.form]


def _parse(scope: Scope) -> Request:
    if scope["method"] not in ("GET", "HEAD"):
        raise WrongMethod(scope["method"], ("GET", "HEAD"))
    matched = ROUTE.fullmatch(scope["path"])
    if matched is None:
        raise NotFound("tile")
    raw: bytes = scope["query_string"]
    if len(raw) > MAX_QUERY:
        raise Invalid(f"A query of {len(raw)} bytes is too long.", fix="Save the words as a rendering of the layer.")
    query = parse_qs(raw.decode("latin-1"), keep_blank_values=True)
    _check_token(matched["pk"], query.pop("t", [""])[0])
    # `r` is a page's own mark to make the browser ask again.
    query.pop("r", None)
    words, _ = split_words(query, ()) if query else ({}, {})
    z, x, y = int(matched["z"]), int(matched["x"]), int(matched["y"])
    check_tile(z, x, y)
    return Request(
        UUID(matched["pk"]),
        int(matched["version"]),
        z,
        x,
        y,
        cast(Format, matched["form"]),
        2 * TILE_PX if matched["large"] else TILE_PX,
        tuple((word, tuple(values)) for word, values in words.items()),
    )


def _check_token(pk: str, token: str) -> None:
    now = time.monotonic()
    if now - _tokens.get((pk, token), -TOKEN_S) < TOKEN_S:
        return
    if not check_layer_token("imagery", pk, token):
        raise Denied("The tile address has expired.", fix="Ask the API for the layer again.", code="token_expired")
    if len(_tokens) >= MOST_TOKENS:
        _tokens.clear()
    _tokens[(pk, token)] = now


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


async def _refuse(send: Send, error: QuadratError) -> None:
    body = json.dumps({"code": error.code, "message": error.message, "fix": error.fix, "details": error.details})
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    headers += [(name.lower().encode(), value.encode()) for name, value in headers_of(error).items()]
    await _send(send, status, body.encode(), headers)


async def _send(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]], *, length: int | None = None
) -> None:
    fixed = [(b"x-content-type-options", b"nosniff")]
    if status != 304:
        fixed.append((b"content-length", str(len(body) if length is None else length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *fixed]})
    await send({"type": "http.response.body", "body": body})
