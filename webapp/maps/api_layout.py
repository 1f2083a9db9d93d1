"""`/api/maps/<id>/layout`, and the values that a style needs: parse, authorise, call, answer."""

from typing import Any
from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid
from webapp.maps import columns, selectors
from webapp.maps.layout import Placed, put_layout
from webapp.maps.parsing import answer, fields_of, opened, text, uuid_of
from webapp.maps.services import map_number


@api_view(["PUT"])
def map_layout(request: Request, pk: UUID) -> Response:
    """Write the whole layout: PUT {version, layers: [{kind, source, title, visible, opacity, style, group}]}, the
    bottom one first. 409 where the map is no longer at that version."""
    found, role = opened(request, pk)
    fields = fields_of(request)
    layers, version = fields.get("layers"), fields.get("version")
    if not isinstance(layers, list) or not all(isinstance(item, dict) for item in layers):
        raise Invalid('"layers" is no list of layers.', fix='Send [{"kind": "features", "source": "…"}].')
    if not isinstance(version, int):
        raise Invalid('"version" is no number.', fix="Send the version of the map that you changed.")
    put_layout(map=found, layers=[_placed(item) for item in layers], version=version)
    found.refresh_from_db()
    return answer(request, found, role)


def _placed(item: dict[str, Any]) -> Placed:
    visible, opacity, style = item.get("visible", True), item.get("opacity", 1.0), item.get("style", {})
    if not isinstance(visible, bool) or not map_number(opacity) or not isinstance(style, dict):
        raise Invalid("A layer's visible, opacity or style cannot be read.", fix="Send true, 0 to 1, and an object.")
    return Placed(
        kind="imagery" if item.get("kind") == "class_raster" else str(item.get("kind")),
        source=uuid_of(item.get("source")),
        title=text(item, "title") or "",
        visible=visible,
        opacity=float(opacity),
        style=style,
        group=text(item, "group") or "",
    )


@api_view(["GET"])
def map_column(request: Request, pk: UUID, layer: int) -> Response:
    """Return one field of all features of a layer, for styles and filters that need no new tiles: GET ?field=."""
    found, _ = opened(request, pk)
    return Response(columns.column(selectors.layer_of(found, layer), request.query_params.get("field", "")))
