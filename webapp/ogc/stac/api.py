"""STAC API 1.0 (core, collections, features, item search) over all imagery."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from webapp.errors import NotFound
from webapp.features.parsing import json_body
from webapp.imagery.models import ImageryLayer
from webapp.ogc import catalogue
from webapp.ogc.responses import GEOJSON, OPENAPI, answer, link, ogc_view, only_known, origin, tagged
from webapp.ogc.stac import documents, files, openapi, search
from webapp.projects import access
from webapp.projects.authentication import ADDRESS_TOKEN
from webapp.projects.models import Project

FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0"
CONFORMANCE = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    f"{FEATURES}/conf/core",
    f"{FEATURES}/conf/oas30",
    f"{FEATURES}/conf/geojson",
]
ITEM_KEYS = {"bbox", "datetime", "limit", "token"}


@ogc_view(["GET"])
def landing(request: Request) -> HttpResponse:
    """Say what is here, as a STAC catalogue."""
    root = _root(request)
    found = {
        "type": "Catalog",
        "stac_version": documents.VERSION,
        "id": "quadrat",
        "title": "Quadrat",
        "description": "Imagery: scenes and class rasters. A collection is a project.",
        "conformsTo": CONFORMANCE,
        "links": [
            link(root, "self"),
            link(root, "root"),
            link(f"{root}/conformance", "conformance", title="What is implemented"),
            link(f"{root}/api", "service-desc", OPENAPI, "The API's description"),
            link(f"{origin(request)}/api/docs/", "service-doc", "text/html", "The site's other APIs"),
            link(f"{root}/collections", "data", title="The projects"),
            {**link(f"{root}/search", "search", GEOJSON, "Search"), "method": "GET"},
            {**link(f"{root}/search", "search", GEOJSON, "Search"), "method": "POST"},
            *[link(f"{root}/collections/{row.pk}", "child", title=row.name) for row in _projects(request)],
        ],
    }
    return tagged(request, answer(found))


@ogc_view(["GET"])
def conformance(request: Request) -> HttpResponse:
    """List what is implemented."""
    return tagged(request, answer({"conformsTo": CONFORMANCE}))


@ogc_view(["GET"])
def description(request: Request) -> HttpResponse:
    """Return the OpenAPI document."""
    return tagged(request, answer(openapi.document(_root(request)), OPENAPI))


@ogc_view(["GET"])
def collections(request: Request) -> HttpResponse:
    """List the projects that the caller may see."""
    only_known(request, {"limit", "bbox", "datetime"})
    root = _root(request)
    with catalogue.bounded():
        rows = _projects(request)
        extents = documents.extents(_ready(request))
    shown = [documents.collection(row, extents.get(row.pk) or documents.no_extent(), root) for row in rows]
    links = [link(f"{root}/collections", "self"), link(root, "root")]
    return tagged(request, answer({"collections": shown, "links": links}))


@ogc_view(["GET"])
def collection(request: Request, pk: UUID) -> HttpResponse:
    """Show one project."""
    only_known(request, set())
    project = access.project_for(request, pk)
    extent = documents.extents(_layers(project)).get(project.pk) or documents.no_extent()
    return tagged(request, answer(documents.collection(project, extent, _root(request))))


@ogc_view(["GET"])
def items(request: Request, pk: UUID) -> HttpResponse:
    """Return a page of a project's imagery."""
    only_known(request, ITEM_KEYS)
    project, root = access.project_for(request, pk), _root(request)
    place = f"{root}/collections/{project.pk}"
    with catalogue.bounded():
        page = search.find(_layers(project), search.parse_query(_sent(request)))
    links = [link(f"{place}/items", "self", GEOJSON), link(place, "collection"), link(place, "parent")]
    if page.token:
        links.append(link(_next(request, f"{place}/items", page.token), "next", GEOJSON))
    return _page(request, page, links)


@ogc_view(["GET"])
def item(request: Request, pk: UUID, item_id: UUID) -> HttpResponse:
    """Show one imagery layer."""
    only_known(request, set())
    found = _layers(access.project_for(request, pk)).filter(pk=item_id).first()
    if found is None:
        raise NotFound("imagery layer")
    return tagged(request, answer(documents.item(found, _root(request)), GEOJSON))


@ogc_view(["GET", "POST"])
def find(request: Request) -> HttpResponse:
    """Search all imagery by place, time, project or id; POST takes the same as JSON."""
    layers, root = _ready(request), _root(request)
    links: list[dict[str, Any]] = [link(f"{root}/search", "self", GEOJSON)]
    body: Any = None
    if request.method == "POST":
        body = json_body(request)
        wanted = search.parse_body(body)
    else:
        wanted = search.parse_query(_sent(request))
    with catalogue.bounded():
        page = search.find(layers, wanted)
    if page.token and body is None:
        links.append({**link(_next(request, f"{root}/search", page.token), "next", GEOJSON), "method": "GET"})
    elif page.token:
        again = {"method": "POST", "body": {**body, "token": page.token}}
        links.append({**link(f"{root}/search", "next", GEOJSON), **again})
    return _page(request, page, links)


@ogc_view(["GET"])
def file(request: Request, pk: UUID) -> HttpResponse:
    """Return a layer's analysis file, whole or the asked range of bytes."""
    return files.send(request, catalogue.imagery_layer(request, pk))


def _page(request: Request, page: search.Page, links: list[dict[str, Any]]) -> HttpResponse:
    root = _root(request)
    found = {
        "type": "FeatureCollection",
        "features": [documents.item(layer, root) for layer in page.layers],
        "numberReturned": len(page.layers),
        "numberMatched": page.matched,
        "links": [*links, link(root, "root")],
    }
    return tagged(request, answer(found, GEOJSON))


def _projects(request: HttpRequest) -> list[Project]:
    token = getattr(getattr(request, "_request", request), "api_token", None)
    if token is not None and "read" not in token.scopes:
        return []  # the landing page is open to anybody, so nobody asked for the scope
    return list(access.visible_projects(request).order_by("name", "pk"))


def _ready(request: HttpRequest) -> Any:
    visible = access.visible_projects(request)
    return ImageryLayer.objects.filter(project__in=visible, footprint__isnull=False, state=ImageryLayer.State.READY)


def _layers(project: Project) -> Any:
    return ImageryLayer.objects.filter(project=project, footprint__isnull=False, state=ImageryLayer.State.READY)


def _root(request: HttpRequest) -> str:
    return f"{origin(request)}/stac"


def _sent(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in request.GET.items() if name != ADDRESS_TOKEN}


def _next(request: Request, place: str, token: str) -> str:
    return f"{place}?{urlencode({**request.GET.dict(), 'token': token})}"
