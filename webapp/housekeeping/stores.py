"""The folders that hold files of rows, and which rows name what in them. An entry room: it sees all others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeGuard

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from training.models import ModelPackage, TrainingData
from webapp.imagery.models import ImageryLayer, Upload
from webapp.jobs.models import Job
from webapp.jobs.restarts import keeps_files
from webapp.photos.models import Photo

# Columns that name a file or folder in MEDIA_DIR or SCRATCH_DIR. A test finds any that is missing here.
NAMING_COLUMNS = {
    "imagery.ImageryLayer.analysis_path",
    "imagery.ImageryLayer.display_path",
    "imagery.Mosaic.overview_path",
    "imagery.ImageryLayer.blocks_path",  # in a job's scratch folder
    "photos.Photo.picture_path",
    "photos.Photo.thumbnail_path",
    "training.TrainingData.path",
    "training.ModelPackage.path",
}


@dataclass(frozen=True)
class Store:
    """One folder whose entries belong to rows.

    Attributes:
        name: for people.
        root: of the relative names.
        pattern: of the entries below the root.
        whole: an entry is a folder as a whole; else only files count.
        named: the names, relative to the root, that rows still need.
        shared: entries are named by their bytes, so several rows may name one.
    """

    name: str
    root: Path
    pattern: str
    whole: bool
    named: Callable[[], set[str]]
    shared: bool = False

    def entries(self) -> Iterator[Path]:
        """Yield what lies there."""
        return (path for path in self.root.glob(self.pattern) if self.whole or path.is_file())


def stores() -> list[Store]:
    """Return all folders that the collector looks after. What lies elsewhere is never touched."""
    media, quarantine, scratch = (Path(settings.MEDIA_DIR), Path(settings.QUARANTINE_DIR), Path(settings.SCRATCH_DIR))
    return [
        Store("imagery", media, "imagery/**/*", False, _imagery, shared=True),
        Store("photos", media, "photos/**/*", False, _photos, shared=True),
        Store("training data", media, "training/*", True, _training),
        Store("model packages", media, "packages/*", True, _packages, shared=True),
        Store("exports", media, "exports/*", True, _exports),
        Store("quarantine", quarantine, "*", True, _quarantined),
        Store("scratch", scratch, "jobs/*", True, _scratch),
    ]


def _imagery() -> set[str]:
    rows = ImageryLayer.objects.values_list("analysis_path", "display_path", "mosaic__overview_path")
    return {path for row in rows.iterator() for path in row if path}


def _photos() -> set[str]:
    rows = Photo.objects.values_list("picture_path", "thumbnail_path")
    return {path for row in rows.iterator() for path in row}


def _training() -> set[str]:
    return set(TrainingData.objects.exclude(path="").values_list("path", flat=True))


def _packages() -> set[str]:
    return set(ModelPackage.objects.filter(uninstalled_at=None).values_list("path", flat=True))


def _exports() -> set[str]:
    """Exported files are named by their job, for as long as they are kept."""
    recent = Now() - timedelta(hours=settings.COLLECT_GRACE_H)
    jobs = Job.objects.filter(Q(finished_at=None) | Q(finished_at__gt=recent), kind="export_features")
    return {f"exports/{pk}" for pk in jobs.values_list("pk", flat=True)}


def _quarantined() -> set[str]:
    uploads = {str(pk) for pk in Upload.objects.values_list("pk", flat=True)}
    # Imports and packages have no row of their own: their job's spec names the file.
    specs = Job.objects.filter(keeps_files()).values_list("spec", flat=True)
    return uploads | {name for spec in specs for name in quarantined_by(spec)}


def quarantined_by(spec: dict[str, Any]) -> Iterator[str]:
    """Yield the names in quarantine that a job's spec holds: plain names of ours, never a path."""
    for key in ("upload", "file", "path"):
        name = spec.get(key)
        if _plain(name):
            yield name
    files = spec.get("files")
    for item in files if isinstance(files, list) else []:
        name = item.get("file") if isinstance(item, dict) else None
        if _plain(name):
            yield name


def _plain(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name


def _scratch() -> set[str]:
    return {f"jobs/{pk}" for pk in Job.objects.filter(keeps_files()).values_list("pk", flat=True)}
