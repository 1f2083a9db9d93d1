"""The REST edge of the samples manager."""

import math
from typing import Any
from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import sample_fixes, samples, selectors
from labeling.models import LabelSet
from webapp.errors import Invalid
from webapp.features import reclassing
from webapp.features.files_api import object_of, user_of
from webapp.features.schema import parse_classes
from webapp.projects import access

MOST_VALUES = 200


@api_view(["GET"])
def overview(request: Request, pk: UUID) -> Response:
    """Return the table of classes with samples, area, pixels and share, and advice."""
    return Response(samples.overview(_label_set(request, pk)))


@api_view(["GET", "POST"])
@access.keeps_role
def problems(request: Request, pk: UUID) -> Response:
    """List samples that something is wrong with, or mend some: {kind, action, samples: [{id, version}]}."""
    found = _label_set(request, pk)
    if request.method == "GET":
        return Response({"problems": samples.problems(found)})
    body = object_of(request)
    class_value = body.get("class_value")
    if class_value is not None and (not isinstance(class_value, int) or isinstance(class_value, bool)):
        raise Invalid("The class is no number.", fix="Send its value.", code="class_unknown")
    told = sample_fixes.fix(
        label_set=found,
        kind=str(body.get("kind")),
        action=str(body.get("action")),
        chosen=_chosen(body.get("samples")),
        class_value=class_value,
        user=user_of(request),
    )
    return Response(told)


@api_view(["POST"])
@access.keeps_role
def merge(request: Request, pk: UUID) -> Response:
    """Put all samples of a class into another and retire it: {source, target}."""
    found = _label_set(request, pk)
    body = object_of(request)
    moved = reclassing.merge(
        layer=found.layer, source=_value(body, "source"), target=_value(body, "target"), user=user_of(request)
    )
    return Response({"moved": moved})


@api_view(["POST"])
@access.keeps_role
def split(request: Request, pk: UUID) -> Response:
    """Make a new class of a part of another: {source, class: {value, name, colour}, field, values | smaller_m2}."""
    found = _label_set(request, pk)
    body = object_of(request)
    (new,) = parse_classes([body.get("class")])
    part = _part(body)
    moved = reclassing.split(
        layer=found.layer, source=_value(body, "source"), new=new, part=part, user=user_of(request)
    )
    return Response({"moved": moved})


@api_view(["GET"])
def parts(request: Request, pk: UUID) -> Response:
    """Return by which fields and values the samples of a class could be split: ?class_value=."""
    found = _label_set(request, pk)
    text = request.query_params.get("class_value", "")
    if not text.isdigit() or len(text) > 3:
        raise Invalid("The class is no number.", fix="Send its value.", code="class_unknown")
    return Response({"fields": samples.fields_of(found, int(text))})


def _label_set(request: Request, pk: UUID) -> LabelSet:
    found = selectors.label_set(pk)
    access.authorise(request, found.project)
    return found


def _value(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid(f"{name} is no class value.", fix="Send a number.", code="class_unknown")
    return value


def _part(body: dict[str, Any]) -> reclassing.Part:
    field, texts, smaller = body.get("field", ""), body.get("values", []), body.get("smaller_m2", 0)
    numeric = isinstance(smaller, int | float) and not isinstance(smaller, bool) and math.isfinite(smaller)
    listed = isinstance(texts, list) and len(texts) <= MOST_VALUES and all(isinstance(item, str) for item in texts)
    if not isinstance(field, str) or not listed or not numeric:
        raise Invalid("The part is not understood.", fix="Send field and values, or smaller_m2.", code="condition")
    return reclassing.Part(field, tuple(texts), float(smaller))


def _chosen(value: Any) -> list[sample_fixes.Chosen]:
    fix = 'Send {"samples": [{"id": …, "version": …}]}.'
    if not isinstance(value, list) or not value:
        raise Invalid("No samples are named.", fix=fix, code="samples")
    try:
        return [sample_fixes.Chosen(UUID(item["id"]), int(item["version"])) for item in value]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid("A sample is not understood.", fix=fix, code="samples") from error
