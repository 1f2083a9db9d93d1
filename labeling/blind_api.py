"""The REST edge of blind labelling: settings, tasks, agreement, adjudication, scores."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import adjudication, blind_selectors, blind_services, selectors, sheets, task_selectors
from labeling.adjudication import TAKES, Decision
from labeling.blind_services import Settings
from labeling.models import LabelSet, Task
from webapp.errors import Invalid
from webapp.features.api import GEOJSON
from webapp.features.geometry import check_geojson, to_geos
from webapp.features.parsing import json_object
from webapp.projects import access
from webapp.projects.models import Role

MAX_TASKS_AT_ONCE = 1_000


@api_view(["GET", "PATCH"])
@access.keeps_role
def agreement(request: Request, pk: UUID) -> Response:
    """Show how far people agree and how they do on ground truth, or change how blind work is done."""
    found, _ = _label_set(request, pk)
    if request.method == "PATCH":
        found = blind_services.change_settings(label_set=found, settings=_settings(json_object(request)))
    return Response(blind_selectors.overview(found))


@api_view(["GET", "POST"])
@access.keeps_role
def tasks(request: Request, pk: UUID) -> Response:
    """List tasks for two people and ground truth, or make some: `{kind, tasks: [ids]}` or `{kind, share}`."""
    found, _ = _label_set(request, pk)
    if request.method == "GET":
        return Response({"results": blind_selectors.tasks(found)})
    body, user = json_object(request), access.caller(request)
    share = body.get("share")
    if share is not None:
        if body.get("kind", "double") != "double":
            raise Invalid("Ground truth is chosen, not drawn by lot.", fix="Send its tasks.", code="share")
        count = blind_services.mark_share(label_set=found, share=_real(share, "share"), user=user)
    else:
        kind = str(body.get("kind", "double"))
        count = blind_services.mark(label_set=found, kind=kind, tasks=_ids(body.get("tasks")), user=user)
    return Response({"count": count}, status=201)


@api_view(["POST"])
def settle(request: Request, pk: UUID) -> Response:
    """Settle every task in which both people drew the same; `failed` are those that cannot be stored, and why."""
    found, role = _label_set(request, pk)
    settled = adjudication.settle_agreed(label_set=found, user=access.caller(request), role=role)
    return Response({"count": settled.count, "failed": settled.failed})


@api_view(["GET"])
def consensus(request: Request, pk: UUID) -> HttpResponse:
    """Return the samples that came out of adjudication as GeoJSON."""
    found, _ = _label_set(request, pk)
    features = ",".join(blind_selectors.consensus(found))
    return HttpResponse(f'{{"type":"FeatureCollection","features":[{features}]}}', content_type=GEOJSON)


@api_view(["GET"])
def own_scores(request: Request, pk: UUID) -> Response:
    """Return the caller's own score on ground truth, where the label set shows it; the id may be of the sheet."""
    found, _ = _label_set(request, pk)
    whole = sheets.original(found)
    shown = blind_selectors.scores(whole, access.caller(request)) if whole.show_scores else []
    return Response({"shown": whole.show_scores, "score": shown[0] if shown else None})


@api_view(["GET", "POST", "DELETE"])
@access.keeps_role
def blind_task(request: Request, pk: UUID) -> Response:
    """Show both versions of a task, adjudicate it (`{decisions: {key: {take, …}}}`), or lift it."""
    found, role = _task(request, pk)
    user = access.caller(request)
    if request.method == "DELETE":
        blind_services.lift(task=found, user=user)
        return Response(status=204)
    if request.method == "POST":
        decisions = _decisions(json_object(request).get("decisions", {}))
        adjudication.adjudicate(task=found, user=user, role=role, decisions=decisions)
    return Response(blind_selectors.detail(found))


def _label_set(request: Request, pk: UUID) -> tuple[LabelSet, Role]:
    found = selectors.label_set(pk)
    return found, access.authorise(request, found.project)


def _task(request: Request, pk: UUID) -> tuple[Task, Role]:
    found = task_selectors.task(pk)
    return found, access.authorise(request, found.label_set.project)


def _settings(body: dict[str, Any]) -> Settings:
    for name in ("all_on_sheets", "show_scores"):
        if not isinstance(body.get(name), bool | None):
            raise Invalid(f"{name} is {body[name]!r:.40}.", fix="Send true or false.", code=name)
    iou = body.get("agree_iou")
    return Settings(
        body.get("all_on_sheets"), None if iou is None else _real(iou, "agree_iou"), body.get("show_scores")
    )


def _real(value: Any, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Invalid(f"{name} is {value!r:.40}.", fix="Send a number.", code=name)
    return float(value)


def _ids(value: Any) -> list[UUID]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_TASKS_AT_ONCE:
        raise Invalid("tasks is no list of ids.", fix=f"Send 1 to {MAX_TASKS_AT_ONCE:,} ids.", code="tasks")
    try:
        return [UUID(one) for one in value]
    except (ValueError, TypeError, AttributeError):
        raise Invalid("tasks holds something that is no id.", fix="Send ids of tasks.", code="tasks") from None


def _decisions(value: Any) -> dict[str, Decision]:
    if not isinstance(value, dict):
        raise Invalid("decisions is no object.", fix='Send {key: {"take": "a"}}.', code="decisions")
    return {key: _decision(one) for key, one in value.items()}


def _decision(value: Any) -> Decision:
    take = value.get("take") if isinstance(value, dict) else None
    if take not in TAKES:
        raise Invalid(f"{take!r:.40} is no decision.", fix=f"Send {', '.join(TAKES)}.", code="decisions")
    if take != "edit":
        return Decision(take)
    chosen = value.get("class_value")
    if not isinstance(chosen, int | None) or isinstance(chosen, bool):
        raise Invalid("class_value is no number.", fix="Send a class of the schema.", code="class_value")
    drawn = check_geojson(value.get("geometry"))
    if drawn.geometry is None:
        raise Invalid(drawn.reason, fix=drawn.fix, code=drawn.code)
    return Decision("edit", to_geos(drawn.geometry), chosen)
