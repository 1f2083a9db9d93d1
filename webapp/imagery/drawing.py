"""A layer as a picture: tiles, boxes and values of it, by rendering words or a saved rendering.

Everything that shows imagery draws here: the tile edge, preview and bbox, WMTS, OGC API Tiles and WMS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from webapp.errors import BadRaster, Unavailable
from webapp.imagery import far
from webapp.imagery.models import ImageryLayer
from webapp.raster.canvas import Bounds, Canvas, box_canvas, tile_canvas
from webapp.raster.render import Format
from webapp.raster.rendering import WORDS, BadRendering, Defaults, Rendering

# The word that names a saved rendering; words beside it go before its own.
NAMED = "rendering"
Words = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class DrawSource:
    """What pictures of a layer are made of.

    Attributes:
        pk: of the layer.
        version: of its pixels.
        analysis: absolute path of its analysis file; None while a class raster is building.
        defaults: bands and stretch for what a rendering leaves out.
        palette: class value -> "#rrggbb" of a class raster; None for a scene.
        named: its saved renderings' words, by name.
    """

    pk: UUID
    version: int
    analysis: Path | None
    defaults: Defaults
    palette: Mapping[int, str] | None
    named: Mapping[str, Words]


def look_up(pk: UUID) -> DrawSource | None:
    """Return what pictures of a layer are made of, in two queries; None where there is no such layer."""
    row = (
        ImageryLayer.objects.filter(pk=pk)
        .only("version", "analysis_path", "bands", "rendering", "dtype", "kind", "classes")
        .first()
    )
    return None if row is None else draw_source(row)


def draw_source(layer: ImageryLayer) -> DrawSource:
    """Return what pictures of the layer are made of."""
    palette = None
    if layer.kind == ImageryLayer.Kind.CLASS_RASTER:
        palette = {int(item["value"]): str(item["colour"]) for item in layer.classes}
    return DrawSource(
        pk=layer.pk,
        version=layer.version,
        analysis=Path(settings.MEDIA_DIR) / layer.analysis_path if layer.analysis_path else None,
        defaults=_defaults(layer),
        palette=palette,
        named={row.name: row.words for row in layer.renderings.all()},
    )


def rendering_of(source: DrawSource, words: Words) -> Rendering:
    """Return the rendering that words ask for, a saved one's words under the given ones, filled up by the layer.

    Args:
        source: of the layer.
        words: rendering words, and `rendering`, the name of a saved one.

    Raises:
        BadRendering: a word that is not understood or does not fit the layer, or a name that is not saved.
    """
    asked = {word: values for word, values in words.items() if word != NAMED}
    if NAMED in words:
        name = str(words[NAMED][-1])
        if name not in source.named:
            raise BadRendering(
                f"The layer has no rendering '{name[:50]}'.",
                fix=f"Choose one of its own: {', '.join(sorted(source.named)) or 'none is saved'}.",
                details={"word": NAMED, "allowed": sorted(source.named)},
            )
        asked = {**source.named[name], **asked}
    return fill(source, Rendering.parse(asked))


def fill(source: DrawSource, rendering: Rendering) -> Rendering:
    """Return the rendering with the layer's own bands, stretch and class colours where it leaves them out.

    Raises:
        BadRendering: it does not fit the layer.
    """
    if source.palette is not None:
        # Class values are never mixed, whatever is asked for.
        rendering = replace(rendering, resampling="nearest")
        if not (rendering.expression or rendering.colormap_name or rendering.colormap or rendering.algorithm):
            colours = {value: bytes.fromhex(colour[1:]) for value, colour in source.palette.items()}
            colormap = tuple((value, (rgb[0], rgb[1], rgb[2], 255)) for value, rgb in sorted(colours.items()))
            rendering = replace(rendering, colormap=colormap, bidx=(1,), rescale=(), stretch="")
    return rendering.filled(source.defaults)


def tile(
    source: DrawSource, tile: tuple[int, int, int], rendering: Rendering, form: Format, *, size: int = 256
) -> bytes:
    """Return a Web Mercator tile (z, x, y) as a picture file, drawn from the analysis file.

    Raises:
        Invalid: there is no such tile.
        Unavailable: the layer's file is missing, or is still being made.
    """
    return picture(source, tile_canvas(*tile, size), rendering, form)


def box(
    source: DrawSource, bounds: Bounds, crs: str, rendering: Rendering, form: Format, *, height: int, width: int
) -> bytes:
    """Return a box (west, south, east, north) of a CRS ("EPSG:n", x before y) as a picture file.

    Raises:
        Invalid: an empty box, an unknown CRS, or too many pixels.
        Unavailable: the layer's file is missing, or is still being made.
    """
    return picture(source, box_canvas(bounds, crs, height=height, width=width), rendering, form)


def picture(source: DrawSource, canvas: Canvas, rendering: Rendering, form: Format) -> bytes:
    """Return any canvas as a picture file.

    Args:
        source: of the layer.
        canvas: what the picture covers.
        rendering: of `rendering_of` or `fill`.
        form: file format.

    Raises:
        Unavailable: the layer's file is missing, or is still being made.
        SourceFailed: it lies on another server, which does not give it.
    """
    # GDAL is loaded by the first picture, not by every process that only shows pages.
    from webapp.raster import picture as drawn

    path = analysis_of(source)
    try:
        with far.place(path):
            found = drawn.draw(path, canvas, rendering)
        return drawn.encode(found, form)
    except BadRaster as error:
        raise missing() from error


def analysis_of(source: DrawSource) -> Path:
    """Return the path of the layer's analysis file.

    Raises:
        Unavailable: it is still being made.
    """
    if source.analysis is None:
        raise Unavailable(
            "The class raster is still being made: only its plain tiles can be shown.",
            fix="Wait until its job is done.",
            code="layer_building",
        )
    return source.analysis


def missing() -> Unavailable:
    """Return the error for a layer whose file is not there."""
    return Unavailable(
        "The layer's file is missing.", fix="Ask the administrator to restore it.", code="layer_unavailable"
    )


def split_words(query: Words, others: Sequence[str]) -> tuple[dict[str, Sequence[str]], dict[str, str]]:
    """Return a query's rendering words, and the last value of each of the `others` that it holds.

    Raises:
        BadRendering: a word that is neither.
    """
    words = {word: values for word, values in query.items() if word in WORDS or word == NAMED}
    rest = {word: str(values[-1]) for word, values in query.items() if word in others}
    unknown = [word for word in query if word not in words and word not in rest]
    if unknown:
        allowed = [NAMED, *WORDS, *others]
        raise BadRendering(
            f"'{unknown[0][:40]}' is no word of this address.",
            fix=f"Use {', '.join(allowed)}.",
            details={"word": unknown[0][:40], "allowed": allowed},
        )
    return words, rest


def _defaults(layer: ImageryLayer) -> Defaults:
    count = max(1, len(layer.bands))
    bands = tuple(int(band) for band in layer.rendering.get("bands") or ())
    if not bands or max(bands) > count:
        bands = (1, 2, 3) if count >= 3 else (1,)
    ranges: Any = layer.rendering.get("stretch")
    fits = ranges is not None and len(ranges) == len(bands)
    stretch = tuple((float(low), float(high)) for low, high in ranges) if fits else None
    return Defaults(bands, stretch, count, layer.dtype, tuple(layer.bands))
