"""The job that imports a large GeoJSON file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings

from webapp.errors import Invalid, QuadratError
from webapp.features import bulk, selectors
from webapp.features.importing import Importer, Options, Report
from webapp.features.models import Feature
from webapp.jobs.context import JobContext
from webapp.projects.models import User


def import_features(context: JobContext) -> dict[str, Any]:
    """Return the import's report. The file is read into rows first, outside any lock, then stored at once."""
    layer = selectors.layer_of(context.spec["layer"])
    user = User.objects.filter(pk=context.spec["user"]).first()
    source = Path(settings.QUARANTINE_DIR) / context.spec["path"]
    rows, kept_report = context.scratch / "rows.copy", context.scratch / "report.json"
    report = Report()
    importer = Importer(layer, Options(**context.spec["options"]), report, namespace=context.job.pk, user=user)
    if not kept_report.exists():
        try:
            _stage(context, importer, source, rows)
        except QuadratError:  # the file as a whole cannot be read: another attempt would find the same
            source.unlink(missing_ok=True)
            raise
        kept_report.write_text(json.dumps(asdict(report)))
    outcome: dict[str, Any] = json.loads(kept_report.read_text())
    context.progress(0.9, "Storing the features")
    with context.publish(), rows.open(encoding="utf-8") as lines:
        # An earlier attempt may have died right after its commit: then all of them are there.
        stored = Feature.objects.filter(layer=layer, created_by=user, id__in=_ids(rows)).count()
        outcome["added"] = stored or bulk.add_lines(layer=layer, lines=lines, user=user)
    source.unlink(missing_ok=True)
    return outcome


def _stage(context: JobContext, importer: Importer, source: Path, rows: Path) -> None:
    if not source.exists():
        raise Invalid("The uploaded file is gone.", fix="Upload it again.", code="upload_missing")
    size = source.stat().st_size
    with source.open("rb") as stream, rows.open("w", encoding="utf-8") as kept:

        def check(count: int) -> None:
            if count % 500 == 0:
                context.progress(0.9 * stream.tell() / size, f"{count:,} features read")

        kept.writelines(importer.lines(stream, check))


def _ids(rows: Path) -> list[str]:
    with rows.open(encoding="utf-8") as lines:
        return [line.partition("\t")[0] for line in lines]
