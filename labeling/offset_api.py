"""`/api/label-sets/<id>/offsets`: how far imagery is shown from where its file says."""

from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import offset_services, offsets, selectors
from labeling.offset_services import Wanted
from webapp.errors import Invalid, NotFound
from webapp.features.parsing import json_object
from webapp.imagery.models import ImageryLayer
from webapp.projects import access


@api_view(["GET", "PUT"])
@access.keeps_role
def offset_list(request: Request, pk: UUID) -> Response:
    """List the offsets of a label set, its own imagery's first, or keep one.

    PUT {imagery, east_m, north_m, note, version, samples: "move" | "stay"}: `version` is that of the offset that was
    seen (409 where another is there now); `samples` says whether they go with the imagery.
    """
    found = selectors.label_set(pk)
    access.authorise(request, found.project)
    moved = None
    if request.method == "PUT":
        body = json_object(request)
        wanted = _wanted(body)
        imagery = ImageryLayer.objects.filter(pk=_uuid(body.get("imagery"))).first()
        if imagery is None:
            raise NotFound("imagery layer")
        moved = offset_services.put(label_set=found, imagery=imagery, wanted=wanted, user=access.caller(request))
    return Response({"results": offsets.rows(found), **({} if moved is None else {"moved": moved})})


def _wanted(body: dict[str, object]) -> Wanted:
    east, north, version = body.get("east_m"), body.get("north_m"), body.get("version")
    note, samples = body.get("note", ""), body.get("samples", "stay")
    numbers = all(isinstance(part, int | float) and not isinstance(part, bool) for part in (east, north))
    if not numbers or not isinstance(version, int) or not isinstance(note, str) or samples not in ("move", "stay"):
        raise Invalid(
            "The offset cannot be read.",
            fix='Send {"imagery", "east_m": 1.2, "north_m": 0, "note", "version": 0, "samples": "move" or "stay"}.',
            code="offset",
        )
    return Wanted(float(str(east)), float(str(north)), note, version, samples == "move")


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFound("imagery layer") from None
