"""Pages of imagery: adding it, one layer, and a new mosaic."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.imagery import folders, remote, selectors, uploads
from webapp.imagery.models import ImageryLayer, Mosaic
from webapp.projects import access
from webapp.projects.models import Member, Role


def upload(request: HttpRequest) -> HttpResponse:
    """Show the page that takes new imagery."""
    config = {
        "projects": _able(request),
        "project": request.GET.get("project", ""),
        "chunk_bytes": uploads.CHUNK_BYTES,
        "remote": remote.servers(),
        "folders": folders.roots(),
    }
    return render(
        request, "imagery/upload.html", {"config": config, "breadcrumb": [("Content", "/"), ("Add imagery", None)]}
    )


def new_mosaic(request: HttpRequest) -> HttpResponse:
    """Show the page that makes a mosaic of a project's scenes."""
    projects = _able(request)
    first = _asked_scene(request)
    config = {
        "projects": projects,
        "project": str(first.project_id) if first else request.GET.get("project", ""),
        "rules": Mosaic.Rule.values,
        "scenes": [selectors.scene_json(first)] if first else [],
    }
    return render(
        request, "imagery/mosaic.html", {"config": config, "breadcrumb": [("Content", "/"), ("New mosaic", None)]}
    )


def _asked_scene(request: HttpRequest) -> ImageryLayer | None:
    """Return the scene that `?scene=` names; None where the reader knows none such."""
    try:
        pk = UUID(request.GET.get("scene", ""))
    except ValueError:
        return None
    return ImageryLayer.objects.filter(pk=pk, project__in=access.visible_projects(request), kind="scene").first()


def _able(request: HttpRequest) -> list[dict[str, str]]:
    """Return the projects to which the reader may add imagery."""
    projects = access.visible_projects(request)
    roles = dict(Member.objects.filter(user_id=request.user.pk or 0).values_list("project_id", "role"))
    return [
        {"id": str(project.pk), "name": project.name}
        for project in projects.order_by("name")
        if getattr(request.user, "is_superuser", False) or roles.get(project.pk, 0) >= Role.LABELER
    ]


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
        "mosaic": selectors.mosaic_json(found) if found.kind == ImageryLayer.Kind.MOSAIC else None,
    }
    breadcrumb = [("Content", "/"), (found.project.name, f"/projects/{found.project_id}/"), (found.name, None)]
    return render(request, "imagery/layer.html", {"config": config, "breadcrumb": breadcrumb, "layer": found})
