"""The map viewer's page."""

from uuid import UUID

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt

from webapp.errors import NotFound
from webapp.maps import basemaps, selectors
from webapp.projects import access


def map_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a map."""
    found = selectors.map_of(pk)
    reached = access.authorise(request, found.project, shared=found.open_to_all)
    if not selectors.may_open(found.share, found.created_by_id, reached, request.user):
        raise NotFound("map")
    role = access.role_in(request.user, found.project)
    basemaps.allow(request)
    crumbs = [("Content", "/"), (found.project.name, f"/?project={found.project_id}")] if role is not None else []
    context = {
        "map": found,
        "config": {"map": selectors.map_json(found, role)},
        "breadcrumb": [*crumbs, (found.name, None)],
    }
    return render(request, "maps/map.html", context)


def map_embed(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Show a map without the site around it; pages of other sites may frame only what anybody may open."""
    found = selectors.map_of(pk)
    role = access.authorise(request, found.project, shared=found.open_to_all)
    if not selectors.may_open(found.share, found.created_by_id, role, request.user):
        raise NotFound("map")
    basemaps.allow(request)
    config = {"map": selectors.map_json(found, None), "embed": True}

    def shown(request: HttpRequest) -> HttpResponseBase:
        return render(request, "maps/embed.html", {"map": found, "config": config})

    if not found.open_to_all:
        return shown(request)
    return xframe_options_exempt(csp_replace({"frame-ancestors": ["*"]})(shown))(request)


def public_maps(request: HttpRequest) -> HttpResponse:
    """List the maps that everybody may see."""
    return render(request, "maps/public.html", {"maps": selectors.public_maps(), "breadcrumb": [("Public maps", None)]})
