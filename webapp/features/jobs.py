"""The jobs that look into a file of features, import one, and restore a layer."""

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from webapp import points
from webapp.errors import Conflict, Invalid, QuadratError
from webapp.features import bulk, numbering, restoring, selectors
from webapp.features.import_report import Report
from webapp.features.importing import Importer, Options
from webapp.features.models import Feature
from webapp.jobs.context import JobContext
from webapp.projects.access import require_role
from webapp.projects.models import Role, User
from webapp.raster import sandbox
from webapp.vectors.programs import VECTORS

# How much of an import's progress is the reading of the file by the sandbox.
CONVERTED = 0.4


def inspect_features(context: JobContext) -> dict[str, Any]:
    """Return what a file holds, for people to decide; a file that cannot be read is removed."""
    source = _source(context)
    out = context.scratch / "look"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    context.progress(0.1, "Looking into the file")
    request = {"name": context.spec["filename"], "grid": context.spec["grid"]}
    try:
        told = sandbox.run(
            "inspect", request, source=source, out=out, limits=_limits(), on_progress=_follow(context), program=VECTORS
        )
    except QuadratError:
        source.unlink(missing_ok=True)
        raise
    return {**told, "filename": context.spec["filename"]}


def import_features(context: JobContext) -> dict[str, Any]:
    """Return the import's report. The file is read into rows first, outside any lock, then stored at once."""
    layer = selectors.layer_of(context.spec["layer"])
    user = User.objects.filter(pk=context.spec["user"]).first()
    source = Path(settings.QUARANTINE_DIR) / context.spec["path"]
    rows, kept_report = context.scratch / "rows.copy", context.scratch / "report.json"
    report = Report()
    importer = Importer(layer, Options(**context.spec["options"]), report, namespace=_namespace(context), user=user)
    if not kept_report.exists():
        try:
            _stage(context, importer, _converted(context, report), rows)
        except QuadratError:  # the file as a whole cannot be read: another attempt would find the same
            source.unlink(missing_ok=True)
            raise
        kept_report.write_text(json.dumps(report.as_json()))
    report = Report.from_json(json.loads(kept_report.read_text()))
    context.progress(0.9, "Storing the features")
    points.reach("job.staged")

    ids = _ids(rows)
    # In the transaction of the result the layer would stay locked for as long as the features are stored.
    first_fid = numbering.reserve(layer, len(ids))
    with context.publish() as job, rows.open(encoding="utf-8") as lines:
        require_role(context.job.created_by, layer.project, Role.LABELER)
        # The same look may have been imported before: then all that could be stored are there.
        stored = set(Feature.objects.filter(layer=layer, created_by=user, id__in=ids).values_list("pk", flat=True))
        if stored:
            report.refuse(
                dict.fromkeys(set(ids) - stored, Conflict("It may not be stored where it lies.", code="closed"))
            )
        report.added = len(stored) or bulk.add_lines(
            layer=layer, lines=lines, user=user, leave_out=report.refuse, first_fid=first_fid
        )
        job.result = result = report.as_json()
        # With the commit, for no attempt follows it; and below, for where one transaction holds several jobs.
        transaction.on_commit(partial(source.unlink, missing_ok=True))
        points.reach("job.stored")
    points.reach("job.published")
    source.unlink(missing_ok=True)
    return result


def _namespace(context: JobContext) -> UUID:
    """Return what the ids of the features are made of: the look at the file, or this job where there was none."""
    look = context.spec.get("look")
    return UUID(look) if look else context.job.pk


def _converted(context: JobContext, report: Report) -> Path:
    """Return a GeoJSON file of what is to be imported: the upload itself, or what the sandbox makes of it."""
    source, spec = _source(context), context.spec
    if "format" not in spec or (spec["format"] == "geojson" and not spec["crs"] and _is_json(source)):
        return source
    out = context.scratch / "converted"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    context.progress(0.05, "Reading the file")
    request = {"name": spec["filename"], "grid": spec["grid"], "tables": spec["tables"], "crs": spec["crs"]}
    told = sandbox.run(
        "convert", request, source=source, out=out, limits=_limits(), on_progress=_follow(context), program=VECTORS
    )
    if told["outside_crs"]:
        report.notes["outside the CRS"] += told["outside_crs"]
    return out / "features.geojson"


def _is_json(path: Path) -> bool:
    """Return whether a file that was found to be GeoJSON lies there as such, and not in a zip."""
    with path.open("rb") as file:
        return file.read(2) != b"PK"


def restore_features(context: JobContext) -> dict[str, Any]:
    """Return what was changed to take a layer back to a number of its log."""
    layer = selectors.layer_of(context.spec["layer"])
    user = User.objects.filter(pk=context.spec["user"]).first()
    context.progress(0.1, "Comparing with how it was")
    with context.publish() as job:
        require_role(context.job.created_by, layer.project, Role.MANAGER)
        done = restoring.restore(layer=layer, seq=context.spec["seq"], user=user, base=context.spec.get("base"))
        job.result = result = done.as_json()
    return result


def _stage(context: JobContext, importer: Importer, source: Path, rows: Path) -> None:
    size = max(1, source.stat().st_size)
    with source.open("rb") as stream, rows.open("w", encoding="utf-8") as kept:

        def check(count: int) -> None:
            points.reach("disk.rows")
            if count % 500 == 0:
                done = CONVERTED + (0.9 - CONVERTED) * stream.tell() / size
                context.progress(done, f"{count:,} features checked")

        kept.writelines(importer.lines(stream, check))


def _source(context: JobContext) -> Path:
    source = Path(settings.QUARANTINE_DIR) / str(context.spec["path"])
    if not source.exists():
        raise Invalid("The uploaded file is gone.", fix="Upload it again.", code="upload_missing")
    return source


def _follow(context: JobContext) -> sandbox.Progress:
    def progress(fraction: float, message: str) -> None:
        if fraction < 0:
            context.check()
        else:
            context.progress(CONVERTED * fraction, message)

    return progress


def _limits() -> sandbox.Limits:
    return sandbox.Limits(settings.INGEST_MEMORY_BYTES, settings.INGEST_TIMEOUT_S)


def _ids(rows: Path) -> list[UUID]:
    with rows.open(encoding="utf-8") as lines:
        return [UUID(line.partition("\t")[0]) for line in lines]
