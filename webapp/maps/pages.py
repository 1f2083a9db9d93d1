"""The map viewer's page."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.maps import selectors
from webapp.maps.models import Map
from webapp.projects import access


def map_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a map."""
    found = selectors.map_of(pk)
    access.authorise(request, found.project, shared=found.share == Map.Share.LINK)
    role = access.role_in(request.user, found.project)
    crumbs = [("Content", "/"), (found.project.name, f"/?project={found.project_id}")] if role is not None else []
    context = {
        "map": found,
        "config": {"map": selectors.map_json(found, role)},
        "breadcrumb": [*crumbs, (found.name, None)],
    }
    return render(request, "maps/map.html", context)
