"""The REST edge of tasks and proposals."""

from typing import Any, get_args
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from shapely.geometry import mapping

from labeling import blind_next, selectors, sheet_work, task_edits, task_leases, task_selectors, task_services
from labeling.models import LabelSet, Proposal, Task
from labeling.task_choice import Order, Place, Purpose
from labeling.task_grid import parse_grid
from labeling.task_selectors import TaskFilter
from webapp import points
from webapp.errors import Invalid, NotFound
from webapp.features.api import GEOJSON
from webapp.features.parsing import json_object, parse_number
from webapp.projects import access
from webapp.projects.models import Role, User

# A preview draws so many cells; the count is of all.
PREVIEW_CELLS = 2_000


@api_view(["GET", "POST", "DELETE"])
@access.keeps_role
def tasks(request: Request, pk: UUID) -> HttpResponse:
    """Return the tasks as GeoJSON (`?after=` only what changed since), cut a grid, or remove untouched tasks."""
    found, role = _label_set(request, pk)
    if request.method == "POST":
        made = task_services.create_grid(
            label_set=found, request=parse_grid(json_object(request)), user=access.caller(request)
        )
        return Response({"count": len(made)}, status=201)
    if request.method == "DELETE":
        return Response({"count": task_services.remove_untouched(label_set=found, user=access.caller(request))})
    listed = task_selectors.tasks(found, _filter(request, role), me=access.caller(request).pk)
    on_sheets = "true" if listed.on_sheets else "false"
    head = f'"type":"FeatureCollection","seq":{listed.seq},"count":{listed.count},"on_sheets":{on_sheets}'
    return HttpResponse(f'{{{head},"features":[{",".join(listed.tasks)}]}}', content_type=GEOJSON)


@api_view(["POST"])
def preview(request: Request, pk: UUID) -> Response:
    """Return how many tasks a grid would make, and its cells."""
    found, _ = _label_set(request, pk)
    cells = task_services.preview_grid(label_set=found, request=parse_grid(json_object(request)))
    shown = [{"type": "Feature", "properties": {}, "geometry": mapping(cell)} for cell in cells.cells[:PREVIEW_CELLS]]
    answer = {"count": len(cells.cells), "covered": cells.covered}
    return Response({**answer, "cells": {"type": "FeatureCollection", "features": shown}})


@api_view(["POST"])
@access.keeps_role
def next_task(request: Request, pk: UUID) -> Response:
    """Take the next task: `{order, purpose, lon, lat}`; `task` is null where none is left."""
    found, role = _label_set(request, pk)
    body, user = json_object(request), access.caller(request)
    task = blind_next.next_task(
        label_set=found,
        user=user,
        role=role,
        order=_choice(body, "order", get_args(Order)),
        place=_place(body),
        purpose=_choice(body, "purpose", get_args(Purpose)),
    )
    if task is None:
        return Response({"task": None, "label_set": None})
    # It may lie on the caller's sheet, or in the label set itself: the page goes there.
    where = {"id": str(task.label_set_id), "url": task.label_set.get_absolute_url()}
    return Response({"task": task_selectors.task_json(task, me=user.pk), "label_set": where})


@api_view(["GET"])
def progress(request: Request, pk: UUID) -> Response:
    """Return tasks by state, by day and by person."""
    return Response(task_selectors.progress(_label_set(request, pk)[0]))


@api_view(["POST"])
def edits(request: Request, pk: UUID) -> Response:
    """Apply a batch of edits that may name the lease on a task under which they were drawn."""
    found, _ = _label_set(request, pk)
    leased, user = task_edits.parse_leased(json_object(request)), access.caller(request)
    points.reach("edit.received")
    with transaction.atomic():
        access.hold_role(user, found.project, Role.LABELER)
        answers = task_edits.apply_leased(layer=found.layer, edits=leased, user=user)
    points.reach("edit.committed")
    return Response({"results": answers})


@api_view(["GET"])
def proposals(request: Request, pk: UUID) -> Response:
    """Return the open proposals, of one task with `?task=`."""
    found, _ = _label_set(request, pk)
    wanted = request.query_params.get("task")
    return Response({"results": task_selectors.proposals(found, task=_uuid(wanted) if wanted else None)})


@api_view(["GET", "PATCH"])
@access.keeps_role
def task(request: Request, pk: UUID) -> Response:
    """Show a task with its history, or set its priority, uncertainty or person (`assigned_to`: an id, or null)."""
    found, role = _task(request, pk)
    user = access.caller(request)
    if request.method == "PATCH":
        body = json_object(request)
        if "assigned_to" in body:
            task_services.assign(task=found, user=user, role=role, to=_person(body["assigned_to"]))
        priority, uncertainty = _number(body, "priority"), _number(body, "uncertainty")
        if priority is not None or uncertainty is not None:
            task_services.prioritise(
                task=found, user=user, priority=None if priority is None else int(priority), uncertainty=uncertainty
            )
    return Response(
        {**task_selectors.task_json(found, me=user.pk), "history": task_selectors.history(found)},
    )


@api_view(["POST"])
@access.keeps_role
def work(request: Request, pk: UUID) -> Response:
    """Do something as the task's holder: `{action, token, note}`."""
    found, role = _task(request, pk)
    body, user = json_object(request), access.caller(request)
    action = _choice(
        body, "action", ("claim", "review", "heartbeat", "acknowledge", "finish", "skip", "release", "split")
    )
    if action in ("claim", "review"):
        done = sheet_work.claim(task=found, user=user, role=role, purpose="label" if action == "claim" else "review")
    elif action == "split":
        parts = task_services.split(task=found, user=user, role=role, token=_token(body, needed=False))
        return Response({"parts": [task_selectors.task_json(part, me=user.pk) for part in parts]})
    else:
        done = _held(action, found, user, role, body)
    return Response(task_selectors.task_json(done, me=user.pk))


@api_view(["POST"])
@access.keeps_role
def review(request: Request, pk: UUID) -> Response:
    """Decide as a reviewer: `{action: approve|return|reopen|take_away, note}`."""
    found, role = _task(request, pk)
    body, user = json_object(request), access.caller(request)
    action = _choice(body, "action", ("approve", "return", "reopen", "take_away"))
    if action == "return":
        done = task_services.return_task(task=found, user=user, role=role, note=_text(body, "note"))
    else:
        service = {
            "approve": task_services.approve,
            "reopen": task_services.reopen,
            "take_away": task_services.take_away,
        }[action]
        done = service(task=found, user=user, role=role)
    return Response(task_selectors.task_json(done, me=user.pk))


@api_view(["POST"])
@access.keeps_role
def proposal(request: Request, pk: UUID) -> Response:
    """Accept or reject a proposal: `{action: accept|reject}`."""
    found = Proposal.objects.select_related("task__label_set__project").filter(pk=pk).first()
    if found is None:
        raise NotFound()
    role = access.authorise(request, found.task.label_set.project)
    accept = _choice(json_object(request), "action", ("accept", "reject")) == "accept"
    result = task_edits.decide(proposal=found, accept=accept, user=access.caller(request), role=role)
    return Response({"result": None if result is None else result.as_json()})


def _held(action: str, found: Task, user: User, role: Role, body: dict[str, Any]) -> Task:
    token = _token(body, needed=True)
    assert token is not None
    if action == "heartbeat":
        return task_leases.heartbeat(task=found, user=user, token=token)
    if action == "skip":
        return sheet_work.skip(task=found, user=user, role=role, token=token, note=_text(body, "note"))
    service = {
        "acknowledge": task_leases.acknowledge,
        "finish": sheet_work.finish,
        "release": sheet_work.release,
    }[action]
    return service(task=found, user=user, role=role, token=token)


def _label_set(request: Request, pk: UUID) -> tuple[LabelSet, Role]:
    found = selectors.label_set(pk)
    return found, access.authorise(request, found.project)


def _task(request: Request, pk: UUID) -> tuple[Task, Role]:
    found = task_selectors.task(pk)
    role = access.authorise(request, found.label_set.project)
    if found.on_sheets and role < Role.REVIEWER:
        # Which tasks are labelled blindly is not for those who may label them.
        raise NotFound()
    return found, role


def _filter(request: Request, role: Role) -> TaskFilter:
    query = request.query_params
    states = [state for state in query.get("state", "").split(",") if state]
    unknown = set(states) - set(task_selectors.STATES)
    if unknown:
        raise Invalid(
            f"{unknown.pop()!r:.40} is no state.", fix=f"Use {', '.join(task_selectors.STATES)}.", code="state"
        )
    person = query.get("person")
    return TaskFilter(
        after=parse_number(query.get("after"), name="after", default=0, low=0, high=2**62),
        states=states,
        person=parse_number(person, name="person", default=0, low=0, high=2**31 - 1) if person else None,
        blind=role >= Role.REVIEWER,
    )


def _choice(body: dict[str, Any], name: str, choices: tuple[Any, ...]) -> Any:
    """Return one of the choices; the first where an optional one is left out."""
    value = body.get(name, choices[0] if name != "action" else None)
    if value not in choices:
        raise Invalid(f"{name} is {value!r:.40}.", fix=f"Use {', '.join(choices)}.", code=name)
    return value


def _place(body: dict[str, Any]) -> Place | None:
    lon, lat = _number(body, "lon"), _number(body, "lat")
    if lon is None or lat is None:
        return None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Invalid(f"{lon}, {lat} is no place.", fix="Send degrees.", code="place")
    return Place(lon, lat)


def _number(body: dict[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1e12):
        raise Invalid(f"{name} is {value!r:.40}.", fix="Send a number.", code=name)
    return value


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or "\x00" in value or len(value) > 2_000:
        raise Invalid(f"{name} is no text of up to 2,000 characters.", fix="Send text.", code=name)
    return value


def _token(body: dict[str, Any], *, needed: bool) -> int | None:
    value = body.get("token")
    if value is None and not needed:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise Invalid("There is no token.", fix="Send the token of your lease.", code="token")
    return value


def _person(value: Any) -> User | None:
    if value is None:
        return None
    known = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
    found = User.objects.filter(pk=value, is_active=True).first() if known else None
    if found is None:
        raise Invalid("There is no such person.", fix="Send the id of a member, or null.", code="assigned_to")
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound() from None
