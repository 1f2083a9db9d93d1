"""Imagery tiles: the display file's own bytes where they fit, else a picture made of them. No Django middleware."""

import asyncio
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from webapp.errors import Denied, Invalid, NotFound, QuadratError, Unavailable
from webapp.imagery.selectors import TileSource, tile_source
from webapp.projects.signing import check_layer_token
from webapp.raster import render
from webapp.raster.render import MEDIA_TYPES, Format
from webapp.raster.tiff import TileFile

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ROUTE = re.compile(
    r"/tiles/imagery/(?P<pk>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})/(?P<version>[0-9]{1,9})"
    r"/(?P<z>-?[0-9]{1,10})/(?P<x>-?[0-9]{1,10})/(?P<y>-?[0-9]{1,10})\.(?P<form>webp|png|jpg)"
)
THREADS = 4
# Open display files. One costs a file descriptor and 16 bytes a tile.
OPEN_FILES = 128
# Seconds for which a layer's row, and a good token, need no second look.
SOURCE_S = 5.0
TOKEN_S = 300.0
MOST_REMEMBERED = 4096
MAX_ZOOM = 30
# The version is in the URL: what it names never changes.
IMMUTABLE = b"private, max-age=31536000, immutable"
FRESH = b"private, no-cache"
STATUS = {Invalid: 400, Denied: 403, NotFound: 404, Unavailable: 503}


@dataclass(frozen=True, slots=True)
class Request:
    """One tile that somebody asks for."""

    pk: UUID
    version: int
    z: int
    x: int
    y: int
    form: Format


@dataclass(frozen=True, slots=True)
class Answer:
    """A tile's bytes; `lasting` where they can never change."""

    body: bytes
    media_type: str
    lasting: bool


class _Files:
    """Display files kept open, the longest unused one closed first. TileFile reads at given offsets (pread), so the
    threads share them; one is closed only when no thread can hold it any more."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, TileFile] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path) -> TileFile:
        """Return the open file.

        Raises:
            FileNotFoundError: it is gone.
        """
        with self._lock:
            found = self._open.get(path)
            if found is not None:
                self._open.move_to_end(path)
                return found
        opened = TileFile(path)
        with self._lock:
            # Dropped ones close themselves when the last thread lets go of them.
            kept = self._open.setdefault(path, opened)
            while len(self._open) > OPEN_FILES:
                self._open.popitem(last=False)
        return kept


_files = _Files()
_sources: dict[UUID, tuple[float, TileSource | None]] = {}
_tokens: dict[tuple[str, str], float] = {}
# The threads live as long as the process, and so do their database connections.
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tiles")


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request for a tile."""
    try:
        request = _parse(scope)
        tag = f'"{request.pk.hex[:12]}-{request.version}-{request.z}-{request.x}-{request.y}-{request.form}"'.encode()
        if _header(scope, b"if-none-match") == tag and _current(request):
            await _send(send, 304, b"", [(b"etag", tag), (b"cache-control", IMMUTABLE)])
            return
        tile = await asyncio.get_running_loop().run_in_executor(_threads, tile_of, request)
    except QuadratError as error:
        await _refuse(send, error)
        return
    headers = [(b"content-type", tile.media_type.encode()), (b"cache-control", IMMUTABLE if tile.lasting else FRESH)]
    if tile.lasting:
        headers.append((b"etag", tag))
    await _send(send, 200, tile.body if scope["method"] == "GET" else b"", headers, length=len(tile.body))


def tile_of(request: Request) -> Answer:
    """Return a tile.

    Raises:
        NotFound: there is no such layer.
        Unavailable: its file is missing, or the database is away.
    """
    source = _source(request.pk)
    if source is not None and source.version < request.version:
        source = _source(request.pk, again=True)
    if source is None:
        raise NotFound("imagery layer")
    lasting = source.version == request.version
    if source.blocks is not None:
        return Answer(_building_tile(source, request), "image/png", lasting=False)
    if source.display is None:
        raise _missing()
    try:
        file = _files.get(source.display)
    except FileNotFoundError as error:
        raise _missing() from error
    if source.palette is not None:
        return Answer(_class_tile(file, source.palette, request), "image/png", lasting)
    return Answer(_scene_tile(file, request), MEDIA_TYPES[request.form], lasting)


def _scene_tile(file: TileFile, request: Request) -> bytes:
    z, x, y = request.z, request.x, request.y
    if file.min_zoom <= z <= file.max_zoom:
        data = file.tile(z, x, y)
        if request.form == "webp":
            return data or _empty("webp")
        return render.encode(*render.decode(data), request.form) if data else _empty(request.form)
    from webapp.raster.tiles import scaled_scene_tile

    rgb, mask = scaled_scene_tile(file, z, x, y)
    return render.encode(rgb, mask, request.form) if mask.any() else _empty(request.form)


def _class_tile(file: TileFile, palette: dict[int, str], request: Request) -> bytes:
    from webapp.raster.tiles import classes_of, scaled_class_tile

    z, x, y = request.z, request.x, request.y
    if file.min_zoom <= z <= file.max_zoom:
        data = file.tile(z, x, y)
        if not data:
            return _empty("png")
        classes = classes_of(data)
    else:
        classes = scaled_class_tile(file, z, x, y)
    return render.encode_classes(classes, classes != 255, palette)


def _building_tile(source: TileSource, request: Request) -> bytes:
    from webapp.errors import BadRaster
    from webapp.raster.blocks import BlockFolder

    assert source.blocks is not None and source.palette is not None  # noqa: PT018
    try:
        classes, mask = BlockFolder(source.blocks).read_tile(request.z, request.x, request.y, 256)
    except (BadRaster, FileNotFoundError):
        return _empty("png")  # nothing written yet
    return render.encode_classes(classes, mask, source.palette)


def _source(pk: UUID, *, again: bool = False) -> TileSource | None:
    now = time.monotonic()
    known = _sources.get(pk)
    if known is not None and not again and now - known[0] < SOURCE_S:
        return known[1]
    found = _look_up(pk)
    if len(_sources) >= MOST_REMEMBERED:
        _sources.clear()
    _sources[pk] = (now, found)
    return found


def _look_up(pk: UUID) -> TileSource | None:
    """Return the layer's row, over the thread's own lasting connection; one that broke is opened again."""
    for attempt in (1, 2):
        try:
            return tile_source(pk)
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if attempt == 2:
                raise Unavailable("The database does not answer.", fix="Try again in a moment.") from error
    return None


def _current(request: Request) -> bool:
    """Say, without a look at the database, that what the client holds is still the layer's version."""
    known = _sources.get(request.pk)
    return known is not None and known[1] is not None and known[1].version == request.version


def _parse(scope: Scope) -> Request:
    if scope["method"] not in ("GET", "HEAD"):
        raise Invalid("Tiles can only be read.", fix="Use GET.", code="method_not_allowed")
    matched = ROUTE.fullmatch(scope["path"])
    if matched is None:
        raise NotFound("tile")
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if set(query) - {"t", "r"}:
        raise Invalid("Tiles take no other parameter than 't'.", fix="Leave it out.", code="unknown_parameter")
    _check_token(matched["pk"], query.get("t", [""])[0])
    z, x, y = int(matched["z"]), int(matched["x"]), int(matched["y"])
    if not 0 <= z <= MAX_ZOOM or not 0 <= x < 2**z or not 0 <= y < 2**z:
        raise Invalid(f"There is no tile {z}/{x}/{y}.", fix="x and y are 0 to 2^zoom - 1.", code="tile_out_of_range")
    return Request(UUID(matched["pk"]), int(matched["version"]), z, x, y, cast(Format, matched["form"]))


def _check_token(pk: str, token: str) -> None:
    now = time.monotonic()
    if now - _tokens.get((pk, token), -TOKEN_S) < TOKEN_S:
        return
    if not check_layer_token("imagery", pk, token):
        raise Denied("The tile address has expired.", fix="Ask the API for the layer again.", code="token_expired")
    if len(_tokens) >= MOST_REMEMBERED:
        _tokens.clear()
    _tokens[(pk, token)] = now


@lru_cache(maxsize=4)
def _empty(form: Format) -> bytes:
    return render.empty_tile(form)


def _missing() -> Unavailable:
    return Unavailable(
        "The layer's file is missing.", fix="Ask the administrator to restore it.", code="layer_unavailable"
    )


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


async def _refuse(send: Send, error: QuadratError) -> None:
    body = json.dumps({"code": error.code, "message": error.message, "fix": error.fix, "details": error.details})
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    status = 405 if error.code == "method_not_allowed" else status
    await _send(send, status, body.encode(), [(b"content-type", b"application/json"), (b"cache-control", b"no-store")])


async def _send(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]], *, length: int | None = None
) -> None:
    fixed = [(b"x-content-type-options", b"nosniff")]
    if status != 304:
        fixed.append((b"content-length", str(len(body) if length is None else length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *fixed]})
    await send({"type": "http.response.body", "body": body})
