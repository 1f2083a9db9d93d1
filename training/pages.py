"""Pages of training data, runs and models."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from labeling.selectors import label_set as label_set_of
from training import selectors
from training.specs import FORMATS
from webapp.errors import Invalid
from webapp.projects import access
from webapp.projects.models import Project, Role

Crumbs = list[tuple[str, str | None]]


def training_data_new(request: HttpRequest) -> HttpResponse:
    """Ask how a label set is to be exported."""
    try:
        wanted = UUID(request.GET.get("label_set", ""))
    except ValueError:
        raise Invalid("No label set is named.", fix="Open a label set and choose Export training data there.") from None
    found = label_set_of(wanted)
    access.authorise(request, found.project)
    imagery = found.imagery
    config = {
        "label_set": {"id": str(found.pk), "name": found.name, "url": f"/label/{found.pk}/"},
        "imagery": {
            "name": imagery.name,
            "gsd_m": imagery.gsd_m,
            "width": imagery.width,
            "height": imagery.height,
            "bands": [str(band["name"]) for band in imagery.bands],
        },
        "labels": found.layer.features.filter(deleted=False).count(),
        "left_out": found.layer.features.filter(deleted=False, area_m2=0).count(),
        "formats": FORMATS,
    }
    crumbs: Crumbs = [*crumbs_of(found.project), (found.name, f"/label/{found.pk}/"), ("Export training data", None)]
    return show(request, "training/training_data_new.html", config, crumbs, "Export training data")


def training_data(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show training data, with the form that trains on it."""
    found = selectors.training_data(pk)
    role = access.authorise(request, found.project)
    config = {
        "training_data": selectors.training_data_json(found),
        "runs": [selectors.run_json(row) for row in selectors.runs_of(only(found.project), data=found.pk)[:20]],
        "defaults": selectors.defaults(),
        "may_train": role >= Role.LABELER,
        "may_delete": access.author_or_manager(request, role, found.created_by_id),
    }
    return show(
        request, "training/training_data.html", config, [*crumbs_of(found.project), (found.name, None)], found.name
    )


def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a run with its curves."""
    found = selectors.run(pk)
    role = access.authorise(request, found.project)
    config = {
        "run": selectors.run_json(found),
        "epochs": selectors.epochs(found),
        "may_delete": access.author_or_manager(request, role, found.created_by_id),
    }
    data = found.training_data
    crumbs: Crumbs = [*crumbs_of(found.project), (data.name, f"/training-data/{data.pk}/"), (found.name, None)]
    return show(request, "training/run.html", config, crumbs, found.name)


def models(request: HttpRequest) -> HttpResponse:
    """Show the dashboard of models."""
    visible = access.visible_projects(request)
    rows = selectors.packages_of(visible)[:200]
    config = {
        "models": [selectors.package_json(row) for row in rows],
        "projects": [
            {"id": str(project.pk), "name": project.name}
            for project in visible
            if (access.role_in(request.user, project) or 0) >= Role.MANAGER
        ],
    }
    return show(request, "training/models.html", config, [("Models", None)], "Models")


def model(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one model."""
    found = selectors.package(pk)
    role = access.authorise(request, found.project)
    config = {
        "model": selectors.package_json(found),
        "used_by": selectors.uses_of(found),
        "may_manage": role >= Role.MANAGER,
        "may_run": role >= Role.LABELER,
    }
    return show(request, "training/model.html", config, [("Models", "/models/"), (found.name, None)], found.name)


def crumbs_of(project: Project) -> Crumbs:
    """Return the way to a project."""
    return [("Content", "/"), (project.name, f"/projects/{project.pk}/")]


def only(project: Project) -> Any:
    """Return a project as the set that list selectors take."""
    return Project.objects.filter(pk=project.pk)


def show(request: HttpRequest, template: str, config: dict[str, Any], breadcrumb: Crumbs, title: str) -> HttpResponse:
    """Render a page with its data."""
    return render(request, template, {"config": config, "breadcrumb": breadcrumb, "page_title": title})
