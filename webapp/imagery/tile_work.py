"""What the bytes of an imagery tile are: the display file's own where they fit, else a picture made of them."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from webapp.errors import NotFound, Unavailable
from webapp.imagery import drawing, far, mosaic_tiles
from webapp.imagery.drawing import DrawSource, missing
from webapp.imagery.selectors import TileSource, tile_source
from webapp.raster import render
from webapp.raster.render import MEDIA_TYPES, Format
from webapp.raster.rendering import Rendering
from webapp.raster.tiff import TILE_PX, TileFile

# Open display files. One costs a file descriptor and 16 bytes a tile.
OPEN_FILES = 128
# Seconds for which a layer's row needs no second look.
SOURCE_S = 5.0
MOST_REMEMBERED = 4096
Found = TypeVar("Found", TileSource, DrawSource)


@dataclass(frozen=True, slots=True)
class Request:
    """One tile that somebody asks for.

    Attributes:
        words: rendering words and their values, in the order of the address; empty: the layer's own look.
    """

    pk: UUID
    version: int
    z: int
    x: int
    y: int
    form: Format
    size: int = TILE_PX
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A tile's bytes.

    Attributes:
        lasting: they can never change: the version in the address is the layer's, and the words are all in it.
        tag: differs where the bytes may; empty where nothing says so.
    """

    body: bytes
    media_type: str
    lasting: bool
    tag: str = ""


class _Remembered(Generic[Found]):
    """Rows of layers, each looked up again after some seconds."""

    def __init__(self, look_up: Callable[[UUID], Found | None]) -> None:
        self._look_up: Callable[[UUID], Found | None] = look_up
        self._rows: dict[UUID, tuple[float, Found | None]] = {}

    def known(self, pk: UUID) -> Found | None:
        """Return the row where it was looked up just now, without asking the database."""
        at, found = self._rows.get(pk, (-SOURCE_S, None))
        return found if time.monotonic() - at < SOURCE_S else None

    def get(self, pk: UUID, version: int) -> Found:
        """Return the row; looked up again where the address knows a newer version.

        Raises:
            NotFound: there is no such layer.
            Unavailable: the database is away.
        """
        at, found = self._rows.get(pk, (-SOURCE_S, None))
        if time.monotonic() - at >= SOURCE_S or (found is not None and found.version < version):
            found = self._fresh(pk)
            if len(self._rows) >= MOST_REMEMBERED:
                self._rows.clear()
            self._rows[pk] = (time.monotonic(), found)
        if found is None:
            raise NotFound("imagery layer")
        return found

    def _fresh(self, pk: UUID) -> Found | None:
        """Return the row over the thread's own lasting connection; one that broke is opened again."""
        try:
            return self._look_up(pk)
        except (OperationalError, InterfaceError):
            connection.close()
        try:
            return self._look_up(pk)
        except (OperationalError, InterfaceError) as error:
            connection.close()
            raise Unavailable("The database does not answer.", fix="Try again in a moment.") from error

    def clear(self) -> None:
        """Forget all rows."""
        self._rows.clear()


class _Files:
    """Display files kept open, the longest unused one closed first. TileFile reads at given offsets (pread), so the
    threads share them; one is closed only when no thread can hold it any more."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, TileFile] = OrderedDict()
        self._lock = Lock()

    def known(self, path: Path) -> TileFile | None:
        """Return the file where it is open."""
        with self._lock:
            found = self._open.get(path)
            if found is not None:
                self._open.move_to_end(path)
            return found

    def get(self, path: Path) -> TileFile:
        """Return the open file.

        Raises:
            Unavailable: it is gone.
        """
        found = self.known(path)
        if found is not None:
            return found
        try:
            opened = TileFile(path)
        except FileNotFoundError as error:
            raise missing() from error
        with self._lock:
            # Dropped ones close themselves when the last thread lets go of them.
            kept = self._open.setdefault(path, opened)
            while len(self._open) > OPEN_FILES:
                self._open.popitem(last=False)
        return kept


sources: _Remembered[TileSource] = _Remembered(tile_source)
drawn: _Remembered[DrawSource] = _Remembered(drawing.look_up)
files = _Files()


def forget() -> None:
    """Forget all rows of layers."""
    sources.clear()
    drawn.clear()


def at_hand(request: Request) -> bytes | None:
    """Return the display file's own tile where that is what is asked for and no disk or database need be waited for.

    What it returns belongs to the version in the address.
    """
    source = sources.known(request.pk)
    if source is None or source.version != request.version or source.display is None or source.palette is not None:
        return None
    file = files.known(source.display)
    if file is None or not file.min_zoom <= request.z <= file.max_zoom:
        return None
    data = file.tile_at_hand(request.z, request.x, request.y)
    return data if data != b"" else empty("webp")


def plain_tile(request: Request) -> Answer:
    """Return a tile in the layer's own look.

    Raises:
        NotFound: there is no such layer.
        Unavailable: its file is missing, or the database is away.
    """
    source = sources.get(request.pk, request.version)
    lasting = source.version == request.version
    tag = f"{source.version}-{request.size}"
    if source.blocks is not None:
        return Answer(_building_tile(source, request), "image/png", lasting=False)
    if source.far and source.mosaic is None:
        return Answer(_drawn_alike(request, "bilinear"), MEDIA_TYPES[request.form], lasting, tag)
    file = files.get(source.display) if source.display is not None else None
    if source.mosaic is not None and not mosaic_tiles.within_overview(source.mosaic, file, request.z, request.size):
        body = mosaic_tiles.tile(
            source.mosaic,
            (request.z, request.x, request.y),
            request.form,
            request.size,
            opened=files.get,
            drawn=lambda: _drawn_alike(request),
            overview=file is not None,
        )
        return Answer(body or empty(request.form, request.size), MEDIA_TYPES[request.form], lasting, tag)
    if file is None:
        raise missing()
    if source.palette is not None:
        return Answer(_class_tile(file, source.palette, request), "image/png", lasting, tag)
    return Answer(_scene_tile(file, request), MEDIA_TYPES[request.form], lasting, tag)


def _drawn_alike(request: Request, resampling: str = "nearest") -> bytes:
    """Return a tile in the layer's own look, drawn from analysis files."""
    source = drawn.get(request.pk, request.version)
    place, look = (request.z, request.x, request.y), Rendering(resampling=resampling)
    return drawing.tile(source, place, drawing.fill(source, look), request.form, size=request.size)


def learn(request: Request) -> None:
    """Look up the layer's row where it is not at hand.

    Raises:
        NotFound: there is no such layer.
        Unavailable: the database is away.
    """
    if request.words:
        drawn.get(request.pk, request.version)
    else:
        sources.get(request.pk, request.version)


def is_far(request: Request) -> bool:
    """Say whether the layer's pixels are known to lie on another server; False where its row is not at hand."""
    if request.words:
        source = drawn.known(request.pk)
        return source is not None and source.analysis is not None and far.is_far(source.analysis)
    row = sources.known(request.pk)
    return row is not None and row.far


def asked_rendering(source: DrawSource, request: Request) -> Rendering:
    """Return the rendering that a request's words ask for.

    Raises:
        BadRendering: they are not understood or do not fit the layer.
    """
    return drawing.rendering_of(source, dict(request.words))


def drawn_tile(request: Request) -> Answer:
    """Return a tile drawn by rendering words.

    Raises:
        BadRendering: they are not understood or do not fit the layer.
        NotFound: there is no such layer.
        Unavailable: its file is missing, or the database is away.
    """
    source = drawn.get(request.pk, request.version)
    rendering = asked_rendering(source, request)
    body = drawing.tile(source, (request.z, request.x, request.y), rendering, request.form, size=request.size)
    return Answer(body, MEDIA_TYPES[request.form], lasts(source, request), tag_of(source, rendering, request))


def tag_of(source: DrawSource, rendering: Rendering, request: Request) -> str:
    """Return what differs where pictures of one place may."""
    return f"{source.version}-{request.size}-{rendering.digest}"


def lasts(source: DrawSource, request: Request) -> bool:
    """Say whether an address means the same picture for ever: a saved rendering may be changed under its name."""
    named = any(word == drawing.NAMED for word, _ in request.words)
    return source.version == request.version and not named


def _scene_tile(file: TileFile, request: Request) -> bytes:
    from webapp.raster.tiles import large_scene_tile, scaled_scene_tile

    z, x, y = request.z, request.x, request.y
    if request.size != TILE_PX:
        rgb, mask = large_scene_tile(file, z, x, y)
    elif file.min_zoom <= z <= file.max_zoom:
        data = file.tile(z, x, y)
        if request.form == "webp" or not data:
            return data or empty(request.form)
        rgb, mask = render.decode(data)
    else:
        rgb, mask = scaled_scene_tile(file, z, x, y)
    return render.encode(rgb, mask, request.form) if mask.any() else empty(request.form, request.size)


def _class_tile(file: TileFile, palette: dict[int, str], request: Request) -> bytes:
    from webapp.raster.tiles import class_tile, large_class_tile

    make = class_tile if request.size == TILE_PX else large_class_tile
    classes = make(file, request.z, request.x, request.y)
    return render.encode_classes(classes, classes != 255, palette)


def _building_tile(source: TileSource, request: Request) -> bytes:
    from webapp.errors import BadRaster
    from webapp.raster.blocks import BlockFolder

    assert source.blocks is not None and source.palette is not None  # noqa: PT018
    try:
        classes, mask = BlockFolder(source.blocks).read_tile(request.z, request.x, request.y, request.size)
    except (BadRaster, FileNotFoundError):
        return empty("png", request.size)  # nothing written yet
    return render.encode_classes(classes, mask, source.palette)


@lru_cache(maxsize=8)
def empty(form: Format, size: int = TILE_PX) -> bytes:
    """Return a tile without imagery."""
    return render.empty_tile(form, size)
