"""Imagery drawn for the protocol edges: tiles and any canvas, in a layer's own look or a saved rendering."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from webapp.errors import BadRaster, Invalid
from webapp.imagery import drawing, tile_work
from webapp.imagery.drawing import NAMED, DrawSource
from webapp.imagery.models import ImageryLayer, NamedRendering
from webapp.ogc.catalogue import whole_box
from webapp.ogc.tiles.matrix import LEVELS, MatrixSet, limits
from webapp.raster.canvas import Canvas
from webapp.raster.render import MEDIA_TYPES, Format
from webapp.raster.rendering import Rendering

if TYPE_CHECKING:
    from webapp.raster.picture import Picture

FORMATS: dict[str, Format] = {"png": "png", "jpg": "jpg", "jpeg": "jpg", "webp": "webp"}
BY_MEDIA_TYPE: dict[str, Format] = {media: form for form, media in MEDIA_TYPES.items()}
# The layer's own look, where a protocol wants a name for it.
DEFAULT_STYLE = "default"


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Which tile: of a set, zoom, row from the north, column from the west."""

    matrices: MatrixSet
    z: int
    row: int
    col: int

    def check(self) -> None:
        """Refuse a tile that the set has not.

        Raises:
            Invalid: it is outside.
        """
        if not 0 <= self.z < LEVELS or not 0 <= self.row < 2**self.z or not 0 <= self.col < 2**self.z:
            raise Invalid(
                f"There is no tile {self.z}/{self.row}/{self.col} (zoom, row, column).",
                fix=f"Zoom is 0 to {LEVELS - 1}; row and column are below 2^zoom.",
                code="tile_out_of_range",
            )


@dataclass(frozen=True, slots=True)
class Look:
    """A layer's source and how it is drawn."""

    source: DrawSource
    rendering: Rendering

    @property
    def tag(self) -> str:
        """What differs where pictures of one place may."""
        return f"{self.source.pk}-{self.source.version}-{self.rendering.digest}"


def format_of(name: str) -> Format:
    """Return the picture format of a short name or media type.

    Raises:
        Invalid: it is neither.
    """
    found = FORMATS.get(name.lower()) or BY_MEDIA_TYPE.get(name.lower())
    if found is None:
        raise Invalid(f"The format {name[:40]!r} is not drawn.", fix="Ask for png, jpg or webp.", code="format")
    return found


def styles_of(layers: Iterable[ImageryLayer]) -> dict[UUID, list[tuple[str, str]]]:
    """Return (name, title) of the saved renderings by layer id, in one query."""
    found: dict[UUID, list[tuple[str, str]]] = {}
    rows = NamedRendering.objects.filter(layer__in=[layer.pk for layer in layers]).order_by("name")
    for pk, name, title in rows.values_list("layer_id", "name", "title"):
        found.setdefault(pk, []).append((name, title or name))
    return found


def look(layer: ImageryLayer, style: str) -> Look:
    """Return how a layer is drawn in a style; "" or "default": as on its page.

    Raises:
        BadRendering: the layer has no such style.
    """
    source = drawing.draw_source(layer)
    return Look(source, drawing.rendering_of(source, _words(style)))


def tile(layer: ImageryLayer, place: TilePlace, form: Format, style: str) -> tile_work.Answer:
    """Return a tile; an empty one where the layer does not reach.

    Raises:
        BadRendering: the layer has no such style.
        Invalid: the set has no such tile.
        Unavailable: the layer's file is missing.
    """
    place.check()
    if layer.footprint and not limits(whole_box(layer), place.z).holds(place.row, place.col):
        body = tile_work.empty(form, place.matrices.size)
        return tile_work.Answer(body, MEDIA_TYPES[form], lasting=True)
    words = tuple((word, tuple(values)) for word, values in _words(style).items())
    request = tile_work.Request(
        layer.pk, layer.version, place.z, place.col, place.row, form, place.matrices.size, words
    )
    return tile_work.drawn_tile(request) if words else tile_work.plain_tile(request)


def draw(wanted: Look, canvas: Canvas) -> "Picture":
    """Return a layer on a canvas.

    Raises:
        Unavailable: the layer's file is missing, or still being made.
    """
    # GDAL is loaded by the first picture, not by every process that only shows pages.
    from webapp.raster import picture

    try:
        return picture.draw(drawing.analysis_of(wanted.source), canvas, wanted.rendering)
    except BadRaster as error:
        raise drawing.missing() from error


def encode(drawn: "Picture", form: Format) -> bytes:
    """Return a picture as a file."""
    from webapp.raster import picture

    return picture.encode(drawn, form)


def tag(looks: Iterable[Look], *others: object) -> str:
    """Return the ETag of a picture of layers, in their order, that depends on nothing but the others."""
    text = "|".join([*(found.tag for found in looks), *(str(other) for other in others)])
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def _words(style: str) -> dict[str, list[str]]:
    return {} if style in ("", DEFAULT_STYLE) else {NAMED: [style]}
