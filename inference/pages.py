"""Pages of inferences: start one, and follow one."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from inference import selectors
from inference.specs import Settings
from training.models import Task
from training.selectors import package_json, packages_of
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import layer_json, layers
from webapp.projects import access
from webapp.projects.models import Member, Role

# Choices on the page; somebody with more comes by the imagery's or the model's own page.
MOST_CHOICES = 200


def new(request: HttpRequest) -> HttpResponse:
    """Show the form that starts an inference; `?imagery=` and `?package=` choose in advance."""
    projects = access.visible_projects(request)
    able = _able(request)
    ready = layers(able).filter(state=ImageryLayer.State.READY)
    scenes = ready.exclude(kind=ImageryLayer.Kind.CLASS_RASTER)[:MOST_CHOICES]
    config: dict[str, Any] = {
        "imagery": [layer_json(row) for row in scenes],
        "packages": [package_json(row) for row in packages_of(projects)[:MOST_CHOICES]],
        "chosen": {"imagery": request.GET.get("imagery", ""), "package": request.GET.get("package", "")},
        "defaults": {task: Settings.parse({}, task=task).as_json() for task in Task.values},
        "projects": {str(project.pk): project.name for project in projects},
    }
    crumbs = [("Content", "/"), ("Run a model", None)]
    return render(request, "inference/new.html", {"config": config, "breadcrumb": crumbs})


def inference(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show an inference: its progress, its facts, its results."""
    row = selectors.inference(pk)
    role = access.authorise(request, row.project)
    config = {
        "inference": selectors.inference_json(row),
        "may_run": role >= Role.LABELER,
        "may_delete": access.author_or_manager(request, role, row.created_by_id),
    }
    crumbs = [("Content", "/"), (row.project.name, f"/?project={row.project_id}"), (row.name, None)]
    context = {"config": config, "breadcrumb": crumbs, "inference": row}
    return render(request, "inference/inference.html", context)


def _able(request: HttpRequest) -> Any:
    """Return the projects in which the caller may run models."""
    projects = access.visible_projects(request)
    if getattr(request.user, "is_superuser", False):
        return projects
    mine = Member.objects.filter(user=request.user.pk or 0, role__gte=Role.LABELER).values("project")
    return projects.filter(pk__in=mine)
