"""The API of imagery that lies on other servers: look at an address, add it, and see whether it is still the same."""

from typing import Any
from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid
from webapp.imagery import remote, rereading, selectors, services, uploads
from webapp.projects import access
from webapp.projects.models import User
from webapp.remote import policy

MODES = ("link", "copy")
MOST_BANDS = 64


@api_view(["POST"])
def look(request: Request) -> Response:
    """Tell what lies at an address `{project, url}`: a raster (`kind: raster`) or a STAC item (`kind: item`).

    Of a raster only its index and an overview are read. `problem` tells why it can be copied here only, where it can.
    """
    body = _body(request)
    access.project_for(request, body.get("project"))
    return Response(remote.as_json(remote.look(_url(body))))


@api_view(["POST"])
def remote_list(request: Request) -> Response:
    """Add a raster by URL: `{project, url, mode, options, bands, item}`.

    `mode` is `link` (read where it lies: 201 with the layer) or `copy` (202 with the job that fetches it). `options`
    are those of an upload, `bands` names for its bands, `item` the address of the STAC item that names it.
    """
    body = _body(request)
    project = access.project_for(request, body.get("project"))
    user = request.user
    assert isinstance(user, User)
    url, mode = _url(body), body.get("mode", "link")
    if mode not in MODES:
        raise Invalid(f"There is no mode '{str(mode)[:40]}'.", fix=f"Use {' or '.join(MODES)}.")
    target = policy.current().check(url)
    given = body.get("options") or {}
    if not isinstance(given, dict):
        raise Invalid("'options' is not an object.", fix="Send an object, or leave it out.")
    if mode == "copy":
        job = uploads.fetch(project=project, user=user, url=url, options=given)
        return Response({"job": str(job.pk), "url": f"/jobs/{job.pk}/"}, status=202)
    if "nodata" in given:
        raise Invalid("nodata cannot be given for a file that stays where it lies.", fix="Copy it here.")
    options = uploads.check_options(given, otherwise=target.name)
    options["acquired_at"] = services.acquired(options.get("acquired_at"))
    layer = remote.link(
        project=project,
        user=user,
        url=url,
        options={**options, "bands": _bands(body)},
        origin=str(body.get("item") or "")[: policy.MAX_URL],
    )
    return Response(selectors.layer_json(layer), status=201)


@api_view(["GET", "POST"])
def source(request: Request, pk: UUID) -> Response:
    """Tell whether the layer's file is still the same on its server; POST: take up the file as it is now."""
    layer = selectors.layer(pk)
    access.authorise(request, layer.project)
    if request.method == "POST":
        return Response(selectors.layer_json(rereading.read_again(layer=layer), histograms=True))
    return Response(rereading.state_of(layer))


def _body(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise Invalid("The body is not a JSON object.", fix="Send an object.")
    return dict(request.data)


def _url(body: dict[str, Any]) -> str:
    url = body.get("url")
    if not isinstance(url, str) or not url.strip():
        raise Invalid("The address is missing.", fix="Give `url`, such as https://server/file.tif.", code="bad_url")
    return url.strip()


def _bands(body: dict[str, Any]) -> list[str]:
    names = body.get("bands") or []
    if not isinstance(names, list) or len(names) > MOST_BANDS or not all(isinstance(name, str) for name in names):
        raise Invalid("'bands' is no list of names.", fix="Send a list of texts, or leave it out.")
    return [services.text(name, "name")[:100] for name in names]
