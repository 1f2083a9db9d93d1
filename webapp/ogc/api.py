"""The landing page and collections of all OGC APIs, and OGC API Features: Part 1 (core), Part 2 (CRS) and the draft
of Part 4 (create, replace, update, delete).

Reading takes a session or an API token, writing a token only: a page of another site could not be told from ours.
Writes go through the same `apply_edits` as every other edge.
"""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from webapp.errors import Unauthenticated
from webapp.features import selectors as features
from webapp.features.models import FeatureLayer
from webapp.features.parsing import parse_number
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import box_of
from webapp.ogc import catalogue, edits, openapi, selectors
from webapp.ogc.crs import CRS84, MERCATOR, SUPPORTED, box_in, parse_crs
from webapp.ogc.responses import GEOJSON, OPENAPI, answer, link, ogc_view, only_known, root
from webapp.projects import access
from webapp.projects.models import User

ITEM_METHODS = "GET, HEAD, OPTIONS, PUT, PATCH, DELETE"
ITEMS_METHODS = "GET, HEAD, OPTIONS, POST"
KEEP = {"Cache-Control": "private, no-cache"}


@ogc_view(["GET"])
def landing(request: Request) -> HttpResponse:
    """Say what is here."""
    only_known(request, set())
    base = root(request)
    return answer(
        {
            "title": "Quadrat",
            "description": "Feature layers (labels, detections, imports) and imagery.",
            "links": [
                link(f"{base}/", "self", title="This page"),
                link(f"{base}/api", "service-desc", OPENAPI, "The API's description"),
                link(f"{base}/conformance", "conformance", title="What is implemented"),
                link(f"{base}/conformance", "http://www.opengis.net/def/rel/ogc/1.0/conformance"),
                link(f"{base}/collections", "data", title="The layers"),
                link(f"{base}/collections", "http://www.opengis.net/def/rel/ogc/1.0/data"),
                link(f"{base}/tileMatrixSets", "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"),
            ],
        }
    )


@ogc_view(["GET"])
def conformance(request: Request) -> HttpResponse:
    """List what is implemented."""
    only_known(request, set())
    return answer({"conformsTo": openapi.CONFORMANCE})


@ogc_view(["GET"])
def description(request: Request) -> HttpResponse:
    """Return the OpenAPI document."""
    return answer(openapi.document(root(request)), OPENAPI)


@ogc_view(["GET"])
def collections(request: Request) -> HttpResponse:
    """List the layers that the caller may see."""
    only_known(request, set())
    found = FeatureLayer.objects.filter(project__in=access.visible_projects(request)).order_by("name", "id")
    base = root(request)
    shown = [_collection(layer, base) for layer in found]
    shown += [_imagery(layer, base) for layer in catalogue.imagery(request).defer("bands", "classes", "crs_wkt")]
    links = [link(f"{base}/collections", "self"), link(f"{base}/", "root")]
    return answer({"collections": shown, "links": links, "crs": list(SUPPORTED)})


@ogc_view(["GET"])
def collection(request: Request, pk: UUID) -> HttpResponse:
    """Show one layer."""
    only_known(request, set())
    picture = ImageryLayer.objects.filter(pk=pk).select_related("project").first()
    if picture is not None:
        access.authorise(request, picture.project)
        return answer(_imagery(picture, root(request)))
    return answer(_collection(_layer(request, pk), root(request)))


@ogc_view(["GET"])
def schema(request: Request, pk: UUID) -> HttpResponse:
    """Return the JSON schema of a layer's properties."""
    layer = _layer(request, pk)
    return answer(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"{root(request)}/collections/{layer.pk}/schema",
            "type": "object",
            "title": layer.name,
            "properties": {
                "geometry": {"x-ogc-role": "primary-geometry", "format": "geometry-any"},
                **selectors.schema(layer),
            },
        },
        "application/schema+json",
    )


@ogc_view(["GET", "POST", "OPTIONS"])
def items(request: Request, pk: UUID) -> HttpResponse:
    """Return a page of features, or add one."""
    layer = _layer(request, pk)
    if request.method == "OPTIONS":
        return _allow(ITEMS_METHODS)
    if request.method == "POST":
        created = edits.create(layer=layer, user=_writer(request), request=_inner(request))
        place = f"{root(request)}/collections/{layer.pk}/items/{created}"
        found = selectors.item(layer, created)
        headers = {"Location": place, "ETag": found.tag}
        return HttpResponse(found.body, status=201, content_type=GEOJSON, headers=headers)
    return _page(request, layer)


@ogc_view(["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def item(request: Request, pk: UUID, feature_id: UUID) -> HttpResponse:
    """Return, replace, change or delete one feature."""
    layer = _layer(request, pk)
    if request.method == "OPTIONS":
        return _allow(ITEM_METHODS)
    if request.method == "GET":
        return _show(request, layer, feature_id)
    user, inner = _writer(request), _inner(request)
    if request.method == "DELETE":
        edits.delete(layer=layer, feature_id=feature_id, user=user, request=inner)
        return HttpResponse(status=204)
    write = edits.replace if request.method == "PUT" else edits.update
    write(layer=layer, feature_id=feature_id, user=user, request=inner)
    return _show(request, layer, feature_id)


def _show(request: Request, layer: FeatureLayer, feature_id: UUID) -> HttpResponse:
    only_known(request, {"crs"})
    crs = parse_crs(request.GET.get("crs"), "crs")
    place = f"{root(request)}/collections/{layer.pk}"
    links = json.dumps([link(f"{place}/items/{feature_id}", "self", GEOJSON), link(place, "collection")])
    found = selectors.item(layer, feature_id, crs=crs, links=links)
    headers = {
        "ETag": found.tag,
        "Content-Crs": f"<{crs}>",
        **KEEP,
        "Allow": ITEM_METHODS,
    }
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    if request.method == "GET" and found.tag in known:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(found.body, content_type=GEOJSON, headers=headers)


def _page(request: Request, layer: FeatureLayer) -> HttpResponse:
    only_known(request, {"bbox", "bbox-crs", "crs", "datetime", "limit", "after"})
    query = _query(request)
    page = selectors.page(layer, query)
    place = f"{root(request)}/collections/{layer.pk}"
    links = [link(_self(request, place), "self", GEOJSON), link(place, "collection")]
    if page.next_after is not None:
        links.append(link(_self(request, place, after=page.next_after, limit=query.limit), "next", GEOJSON))
    head = {
        "type": "FeatureCollection",
        "numberReturned": len(page.bodies),
        **({} if page.matched is None else {"numberMatched": page.matched}),
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "links": links,
    }
    body = f'{json.dumps(head)[:-1]}, "features": [{",".join(page.bodies)}]}}'
    headers = {"Content-Crs": f"<{query.crs}>", **KEEP, "Allow": ITEMS_METHODS}
    return HttpResponse(body, content_type=GEOJSON, headers=headers)


def _query(request: Request) -> selectors.Query:
    get = request.GET
    since, until = selectors.parse_datetime(get.get("datetime"))
    limit = parse_number(
        get.get("limit"), name="limit", default=selectors.DEFAULT_LIMIT, low=1, high=selectors.MAX_LIMIT
    )
    return selectors.Query(
        bbox=box_in(get.get("bbox"), parse_crs(get.get("bbox-crs"), "bbox-crs")),
        since=since,
        until=until,
        after=parse_number(get.get("after"), name="after", default=0, low=0, high=2**62),
        limit=limit,
        crs=parse_crs(get.get("crs"), "crs"),
    )


def _collection(layer: FeatureLayer, base: str) -> dict[str, Any]:
    place = f"{base}/collections/{layer.pk}"
    box = [layer.west, layer.south, layer.east, layer.north]
    extent = {} if None in box else {"extent": {"spatial": {"bbox": [box], "crs": CRS84}}}
    return {
        "id": str(layer.pk),
        "title": layer.name,
        "description": layer.description,
        "attribution": layer.attribution,
        "itemType": "feature",
        "crs": list(SUPPORTED),
        "storageCrs": CRS84,
        **extent,
        "links": [
            link(place, "self"),
            link(f"{place}/items", "items", GEOJSON, layer.name),
            link(f"{place}/schema", "describedby", "application/schema+json"),
            link(f"{place}/tiles", "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"),
        ],
    }


def _imagery(layer: ImageryLayer, base: str) -> dict[str, Any]:
    place = f"{base}/collections/{layer.pk}"
    box = list(box_of(layer)) if layer.footprint else None
    when = layer.acquired_at.isoformat() if layer.acquired_at else None
    extent = {"spatial": {"bbox": [box], "crs": CRS84}, "temporal": {"interval": [[when, when]]}}
    return {
        "id": str(layer.pk),
        "title": layer.name,
        "description": layer.description,
        "attribution": layer.attribution,
        # GDAL leaves collections out of its vector layers by the second word; OGC API Maps knows the first.
        "dataType": "map",
        "layerDataType": "Raster",
        "crs": [MERCATOR],
        **({"extent": extent} if box else {}),
        "links": [
            link(place, "self"),
            link(f"{place}/map/tiles", "http://www.opengis.net/def/rel/ogc/1.0/tilesets-map"),
        ],
    }


def _layer(request: Request, pk: UUID) -> FeatureLayer:
    layer = features.layer_of(pk)
    access.authorise(request, layer.project)
    return layer


def _writer(request: Request) -> User:
    if getattr(request._request, "api_token", None) is None:
        raise Unauthenticated(
            "Writing here needs an API token.", fix="Send Authorization: Bearer <token> from your profile."
        )
    assert isinstance(request.user, User)
    return request.user


def _inner(request: Request) -> HttpRequest:
    inner: HttpRequest = request._request
    return inner


def _allow(methods: str) -> HttpResponse:
    return HttpResponse(status=204, headers={"Allow": methods})


def _self(request: Request, place: str, **changed: int) -> str:
    query = {**request.GET.dict(), **{name: str(value) for name, value in changed.items()}}
    return f"{place}/items?{urlencode(query)}" if query else f"{place}/items"
