"""Writes of imagery layers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from webapp import doorbell
from webapp.errors import Invalid
from webapp.imagery import mosaics, storage
from webapp.imagery.models import ImageryLayer, Mosaic
from webapp.jobs.models import Job
from webapp.jobs.selectors import at_work
from webapp.projects import deletion
from webapp.projects.deletion import Consequences
from webapp.projects.models import Project, User
from webapp.raster.position import Position

# From the oldest photograph on.
FIRST_YEAR, LAST_YEAR = 1800, 2200
EDITABLE = {"name", "description", "attribution", "acquired_at", "position_note"}


@dataclass(frozen=True, slots=True)
class Description:
    """What people say about a layer."""

    name: str
    attribution: str = ""
    description: str = ""
    acquired_at: datetime | None = None


def register(
    *,
    project: Project,
    user: User | None,
    description: Description,
    analysis_path: str,
    display_path: str,
    facts: Mapping[str, Any],
    position: Position,
    sha256: str,
    size_bytes: int,
    job: Job | None = None,
    remote: Mapping[str, Any] | None = None,
) -> ImageryLayer:
    """Return the new layer of a rewritten scene.

    Args:
        project: where it belongs.
        user: who brought it.
        description: name and attribution.
        analysis_path: in MEDIA_DIR.
        display_path: in MEDIA_DIR.
        facts: the answer of the sandbox's `rewrite`.
        position: what was given beside the file.
        sha256: of the file that came in.
        size_bytes: of that file.
        job: the job that rewrote it; the caller holds its guard.
        remote: what is shown of its source, of a file that stays on another server.
    """
    notes = [note for note in (position.note, *facts["notes"]) if note]
    layer = ImageryLayer.objects.create(
        project=project,
        created_by=user,
        job=job,
        name=description.name,
        attribution=description.attribution,
        description=description.description,
        acquired_at=description.acquired_at,
        analysis_path=analysis_path,
        display_path=display_path,
        sha256=sha256,
        size_bytes=size_bytes,
        remote=dict(remote or {}),
        position_assumed=position.assumed,
        position_note=" ".join(notes)[:500],
        footprint=multipolygon(facts["footprint"]),
        **{
            key: facts[key]
            for key in ("crs_wkt", "epsg", "height", "width", "transform", "gsd_m", "dtype", "nodata", "bands")
        },
        rendering=facts["rendering"],
        min_zoom=facts["min_zoom"],
        max_zoom=facts["max_zoom"],
    )
    doorbell.ring(f"imagery:{layer.pk}", layer.version)
    return layer


def change(*, layer: ImageryLayer, values: Mapping[str, Any]) -> ImageryLayer:
    """Return the layer with other words about it: name, description, attribution, date, note on its position.

    Raises:
        Invalid: a field that cannot be changed, or a value that does not fit.
    """
    unknown = set(values) - EDITABLE
    if unknown:
        raise Invalid(
            f"These cannot be changed: {', '.join(sorted(unknown))}.", fix=f"Change {', '.join(sorted(EDITABLE))}."
        )
    fresh = {key: acquired(value) if key == "acquired_at" else text(value, key) for key, value in values.items()}
    if fresh.get("name") == "":
        raise Invalid("A layer needs a name.", fix="Give one.")
    for key, value in fresh.items():
        setattr(layer, key, value)
    with transaction.atomic():
        layer.save(update_fields=[*fresh, "updated_at"])
        if "acquired_at" in fresh:
            mosaics.refresh_those_of(layer, only=Mosaic.Rule.NEWEST)
        doorbell.ring(f"imagery:{layer.pk}", layer.version)
    return layer


def consequences(layer: ImageryLayer) -> Consequences:
    """Return what deleting a layer would remove, and what stands in its way."""
    uses = deletion.users_of(layer)
    mosaic = layer.kind == ImageryLayer.Kind.MOSAIC
    if layer.state == ImageryLayer.State.BUILDING:
        uses += at_work(Q(pk=layer.job_id))
    return Consequences(
        goes=[
            "Its overview and its tiles; the scenes stay" if mosaic else "Its pixels and its tiles",
            *deletion.taken_along(layer, apart_from=("Mosaic", "MosaicScene")),
        ],
        uses=uses,
    )


def delete(*, layer: ImageryLayer, user: User | None = None) -> None:
    """Remove a layer, and its files where no other layer has the same.

    Raises:
        Conflict: label sets, training data or inferences stand on it, or it is still being written.
    """
    with transaction.atomic():
        locked = ImageryLayer.objects.select_for_update(of=("self",)).select_related("project").get(pk=layer.pk)
        deletion.refuse(locked.name, consequences(locked).uses)
        overviews = Mosaic.objects.filter(layer=locked).values_list("overview_path", flat=True)
        files = (locked.analysis_path, locked.display_path, *overviews)
        deletion.audit(project=locked.project, user=user, kind="imagery", name=locked.name)
        transaction.on_commit(lambda: storage.drop_unnamed(*files))
        doorbell.ring(f"imagery:{locked.pk}", -1)
        locked.delete()


def create_class_raster(
    *,
    project: Project,
    user: User | None,
    name: str,
    like: ImageryLayer,
    classes: Sequence[Mapping[str, Any]],
    job: Job | None,
    blocks_path: str,
) -> ImageryLayer:
    """Return a class raster on the grid of `like`, building: its tiles come from the block folder until it is done.

    Args:
        project: where it belongs.
        user: who started it.
        name: of the layer.
        like: the imagery that is classified.
        classes: `[{value, name, colour}]`, values 1 to 254, colours "#rrggbb".
        job: the job that writes it; the caller holds its guard.
        blocks_path: relative to SCRATCH_DIR.
    """
    layer = ImageryLayer.objects.create(
        project=project,
        created_by=user,
        job=job,
        name=name[:200],
        kind=ImageryLayer.Kind.CLASS_RASTER,
        state=ImageryLayer.State.BUILDING,
        attribution=like.attribution,
        blocks_path=blocks_path,
        crs_wkt=like.crs_wkt,
        epsg=like.epsg,
        height=like.height,
        width=like.width,
        transform=like.transform,
        gsd_m=like.gsd_m,
        dtype="uint8",
        bands=[{"name": "class"}],
        classes=[dict(item) for item in classes],
        footprint=like.footprint,
        position_assumed=like.position_assumed,
        position_note=like.position_note,
        min_zoom=like.min_zoom,
        max_zoom=like.max_zoom,
        acquired_at=like.acquired_at,
    )
    doorbell.ring(f"imagery:{layer.pk}", layer.version)
    return layer


@dataclass(frozen=True, slots=True)
class ClassFiles:
    """The finished files of a class raster, in MEDIA_DIR, and what its one band holds."""

    analysis_path: str
    display_path: str
    sha256: str
    size_bytes: int
    max_zoom: int
    bands: list[dict[str, Any]]


def keep_class_raster(path: Path) -> ClassFiles:
    """Return the stored files of a finished class raster: `path` moves, and its display file is written.

    This takes a while: call it outside the job's guard, and `finish_class_raster` with its answer inside.
    """
    from webapp.raster.display import write_display_cog
    from webapp.raster.statistics import measure

    # Counted exactly, value by value: the legend tells the area of each class from it.
    bands = [{"name": "class", **found.as_json()} for found in measure(path)] or [{"name": "class"}]
    size_bytes, sha256 = path.stat().st_size, storage.sha256_of(path)
    display = path.with_name(f"{path.stem}-display.tif")
    place = write_display_cog(path, display, None, progress=lambda fraction, message: None)
    return ClassFiles(storage.keep(path), storage.keep(display), sha256, size_bytes, place.zoom, bands)


def finish_class_raster(*, layer: ImageryLayer, path: Path | ClassFiles) -> ImageryLayer:
    """Return the layer, ready, on its finished files; the caller holds the job's guard.

    Args:
        layer: building.
        path: what `keep_class_raster` gave; or the finished raster itself, which is then stored here and now.
    """
    files = keep_class_raster(path) if isinstance(path, Path) else path
    ImageryLayer.objects.filter(pk=layer.pk).update(
        state=ImageryLayer.State.READY,
        analysis_path=files.analysis_path,
        display_path=files.display_path,
        sha256=files.sha256,
        size_bytes=files.size_bytes,
        max_zoom=files.max_zoom,
        bands=files.bands,
        blocks_path="",
        updated_at=timezone.now(),
    )
    bump(layer)
    layer.refresh_from_db()
    return layer


def bump(layer: ImageryLayer) -> int:
    """Return the layer's next version: its pixels changed, and every map that shows it draws them again.

    Mosaics that hold it are made anew.
    """
    with transaction.atomic():
        ImageryLayer.objects.filter(pk=layer.pk).update(version=F("version") + 1)
        layer.refresh_from_db(fields=["version"])
        mosaics.refresh_those_of(layer)
        doorbell.ring(f"imagery:{layer.pk}", layer.version)
    return layer.version


def sandbox_limits() -> tuple[Any, Any]:
    """Return the limits of a probe and of a rewrite."""
    from webapp.raster.sandbox import Limits

    return (
        Limits(settings.PROBE_MEMORY_BYTES, settings.PROBE_TIMEOUT_S, file_bytes=1024**2),
        Limits(settings.INGEST_MEMORY_BYTES, settings.INGEST_TIMEOUT_S),
    )


def text(value: Any, key: str) -> str:
    """Return text for people: no control characters, no more than fits.

    Raises:
        Invalid: it is no text.
    """
    if not isinstance(value, str):
        raise Invalid(f"'{key}' is {type(value).__name__}, not text.", fix="Send text.")
    longest = {"name": 200, "filename": 200, "attribution": 500, "position_note": 500}.get(key, 5000)
    kept = "".join(character for character in value if character.isprintable() or character == "\n")
    # U+202A to U+202E and U+2066 to U+2069 turn the reading order of what follows.
    turned = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    return "".join(character for character in kept if ord(character) not in turned).strip()[:longest]


def acquired(value: Any) -> datetime | None:
    """Return when the imagery was taken, from ISO 8601; UTC where it names no zone.

    Raises:
        Invalid: it is no date.
    """
    if value in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(str(value))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())
        # In UTC, as it is stored: a year that Python cannot hold would break every list that shows the layer.
        fits = FIRST_YEAR <= aware.astimezone(UTC).year <= LAST_YEAR
    except (ValueError, OverflowError) as error:
        raise Invalid(f"'{str(value)[:40]}' is no date.", fix="Write it as 2024-05-31.") from error
    if not fits:
        raise Invalid(
            f"No imagery was taken in the year {aware.year}.", fix=f"Give a date from {FIRST_YEAR} to {LAST_YEAR}."
        )
    return aware


def multipolygon(geojson: Mapping[str, Any]) -> MultiPolygon:
    """Return a polygon or multipolygon in degrees as it is stored."""
    geometry = GEOSGeometry(json.dumps(geojson), srid=4326)
    if isinstance(geometry, MultiPolygon):
        return geometry
    return MultiPolygon(cast(Polygon, geometry), srid=4326)
