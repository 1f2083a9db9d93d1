"""The REST edge of label sets."""

from typing import Any
from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import selectors, services
from labeling.models import LabelSet
from webapp.errors import Invalid, NotFound
from webapp.features.parsing import json_object
from webapp.features.schema import parse_classes, storable
from webapp.imagery.models import ImageryLayer
from webapp.projects import access
from webapp.projects.models import Role, User
from webapp.projects.paging import page


@api_view(["GET", "POST"])
@access.keeps_role
def label_sets(request: Request) -> Response:
    """List the label sets that the caller may see, or make one over an imagery layer."""
    if request.method == "POST":
        return _create(request)
    rows = selectors.label_sets(access.visible_projects(request))
    wanted = request.query_params.get("project")
    if wanted:
        rows = rows.filter(project_id=_uuid(wanted))
    found, following = page(rows, request)
    return Response({"results": [selectors.summary_json(row) for row in found], "next": following})


@api_view(["GET", "PATCH", "DELETE"])
@access.keeps_role
def label_set(request: Request, pk: UUID) -> Response:
    """Show, rename or delete one label set."""
    found, role = _label_set(request, pk)
    if request.method == "DELETE":
        assert isinstance(request.user, User)
        services.delete(label_set=found, user=request.user)
        return Response(status=204)
    if request.method == "PATCH":
        body = json_object(request)
        services.rename_label_set(label_set=found, name=_text(body, "name"), description=_text(body, "description"))
    return Response(selectors.label_set_json(found, role))


@api_view(["GET"])
def deletion(request: Request, pk: UUID) -> Response:
    """Say what deleting the label set would remove, and what stands in the way."""
    found, _ = _label_set(request, pk)
    return Response(services.consequences(found).as_json())


@api_view(["GET"])
def statistics(request: Request, pk: UUID) -> Response:
    """Return counts and areas per class."""
    found, _ = _label_set(request, pk)
    return Response(selectors.statistics(found))


def _create(request: Request) -> Response:
    body = json_object(request)
    imagery = ImageryLayer.objects.select_related("project").filter(pk=_uuid(str(body.get("imagery")))).first()
    if imagery is None:
        raise NotFound()
    role = access.authorise(request, imagery.project)
    assert isinstance(request.user, User)
    found = services.create_label_set(
        project=imagery.project,
        name=_text(body, "name") or "",
        imagery=imagery,
        classes=parse_classes(body.get("classes", [])),
        user=request.user,
        description=_text(body, "description") or "",
    )
    return Response(selectors.label_set_json(found, role), status=201)


def _label_set(request: Request, pk: UUID) -> tuple[LabelSet, Role]:
    found = selectors.label_set(pk)
    return found, access.authorise(request, found.project)


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or not storable(value) or len(value) > 10_000):
        raise Invalid(f"{name} is no text.", fix="Send text.", code=name)
    return value


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound() from None
