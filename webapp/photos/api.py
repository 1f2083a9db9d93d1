"""`/api/photos/`: parse, authorise, call, answer."""

from typing import Any
from uuid import UUID

from django.http import FileResponse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid, NotFound
from webapp.features.models import FeatureLayer
from webapp.photos import selectors, services
from webapp.photos.models import Photo
from webapp.projects import access
from webapp.projects.models import User


@api_view(["POST"])
@access.keeps_role
def sets(request: Request) -> Response:
    """Make a set of photos: POST {project, name}."""
    fields = _object(request)
    project = access.project_for(request._request, fields.get("project"))
    made = services.create_set(project=project, name=str(fields.get("name") or ""), user=_person(request))
    return Response(selectors.set_json(made), status=201)


@api_view(["GET"])
def photo_set(request: Request, pk: UUID) -> Response:
    """Return a set with its photos, those without a place first."""
    return Response(selectors.set_json(_set(request, pk)))


@api_view(["POST"])
def files(request: Request, pk: UUID) -> Response:
    """Take one JPEG as the body; `file` of the answer names it to `read`."""
    layer = _set(request, pk)
    return Response({"file": services.receive(layer=layer, stream=request._request, user=_person(request))}, status=201)


@api_view(["POST"])
@access.keeps_role
def read(request: Request, pk: UUID) -> Response:
    """Start the job that reads photos which were sent: POST {files: [{file, name}]}."""
    layer = _set(request, pk)
    named = _object(request).get("files")
    if not isinstance(named, list) or not all(isinstance(item, dict) for item in named):
        raise Invalid('"files" is no list of photos.', fix='Send [{"file": "…", "name": "DJI_0019.JPG"}].')
    arrived = [services.Arrived(str(item.get("file")), str(item.get("name") or "photo")) for item in named]
    job = services.read(layer=layer, files=arrived, user=_person(request))
    return Response({"job": str(job.pk)}, status=202)


@api_view(["GET", "PATCH", "DELETE"])
@access.keeps_role
def photo(request: Request, pk: UUID) -> Response:
    """Show a photo, put it at a place (PATCH {lon, lat}), or delete it."""
    found = _photo(request, pk)
    if request.method == "DELETE":
        services.delete(photo=found, user=_person(request))
        return Response(status=204)
    if request.method == "PATCH":
        fields = _object(request)
        services.place(photo=found, lon=_degree(fields, "lon"), lat=_degree(fields, "lat"), user=_person(request))
    return Response(selectors.photo_json(found, selectors.place_of(found)))


@api_view(["GET"])
def picture(request: Request, pk: UUID) -> FileResponse:
    """Send a photo as JPEG."""
    return sent(_photo(request, pk), "picture")


@api_view(["GET"])
def thumbnail(request: Request, pk: UUID) -> FileResponse:
    """Send a small copy of a photo."""
    return sent(_photo(request, pk), "thumbnail")


def sent(photo: Photo, size: selectors.Size) -> FileResponse:
    """Return one of our own files of a photo; a photo's files never change.

    Raises:
        NotFound: the file is gone.
    """
    try:
        file = selectors.file_of(photo, size).open("rb")
    except FileNotFoundError as error:
        raise NotFound("photo") from error
    response = FileResponse(file, content_type="image/jpeg", filename=photo.name)
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _set(request: Request, pk: UUID) -> FeatureLayer:
    layer = selectors.set_of(pk)
    access.authorise(request._request, layer.project)
    return layer


def _photo(request: Request, pk: UUID) -> Photo:
    found = selectors.photo_of(pk)
    access.authorise(request._request, found.layer.project)
    return found


def _object(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise Invalid("The body is no JSON object.", fix='Send {"name": "…"}.')
    return request.data


def _degree(fields: dict[str, Any], name: str) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f'"{name}" is no number.', fix="Send degrees.")
    return float(value)


def _person(request: Request) -> User:
    assert isinstance(request.user, User)  # the route's rule let nobody else through
    return request.user
