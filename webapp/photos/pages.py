"""Pages of photos: a new set, and one set."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.photos import selectors, services
from webapp.projects import access
from webapp.projects.models import Member, Role


def new(request: HttpRequest) -> HttpResponse:
    """Show the page that makes a set of photos."""
    projects = access.visible_projects(request)
    roles = dict(Member.objects.filter(user_id=request.user.pk or 0).values_list("project_id", "role"))
    able = [
        {"id": str(project.pk), "name": project.name}
        for project in projects.order_by("name")
        if getattr(request.user, "is_superuser", False) or roles.get(project.pk, 0) >= Role.LABELER
    ]
    config = {"projects": able, "project": request.GET.get("project", "")}
    breadcrumb = [("Content", "/"), ("Add photos", None)]
    return render(request, "photos/photos.html", {"title": "Add photos", "config": config, "breadcrumb": breadcrumb})


def photo_set(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a set of photos."""
    layer = selectors.set_of(pk)
    role = access.authorise(request, layer.project)
    config = {
        "set": selectors.set_json(layer),
        "may_edit": role >= Role.LABELER,
        "may_manage": role >= Role.MANAGER,
        "most_bytes": services.MAX_BYTES,
    }
    breadcrumb = [("Content", "/"), (layer.project.name, f"/?project={layer.project_id}"), (layer.name, None)]
    return render(request, "photos/photos.html", {"title": layer.name, "config": config, "breadcrumb": breadcrumb})
