"""The labeling page."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from labeling import selectors
from webapp.projects import access
from webapp.projects.models import User


def samples(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the samples manager of a label set: classes, balance, and samples that something is wrong with."""
    found = selectors.label_set(pk)
    role = access.authorise(request, found.project)
    context = {
        "label_set": found,
        "config": {"label_set": selectors.label_set_json(found, role)},
        "breadcrumb": [
            ("Content", "/"),
            (found.project.name, f"/?project={found.project_id}"),
            (found.name, found.get_absolute_url()),
            ("Samples", None),
        ],
    }
    return render(request, "labeling/samples.html", context)


def label(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a label set for drawing, or for looking where the member's role is viewer."""
    found = selectors.label_set(pk)
    role = access.authorise(request, found.project)
    # The route's rule let nobody else through.
    assert isinstance(request.user, User)
    person = {"id": request.user.pk, "name": request.user.get_full_name() or request.user.get_username()}
    context = {
        "label_set": found,
        "config": {"label_set": selectors.label_set_json(found, role), "user": person},
        "breadcrumb": [
            ("Content", "/"),
            (found.project.name, f"/?project={found.project_id}"),
            (found.name, None),
        ],
    }
    return render(request, "labeling/label.html", context)
