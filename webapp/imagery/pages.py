"""Pages of imagery: upload, and one layer."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.imagery import remote, selectors, uploads
from webapp.projects import access
from webapp.projects.models import Member, Role


def upload(request: HttpRequest) -> HttpResponse:
    """Show the page that takes new imagery."""
    projects = access.visible_projects(request)
    roles = dict(Member.objects.filter(user_id=request.user.pk or 0).values_list("project_id", "role"))
    able = [
        {"id": str(project.pk), "name": project.name}
        for project in projects.order_by("name")
        if getattr(request.user, "is_superuser", False) or roles.get(project.pk, 0) >= Role.LABELER
    ]
    config = {
        "projects": able,
        "project": request.GET.get("project", ""),
        "chunk_bytes": uploads.CHUNK_BYTES,
        "remote": remote.servers(),
    }
    return render(
        request, "imagery/upload.html", {"config": config, "breadcrumb": [("Content", "/"), ("Add imagery", None)]}
    )


def layer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one imagery layer."""
    found = selectors.layer(pk)
    role = access.authorise(request, found.project)
    config = {
        "layer": selectors.layer_json(found, histograms=True),
        "project": {"id": str(found.project_id), "name": found.project.name},
        "role": int(role),
        "may_edit": role >= Role.LABELER,
        "may_manage": role >= Role.MANAGER,
    }
    breadcrumb = [("Content", "/"), (found.project.name, f"/projects/{found.project_id}/"), (found.name, None)]
    return render(request, "imagery/layer.html", {"config": config, "breadcrumb": breadcrumb, "layer": found})
