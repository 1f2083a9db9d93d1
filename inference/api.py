"""The API of inferences: parse, authorise, call, answer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from inference import selectors, services
from inference.matching import parse_extent
from inference.specs import Settings
from training import selectors as training
from training.models import ModelPackage
from webapp.errors import Invalid, NotFound
from webapp.imagery import selectors as imagery_selectors
from webapp.imagery.models import ImageryLayer
from webapp.projects import access
from webapp.projects.models import Project, User
from webapp.projects.paging import page


@api_view(["GET", "POST"])
@access.keeps_role
def inferences(request: Request) -> Response:
    """List inferences, newest first (GET; `?project=`, `?package=`, `?imagery=`), or start one.

    POST {package, imagery, extent: GeoJSON polygon or null, settings, name}: answers with inference, job and map.
    """
    if request.method == "POST":
        package, imagery, settings = _asked(request)
        body = _body(request)
        user = request.user
        assert isinstance(user, User)
        name = body.get("name", "")
        if not isinstance(name, str):
            raise Invalid("name is no text.", fix="Send text, or leave it out.")
        row = services.start(
            project=imagery.project,
            user=user,
            package=package,
            imagery=imagery,
            extent=parse_extent(_geojson(body)),
            settings=settings,
            name=name,
        )
        return Response(selectors.inference_json(selectors.inference(row.pk)), status=201)
    projects = access.visible_projects(request)
    if wanted := request.query_params.get("project"):
        projects = projects.filter(pk=_uuid(wanted, "project"))
    rows = selectors.inferences(projects)
    for field in ("package", "imagery"):
        if wanted := request.query_params.get(field):
            rows = rows.filter(**{field: _uuid(wanted, field)})
    found, following = page(rows, request)
    return Response({"results": [selectors.inference_json(row) for row in found], "next": following})


@api_view(["GET", "DELETE"])
@access.keeps_role
def inference(request: Request, pk: UUID) -> Response:
    """Show an inference, or delete it: your own, or any as a manager; `?results=delete` deletes its layers too."""
    row = selectors.inference(pk)
    role = access.authorise(request, row.project)
    if request.method == "DELETE":
        access.require_author_or_manager(request, role, row.created_by_id, "inference")
        results = request.query_params.get("results", "keep")
        if results not in ("keep", "delete"):
            raise Invalid(f"results is '{results[:40]}'.", fix="Send keep or delete.")
        assert isinstance(request.user, User)
        services.delete(row=row, user=request.user, with_results=results == "delete")
        return Response(status=204)
    return Response(selectors.inference_json(row))


@api_view(["GET"])
def deletion(request: Request, pk: UUID) -> Response:
    """Say what deleting the inference would remove, and what stands in the way."""
    row = selectors.inference(pk)
    access.authorise(request, row.project)
    return Response(services.consequences(row).as_json())


@api_view(["POST"])
def estimate(request: Request) -> Response:
    """Say whether a package fits imagery, with how many blocks and how long, without starting anything.

    Takes the body of a start; answers `{fits, problem, notes, blocks, pixels, seconds}`.
    """
    package, imagery, settings = _asked(request)
    return Response(selectors.estimate(package, imagery, settings, parse_extent(_geojson(_body(request)))))


def _asked(request: Request) -> tuple[ModelPackage, ImageryLayer, Settings]:
    """Return package, imagery and settings that the caller may use together."""
    body = _body(request)
    imagery = imagery_selectors.layer(_uuid(body.get("imagery"), "imagery layer"))
    access.authorise(request, imagery.project)
    package = training.package(_uuid(body.get("package"), "model"))
    if not _readable(request, package.project):
        raise NotFound("model")
    asked = body.get("settings") or {}
    if not isinstance(asked, dict):
        raise Invalid("settings is no JSON object.", fix='Send {"threshold": 0.5, …} or leave it out.')
    return package, imagery, Settings.parse(asked, task=package.task)


def _readable(request: Request, project: Project) -> bool:
    """Say whether the caller may see a project, by membership and by token."""
    token = getattr(request._request, "api_token", None)
    bound = token is not None and token.project_id not in (None, project.pk)
    return not bound and access.role_in(request.user, project) is not None


def _body(request: Request) -> Mapping[str, Any]:
    if not isinstance(request.data, dict):
        raise Invalid("The body is not a JSON object.", fix="Send an object.")
    return request.data


def _geojson(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    value = body.get("extent")
    if value is not None and not isinstance(value, dict):
        raise Invalid("The extent is no GeoJSON polygon.", fix="Send a polygon, or null.", code="extent_invalid")
    return value


def _uuid(raw: object, what: str) -> UUID:
    try:
        return UUID(str(raw))
    except ValueError as error:
        raise NotFound(what) from error
