"""`/api/maps/<id>/notes/<note>` and `/api/maps/<id>/bookmarks`: one at a time, so that nobody's are lost."""

from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.maps import extra_services
from webapp.maps.parsing import answer, fields_of, opened
from webapp.projects import access


@api_view(["PUT", "DELETE"])
@access.keeps_role
def map_note(request: Request, pk: UUID, note: str) -> Response:
    """Add or change one note (PUT {geometry, text, colour}) under an id of the caller's, or remove it."""
    found, role = opened(request, pk)
    if request.method == "DELETE":
        extra_services.remove_note(map=found, key=note)
    else:
        extra_services.put_note(map=found, key=note, note=fields_of(request))
    return answer(request, found, role)


@api_view(["POST", "DELETE"])
@access.keeps_role
def map_bookmarks(request: Request, pk: UUID) -> Response:
    """Add one bookmark (POST {name, lon, lat, zoom}; 409 where the name is taken), or remove one (DELETE ?name=)."""
    found, role = opened(request, pk)
    if request.method == "DELETE":
        extra_services.remove_bookmark(map=found, name=request.query_params.get("name", ""))
    else:
        extra_services.add_bookmark(map=found, bookmark=fields_of(request))
    return answer(request, found, role)
