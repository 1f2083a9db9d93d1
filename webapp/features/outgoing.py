"""Layers on their way out: a job writes one file, which is kept for a day."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from webapp.disk import check_room
from webapp.errors import Conflict, Invalid, NotFound
from webapp.features.models import FeatureLayer
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.jobs.restarts import inputs_gone
from webapp.projects.models import User
from webapp.vectors.formats import FORMATS
from webapp.vectors.table import LONLAT, Grid

CRS = re.compile(r"EPSG:\d{4,6}")
# The CRS of the imagery, which need not have a code.
OF_IMAGERY = "imagery"
# Generous: text formats take some hundred bytes a feature, long outlines more.
ROOM_BYTES_A_FEATURE = 4_000
FOLDER = "exports"


def start(
    *, layer: FeatureLayer, body: dict[str, Any], grid: Grid | None, user: User, offset: dict[str, Any] | None = None
) -> Job:
    """Return the job that writes a layer into a file, as it is now.

    Args:
        layer: what to write.
        body: {format, crs: "EPSG:4326" | "EPSG:…" | "imagery", classes: [value or null] | null for all}.
        grid: of the imagery; None where there is none.
        user: who asks.
        offset: {east_m, north_m, note} of the imagery, for formats with a place for it; None: not moved.

    Raises:
        Invalid: an unknown format or CRS, or a format in pixels without imagery.
        StorageFull: the disk has no room for it.
        TooMany: the project has too many unfinished jobs.
    """
    form = FORMATS.get(str(body.get("format")))
    if form is None:
        raise Invalid(
            f"{str(body.get('format'))[:40]!r} is no format.", fix=f"Use one of {', '.join(FORMATS)}.", code="format"
        )
    if form.pixels and grid is None:
        raise Invalid(
            f"{form.label} counts in pixels of an image, and this layer stands on none.",
            fix="Choose a format with coordinates on Earth.",
            code="imagery_missing",
        )
    crs = body.get("crs") or LONLAT
    fits = isinstance(crs, str) and (CRS.fullmatch(crs) or (crs == OF_IMAGERY and grid is not None))
    if not fits or (crs != LONLAT and not form.any_crs):
        raise Invalid(
            f"{form.label} cannot be written in {str(crs)[:40]!r}.",
            fix="Use EPSG:4326." if not form.any_crs else "Send an EPSG code, as EPSG:32645.",
            code="crs_unsupported",
        )
    check_room(ROOM_BYTES_A_FEATURE * layer.feature_count)
    return jobs.enqueue(
        project=layer.project,
        kind="export_features",
        spec={
            "layer": str(layer.pk),
            "seq": layer.seq,
            "format": form.key,
            "crs": grid.crs if crs == OF_IMAGERY and grid else crs,
            "classes": _classes(body.get("classes")),
            "grid": grid.as_json() if grid else None,
            "offset": offset,
        },
        user=user,
        title=f"Export {layer.name} as {form.label}",
        lane=Job.Lane.LIGHT,
        priority=1,
    )


def run_again(old: Job, new: Job) -> None:
    """Make sure that a failed export can be run again.

    Raises:
        Conflict: the layer is gone.
    """
    if not FeatureLayer.objects.filter(pk=old.spec["layer"]).exists():
        raise inputs_gone("The layer", "Export another one.")


def file_of(layer: FeatureLayer, pk: UUID) -> Path:
    """Return the path of an exported file of a layer.

    Raises:
        NotFound: there is no such export, or it was kept long enough.
        Conflict: it is not written yet.
    """
    job = Job.objects.filter(pk=pk, kind="export_features", spec__layer=str(layer.pk)).first()
    if job is None:
        raise NotFound("export")
    if job.state != Job.State.SUCCEEDED or not job.result:
        raise Conflict("The export has not been written.", fix="Wait for its job, or export again.", code="not_ready")
    path = folder_of(job) / str(job.result["filename"])
    if not path.is_file():
        raise NotFound("export")
    return path


def folder_of(job: Job) -> Path:
    """Return where the file of an export lies."""
    return Path(settings.MEDIA_DIR) / FOLDER / str(job.pk)


def _classes(value: Any) -> list[int | None] | None:
    if value is None:
        return None
    fits = isinstance(value, list) and all(
        item is None or (isinstance(item, int) and not isinstance(item, bool)) for item in value
    )
    if not fits or not value or len(value) > 300:
        raise Invalid("The classes are no list of values.", fix="Send [1, 2, null], or null for all.", code="classes")
    return list(value)
