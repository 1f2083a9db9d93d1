"""`/api/label-sets/<id>/assist`: outlines found in the imagery, where it is shown."""

from typing import Any
from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from shapely.geometry import mapping, shape

from labeling import offsets, selectors
from webapp.errors import Invalid
from webapp.features.parsing import json_object, real_number
from webapp.projects import access

TOOLS = ("wand", "box")


@api_view(["POST"])
def assist(request: Request, pk: UUID) -> Response:
    """Find an outline in the imagery: `{tool: "wand", lon, lat, tolerance}`, or `{tool: "box", west, south, …}`."""
    # The raster room is loaded by the first who asks, not by every process that only shows pages.
    from labeling.assist import Place, object_in, wand

    found = selectors.label_set(pk)
    access.authorise(request, found.project)
    body = json_object(request)
    tool = body.get("tool")
    if tool not in TOOLS:
        raise Invalid(f"{str(tool)[:40]!r} is no tool.", fix=f"Use {', '.join(TOOLS)}.", code="tool")
    shown = offsets.shift(found)
    if tool == "wand":
        tolerance = real_number(body.get("tolerance", 0.12), "tolerance", 0, 1)
        geometry = wand(found.imagery, Place(*(-shown).place(*_place(body, "lon", "lat")), tolerance))
    else:
        low, high = (_place(body, *names) for names in (("west", "south"), ("east", "north")))
        geometry = object_in(found.imagery, (*(-shown).place(*low), *(-shown).place(*high)))
    return Response({"geometry": mapping(shown.moved(shape(geometry)))})


def _place(body: dict[str, Any], lon: str, lat: str) -> tuple[float, float]:
    return real_number(body.get(lon), lon, -180, 180), real_number(body.get(lat), lat, -90, 90)
