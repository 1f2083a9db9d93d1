"""Files of imagery: kept by what they hold, in MEDIA_DIR; uploads wait in quarantine."""

import hashlib
import os
import shutil
import time
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from webapp import disk
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job
from webapp.jobs.services import HELD

PIECE_BYTES = 1024**2
# Kinds of jobs that keep files here.
WRITERS = ("ingest", "classify_pixels", "mosaic")


def quarantine(upload_id: UUID) -> Path:
    """Return the folder of one upload, which holds one file."""
    return Path(settings.QUARANTINE_DIR) / str(upload_id)


def quarantined_file(upload_id: UUID) -> Path:
    """Return the uploaded file. Its name is ours: what the user called it is text only."""
    return quarantine(upload_id) / "source"


def drop_quarantine(upload_id: UUID) -> None:
    """Remove an upload's folder with all in it."""
    shutil.rmtree(quarantine(upload_id), ignore_errors=True)


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(PIECE_BYTES), b""):
            digest.update(piece)
    return digest.hexdigest()


def keep(path: Path, *, under: str = "imagery") -> str:
    """Move a finished file into a folder of MEDIA_DIR under the hash of its bytes; return its path relative to that.

    It appears there whole or not at all; the same bytes twice are one file.
    """
    digest = sha256_of(path)
    relative = f"{under}/{digest[:2]}/{digest}{path.suffix}"
    target = Path(settings.MEDIA_DIR) / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Younger than any collector's patience, and another stamp: a layer is about to name it. Said in ns, as the
        # kernel's own "now" is a few milliseconds coarse.
        os.utime(target, ns=(time.time_ns(), time.time_ns()))
    except FileNotFoundError:
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.move(path, draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    else:
        path.unlink()
    return relative


def drop_unnamed(*relatives: str) -> None:
    """Remove files that no layer names any more; the collector does it where a job may be about to name the same."""
    for relative in filter(None, relatives):
        path = Path(settings.MEDIA_DIR) / relative
        try:
            seen = disk.stamp_of(path)
            if _needed(relative):
                continue
            aside = disk.set_aside(path)
        except FileNotFoundError:
            continue
        if disk.stamp_of(aside) != seen:
            disk.put_back(aside)
        else:
            disk.discard(aside)


def _needed(relative: str) -> bool:
    # In this order: a job that ends between the two questions has named its files by then.
    if Job.objects.filter(state__in=HELD, kind__in=WRITERS).exists():
        return True
    named = Q(analysis_path=relative) | Q(display_path=relative) | Q(mosaic__overview_path=relative)
    return ImageryLayer.objects.filter(named).exists()
