"""The labeling page."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from labeling import selectors
from labeling.models import LabelSet
from webapp.maps import basemaps
from webapp.projects import access
from webapp.projects.models import User


def samples(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the samples manager of a label set: classes, balance, and samples that something is wrong with."""
    found = selectors.label_set(pk)
    role = access.authorise(request, found.project)
    context = {
        "label_set": found,
        "config": {"label_set": selectors.label_set_json(found, role)},
        "breadcrumb": [*_trail(found), (found.name, found.get_absolute_url()), ("Samples", None)],
    }
    return render(request, "labeling/samples.html", context)


def agreement(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show how far labelers agree, what waits for adjudication, and the ground truth."""
    found = selectors.label_set(pk)
    role = access.authorise(request, found.project)
    context = {
        "label_set": found,
        "config": {"label_set": selectors.label_set_json(found, role)},
        "breadcrumb": [*_trail(found), (found.name, found.get_absolute_url()), ("Agreement", None)],
    }
    return render(request, "labeling/agreement.html", context)


def omissions(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one after the other what a model sees and nobody has drawn."""
    found = selectors.label_set(pk)
    role = access.authorise(request, found.project)
    context = {
        "label_set": found,
        "config": {"label_set": selectors.label_set_json(found, role)},
        "breadcrumb": [*_trail(found), (found.name, found.get_absolute_url()), ("Omissions", None)],
    }
    return render(request, "labeling/omissions.html", context)


def label(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a label set for drawing, or for looking where the member's role is viewer."""
    found = selectors.label_set(pk)
    role = access.authorise(request, found.project)
    # The route's rule let nobody else through.
    assert isinstance(request.user, User)
    person = {"id": request.user.pk, "name": request.user.get_full_name() or request.user.get_username()}
    basemaps.allow(request)
    config = {
        "label_set": selectors.label_set_json(found, role),
        "user": person,
        "basemaps": {"site": basemaps.site_basemaps(), "first": basemaps.site_default()},
    }
    context = {
        "label_set": found,
        "config": config,
        "breadcrumb": [*_trail(found), (found.name, None)],
    }
    return render(request, "labeling/label.html", context)


def _trail(found: LabelSet) -> list[tuple[str, str | None]]:
    """Return the breadcrumb above a label set; a sheet hangs below the project it belongs to."""
    project = found.project.corner_of or found.project
    return [("Content", "/"), (project.name, f"/?project={project.pk}")]
