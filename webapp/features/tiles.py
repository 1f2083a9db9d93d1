"""`/tiles/features/<layer>/<seq>/<z>/<x>/<y>.mvt?t=[&field=…]`: the tile edge's door to vector tiles.

The answer is always the layer as it is now. Its tag is the number of the last edit that may have changed this very
tile, so an edit elsewhere leaves what a browser holds as it is (304). Where the number in the URL is at least that, the
answer may be kept for ever: whoever knows of a newer edit asks for another URL. 0 in the URL: always ask again.
"""

import asyncio
import gzip
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from webapp import api
from webapp.errors import Denied, Invalid, NotFound, QuadratError, TooMany, WrongMethod
from webapp.features.mvt import MAX_ZOOM, TileReader, TileState, VectorTile
from webapp.projects.signing import check_layer_token

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PATH = re.compile(
    r"/tiles/features/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(\d{1,18})/(\d{1,3})/(\d{1,9})/(\d{1,9})\.mvt",
    re.ASCII,
)
THREADS = 3
MOST_FIELDS = 20
# Requests that may wait for a thread; more are told to come again.
MAX_WAITING = 256
FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"

_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="vector-tiles")
_reader = TileReader()
_waiting = 0


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request for a vector tile."""
    try:
        status, headers, body = await _answer(scope)
    except QuadratError as error:
        status, body = api.status_of(error), json.dumps(api.body_of(error)).encode()
        headers = {"content-type": "application/json", "cache-control": "no-store", **_lower(api.headers_of(error))}
    if scope["method"] == "HEAD":
        body = b""
    else:
        headers["content-length"] = str(len(body))
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def _answer(scope: Scope) -> tuple[int, dict[str, str], bytes]:
    layer, seq, z, x, y, fields = _parse(scope)
    known = {name: value for name, value in scope["headers"] if name in (b"if-none-match", b"accept-encoding")}
    global _waiting
    if _waiting >= MAX_WAITING:
        raise TooMany("Too many tiles are asked for at once.", fix="Try again.", details={"retry_after_s": 1})
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, _make, layer, seq, z, x, y, fields, known)
    finally:
        _waiting -= 1


def _parse(scope: Scope) -> tuple[UUID, int, int, int, int, list[str]]:
    if scope["method"] not in ("GET", "HEAD"):
        raise WrongMethod(scope["method"], ("GET", "HEAD"))
    match = PATH.fullmatch(scope["path"])
    if match is None:
        raise NotFound()
    layer, (seq, z, x, y) = UUID(match[1]), (int(text) for text in match.groups()[1:])
    query = parse_qs(scope["query_string"].decode("latin-1"))
    if not check_layer_token("features", layer, query.get("t", [""])[0]):
        raise Denied("The tile token is missing or too old.", fix="Load the page again.", code="tile_token")
    if z > MAX_ZOOM or x >= 2**z or y >= 2**z:
        raise Invalid(
            f"There is no tile {z}/{x}/{y}.", fix="Ask for 0 to 26, x and y below 2^z.", code="tile_out_of_range"
        )
    fields = sorted(set(query.get("field", [])))
    if len(fields) > MOST_FIELDS:
        raise Invalid(f"{len(fields)} fields are too many.", fix=f"Ask for {MOST_FIELDS} at most.", code="no_field")
    return layer, seq, z, x, y, fields


def _make(
    layer: UUID, seq: int, z: int, x: int, y: int, fields: list[str], known: dict[bytes, bytes]
) -> tuple[int, dict[str, str], bytes]:
    given = known.get(b"if-none-match", b"")[:200].decode("latin-1")
    state = _reader.state(layer, z, x, y)
    if given.removeprefix("W/") == tag(state, z, x, y):
        return 304, {"etag": given, "cache-control": _lasts(state, seq)}, b""
    tile = _reader.tile(layer, z, x, y, state, fields=fields)
    headers = _headers(tile, seq, z, x, y)
    if not tile.body:
        return 204, headers, b""
    if b"gzip" in known.get(b"accept-encoding", b""):
        # Level 1: the tile is made once and read once; higher levels cost more than they save.
        return 200, {**headers, "content-encoding": "gzip"}, gzip.compress(tile.body, 1, mtime=0)
    return 200, headers, tile.body


def _headers(tile: VectorTile, seq: int, z: int, x: int, y: int) -> dict[str, str]:
    headers = {
        "content-type": "application/vnd.mapbox-vector-tile",
        "etag": tag(tile, z, x, y),
        "cache-control": _lasts(tile, seq),
        "vary": "accept-encoding",
        "quadrat-seq": str(tile.seq),
    }
    if tile.truncated:
        headers["quadrat-truncated"] = str(tile.shown)
    if tile.aggregated:
        headers["quadrat-aggregated"] = str(tile.aggregated)
    return headers


def tag(state: TileState | VectorTile, z: int, x: int, y: int) -> str:
    """Return a tile's ETag."""
    return f'"{state.changed}-{z}-{x}-{y}"'


def _lasts(state: TileState | VectorTile, asked: int) -> str:
    return FOR_EVER if 0 < asked >= state.changed else ASK_AGAIN


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
