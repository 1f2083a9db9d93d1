"""Folders of the server's own disk that the site's owner opens, and the rasters in them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from webapp.errors import Denied, Invalid, QuadratError
from webapp.imagery import uploads
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job
from webapp.projects.models import Project, User

SUFFIXES = {".tif", ".tiff", ".png", ".jpg", ".jpeg"}
# World file of a picture: first and last letter of its suffix and a w (photo.png -> photo.pgw), or the suffix and w.
WORLD_SUFFIXES = {".tif": ".tfw", ".tiff": ".tfw", ".png": ".pgw", ".jpg": ".jgw", ".jpeg": ".jgw"}
MOST_SHOWN = 2000
MOST_AT_ONCE = 200
MOST_WORLD_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder or a raster.

    Attributes:
        size_bytes: of a raster; 0 of a folder.
        known: the project has a layer of a file of that name and size.
    """

    name: str
    is_folder: bool
    size_bytes: int
    known: bool


def roots() -> list[str]:
    """Return the folders that the owner opens, as people choose them: their paths."""
    return [str(root) for root in settings.IMPORT_FOLDERS]


def allowed(path: str) -> Path:
    """Return a path without links, inside an opened folder.

    Raises:
        Denied: it leads elsewhere, or no folder is open.
        Invalid: there is nothing.
    """
    real = Path(os.path.realpath(path))
    if "\0" in path or not any(real.is_relative_to(root) for root in settings.IMPORT_FOLDERS):
        raise Denied(
            "This folder is not open to this site's members.",
            fix="Ask the administrator to name it in QUADRAT_IMPORT_FOLDERS.",
            code="folder_not_allowed",
        )
    if not real.exists():
        raise Invalid(f"'{real.name}' is not there any more.", fix="List the folder again.", code="file_gone")
    return real


@dataclass(frozen=True, slots=True)
class Listed:
    """What lies in a folder.

    Attributes:
        entries: folders first, then rasters, each by name.
        left_out: how many more there are: of the largest folders only what is new is listed.
    """

    entries: list[Entry]
    left_out: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of the files that were chosen.

    Attributes:
        jobs: (name, job) of each that is taken.
        refused: (name, why) of each that is not.
    """

    jobs: list[tuple[str, Job]]
    refused: list[tuple[str, QuadratError]]


def entries(path: str, project: Project) -> Listed:
    """Return what lies in a folder.

    Raises:
        Denied: the folder is not open.
        Invalid: there is none, or it cannot be read.
    """
    folder = allowed(path)
    taken = set(ImageryLayer.objects.filter(project=project).values_list("name", "size_bytes"))
    found: list[Entry] = []
    try:
        for row in os.scandir(folder):
            if row.name.startswith(".") or not row.name.isprintable():
                continue
            if row.is_dir(follow_symlinks=False):
                found.append(Entry(row.name, True, 0, False))
            elif row.is_file(follow_symlinks=False) and Path(row.name).suffix.lower() in SUFFIXES:
                size = row.stat(follow_symlinks=False).st_size
                found.append(Entry(row.name, False, size, (Path(row.name).stem, size) in taken))
    except OSError as error:
        raise Invalid(f"'{folder.name}' cannot be read: {error.strerror}.", fix="Mend its rights.") from error
    shown = sorted(found, key=lambda entry: (entry.known, entry.name.lower()))[:MOST_SHOWN]
    return Listed(sorted(shown, key=lambda entry: (not entry.is_folder, entry.name.lower())), len(found) - len(shown))


def take(
    *, project: Project, user: User, folder: str, names: list[str], epsg: str = "", options: dict[str, Any]
) -> Batch:
    """Take rasters from a folder like uploads: each for itself, so that one that cannot be taken stops no other.

    Args:
        project: where the layers will belong.
        user: who asks for them.
        folder: an opened one, or one inside it.
        names: of rasters in it.
        epsg: CRS of world files beside pictures.
        options: see `uploads.begin`; a name is each file's own.

    Raises:
        Denied: the folder is not open.
        Invalid: no file, too many, or one that is no raster of this folder.
    """
    there = allowed(folder)
    if not 0 < len(names) <= MOST_AT_ONCE:
        raise Invalid(f"{len(names)} files are chosen.", fix=f"Choose 1 to {MOST_AT_ONCE} at once.")
    files = [there / name for name in names]
    for file in files:
        if file.name in ("", "..") or file.parent != there or file.suffix.lower() not in SUFFIXES or not file.is_file():
            raise Invalid(f"'{file.name[:80]}' is no raster of this folder.", fix="Choose from what is listed.")
        allowed(str(file))
    batch = Batch([], [])
    for file in files:
        try:
            position = position_of(file, epsg)
            job = uploads.take(project=project, user=user, file=file, position=position, options=options)
        except QuadratError as error:
            batch.refused.append((file.name, error))
        else:
            batch.jobs.append((file.name, job))
    return batch


def position_of(file: Path, epsg: str) -> dict[str, Any]:
    """Return what lies beside a picture to place it: its world file, with the CRS that its numbers are in."""
    suffix = file.suffix.lower()
    if suffix in (".tif", ".tiff"):
        return {}  # a GeoTIFF says itself where it lies
    for world in (file.with_suffix(WORLD_SUFFIXES[suffix]), file.with_suffix(f"{suffix}w")):
        if world.is_file() and not world.is_symlink():
            with world.open(errors="replace") as text:
                return {"world_file": text.read(MOST_WORLD_BYTES), **({"epsg": epsg} if epsg else {})}
    return {}
