"""Files on their way into a layer: taken into quarantine, looked at by a job, then imported by another.

The web process never reads a byte of them.
"""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpRequest

from webapp.disk import check_room, take_body
from webapp.errors import Conflict, Invalid, NotFound, TooLarge
from webapp.features.importing import MAX_BYTES, NEW_CLASS, NO_CLASS, SKIP, Options, refuse_corner
from webapp.features.models import FeatureClass, FeatureLayer
from webapp.features.schema import MAX_NAME, MAX_PROPERTIES, storable
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.projects.models import User
from webapp.vectors.table import Grid

# The file, what it is unpacked to, and the rows made of it.
ROOM_FACTOR = 4
MAX_FILENAME = 200
MAX_MAPPED = 2_000
CRS = re.compile(r"(EPSG:\d{4,6}|imagery)?")


def receive(*, layer: FeatureLayer, stream: HttpRequest, filename: str, grid: Grid | None, user: User) -> Job:
    """Return the job that looks into an uploaded file; its result is what `webapp.vectors.preview.look` tells.

    Args:
        layer: where it is to be imported.
        stream: the request, whose body is the file.
        filename: for people.
        grid: of the imagery, for labels in pixels.
        user: who imports.

    Raises:
        Conflict: the layer lies in somebody's own corner of a project.
        Invalid: the body is empty or broke off.
        TooLarge: over 1 GiB.
        StorageFull: the disk has no room for it.
        TooMany: the project has too many unfinished jobs.
    """
    refuse_corner(layer)
    length = int(stream.META.get("CONTENT_LENGTH") or 0)
    if length == 0:
        raise Invalid("The file is empty.", fix="Choose another file.", code="empty")
    if length > MAX_BYTES:
        raise TooLarge("The file is over 1 GiB.", fix="Split it.", details={"limit": MAX_BYTES})
    check_room(ROOM_FACTOR * length)
    path = Path(settings.QUARANTINE_DIR) / f"import-{uuid4()}"
    name = plain_filename(filename)
    try:
        take_body(stream, path, length=length)
        return jobs.enqueue(
            project=layer.project,
            kind="inspect_features",
            spec={
                "layer": str(layer.pk),
                "path": path.name,
                "filename": name,
                "grid": grid.as_json() if grid else None,
            },
            user=user,
            title=f"Look into {name}",
            lane=Job.Lane.LIGHT,
            priority=1,
        )
    except BaseException:  # broken off, the disk is full, too many jobs: nobody would ever read it
        path.unlink(missing_ok=True)
        raise


def start(*, layer: FeatureLayer, inspected: Job, body: dict[str, Any], user: User) -> Job:
    """Return the job that imports a file which was looked into.

    Args:
        layer: where to.
        inspected: the job of the look.
        body: {tables: [number], crs: "EPSG:…" | "imagery" | "" for the file's own, class_property, class_value,
            class_map, fields, verified}.
        user: who imports.

    Raises:
        Invalid: a choice that does not fit.
        Conflict: the file is gone.
    """
    told = inspected.result or {}
    tables = body.get("tables", [0])
    known = {table["index"] for table in told.get("tables", []) if "error" not in table}
    if not isinstance(tables, list) or not tables or not all(isinstance(item, int) for item in tables):
        raise Invalid("The tables are no list of numbers.", fix='Send {"tables": [0]}.', code="table_unknown")
    if not set(tables) <= known:
        raise Invalid("The file has no such table.", fix="Choose one of those that it has.", code="table_unknown")
    crs = body.get("crs", "")
    if not isinstance(crs, str) or not CRS.fullmatch(crs):
        raise Invalid(f"{str(crs)[:40]!r} is no EPSG code.", fix="Send it as EPSG:32645.", code="crs_unknown")
    crs_of_imagery = (inspected.spec["grid"] or {}).get("crs", "")
    if not file_of(inspected).exists():
        raise Conflict("The uploaded file is gone.", fix="Send it again.", code="inputs_gone")
    options = parse_options(body, layer)
    if Job.objects.filter(kind="import_features", spec__path=inspected.spec["path"], finished_at=None).exists():
        raise Conflict("The file is being imported already.", fix="Wait for its job to end.", code="already_importing")
    return jobs.enqueue(
        project=layer.project,
        kind="import_features",
        spec={
            **inspected.spec,
            # Of what the new features' ids are made: the same file twice at once is one import.
            "look": str(inspected.pk),
            "format": told["format"],
            "tables": sorted(set(tables)),
            "crs": crs_of_imagery if crs == "imagery" else crs,
            "options": asdict(options),
            "user": user.pk,
        },
        user=user,
        title=f"Import {inspected.spec['filename']} into {layer.name}",
        lane=Job.Lane.LIGHT,
    )


def discard(inspected: Job) -> None:
    """Remove a file that is not to be imported."""
    file_of(inspected).unlink(missing_ok=True)


def file_of(inspected: Job) -> Path:
    """Return the path of the file that a job looked into."""
    return Path(settings.QUARANTINE_DIR) / str(inspected.spec["path"])


def inspected_of(layer: FeatureLayer, pk: UUID) -> Job:
    """Return the finished look into a file for this layer.

    Raises:
        NotFound: there is no such job of this layer.
        Conflict: it has not ended well.
    """
    found = Job.objects.filter(pk=pk, kind="inspect_features", spec__layer=str(layer.pk)).first()
    if found is None:
        raise NotFound("import")
    if found.state != Job.State.SUCCEEDED:
        raise Conflict("The file was not looked into yet.", fix="Wait for its job.", code="not_ready")
    return found


def parse_options(body: dict[str, Any], layer: FeatureLayer) -> Options:
    """Return the choices of a request's body.

    Raises:
        Invalid: a class that the layer has not, or a map that is none.
    """
    values = set(FeatureClass.objects.filter(layer=layer).values_list("value", flat=True))
    class_value, verified = body.get("class_value") or 0, body.get("verified", True)
    if isinstance(class_value, bool) or class_value not in {0, *values}:
        raise Invalid(f"The layer has no class {str(class_value)[:20]}.", fix="Add it first.", code="class_unknown")
    class_map = _mapping(body.get("class_map", {}), "class_map")
    for choice in class_map.values():
        words = isinstance(choice, str) and choice in (NEW_CLASS, NO_CLASS, SKIP)
        if not words and (not isinstance(choice, int) or isinstance(choice, bool) or choice not in values):
            raise Invalid(f"{str(choice)[:40]!r} is no class of the layer.", fix="Choose one.", code="class_unknown")
    fields = _mapping(body.get("fields", {}), "fields")
    if len(fields) > 2 * MAX_PROPERTIES or not all(
        isinstance(name, str) and len(name) <= MAX_NAME and storable(name) for name in fields.values()
    ):
        raise Invalid("The fields are no map of names.", fix='Send {"from": "to"}; "" leaves one out.', code="field")
    chosen = body.get("class_property", "")
    if not isinstance(chosen, str) or not isinstance(verified, bool):
        raise Invalid("class_property is text, verified is true or false.", fix="Mend the request.")
    return Options(
        class_property=chosen[:MAX_NAME],
        class_value=int(class_value),
        add_classes=body.get("add_classes") is True,
        verified=verified,
        class_map=class_map,
        fields=fields,
    )


def plain_filename(text: str) -> str:
    """Return what a user called a file, as text for people: no folders, nothing that cannot be printed."""
    name = text.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[:MAX_FILENAME].strip() or "the file"


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > MAX_MAPPED:
        raise Invalid(f"{name} is no object of at most {MAX_MAPPED} names.", fix='Send {"from": …}.', code=name)
    return value
