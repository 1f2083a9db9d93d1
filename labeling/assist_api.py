"""`/api/label-sets/<id>/assist` and `/segments`: outlines found in the imagery, where it is shown."""

import zlib
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from shapely.geometry import mapping, shape

from labeling import offsets, selectors
from labeling.models import LabelSet
from webapp.errors import Invalid
from webapp.features.parsing import json_object, parse_bbox, parse_number, real_number
from webapp.projects import access

TOOLS = ("wand", "box", "segments")


@api_view(["POST"])
def assist(request: Request, pk: UUID) -> Response:
    """Find an outline in the imagery: `{tool: "wand", lon, lat, tolerance}`, `{tool: "box", west, south, …}`, or of
    segments together: `{tool: "segments", level, picks: [[row, col, number], …]}`."""
    # The raster room is loaded by the first who asks, not by every process that only shows pages.
    from labeling import segments
    from labeling.assist import Place, object_in, wand

    found = _label_set(request, pk)
    body = json_object(request)
    tool = body.get("tool")
    if tool not in TOOLS:
        raise Invalid(f"{str(tool)[:40]!r} is no tool.", fix=f"Use {', '.join(TOOLS)}.", code="tool")
    shown = offsets.shift(found)
    if tool == "wand":
        tolerance = real_number(body.get("tolerance", 0.12), "tolerance", 0, 1)
        geometry = wand(found.imagery, Place(*(-shown).place(*_place(body, "lon", "lat")), tolerance))
    elif tool == "segments":
        geometry = segments.union(found.imagery, _whole(body, "level"), _picks(body.get("picks")))
    else:
        low, high = (_place(body, *names) for names in (("west", "south"), ("east", "north")))
        geometry = object_in(found.imagery, (*(-shown).place(*low), *(-shown).place(*high)))
    return Response({"geometry": mapping(shown.moved(shape(geometry)))})


def _place(body: dict[str, Any], lon: str, lat: str) -> tuple[float, float]:
    return real_number(body.get(lon), lon, -180, 180), real_number(body.get(lat), lat, -90, 90)


@api_view(["GET"])
def segment_blocks(request: Request, pk: UUID) -> Response:
    """Tell which blocks of segments meet a box: `?level=&bbox=west,south,east,north`, with their places."""
    from labeling import segments

    found = _label_set(request, pk)
    level = parse_number(request.query_params.get("level"), name="level", default=1, low=1, high=8)
    bounds = parse_bbox(request.query_params.get("bbox"))
    if bounds is None:
        raise Invalid("A box is missing.", fix="Send bbox=west,south,east,north.", code="bbox")
    shown = offsets.shift(found)
    west, south, east, north = bounds
    there = (*(-shown).place(west, south), *(-shown).place(east, north))
    told = [
        {"row": block.row, "col": block.col, "corners": [shown.place(*corner) for corner in block.corners]}
        for block in segments.blocks(found.imagery, level, there)
    ]
    return Response(
        {
            "version": found.imagery.version,
            "block_px": segments.BLOCK_PX,
            "size_m": segments.SEGMENT_PX * level * found.imagery.gsd_m,
            "blocks": told,
        }
    )


@api_view(["GET"])
def segment_labels(request: Request, pk: UUID, level: int, row: int, col: int) -> HttpResponse:
    """Return the segments of a block: deflated uint16, little endian, row by row; 0 has no data.

    With the imagery's version in its address (`?v=`) it stays as it is.
    """
    from labeling import segments

    found = _label_set(request, pk)
    body = zlib.compress(segments.labels(found.imagery, level, row, col).astype("<u2").tobytes(), 6)
    response = HttpResponse(body, content_type="application/octet-stream")
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _label_set(request: Request, pk: UUID) -> LabelSet:
    found = selectors.label_set(pk)
    access.authorise(request, found.project)
    return found


def _picks(value: object) -> list[tuple[int, int, int]]:
    rows = value if isinstance(value, list) else []
    for row in rows:
        if not isinstance(row, list) or len(row) != 3 or not all(type(one) is int and one >= 0 for one in row):
            raise Invalid("The segments cannot be read.", fix="Send [[row, col, number], …].", code="picks")
    return [(row, col, number) for row, col, number in rows]


def _whole(body: dict[str, Any], name: str) -> int:
    return int(real_number(body.get(name), name, 0, 2**31))
