"""The REST edge of suggestions: results of models on their way into label sets."""

from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import omissions, selectors, suggestions
from webapp.errors import Invalid
from webapp.features import selectors as features
from webapp.features.parsing import json_object
from webapp.projects import access


@api_view(["GET", "POST"])
@access.keeps_role
def of_label_set(request: Request, pk: UUID) -> Response:
    """List the layers of models that lie here, or bring one in by a job: `{layer, score}`."""
    found = selectors.label_set(pk)
    access.authorise(request, found.project)
    if request.method == "GET":
        return Response({"layers": omissions.layers(found, suggestions.KINDS)})
    body = json_object(request)
    layer = suggestions.results(found, _uuid(body.get("layer")))
    job = suggestions.ask(label_set=found, layer=layer, score=_score(body.get("score", 0)), user=access.caller(request))
    return Response({"job": str(job.pk)}, status=202)


@api_view(["GET"])
def of_layer(request: Request, pk: UUID) -> Response:
    """List the label sets that a model's results can be brought into."""
    layer = features.layer_of(pk)
    access.authorise(request, layer.project)
    return Response({"label_sets": suggestions.label_sets_for(layer)})


def _score(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Invalid(f"score is {value!r:.40}.", fix="Send a number from 0 to 1.", code="score")
    return float(value)


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Invalid(f"layer is {value!r:.50}.", fix="Send a UUID.", code="layer") from None
