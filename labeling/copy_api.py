"""`/api/label-sets/<id>/copies`: samples copied into the label set of imagery of another date."""

from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import copies as service
from labeling import selectors
from webapp.errors import Invalid, NotFound
from webapp.features.parsing import json_object, parse_bbox
from webapp.features.selectors import Bbox
from webapp.imagery.models import ImageryLayer
from webapp.projects import access


@api_view(["POST"])
@access.keeps_role
def copies(request: Request, pk: UUID) -> Response:
    """Copy samples into the label set over imagery of another date, which is made where there is none.

    POST {imagery, ids: [uuid, …]} or {imagery, bbox: [west, south, east, north]}, at most 5,000 samples. The answer
    names the other label set and says how many were copied, how many were there already, how many somebody had
    deleted there, and which were refused: {label_set, name, url, copied, already, deleted, refused: [{code, message,
    fix, count}]}. Sent again, it copies nothing twice.
    """
    found = selectors.label_set(pk)
    access.authorise(request, found.project)
    body = json_object(request)
    ids, box = _ids(body.get("ids", [])), _box(body.get("bbox"))
    if bool(ids) == (box is not None):
        raise Invalid("Which samples is not said.", fix='Send {"imagery", "ids": [uuid, …]} or "bbox".', code="ids")
    # A sheet lies in its person's corner, its imagery in the project itself.
    project = found.project.corner_of or found.project
    imagery = ImageryLayer.objects.filter(pk=_imagery(body.get("imagery")), project=project).first()
    if imagery is None:
        raise NotFound("imagery layer")
    done = service.copy(label_set=found, imagery=imagery, user=access.caller(request), ids=ids, box=box)
    return Response(done.as_json())


def _ids(value: object) -> list[UUID]:
    try:
        return [UUID(item) for item in value] if isinstance(value, list) else [UUID(str(value))]
    except (ValueError, TypeError, AttributeError):
        raise Invalid("The ids are no list of UUIDs.", fix="Send those of samples.", code="ids") from None


def _box(value: object) -> Bbox | None:
    if value is None:
        return None
    return parse_bbox(",".join(str(part) for part in value) if isinstance(value, list) else "none")


def _imagery(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFound("imagery layer") from None
