"""The job that reads photos: each in the sandbox, one after the other, with one report for all."""

import json
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings

from webapp.errors import QuadratError
from webapp.features.models import FeatureLayer
from webapp.imagery import storage
from webapp.jobs.context import JobContext
from webapp.photos import selectors, services
from webapp.projects.access import require_role
from webapp.projects.models import Role, User
from webapp.raster import sandbox
from webapp.raster.photo_program import PHOTOS


def read_photos(context: JobContext) -> dict[str, Any]:
    """Read photos that wait in quarantine into a set; one that cannot be read is reported and leaves nothing behind.

    Spec: `{"layer", "user", "files": [{"file", "name"}]}`. Result: `{"added", "placed", "unplaced": [name], "doubles":
    [name], "refused": [{name, code, message, fix}], "url"}`. Another attempt goes on after the last photo.
    """
    layer = selectors.set_of(context.spec["layer"])
    user = User.objects.filter(pk=context.spec["user"]).first()
    kept = context.scratch / "report.json"
    report: dict[str, Any] = {"done": 0, "added": 0, "placed": 0, "unplaced": [], "doubles": [], "refused": []}
    if kept.exists():
        report = json.loads(kept.read_text())
    files = context.spec["files"]
    for number, item in enumerate(files):
        if number < report["done"]:
            continue
        context.progress(number / len(files), f"{number} of {len(files)} photos read")
        source = Path(settings.QUARANTINE_DIR) / item["file"]
        try:
            _read(context, layer, source, item["name"], user, report)
        except QuadratError as error:
            report["refused"].append(
                {"name": item["name"], "code": error.code, "message": error.message, "fix": error.fix}
            )
            context.log(str(error), "warning")
        report["done"] = number + 1
        draft = kept.with_suffix(".part")
        draft.write_text(json.dumps(report))
        draft.replace(kept)
        source.unlink(missing_ok=True)
    with context.publish() as job:
        told = {key: value for key, value in report.items() if key != "done"}
        job.result = result = told | {"url": f"/photos/{layer.pk}/"}
    return result


def _read(
    context: JobContext, layer: FeatureLayer, source: Path, name: str, user: User | None, report: dict[str, Any]
) -> None:
    sha256 = storage.sha256_of(source)
    if services.is_there(layer, sha256):
        # Sent twice; or a former attempt ended between its commit and its report.
        report["doubles"].append(name)
        return
    out = context.scratch / "photo"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    shot = sandbox.run(
        "photo",
        {"name": name},
        source=source,
        out=out,
        limits=_limits(),
        on_progress=lambda *_: context.check(),
        program=PHOTOS,
    )
    for note in shot["notes"]:
        context.log(f"{name}: {note}")
    files = services.store(out)
    with context.guard():
        require_role(context.job.created_by, layer.project, Role.LABELER)
        kept = services.keep(layer=layer, files=files, sha256=sha256, name=name, shot=shot, user=user)
    if kept is None:
        report["doubles"].append(name)
        return
    report["added"] += 1
    if shot["lon"] is None:
        report["unplaced"].append(name)
    else:
        report["placed"] += 1


def _limits() -> sandbox.Limits:
    return sandbox.Limits(settings.INGEST_MEMORY_BYTES, settings.PROBE_TIMEOUT_S, file_bytes=1024**3)
