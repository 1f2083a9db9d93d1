"""The REST edge of feature layers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.utils.dateparse import parse_datetime
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid
from webapp.features import importing, restoring, selectors, services
from webapp.features import timeline as log_steps
from webapp.features.export import geojson_lines
from webapp.features.models import FeatureLayer
from webapp.features.parsing import json_body, parse_bbox, parse_edits, parse_number
from webapp.features.schema import parse_classes
from webapp.projects import access
from webapp.projects.models import Role

GEOJSON = "application/geo+json"


def _layer(request: Request, pk: UUID) -> FeatureLayer:
    layer = selectors.layer_of(pk)
    access.authorise(request, layer.project)
    return layer


@api_view(["GET"])
def layers(request: Request) -> Response:
    """List the feature layers that the caller may see, newest first."""
    found = FeatureLayer.objects.filter(project__in=access.visible_projects(request)).select_related("project")
    if request.GET.get("project"):
        found = found.filter(project_id=_uuid(request.GET["project"]))
    limit = parse_number(request.GET.get("limit"), name="limit", default=50, low=1, high=200)
    start = parse_number(request.GET.get("after"), name="after", default=0, low=0, high=10**9)
    rows = list(found.order_by("-created_at", "id")[start : start + limit + 1])
    following = request.build_absolute_uri(_with(request, after=start + limit)) if len(rows) > limit else None
    return Response({"results": [selectors.layer_json(row) for row in rows[:limit]], "next": following})


@api_view(["GET", "DELETE"])
@access.keeps_role
def layer(request: Request, pk: UUID) -> Response:
    """Show one layer, or delete it with its features and their history."""
    found = _layer(request, pk)
    if request.method == "DELETE":
        services.delete(layer=found, user=access.caller(request))
        return Response(status=204)
    return Response(selectors.layer_json(found))


@api_view(["GET"])
def deletion(request: Request, pk: UUID) -> Response:
    """Say what deleting the layer would remove, and what stands in the way."""
    return Response(services.consequences(_layer(request, pk)).as_json())


@api_view(["GET"])
def features(request: Request, pk: UUID) -> HttpResponse:
    """Return the features in a box as a GeoJSON FeatureCollection, with the number of the log they show."""
    found = _layer(request, pk)
    bbox = parse_bbox(request.GET.get("bbox"))
    limit = parse_number(
        request.GET.get("limit"),
        name="limit",
        default=selectors.DEFAULT_FEATURES,
        low=1,
        high=selectors.MAX_FEATURES,
    )
    shot = selectors.snapshot(found, bbox=bbox, limit=limit)
    truncated = "true" if shot.truncated else "false"
    head = f'"type":"FeatureCollection","seq":{shot.seq},"truncated":{truncated}'
    return HttpResponse(f'{{{head},"features":[{",".join(shot.features)}]}}', content_type=GEOJSON)


@api_view(["GET"])
def feature(request: Request, pk: UUID, feature_id: UUID) -> HttpResponse:
    """Show one feature; a deleted one says so in its meta."""
    return HttpResponse(selectors.feature_json(_layer(request, pk), feature_id), content_type=GEOJSON)


@api_view(["GET"])
def history(request: Request, pk: UUID, feature_id: UUID) -> HttpResponse:
    """Return every version of one feature, the first one first."""
    rows = selectors.history(_layer(request, pk), feature_id)
    return _json(f'{{"results":[{",".join(row.body for row in rows)}],"next":null}}')


@api_view(["GET", "POST"])
def edits(request: Request, pk: UUID) -> HttpResponse:
    """Return the log after a number, or apply a batch of edits."""
    found = _layer(request, pk)
    if request.method == "POST":
        asked, user = parse_edits(json_body(request)), access.caller(request)
        with transaction.atomic():
            access.hold_role(user, found.project, Role.LABELER)
            results = services.apply_edits(layer=found, edits=asked, user=user)
        return Response({"results": [result.as_json() for result in results], "seq": found.seq})
    after = parse_number(request.GET.get("after"), name="after", default=0, low=0, high=2**62)
    limit = parse_number(
        request.GET.get("limit"), name="limit", default=selectors.MAX_CHANGES, low=1, high=selectors.MAX_CHANGES
    )
    log = selectors.changes(found, after=after, limit=limit)
    resync = "true" if log.resync else "false"
    return _json(f'{{"seq":{log.seq},"resync":{resync},"edits":[{",".join(row.body for row in log.rows)}]}}')


@api_view(["GET"])
def timeline(request: Request, pk: UUID) -> Response:
    """Return who did what, step by step, the newest first; `?before=` goes on from `next`."""
    found = _layer(request, pk)
    before = parse_number(request.GET.get("before"), name="before", default=0, low=1, high=2**62)
    steps, following = log_steps.timeline(found, before=before or None)
    return Response({"results": [step.as_json() for step in steps], "next": following})


@api_view(["GET", "POST"])
@access.keeps_role
def restore(request: Request, pk: UUID) -> Response:
    """Say what going back to `seq` (or to a moment, `at`) would change, or go back: at once or by a job.

    POST {seq: the preview's target, base: the preview's seq}: refused where the layer has changed since the preview.
    """
    found = _layer(request, pk)
    if request.method == "GET":
        seq = restoring.number_at(found, _moment(request)) if "at" in request.GET else _number_of(request.GET)
        return Response(restoring.preview_json(layer=found, seq=seq))
    body: Any = json_body(request)
    outcome = restoring.receive(
        layer=found, seq=_whole(body, "seq"), base=_whole(body, "base"), user=access.caller(request)
    )
    return Response(outcome, status=202 if "job" in outcome else 200)


@api_view(["GET", "PUT"])
@access.keeps_role
def classes(request: Request, pk: UUID) -> Response:
    """Show or replace the class schema; classes that are left out are retired."""
    found = _layer(request, pk)
    if request.method == "PUT":
        body: Any = json_body(request)
        wanted = parse_classes(body.get("classes") if isinstance(body, dict) else body)
        return Response({"classes": services.save_classes(layer=found, classes=wanted, user=access.caller(request))})
    return Response({"classes": selectors.classes_json(found)})


@api_view(["GET"])
def statistics(request: Request, pk: UUID) -> Response:
    """Return counts and areas per class."""
    return Response({"classes": selectors.statistics(_layer(request, pk))})


@api_view(["GET"])
def export(request: Request, pk: UUID) -> StreamingHttpResponse:
    """Stream the whole layer as GeoJSON: the same bytes whenever the features are the same."""
    found = _layer(request, pk)
    response = StreamingHttpResponse(geojson_lines(found), content_type=GEOJSON)
    response["Content-Disposition"] = f'attachment; filename="layer-{found.pk}.geojson"'
    response["Cache-Control"] = "private, no-store"
    return response


@api_view(["POST"])
def import_features(request: Request, pk: UUID) -> Response:
    """Add the features of a GeoJSON body: at once where it is small, else by a job."""
    found = _layer(request, pk)
    options = importing.parse_options(request.GET.dict(), found)
    inner: HttpRequest = request._request
    outcome = importing.receive(layer=found, stream=inner, options=options, user=access.caller(request))
    return Response(outcome, status=202 if "job" in outcome else 200)


def _number_of(query: QueryDict) -> int:
    return parse_number(query.get("seq"), name="seq", default=0, low=0, high=2**62)


def _whole(body: Any, name: str) -> int:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        fix = 'Send {"seq": its target, "base": its seq} of a preview.'
        raise Invalid(f"The body names no {name}.", fix=fix, code=name)
    return value


def _moment(request: Request) -> datetime:
    try:
        found = parse_datetime(request.GET["at"])
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid(
            f"{request.GET['at']!r:.40} is no moment.", fix="Send ISO 8601 with its time zone.", code="at"
        ) from None
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _with(request: Request, **changed: object) -> str:
    query = request.GET.copy()
    for name, value in changed.items():
        query[name] = str(value)
    return f"?{query.urlencode()}"


def _json(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="application/json")
