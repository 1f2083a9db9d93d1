"""The REST edge of files: what formats there are, imports with a look before, exports by job."""

from typing import Any
from uuid import UUID

from django.http import FileResponse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid
from webapp.features import incoming, outgoing, selectors
from webapp.features.models import FeatureLayer
from webapp.features.parsing import json_body
from webapp.projects import access
from webapp.projects.models import User
from webapp.vectors.formats import FORMATS
from webapp.vectors.table import Grid


@api_view(["GET"])
def formats(request: Request) -> Response:
    """List the formats in which layers are exported."""
    found = [
        {
            "key": item.key,
            "label": item.label,
            "holds": item.holds,
            "pixels": item.pixels,
            "any_crs": item.any_crs,
        }
        for item in FORMATS.values()
    ]
    return Response({"formats": found})


@api_view(["POST"])
def imports(request: Request, pk: UUID) -> Response:
    """Take a file and look into it: the job's result tells tables, fields, CRS and extent."""
    return look(request, _layer(request, pk), None)


@api_view(["POST", "DELETE"])
@access.keeps_role
def import_of(request: Request, pk: UUID, look_pk: UUID) -> Response:
    """Import a file that was looked into, with the choices of the body; or remove it."""
    layer = _layer(request, pk)
    inspected = incoming.inspected_of(layer, look_pk)
    if request.method == "DELETE":
        incoming.discard(inspected)
        return Response(status=204)
    started = incoming.start(layer=layer, inspected=inspected, body=object_of(request), user=user_of(request))
    return Response({"job": str(started.pk)}, status=202)


@api_view(["POST"])
@access.keeps_role
def exports(request: Request, pk: UUID) -> Response:
    """Write the layer into a file; the job's result tells its address and what did not fit."""
    return write(request, _layer(request, pk), None)


@api_view(["GET"])
def export_of(request: Request, pk: UUID, export_pk: UUID) -> FileResponse:
    """Send an exported file; it is kept for a day."""
    path = outgoing.file_of(_layer(request, pk), export_pk)
    response = FileResponse(
        path.open("rb"), as_attachment=True, filename=path.name, content_type="application/octet-stream"
    )
    response["Cache-Control"] = "private, no-store"
    return response


def look(request: Request, layer: FeatureLayer, grid: Grid | None) -> Response:
    """Answer with the job that looks into the body."""
    filename = request.query_params.get("filename", "")
    job = incoming.receive(layer=layer, stream=request._request, filename=filename, grid=grid, user=user_of(request))
    return Response({"job": str(job.pk)}, status=202)


def write(request: Request, layer: FeatureLayer, grid: Grid | None, offset: dict[str, Any] | None = None) -> Response:
    """Answer with the job that writes the layer; `offset` as `outgoing.start` takes it."""
    job = outgoing.start(layer=layer, body=object_of(request), grid=grid, user=user_of(request), offset=offset)
    return Response({"job": str(job.pk)}, status=202)


def user_of(request: Request) -> User:
    """Return the caller; the route's rule let nobody else through."""
    assert isinstance(request.user, User)
    return request.user


def object_of(request: Request) -> dict[str, Any]:
    """Return the body, a JSON object.

    Raises:
        Invalid: it is none.
    """
    body = json_body(request)
    if not isinstance(body, dict):
        raise Invalid("The body is no JSON object.", fix='Send {"format": …}.', code="bad_json")
    return body


def _layer(request: Request, pk: UUID) -> FeatureLayer:
    layer = selectors.layer_of(pk)
    access.authorise(request, layer.project)
    return layer
