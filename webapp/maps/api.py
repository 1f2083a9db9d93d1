"""`/api/maps/`: parse, authorise, call, answer."""

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid, NotFound
from webapp.imagery import point as points
from webapp.maps import selectors, services
from webapp.maps.parsing import answer, fields_of, is_member, opened, person, text, uuid_of
from webapp.projects import access
from webapp.projects.models import Project

PAGE = 100


@api_view(["GET", "POST"])
@access.keeps_role
def maps(request: Request) -> Response:
    """List maps (GET) or make one (POST {project, name, layers: [{kind, id}]}; the first layer is the bottom)."""
    return _create(request) if request.method == "POST" else _list(request)


def _list(request: Request) -> Response:
    projects = access.visible_projects(request._request)
    project = request.query_params.get("project")
    if project:
        projects = projects.filter(pk=uuid_of(project))
    after = request.query_params.get("after", "")
    rows = selectors.maps_of(projects, request.user, after=str(uuid_of(after)) if after else "", limit=PAGE + 1)
    more = {**request.query_params.dict(), "after": str(rows[PAGE - 1].pk)} if len(rows) > PAGE else None
    return Response(
        {
            "results": [selectors.summary(row) for row in rows[:PAGE]],
            "next": None if more is None else f"{request.path}?{urlencode(more)}",
        }
    )


def _create(request: Request) -> Response:
    fields = fields_of(request)
    project = Project.objects.filter(pk=uuid_of(fields.get("project"))).first()
    if project is None:
        raise NotFound("project")
    role = access.authorise(request._request, project)
    named = fields.get("layers") or []
    if not isinstance(named, list) or not all(isinstance(item, dict) for item in named):
        raise Invalid('"layers" is no list of layers.', fix='Send [{"kind": "imagery", "id": "…"}].')
    layers = [
        services.find_layer(project_id=project.pk, kind=str(item.get("kind")), pk=uuid_of(item.get("id")))
        for item in named
    ]
    made = services.create_map(project=project, name=text(fields, "name") or "", user=person(request), layers=layers)
    return answer(request, made, role, 201)


@api_view(["GET", "PATCH", "DELETE"])
@access.keeps_role
def map_detail(request: Request, pk: UUID) -> Response:
    """Read a map, change its name, description or view, or delete it."""
    found, role = opened(request, pk)
    if request.method == "DELETE":
        services.delete_map(map=found)
        return Response(status=204)
    if request.method == "PATCH":
        fields = fields_of(request)
        if "bookmarks" in fields or "notes" in fields:
            raise Invalid(
                "Notes and bookmarks are not written as a whole list, which would wipe a colleague's.",
                fix="PUT one note to notes/<id>, POST one bookmark to bookmarks.",
            )
        if "view" in fields:
            services.save_view(map=found, view=_view(fields["view"]))
        if "name" in fields or "description" in fields:
            services.rename(map=found, name=text(fields, "name"), description=text(fields, "description"))
    return answer(request, found, role)


def _view(value: object) -> services.View:
    if not isinstance(value, dict) or not all(services.map_number(value.get(key)) for key in ("lon", "lat", "zoom")):
        raise Invalid("The view is no place.", fix='Send {"lon": 85.52, "lat": 27.63, "zoom": 17}.')
    compare, time = value.get("compare"), text(value, "time")
    place = (float(value["lon"]), float(value["lat"]), float(value["zoom"]))
    return services.View(*place, None if compare is None else _compare(compare), time)


def _compare(value: object) -> services.Compare:
    if not isinstance(value, dict) or not services.map_number(value.get("at")):
        raise Invalid("The comparison cannot be read.", fix='Send {"mode": "swipe", "left", "right", "at": 0.5}.')
    return services.Compare(
        str(value.get("mode")), uuid_of(value.get("left")), uuid_of(value.get("right")), float(value["at"])
    )


@api_view(["PUT"])
@access.keeps_role
def map_share(request: Request, pk: UUID) -> Response:
    """Share a map: PUT {share: "private" | "members" | "link" | "public"}."""
    found, role = opened(request, pk)
    services.share(map=found, share=text(fields_of(request), "share") or "", user=person(request))
    return answer(request, found, role)


@api_view(["PUT"])
@access.keeps_role
def map_order(request: Request, pk: UUID) -> Response:
    """Stack the layers: PUT {layers: [ids, the bottom one first]}."""
    found, role = opened(request, pk)
    layers = fields_of(request).get("layers")
    if not isinstance(layers, list) or not all(isinstance(item, int) for item in layers):
        raise Invalid('"layers" is no list of numbers.', fix="Send the ids of all layers, the bottom one first.")
    services.reorder(map=found, layers=layers)
    return answer(request, found, role)


@api_view(["GET"])
def map_candidates(request: Request, pk: UUID) -> Response:
    """List layers that can be added: GET ?q=."""
    found, _ = opened(request, pk)
    query = request.query_params.get("q", "").strip()
    return Response({"results": selectors.candidates(found, query), "next": None})


@api_view(["POST"])
@access.keeps_role
def map_layers(request: Request, pk: UUID) -> Response:
    """Put a layer on top: POST {kind: "imagery" | "features", id, title}."""
    found, role = opened(request, pk)
    fields = fields_of(request)
    layer = services.find_layer(project_id=found.project_id, kind=str(fields.get("kind")), pk=uuid_of(fields.get("id")))
    services.add_layer(map=found, layer=layer, title=text(fields, "title") or "")
    return answer(request, found, role, 201)


@api_view(["PATCH", "DELETE"])
@access.keeps_role
def map_layer(request: Request, pk: UUID, layer: int) -> Response:
    """Change a layer's title, visibility, opacity or style, or take it off the map."""
    found, role = opened(request, pk)
    row = selectors.layer_of(found, layer)
    if request.method == "DELETE":
        services.remove_layer(layer=row)
    else:
        services.change_layer(layer=row, change=_change(fields_of(request)))
    found.refresh_from_db()
    return answer(request, found, role)


def _change(fields: dict[str, Any]) -> services.LayerChange:
    visible, opacity, style = fields.get("visible"), fields.get("opacity"), fields.get("style")
    if visible is not None and not isinstance(visible, bool):
        raise Invalid('"visible" is neither true nor false.', fix="Send true or false.")
    if opacity is not None and not services.map_number(opacity):
        raise Invalid('"opacity" is no number.', fix="Send 0 to 1.")
    if style is not None and not isinstance(style, dict):
        raise Invalid('"style" is no object.', fix="Send a JSON object.")
    return services.LayerChange(text(fields, "title"), visible, opacity, style)


@api_view(["GET"])
def map_legend(request: Request, pk: UUID, layer: int) -> Response:
    """Return the classes of a layer with their counts."""
    found, _ = opened(request, pk)
    return Response({"classes": selectors.legend(selectors.layer_of(found, layer))})


@api_view(["GET"])
def map_point(request: Request, pk: UUID, layer: int) -> Response:
    """Tell what an imagery layer of the map holds at `?lon=&lat=` in degrees: band values, and the class."""
    found, _ = opened(request, pk)
    lon, lat = points.place_of(request.query_params)
    return Response(points.point(selectors.imagery_of(found, layer), lon, lat))


@api_view(["GET"])
def map_feature(request: Request, pk: UUID, layer: int, feature: UUID) -> HttpResponse:
    """Return one feature of a layer as GeoJSON."""
    found, _ = opened(request, pk)
    body = json.loads(selectors.feature_of(selectors.layer_of(found, layer), feature))
    if body["meta"].get("deleted"):
        raise NotFound("feature")
    if not is_member(request, found):
        body["meta"].pop("updated_by", None)  # a shared link shows the map, not the people behind it
    return Response(body)
