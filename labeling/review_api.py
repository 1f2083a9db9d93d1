"""The REST edge of review: the stream of samples, acceptance by score, figures, comments."""

from typing import Any, get_args
from uuid import UUID

from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import comment_selectors, comment_services, review_selectors, review_services, selectors, suggestions
from labeling.comment_services import NewComment
from labeling.models import Comment, LabelSet
from labeling.review_selectors import Order, Wanted, What
from webapp.errors import Invalid
from webapp.features.models import FeatureLayer
from webapp.features.parsing import json_object, real_number
from webapp.projects import access
from webapp.projects.models import Role


@api_view(["GET"])
def stream(request: Request, pk: UUID) -> HttpResponse:
    """Return the next samples to decide on: `?what=suggested|drawn|unseen&order=high|low|place&class=&person=&after=`.

    `unseen` is of those drawn what a model does not see: `&results=` names the layer of what it found.
    """
    found, _ = _label_set(request, pk)
    query = request.query_params
    what: What = _choice(query.get("what", "suggested"), "what", get_args(What))
    wanted = Wanted(
        what=what,
        results=_results(found, query.get("results")) if what == "unseen" else None,
        order=_choice(query.get("order", "high"), "order", get_args(Order)),
        class_value=_integer(query.get("class"), "class"),
        person=_integer(query.get("person"), "person"),
        after=_cursor(query.get("after")),
    )
    told = review_selectors.stream(found, wanted, me=access.caller(request).pk)
    cursor = "null" if told.cursor is None else f'"{told.cursor}"'
    body = f'{{"count":{told.count},"next":{cursor},"features":[{",".join(told.features)}]}}'
    return HttpResponse(body, content_type="application/json")


@api_view(["GET", "POST"])
@access.keeps_role
def accept(request: Request, pk: UUID) -> Response:
    """Say how many suggestions have at least a score (`?score=&class=`), or accept them: `{score, class}`."""
    found, _ = _label_set(request, pk)
    if request.method == "GET":
        query = request.query_params
        score, class_value = _score(query.get("score")), _integer(query.get("class"), "class")
        return Response({"count": review_selectors.suggested_above(found, score, class_value)})
    body = json_object(request)
    count = review_services.accept_above(
        label_set=found,
        score=_score(body.get("score")),
        class_value=_integer(body.get("class"), "class"),
        user=access.caller(request),
    )
    return Response({"count": count})


@api_view(["GET"])
def figures(request: Request, pk: UUID) -> Response:
    """Return accepted, fixed and rejected samples by who made them and by class."""
    return Response({"results": review_selectors.figures(_label_set(request, pk)[0])})


@api_view(["GET", "POST"])
@access.keeps_role
def comments(request: Request, pk: UUID) -> Response:
    """List open comments (`?resolved=1` settled ones), or add one: `{id, text, lon, lat, feature, parent}`."""
    found, role = _label_set(request, pk)
    user = access.caller(request)
    if request.method == "POST":
        comment = comment_services.add(label_set=found, new=_new(json_object(request)), user=user)
        return Response(comment_selectors.as_json(comment, user.pk), status=201)
    resolved = request.query_params.get("resolved") == "1"
    return Response({"results": comment_selectors.threads(found, me=user.pk, role=role, resolved=resolved)})


@api_view(["PATCH", "DELETE"])
@access.keeps_role
def comment(request: Request, pk: UUID) -> Response:
    """Settle a comment or open it again (`{resolved}`), note that one has read it (`{read: true}`), or delete it."""
    found: Comment = comment_selectors.comment(pk)
    role = access.authorise(request, found.label_set.project)
    user = access.caller(request)
    if request.method == "DELETE":
        comment_services.delete(comment=found, user=user, role=role)
        return Response(status=204)
    body = json_object(request)
    if body.get("read") is True:
        comment_services.acknowledge(comment=found, user=user)
    if isinstance(body.get("resolved"), bool):
        comment_services.resolve(comment=found, resolved=body["resolved"], user=user)
    return Response(comment_selectors.as_json(found, user.pk))


def _results(found: LabelSet, text: str | None) -> FeatureLayer:
    try:
        return suggestions.results(found, UUID(text or ""))
    except ValueError:
        raise Invalid(f"results is {text!r:.50}.", fix="Send the UUID of a model's layer.", code="results") from None


def _label_set(request: Request, pk: UUID) -> tuple[LabelSet, Role]:
    found = selectors.label_set(pk)
    return found, access.authorise(request, found.project)


def _choice(value: str, name: str, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        raise Invalid(f"{name} is {value!r:.40}.", fix=f"Use {', '.join(choices)}.", code=name)
    return value


def _integer(value: Any, name: str) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) >= 2**31:
        raise Invalid(f"{name} is {value!r:.40}.", fix="Send a whole number.", code=name)
    return int(value)


def _score(value: Any) -> float:
    return real_number(value, "score", 0, 1)


def _cursor(text: str | None) -> tuple[float, int] | None:
    if not text:
        return None
    rank, _, fid = text.partition(",")
    if not fid.isdecimal():
        raise Invalid(f"after={text!r:.40} is no cursor.", fix="Send the `next` of the page before.", code="after")
    return real_number(rank, "after", -2, 2), int(fid[:18])


def _new(body: dict[str, Any]) -> NewComment:
    text = body.get("text")
    if not isinstance(text, str):
        raise Invalid("The comment has no text.", fix="Send text.", code="text")
    answers = body.get("parent") is not None
    place = (
        None
        if answers
        else (real_number(body.get("lon"), "lon", -180, 180), real_number(body.get("lat"), "lat", -90, 90))
    )
    pk = _uuid(body.get("id"), "id")
    if pk is None:
        raise Invalid("The comment has no id.", fix="Make a UUID: sent twice it is stored once.", code="id")
    return NewComment(pk, text, place, _uuid(body.get("feature"), "feature"), _uuid(body.get("parent"), "parent"))


def _uuid(value: Any, name: str) -> UUID | None:
    if value is None:
        return None
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise Invalid(f"{name} is {value!r:.50}.", fix="Send a UUID.", code=name) from None
