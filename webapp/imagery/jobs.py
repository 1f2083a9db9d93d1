"""The job that turns an upload into a layer."""

import os
import shutil
import time
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from webapp.errors import Conflict, NotFound, QuadratError
from webapp.imagery import folders, services, storage
from webapp.imagery.models import ImageryLayer, Upload
from webapp.jobs.context import JobCancelled, JobContext
from webapp.raster import sandbox
from webapp.raster.position import parse
from webapp.remote import files

# How often a copy from another server tells how far it is.
TELL_EVERY_S = 1.0
COPY_BYTES = 16 * 1024**2


def ingest(context: JobContext) -> dict[str, Any]:
    """Check and rewrite one upload inside the sandbox and register the layer; one of a URL is copied here first.

    Spec: `{"upload": id}`. Result: `{"imagery": id, "url": page}`. An upload that cannot be taken leaves nothing
    behind: no row, no file.

    Raises:
        BadRaster: not a raster we take.
        TooLarge: over a limit.
        SourceFailed: another server does not give the file.
    """
    pk = UUID(context.spec["upload"])
    upload = Upload.objects.select_related("project", "user").filter(pk=pk).first()
    if upload is None:
        raise NotFound("upload")
    if upload.layer is not None:  # a former attempt was stopped after it had published
        return _result(upload.layer, upload)
    try:
        if upload.options.get("url"):
            _fetch(context, upload)
        elif upload.options.get("file"):
            _copy(context, upload)
        layer = _rewrite(context, upload)
    except (QuadratError, JobCancelled):
        with context.guard():
            upload.delete()
        storage.drop_quarantine(pk)
        raise
    return _result(layer, upload)


def _result(layer: ImageryLayer, upload: Upload) -> dict[str, Any]:
    storage.drop_quarantine(upload.pk)
    return _facts(layer)


def _facts(layer: ImageryLayer) -> dict[str, Any]:
    return {"imagery": str(layer.pk), "url": f"/imagery/{layer.pk}/", "name": layer.name}


def _fetch(context: JobContext, upload: Upload) -> None:
    """Copy the file of another server into quarantine."""
    told, target = 0.0, storage.quarantined_file(upload.pk)
    # Room was found for as many bytes as its server announced.
    most, seconds = upload.size_bytes, settings.INGEST_TIMEOUT_S
    for written, total in files.download(upload.options["url"], target, most_bytes=most, seconds=seconds):
        if time.monotonic() - told > TELL_EVERY_S:
            told = time.monotonic()
            context.check()
            done = f"{written / 1e6:,.0f} MB"
            context.progress(0.0, f"Copying: {done} of {total / 1e6:,.0f} MB" if total else f"Copying: {done}")
    upload.size_bytes = upload.received_bytes = storage.quarantined_file(upload.pk).stat().st_size
    upload.save(update_fields=["size_bytes", "received_bytes", "updated_at"])


def _copy(context: JobContext, upload: Upload) -> None:
    """Copy a file of the server's own disk into quarantine."""
    source, size, written = folders.allowed(upload.options["file"]), upload.size_bytes, 0
    # What has become a link since leads elsewhere.
    with (
        os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW), "rb") as there,
        storage.quarantined_file(upload.pk).open("wb") as here,
    ):
        for piece in iter(lambda: there.read(COPY_BYTES), b""):
            context.check()
            here.write(piece)
            written += len(piece)
            context.progress(0.0, f"Copying: {written / 1e6:,.0f} of {size / 1e6:,.0f} MB")
            if written > size:
                raise Conflict(f"'{upload.filename}' grows while it is copied.", fix="Add it again when it is whole.")
    upload.size_bytes = upload.received_bytes = written
    upload.save(update_fields=["size_bytes", "received_bytes", "updated_at"])


def _rewrite(context: JobContext, upload: Upload) -> ImageryLayer:
    source = storage.quarantined_file(upload.pk)
    out = context.scratch / "rewritten"
    # What a former attempt left half-written is begun anew.
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    request = {
        "name": upload.filename,
        "position": upload.position,
        "nodata": upload.options.get("nodata"),
        "max_pixels": settings.RASTER_MAX_PIXELS,
        "threads": max(1, settings.COMPUTE_THREADS or 2),
    }

    def progress(fraction: float, message: str) -> None:
        if fraction < 0:
            context.check()
        else:
            context.progress(0.05 + 0.9 * fraction, message)

    context.progress(0.0, "Checking the file")
    for_probe, for_rewrite = services.sandbox_limits()
    sandbox.run("probe", request, source=source, out=out, limits=for_probe, on_progress=progress)
    facts = sandbox.run("rewrite", request, source=source, out=out, limits=for_rewrite, on_progress=progress)
    for note in facts["notes"]:
        context.log(note)
    context.progress(0.96, "Storing the files")
    sha256 = storage.sha256_of(source)
    analysis, display = storage.keep(out / "analysis.tif"), storage.keep(out / "display.tif")
    taken = upload.options.get("acquired_at")
    try:
        with context.publish() as job:
            # With the commit, for no attempt follows it.
            transaction.on_commit(partial(storage.drop_quarantine, upload.pk))
            layer = services.register(
                project=upload.project,
                user=upload.user,
                description=services.Description(
                    upload.options["name"],
                    upload.options.get("attribution", ""),
                    upload.options.get("description", ""),
                    datetime.fromisoformat(taken) if taken else None,
                ),
                analysis_path=analysis,
                display_path=display,
                facts=facts,
                position=parse(upload.position),
                sha256=sha256,
                size_bytes=upload.size_bytes,
                job=context.job,
            )
            upload.layer, upload.state = layer, Upload.State.DONE
            for key in ("url", "file"):
                upload.options.pop(key, None)  # an address may hold a signature
            upload.save(update_fields=["layer", "state", "options", "updated_at"])
            job.result = _facts(layer)
    except JobCancelled:
        storage.drop_unnamed(analysis, display)
        raise
    return layer
