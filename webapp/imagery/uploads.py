"""Uploads: files that arrive in pieces, wait in quarantine and are handed to a job. Nothing here parses them."""

import math
import os
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from webapp.disk import check_room
from webapp.errors import Conflict, Invalid, QuadratError, TooLarge, TooMany
from webapp.imagery import storage
from webapp.imagery.models import Upload
from webapp.imagery.services import acquired, text
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.jobs.restarts import inputs_gone
from webapp.projects.models import Project, User
from webapp.raster import position as positions
from webapp.remote import files

# What a client should send at once, and the most that one request may carry.
CHUNK_BYTES = 8 * 1024**2
MOST_CHUNK_BYTES = 16 * 1024**2
MOST_OPEN = 50
OPTIONS = {"name", "attribution", "description", "acquired_at", "nodata"}


def begin(
    *, project: Project, user: User, filename: str, size_bytes: int, position: dict[str, Any], options: dict[str, Any]
) -> Upload:
    """Return a new upload that waits for its bytes.

    Args:
        project: where the layer will belong.
        user: who uploads.
        filename: for people; it names no file of ours.
        size_bytes: of the whole file.
        position: see `webapp.raster.position.parse`; `{}` where the file knows.
        options: name, attribution, description, acquired_at, nodata of the layer.

    Raises:
        Invalid: a position or option that cannot be used.
        TooLarge: more bytes than allowed.
        TooMany: too many unfinished uploads.
        Unavailable: the disk is nearly full.
    """
    sweep()
    name = text(filename.replace("\\", "/").rsplit("/", 1)[-1], "filename") or "upload"
    if size_bytes < 1:
        raise Invalid(f"'{name}' is empty.", fix="Choose the file again.", code="not_an_image")
    if size_bytes > settings.UPLOAD_MAX_BYTES:
        raise TooLarge(
            f"'{name}' has {size_bytes:,} bytes; at most {settings.UPLOAD_MAX_BYTES:,} are taken.",
            fix="Compress it (gdal_translate -of COG), cut it, or ask the administrator to raise the limit.",
            details={"limit": settings.UPLOAD_MAX_BYTES},
        )
    if Upload.objects.filter(user=user, state=Upload.State.RECEIVING).count() >= MOST_OPEN:
        raise TooMany(f"You have {MOST_OPEN} unfinished uploads.", fix="Finish or delete some first.")
    positions.parse(position)
    checked = check_options(options, otherwise=name)
    check_room(size_bytes)
    upload = Upload(
        pk=uuid4(), project=project, user=user, filename=name, size_bytes=size_bytes, position=position, options=checked
    )
    with transaction.atomic():
        upload.save(force_insert=True)
        # After the row: a folder that no row names would stay for ever.
        storage.quarantine(upload.pk).mkdir(parents=True, mode=0o700)
        storage.quarantined_file(upload.pk).touch(mode=0o600)
    return upload


def check_options(options: dict[str, Any], *, otherwise: str) -> dict[str, Any]:
    """Return the options as they are stored; a layer without a name gets that of its file.

    Raises:
        Invalid: an unknown option, or a value that does not fit.
    """
    unknown = set(options) - OPTIONS
    if unknown:
        raise Invalid(f"Unknown options: {', '.join(sorted(unknown))}.", fix=f"Use {', '.join(sorted(OPTIONS))}.")
    checked: dict[str, Any] = {
        key: text(options[key], key) for key in ("name", "attribution", "description") if options.get(key)
    }
    checked["name"] = checked.get("name") or PurePosixPath(otherwise).stem or otherwise
    if options.get("nodata") not in (None, ""):
        checked["nodata"] = _nodata(options["nodata"])
    moment = acquired(options.get("acquired_at"))
    if moment is not None:
        checked["acquired_at"] = moment.isoformat()
    return checked


def _nodata(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid(f"nodata is '{str(value)[:40]}'.", fix="Give a number.") from error
    if not math.isfinite(number):
        raise Invalid(f"nodata is '{str(value)[:40]}'.", fix="Leave it out: NaN and infinity are never taken as data.")
    return number


def append(*, upload: Upload, offset: int, data: bytes) -> Upload:
    """Return the upload with the next piece stored: what is counted as received is on disk.

    Raises:
        Conflict: `offset` is not where the upload is; details name that (received_bytes).
        TooLarge: the piece goes beyond the announced size.
    """
    with transaction.atomic():
        fresh = _locked(upload)
        if offset != fresh.received_bytes:
            raise Conflict(
                f"The upload stands at byte {fresh.received_bytes}, the piece begins at {offset}.",
                fix="Go on from received_bytes.",
                code="wrong_offset",
                details={"received_bytes": fresh.received_bytes},
            )
        if offset + len(data) > fresh.size_bytes:
            raise TooLarge(f"More bytes came than the {fresh.size_bytes} that were announced.", fix="Begin again.")
        with storage.quarantined_file(fresh.pk).open("r+b") as file:
            file.seek(offset)
            file.write(data)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        fresh.received_bytes = offset + len(data)
        fresh.save(update_fields=["received_bytes", "updated_at"])
    return fresh


def received(*, upload: Upload) -> Upload:
    """Return the upload with all bytes counted, after a command put the whole file into quarantine.

    Raises:
        Conflict: the file has not the announced size.
    """
    with transaction.atomic():
        fresh = _locked(upload)
        size = storage.quarantined_file(fresh.pk).stat().st_size
        if size != fresh.size_bytes:
            raise Conflict(f"{size:,} bytes are there, not {fresh.size_bytes:,}.", fix="Copy the file again.")
        fresh.received_bytes = size
        fresh.save(update_fields=["received_bytes", "updated_at"])
    return fresh


def fetch(*, project: Project, user: User, url: str, options: dict[str, Any]) -> Job:
    """Return the job that copies a file of another server here and takes it like an upload.

    Args:
        project: where the layer will belong.
        user: who asks for it.
        url: http(s) or s3; its server is asked how long the file is.
        options: see `begin`.

    Raises:
        Invalid: the server is not one that may be asked, or an option cannot be used.
        SourceFailed: the server does not give it.
        TooLarge: more bytes than allowed.
    """
    size, name = files.length_of(url)
    upload = begin(project=project, user=user, filename=name, size_bytes=size, position={}, options=options)
    return _brought(upload, {"url": url}, f"Copy {name}")


def take(*, project: Project, user: User, file: Path, position: dict[str, Any], options: dict[str, Any]) -> Job:
    """Return the job that takes a file of the server's own disk like an upload.

    Args:
        project: where the layer will belong.
        user: who asks for it.
        file: checked by the caller; the job copies it.
        position: see `begin`.
        options: see `begin`.

    Raises:
        Invalid: a position or option that cannot be used.
        TooLarge: more bytes than allowed.
    """
    size = file.stat().st_size
    upload = begin(project=project, user=user, filename=file.name, size_bytes=size, position=position, options=options)
    try:
        return _brought(upload, {"file": str(file)}, f"Ingest {upload.filename}")
    except QuadratError:
        discard(upload=upload)
        raise


def _brought(upload: Upload, where: dict[str, str], title: str) -> Job:
    """Return the job of an upload whose bytes the job brings itself.

    Where they lie is kept out of the job's specification, which others see: an address may hold a signature.
    """
    with transaction.atomic():
        upload.options.update(where)
        job = jobs.enqueue(
            project=upload.project, kind="ingest", spec={"upload": str(upload.pk)}, user=upload.user, title=title[:200]
        )
        upload.job, upload.state = job, Upload.State.INGESTING
        upload.save(update_fields=["options", "job", "state", "updated_at"])
    return job


def complete(*, upload: Upload) -> Job:
    """Return the job that ingests a whole upload; called again it returns the same job.

    Raises:
        Conflict: bytes are missing.
    """
    with transaction.atomic():
        fresh = (
            Upload.objects.select_for_update(of=("self",)).select_related("job", "project", "user").get(pk=upload.pk)
        )
        if fresh.job is not None:
            return fresh.job
        if fresh.received_bytes != fresh.size_bytes:
            raise Conflict(
                f"{fresh.size_bytes - fresh.received_bytes:,} of {fresh.size_bytes:,} bytes are missing.",
                fix="Go on from received_bytes.",
                code="incomplete",
                details={"received_bytes": fresh.received_bytes},
            )
        job = jobs.enqueue(
            project=fresh.project,
            kind="ingest",
            spec={"upload": str(fresh.pk)},
            user=fresh.user,
            title=f"Ingest {fresh.filename}"[:200],
        )
        fresh.job, fresh.state = job, Upload.State.INGESTING
        fresh.save(update_fields=["job", "state", "updated_at"])
    return job


def run_again(old: Job, new: Job) -> None:
    """Hand the upload of a failed ingest to a new job.

    Raises:
        Conflict: the file was refused and removed, or was kept too long.
    """
    upload = Upload.objects.select_for_update(of=("self",)).filter(pk=old.spec["upload"], layer=None).first()
    if upload is None or not storage.quarantined_file(upload.pk).exists():
        raise inputs_gone("The uploaded file", "Upload it again.")
    upload.job, upload.state = new, Upload.State.INGESTING
    upload.save(update_fields=["job", "state", "updated_at"])


def discard(*, upload: Upload) -> None:
    """Remove an upload and its bytes.

    Raises:
        Conflict: a job is at work on it.
    """
    with transaction.atomic():
        fresh = _locked(upload)
        storage.drop_quarantine(fresh.pk)
        fresh.delete()


def sweep() -> int:
    """Remove uploads that nobody goes on with, and those whose job ended without taking them; return how many."""
    old = timezone.now() - timedelta(hours=settings.UPLOAD_KEEP_H)
    forgotten = Upload.objects.filter(state=Upload.State.RECEIVING, updated_at__lt=old)
    # Their job failed without a word on the file: it may be run again for as long as the file is kept.
    ended = Upload.objects.filter(
        state=Upload.State.INGESTING,
        job__state__in=[Job.State.FAILED, Job.State.CANCELLED],
        job__finished_at__lt=old,
    )
    gone = [*forgotten.values_list("pk", flat=True), *ended.values_list("pk", flat=True)]
    for pk in gone:
        storage.drop_quarantine(pk)
    Upload.objects.filter(pk__in=gone).delete()
    return len(gone)


def _locked(upload: Upload) -> Upload:
    fresh = Upload.objects.select_for_update(of=("self",)).filter(pk=upload.pk).first()
    if fresh is None or fresh.state != Upload.State.RECEIVING:
        raise Conflict("The upload has ended.", fix="Look at its job, or begin a new one.", code="upload_ended")
    return fresh
