"""The API of mosaics: make one, see and change its list, MosaicJSON out and in."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import BadRaster, Invalid, NotFound
from webapp.imagery import mosaic_json, mosaics, selectors
from webapp.imagery.drawing import missing
from webapp.imagery.models import ImageryLayer, Mosaic
from webapp.imagery.services import text
from webapp.projects import access


@api_view(["POST"])
def mosaic_list(request: Request) -> Response:
    """Make a mosaic: `{project, name, scenes: [id, …], rule, description}`; or of `mosaicjson` instead of scenes."""
    body = _object(request)
    project = access.project_for(request, _uuid(body.get("project"), "project"))
    name, description = body.get("name") or "", body.get("description") or ""
    rule = str(body.get("rule") or Mosaic.Rule.NEWEST)
    if "mosaicjson" in body:
        known = mosaic_json.known_addresses(project)
        found = mosaic_json.read(_parsed(body["mosaicjson"]), origins=_origins(request), known=known)
        scenes, name, description = found.scenes, name or found.name, description or found.description
        rule = str(body.get("rule") or Mosaic.Rule.FIRST)
    else:
        scenes = _ids(body.get("scenes"))
    made = mosaics.create(
        project=project,
        user=access.caller(request),
        name=text(name, "name"),
        scenes=scenes,
        rule=rule,
        description=text(description, "description"),
    )
    return Response({**selectors.layer_json(made), "mosaic": selectors.mosaic_json(made)}, status=201)


@api_view(["GET", "PATCH"])
def mosaic(request: Request, pk: UUID) -> Response:
    """Show a mosaic's rule and scenes, or change them: `{rule, scenes: [id, …]}`, all scenes from now on."""
    found = _mosaic(request, pk)
    if request.method == "PATCH":
        body = _object(request)
        unknown = set(body) - {"rule", "scenes"}
        if unknown:
            raise Invalid(f"These cannot be changed: {', '.join(sorted(unknown))}.", fix="Change rule and scenes.")
        found = mosaics.rearrange(
            layer=found,
            user=access.caller(request),
            scenes=_ids(body["scenes"]) if "scenes" in body else None,
            rule=str(body["rule"]) if "rule" in body else None,
        )
    return Response(selectors.mosaic_json(found))


@api_view(["GET"])
def as_mosaicjson(request: Request, pk: UUID) -> Response:
    """Describe a mosaic as MosaicJSON 0.0.3, for TiTiler and others that read it."""
    found = _mosaic(request, pk)
    origin = settings.PUBLIC_URL.rstrip("/") or f"{request.scheme}://{request.get_host()}"
    try:
        return Response(mosaic_json.written(found, origin))
    except BadRaster as error:
        raise missing() from error


def _mosaic(request: Request, pk: UUID) -> ImageryLayer:
    found = selectors.layer(pk)
    access.authorise(request, found.project)
    if found.kind != ImageryLayer.Kind.MOSAIC:
        raise NotFound("mosaic")
    return found


def _origins(request: Request) -> set[str]:
    here = f"{request.scheme}://{request.get_host()}"
    return {origin.rstrip("/").lower() for origin in (here, settings.PUBLIC_URL) if origin}


def _parsed(given: Any) -> Any:
    """Return a MosaicJSON that came as an object, or as the text of a file."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError) as error:
        raise Invalid("This is no JSON.", fix="Choose a MosaicJSON file.", code="mosaicjson_invalid") from error


def _ids(given: Any) -> list[UUID]:
    if not isinstance(given, list) or not given:
        raise Invalid("The scenes are missing.", fix="Send a list of ids, the topmost first.")
    return [_uuid(one, "scene") for one in given]


def _object(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise Invalid("The body is not a JSON object.", fix="Send an object.")
    return dict(request.data)


def _uuid(raw: object, what: str) -> UUID:
    try:
        return UUID(str(raw))
    except ValueError as error:
        raise Invalid(f"'{str(raw)[:60]}' is no id of a {what}.", fix="Send a UUID.") from error
