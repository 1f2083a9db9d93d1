"""The REST edge of omissions."""

import json
from typing import Any
from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import omission_services, omissions, selectors
from labeling.models import LabelSet
from labeling.omissions import Wanted
from webapp.errors import Invalid
from webapp.features.parsing import json_object
from webapp.projects import access

LARGEST = 2**31 - 1


@api_view(["GET", "POST"])
@access.keeps_role
def stream(request: Request, pk: UUID) -> Response:
    """List what a model sees and nobody has drawn, or decide on one: `{action: add|dismiss|bring_back, id, …}`.

    `?layer=&score=&cover=&class=&after=`; without a layer it lists those that can be looked through.
    """
    found = selectors.label_set(pk)
    access.authorise(request, found.project)
    if request.method == "POST":
        return _decide(request, found, json_object(request))
    query = request.query_params
    if not query.get("layer"):
        return Response({"layers": omissions.layers(found)})
    wanted = _wanted(found, query)
    page = omissions.page(found, wanted)
    return Response(
        {
            "count": page.count,
            "most": omissions.MAX_COUNT,
            "next": page.after,
            "features": [json.loads(text) for text in page.features],
            "classes": omissions.matching_classes(found, wanted.layer),
        }
    )


def _decide(request: Request, found: LabelSet, body: dict[str, Any]) -> Response:
    user, feature_id = access.caller(request), _uuid(body.get("id"), "id")
    action = body.get("action")
    if action == "bring_back":
        omission_services.bring_back(label_set=found, feature_id=feature_id)
        return Response({"sample": None})
    wanted = _wanted(found, body)
    if action == "dismiss":
        omission_services.dismiss(label_set=found, wanted=wanted, feature_id=feature_id, user=user)
        return Response({"sample": None})
    if action != "add":
        raise Invalid(f"{action!r:.40} is no decision.", fix="Send add, dismiss or bring_back.", code="action")
    made = omission_services.add(
        label_set=found,
        wanted=wanted,
        feature_id=feature_id,
        class_value=_integer(body.get("class_value"), "class_value"),
        op_id=_uuid(body.get("op_id"), "op_id"),
        user=user,
    )
    return Response({"sample": str(made)})


def _wanted(label_set: LabelSet, values: Any) -> Wanted:
    after = values.get("after")
    return Wanted(
        layer=omissions.detections(label_set, _uuid(values.get("layer"), "layer")),
        score=_share(values.get("score", 0.5), "score"),
        cover=_share(values.get("cover", 0.3), "cover"),
        class_value=_integer(values.get("class"), "class"),
        after=_cursor(after) if after else None,
    )


def _cursor(text: str) -> tuple[float, int]:
    score, _, fid = str(text).partition(",")
    if not fid.isdecimal() or len(fid) > 18:
        raise Invalid(f"after={text!r:.40} is no cursor.", fix="Send the `next` of the page before.", code="after")
    return _share(score, "after"), int(fid)


def _share(value: Any, name: str) -> float:
    try:
        found = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1.0
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise Invalid(f"{name} is {value!r:.40}.", fix="Send a number from 0 to 1.", code=name)
    return found


def _integer(value: Any, name: str) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) > LARGEST:
        raise Invalid(f"{name} is {value!r:.40}.", fix="Send a whole number.", code=name)
    return int(value)


def _uuid(value: Any, name: str) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise Invalid(f"{name} is {value!r:.50}.", fix="Send a UUID.", code=name) from None
