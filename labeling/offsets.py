"""Imagery that lies beside its place, as a label set sees it.

What is drawn over moved imagery has true coordinates: samples are stored as drawn, and nothing on Earth moves with them
any more. Whatever brings samples and pixels together moves one to the other through this module: drawing aids, chips of
training data, files that count in pixels, the edge of the imagery in checks and in the task grid.
"""

import copy
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db.models import QuerySet

from labeling.models import ImageryOffset, LabelSet
from webapp.features.geometry import to_shape
from webapp.imagery.models import ImageryLayer
from webapp.raster.shift import Shift, per_metre, shift_of


def shift(found: LabelSet) -> Shift:
    """Return how far the set's own imagery is shown from where its file says."""
    row = _kept(found).filter(imagery=found.imagery_id).first()
    return Shift() if row is None else shift_of(latitude(found.imagery), row.east_m, row.north_m)


def frozen(found: LabelSet) -> dict[str, Any] | None:
    """Return the offset as training data keeps it, `{east_m, north_m, note, x, y}`; None where nothing moves.

    `x` and `y` are Web Mercator metres: what labels are moved back by before chips are cut.
    """
    row = _kept(found).filter(imagery=found.imagery_id).first()
    if row is None or not (row.east_m or row.north_m):
        return None
    moved = shift_of(latitude(found.imagery), row.east_m, row.north_m)
    return {"east_m": row.east_m, "north_m": row.north_m, "note": row.note, "x": moved.x, "y": moved.y}


def shown(found: LabelSet) -> ImageryLayer:
    """Return the set's imagery where it is shown: a copy, never to be saved, with another transform and footprint."""
    imagery, moved = found.imagery, shift(found)
    if not moved:
        return imagery
    there = copy.copy(imagery)
    crs = imagery.crs_wkt or f"EPSG:{imagery.epsg}"
    there.transform = list(moved.georeference(tuple(imagery.transform), crs, _centre(imagery)))
    if imagery.footprint is not None:
        outline = moved.moved(to_shape(imagery.footprint))
        there.footprint = MultiPolygon(
            [GEOSGeometry(memoryview(part.wkb), srid=4326) for part in shapely.get_parts(outline)], srid=4326
        )
    return there


def latitude(imagery: ImageryLayer) -> float:
    """Return the latitude at which metres of an offset are measured: the middle of the imagery."""
    return _centre(imagery)[1]


def rows(found: LabelSet) -> list[dict[str, Any]]:
    """Return the offsets of a set as JSON, that of its own imagery first (also where none was ever set).

    A sheet has those of the label set that it belongs to.
    """
    found = found.sheet_of or found
    kept = {row.imagery_id: row for row in _kept(found).select_related("imagery", "set_by").order_by("pk")}
    own = kept.pop(found.imagery_id, None)
    return [as_json(found.imagery, own), *(as_json(row.imagery, row) for row in kept.values())]


def as_json(imagery: ImageryLayer, row: ImageryOffset | None) -> dict[str, Any]:
    """Return one offset; `per_metre` is what a metre to the east and to the north are in Web Mercator there."""
    person = row.set_by if row else None
    return {
        "imagery": str(imagery.pk),
        "east_m": row.east_m if row else 0.0,
        "north_m": row.north_m if row else 0.0,
        "note": row.note if row else "",
        "version": row.version if row else 0,
        "set_by": person.get_full_name() or person.get_username() if person else None,
        "set_at": row.set_at.isoformat() if row else None,
        "per_metre": list(per_metre(latitude(imagery))),
    }


def _kept(found: LabelSet) -> QuerySet[ImageryOffset]:
    """Return the offsets of a label set; on a sheet people see the imagery as the set itself shows it."""
    return ImageryOffset.objects.filter(label_set=found.sheet_of_id or found.pk)


def _centre(imagery: ImageryLayer) -> tuple[float, float]:
    if imagery.footprint is None:
        return 0.0, 0.0
    west, south, east, north = imagery.footprint.extent
    return (west + east) / 2, (south + north) / 2
