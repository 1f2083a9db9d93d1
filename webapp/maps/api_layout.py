"""`/api/maps/<id>/layout`, and what else the map's page asks for: columns, tables, places."""

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid, NotFound
from webapp.features.models import FeatureLayer
from webapp.maps import basemaps, columns, places, selectors, styles, table
from webapp.maps.layout import Placed, put_layout
from webapp.maps.parsing import answer, fields_of, opened, text, uuid_of
from webapp.maps.services import map_number
from webapp.projects import access


@api_view(["PUT"])
@access.keeps_role
def map_layout(request: Request, pk: UUID) -> Response:
    """Write the whole layout: PUT {version, basemap, layers: [{kind, source, title, visible, opacity, style, group}]},
    the bottom one first; without `basemap` it stays. 409 where the map is no longer at that version."""
    found, role = opened(request, pk)
    fields = fields_of(request)
    layers, version = fields.get("layers"), fields.get("version")
    if not isinstance(layers, list) or not all(isinstance(item, dict) for item in layers):
        raise Invalid('"layers" is no list of layers.', fix='Send [{"kind": "features", "source": "…"}].')
    if not isinstance(version, int):
        raise Invalid('"version" is no number.', fix="Send the version of the map that you changed.")
    placed = [_placed(item) for item in layers]
    put_layout(map=found, layers=placed, version=version, basemap=text(fields, "basemap"))
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
def map_basemaps(request: Request, pk: UUID) -> Response:
    """Return the basemaps that the map may choose: the site's, and imagery of its project."""
    found, _ = opened(request, pk)
    return Response(basemaps.choices(found))


@api_view(["GET"])
def map_column(request: Request, pk: UUID, layer: int) -> Response:
    """Return one field of all features of a layer, for styles and filters that need no new tiles: GET ?field=."""
    found, _ = opened(request, pk)
    return Response(columns.column(selectors.layer_of(found, layer), request.query_params.get("field", "")))


@api_view(["GET"])
def map_column_summary(request: Request, pk: UUID, layer: int) -> Response:
    """Return what a form needs of one field of a layer of any size, its class breaks among it: GET ?field=."""
    found, _ = opened(request, pk)
    return Response(columns.summary(selectors.layer_of(found, layer), request.query_params.get("field", "")))


@api_view(["GET"])
def map_places(request: Request, pk: UUID) -> Response:
    """Find places by name: GET ?q=."""
    opened(request, pk)
    found, credit = places.find(request.query_params.get("q", "")[:200])
    return Response({"results": [asdict(place) for place in found], "credit": credit})


@api_view(["GET"])
def map_table(request: Request, pk: UUID, layer: int) -> Response:
    """Return a page of a feature layer's rows: GET ?sort=&down=&skip=&limit=&q=&filter={…}."""
    found, _ = opened(request, pk)
    row = selectors.layer_of(found, layer)
    if row.features is None:
        raise NotFound("feature layer")
    return Response(table.page(row.features, _asked(request.query_params, row.features)))


def _asked(query: Any, layer: FeatureLayer) -> table.Asked:
    try:
        skip, limit = int(query.get("skip", 0)), int(query.get("limit", 50))
        wanted = json.loads(query.get("filter") or "{}")
    except ValueError as error:
        raise Invalid(
            "The page or the filter cannot be read.", fix="Send whole numbers, and the filter as JSON."
        ) from error
    return table.Asked(
        sort=query.get("sort", "fid"),
        down=query.get("down") == "1",
        skip=skip,
        limit=limit,
        text=query.get("q", "").strip()[:200],
        filter=styles.checked({"filter": wanted}, layer).get("filter", {}),
    )
