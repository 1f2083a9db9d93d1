"""The API of imagery layers and uploads."""

from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid, NotFound, TooLarge
from webapp.imagery import drawing, selectors, services, uploads
from webapp.imagery import point as points
from webapp.imagery.models import ImageryLayer, Upload
from webapp.projects import access
from webapp.projects.models import User
from webapp.projects.paging import page


@api_view(["GET"])
def imagery(request: Request) -> Response:
    """List imagery layers, newest first; `?project=`, `?kind=` and `?q=`, a part of the name, narrow it down."""
    projects = access.visible_projects(request)
    if wanted := request.query_params.get("project"):
        projects = projects.filter(pk=_uuid(wanted))
    rows = selectors.layers(projects)
    if kind := request.query_params.get("kind"):
        rows = rows.filter(kind=kind)
    for word in request.query_params.get("q", "").split():
        rows = rows.filter(name__icontains=word)
    found, following = page(rows, request)
    return Response({"results": [selectors.layer_json(row) for row in found], "next": following})


@api_view(["GET", "PATCH", "DELETE"])
@access.keeps_role
def layer(request: Request, pk: UUID) -> Response:
    """Show a layer, change the words about it, or delete it."""
    found = _layer(request, pk)
    if request.method == "DELETE":
        assert isinstance(request.user, User)
        services.delete(layer=found, user=request.user)
        return Response(status=204)
    if request.method == "PATCH":
        found = services.change(layer=found, values=_object(request))
    return Response(selectors.layer_json(found, histograms=True))


@api_view(["GET"])
def deletion(request: Request, pk: UUID) -> Response:
    """Say what deleting the layer would remove, and what stands in the way."""
    return Response(services.consequences(_layer(request, pk)).as_json())


@api_view(["GET"])
def tilejson(request: Request, pk: UUID) -> Response:
    """Describe the layer's tiles as TileJSON 3.0.0."""
    found = _layer(request, pk)
    origin = settings.PUBLIC_URL.rstrip("/") or f"{request.scheme}://{request.get_host()}"
    return Response(selectors.tilejson(found, origin))


@api_view(["GET"])
def point(request: Request, pk: UUID) -> Response:
    """Tell the value of each band, and the class of a class raster, at `?lon=&lat=` in degrees.

    With `bidx`, `expression` or `nodata`: the values of those.
    """
    found = _layer(request, pk)
    place = points.place_of(request.query_params)
    words, _ = drawing.split_words(dict(request.query_params.lists()), ("lon", "lat"))
    if words:
        return Response(points.rendered(found, *place, words))
    return Response(points.point(found, *place))


@api_view(["GET", "POST"])
def upload_list(request: Request) -> Response:
    """List your unfinished uploads, or begin one: `{project, filename, size_bytes, position, options}`."""
    user = request.user
    assert isinstance(user, User)
    if request.method == "GET":
        rows = selectors.uploads(access.visible_projects(request), user.pk)
        return Response({"results": [_upload_json(row) for row in rows[:100]], "next": None})
    body = _object(request)
    project = access.project_for(request, body.get("project"))
    size = body.get("size_bytes")
    if not isinstance(size, int) or isinstance(size, bool):
        raise Invalid(f"size_bytes is {size!r}.", fix="Give the file's size as a whole number.")
    if not isinstance(body.get("filename"), str):
        raise Invalid("The filename is missing.", fix="Give the file's name.")
    upload = uploads.begin(
        project=project,
        user=user,
        filename=body["filename"],
        size_bytes=size,
        position=_dictionary(body, "position"),
        options=_dictionary(body, "options"),
    )
    return Response(_upload_json(upload), status=201)


@api_view(["GET", "PATCH", "DELETE"])
def upload(request: Request, pk: UUID) -> Response:
    """Tell how far an upload is, take its next piece (raw bytes, header `Upload-Offset`), or drop it."""
    found = _upload(request, pk)
    if request.method == "DELETE":
        uploads.discard(upload=found)
        return Response(status=204)
    if request.method == "PATCH":
        found = uploads.append(upload=found, offset=_offset(request), data=_piece(request))
    return Response(_upload_json(found))


@api_view(["POST"])
def upload_complete(request: Request, pk: UUID) -> Response:
    """Hand a whole upload to a job; answers `{job}`, its id."""
    job = uploads.complete(upload=_upload(request, pk))
    return Response({"job": str(job.pk), "url": f"/jobs/{job.pk}/"}, status=202)


def _layer(request: Request, pk: UUID) -> ImageryLayer:
    found = selectors.layer(pk)
    access.authorise(request, found.project)
    return found


def _upload(request: Request, pk: UUID) -> Upload:
    found = selectors.upload(pk)
    access.authorise(request, found.project)
    # Somebody else's upload is nobody's business, a manager's included.
    if found.user_id != request.user.pk:
        raise NotFound("upload")
    return found


def _upload_json(upload: Upload) -> dict[str, Any]:
    return selectors.upload_json(upload, chunk_bytes=uploads.CHUNK_BYTES)


def _offset(request: Request) -> int:
    raw = request.headers.get("Upload-Offset", "")
    if not raw.isascii() or not raw.isdigit() or len(raw) > 15:
        raise Invalid(f"Upload-Offset is '{raw[:40]}'.", fix="Send the number of bytes received so far.")
    return int(raw)


def _piece(request: Request) -> bytes:
    """Return the raw body. Django's own limit is for parsed bodies; this one is read as it is."""
    raw = request.META.get("CONTENT_LENGTH") or ""
    if not raw.isdigit():
        raise Invalid("The piece has no length.", fix="Send a Content-Length.")
    length = int(raw)
    if length > uploads.MOST_CHUNK_BYTES:
        raise TooLarge(
            f"A piece of {length:,} bytes is too large.",
            fix=f"Send at most {uploads.MOST_CHUNK_BYTES:,} bytes at once.",
            details={"limit": uploads.MOST_CHUNK_BYTES},
        )
    data: bytes = request._request.read(length)
    if len(data) != length or length == 0:
        raise Invalid("The piece broke off.", fix="Send it again.", code="incomplete")
    return data


def _object(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise Invalid("The body is not a JSON object.", fix="Send an object.")
    return dict(request.data)


def _dictionary(body: dict[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key) or {}
    if not isinstance(value, dict):
        raise Invalid(f"'{key}' is not an object.", fix="Send an object, or leave it out.")
    return value


def _uuid(raw: object) -> UUID:
    try:
        return UUID(str(raw))
    except ValueError as error:
        raise NotFound("project") from error
