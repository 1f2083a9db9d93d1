"""Pictures and numbers of a layer under TiTiler's addresses, and its saved renderings."""

import math
from typing import Any, cast
from uuid import UUID

from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid
from webapp.imagery import drawing, looks, measures, renderings, selectors
from webapp.imagery.models import ImageryLayer
from webapp.projects import access
from webapp.projects.models import User
from webapp.raster.canvas import Canvas, box_canvas
from webapp.raster.render import MEDIA_TYPES, Format
from webapp.raster.rendering import Rendering

PREVIEW_PX = 1024


@api_view(["GET"])
def statistics(request: Request, pk: UUID) -> Response:
    """Measure each band, or an `expression`: of the whole layer, or in `bbox` (`coord_crs`, degrees if not given)."""
    source = drawing.draw_source(_layer(request, pk))
    words, rest = _query(request, ("bbox", "coord_crs", "max_size"))
    found = measures.statistics(source, _bare(source, words), _view(rest))
    return Response({name: _json(band) for name, band in found.items()})


@api_view(["GET"])
def stretch(request: Request, pk: UUID) -> Response:
    """Tell which values to draw black and white: of the layer, or of the view `bbox`; `kind` as the word `stretch`."""
    source = drawing.draw_source(_layer(request, pk))
    words, rest = _query(request, ("kind", "bbox", "coord_crs", "max_size"))
    rendering = _bare(source, words)
    if not rendering.wanted_bands:
        rendering = Rendering(bidx=source.defaults.bands)
    ranges = measures.view_stretch(source, rest.get("kind", "percentile"), rendering, _view(rest))
    return Response({"rescale": [list(one) for one in ranges]})


@api_view(["GET"])
def preview(request: Request, pk: UUID, form: str = "", size: str = "") -> HttpResponse:
    """Draw the whole layer in its own CRS: at most `max_size` px long, or `<width>x<height>` of the address."""
    layer = _layer(request, pk)
    source = drawing.draw_source(layer)
    words, rest = _query(request, ("max_size",))
    canvas = measures.own_canvas(source, measures.side_px(rest.get("max_size"), PREVIEW_PX))
    return _picture(request, source, words, _sized(canvas, size), form)


@api_view(["GET"])
def box(request: Request, pk: UUID, bounds: str, form: str = "", size: str = "") -> HttpResponse:
    """Draw a box `west,south,east,north` of `coord_crs` (degrees if not given), in that CRS."""
    source = drawing.draw_source(_layer(request, pk))
    words, rest = _query(request, ("coord_crs", "max_size"))
    crs = rest.get("coord_crs", measures.DEGREES)
    canvas = measures.box_of(measures.bounds_of(bounds), crs, measures.side_px(rest.get("max_size"), PREVIEW_PX))
    return _picture(request, source, words, _sized(canvas, size), form)


@api_view(["GET"])
def look(request: Request, pk: UUID) -> Response:
    """Tell what a look says in full, `{query, words, ramp, problem}`: of the words given, or of `rendering`."""
    words, _ = _query(request, ())
    named = words.get(drawing.NAMED)
    return Response(looks.picture(_layer(request, pk), {"rendering": named[-1]} if named else {"words": words}))


@api_view(["GET", "POST"])
@access.keeps_role
def rendering_list(request: Request, pk: UUID) -> Response:
    """List the layer's saved renderings, or save one: `{name, title, words}`."""
    layer = _layer(request, pk)
    if request.method == "GET":
        return Response({"results": [renderings.rendering_json(row) for row in renderings.renderings(layer)]})
    user = request.user
    assert isinstance(user, User)
    saved = renderings.save(layer=layer, user=user, values=_object(request))
    return Response(renderings.rendering_json(saved), status=201)


@api_view(["GET", "PATCH", "DELETE"])
@access.keeps_role
def rendering(request: Request, pk: UUID, rendering_name: str) -> Response:
    """Show a saved rendering, change its title or words, or delete it."""
    found = renderings.rendering(_layer(request, pk), rendering_name)
    if request.method == "DELETE":
        found.delete()
        return Response(status=204)
    if request.method == "PATCH":
        found = renderings.change(found=found, values=_object(request))
    return Response(renderings.rendering_json(found))


def _layer(request: Request, pk: UUID) -> ImageryLayer:
    found = selectors.layer(pk)
    access.authorise(request, found.project)
    return found


def _query(request: Request, others: tuple[str, ...]) -> tuple[drawing.Words, dict[str, str]]:
    return drawing.split_words(dict(request.query_params.lists()), others)


def _bare(source: drawing.DrawSource, words: drawing.Words) -> Rendering:
    """Return what is measured: bands or an expression, without their stretch."""
    rendering = Rendering.parse({word: values for word, values in words.items() if word != drawing.NAMED})
    source_bands = source.defaults.count
    if rendering.wanted_bands and max(rendering.wanted_bands) > source_bands:
        drawing.fill(source, rendering)  # says which band is missing
    return rendering


def _view(rest: dict[str, str]) -> Canvas | None:
    if "bbox" not in rest:
        return None
    crs = rest.get("coord_crs", measures.DEGREES)
    longest = measures.side_px(rest.get("max_size"), measures.SAMPLE_PX)
    return measures.box_of(measures.bounds_of(rest["bbox"]), crs, longest)


def _sized(canvas: Canvas, size: str) -> Canvas:
    if not size:
        return canvas
    width, height = (int(part) for part in size.split("x"))
    return box_canvas(canvas.bounds, canvas.crs, height=height, width=width)


def _picture(
    request: Request, source: drawing.DrawSource, words: drawing.Words, canvas: Canvas, form: str
) -> HttpResponse:
    rendering = drawing.rendering_of(source, words)
    kind = cast(Format, {"jpeg": "jpg", "": "png"}.get(form, form))
    if kind not in MEDIA_TYPES:
        raise Invalid(f"Pictures are not made as '{form[:10]}'.", fix="Choose png, jpg or webp.", code="bad_format")
    tag = f'"{source.version}-{rendering.digest}-{canvas.width}x{canvas.height}-{kind}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(drawing.picture(source, canvas, rendering, kind), MEDIA_TYPES[kind], headers=headers)


def _json(band: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers as JSON has them: no NaN."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in band.items()
    }


def _object(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise Invalid("The body is not a JSON object.", fix="Send an object.")
    return dict(request.data)
