"""Files of a label set: as of its layer, and with the pixels of its imagery, which COCO, YOLO and VOC count in."""

from typing import Any
from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from labeling import offsets, selectors
from labeling.models import LabelSet
from webapp.features import files_api
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import date_of
from webapp.projects import access
from webapp.vectors.table import Grid


def grid_of(imagery: ImageryLayer) -> Grid:
    """Return the pixels that samples over this imagery are counted in; give it as `offsets.shown` does."""
    crs = imagery.crs_wkt or f"EPSG:{imagery.epsg}"
    return Grid(imagery.name, imagery.height, imagery.width, tuple(imagery.transform), crs, date_of(imagery) or "")


@api_view(["POST"])
def imports(request: Request, pk: UUID) -> Response:
    """Take a file of samples and look into it."""
    found = _label_set(request, pk)
    return files_api.look(request, found.layer, grid_of(offsets.shown(found)))


@api_view(["POST"])
@access.keeps_role
def exports(request: Request, pk: UUID) -> Response:
    """Write the samples into a file."""
    found = _label_set(request, pk)
    return files_api.write(request, found.layer, grid_of(offsets.shown(found)), offset=_offset(found))


def _offset(found: LabelSet) -> dict[str, Any] | None:
    """Return the offset as a file tells it; None where the imagery is shown where its file says."""
    offset = offsets.frozen(found)
    return {key: offset[key] for key in ("east_m", "north_m", "note")} if offset else None


def _label_set(request: Request, pk: UUID) -> LabelSet:
    found = selectors.label_set(pk)
    access.authorise(request, found.project)
    return found
