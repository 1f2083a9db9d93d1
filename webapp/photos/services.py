"""Writes of photos: sets, files on their way in, places, and the end of a photo."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import transaction
from django.http import HttpRequest

from webapp.disk import check_room, take_body
from webapp.errors import Invalid, TooLarge
from webapp.features import services as features
from webapp.features.bulk import NewFeature
from webapp.features.models import Feature, FeatureLayer
from webapp.features.numbering import lock
from webapp.imagery import storage
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.jobs.restarts import inputs_gone
from webapp.photos.models import Photo
from webapp.projects.models import Project, User

MAX_BYTES = 128 * 1024**2
MOST_FILES = 2_000
FIELDS = (
    ("photo", "string"),
    ("taken_at", "string"),
    ("direction_deg", "number"),
    ("pitch_deg", "number"),
    ("altitude_m", "number"),
    ("height_m", "number"),
    ("camera", "string"),
)


@dataclass(frozen=True)
class Arrived:
    """A file that waits in quarantine.

    Attributes:
        file: its name there, ours.
        name: what the user calls it.
    """

    file: str
    name: str


@dataclass(frozen=True)
class Files:
    """A photo's own files, relative to MEDIA_DIR, and their bytes together."""

    picture: str
    thumbnail: str
    size_bytes: int


def create_set(*, project: Project, name: str, user: User | None) -> FeatureLayer:
    """Return a new, empty set of photos.

    Raises:
        Invalid: the name cannot be used.
    """
    fields = [{"name": field, "type": kind} for field, kind in FIELDS]
    return features.create_layer(
        project=project, name=name, kind=FeatureLayer.Kind.PHOTOS, classes=[], fields=fields, user=user
    )


def receive(*, layer: FeatureLayer, stream: HttpRequest, user: User) -> str:
    """Return the name under which the request's body waits in quarantine. Nothing here parses it.

    Raises:
        Invalid: the body is empty or broke off.
        TooLarge: over 128 MiB.
        StorageFull: the disk has no room for it.
    """
    length = int(stream.META.get("CONTENT_LENGTH") or 0)
    if length == 0:
        raise Invalid("The file is empty.", fix="Choose another file.", code="not_an_image")
    if length > MAX_BYTES:
        raise TooLarge(f"A photo of {length:,} bytes is too large.", fix=f"At most {MAX_BYTES:,} are taken.")
    check_room(2 * length)
    path = Path(settings.QUARANTINE_DIR) / f"{_prefix(layer, user)}{uuid4().hex}"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        take_body(stream, path, length=length)
    except BaseException:  # broken off, the disk is full: nobody would ever read it
        path.unlink(missing_ok=True)
        raise
    return path.name


def read(*, layer: FeatureLayer, files: Sequence[Arrived], user: User) -> Job:
    """Return the job that reads files which arrived, places the photos and puts them into the set.

    The same files again are the same job: whoever did not hear the answer may ask once more.

    Raises:
        Invalid: none, too many, or one that this user did not send to this set.
        TooMany: the project has too many unfinished jobs.
    """
    if not 1 <= len(files) <= MOST_FILES:
        raise Invalid(f"{len(files)} photos cannot be read at once.", fix=f"Send 1 to {MOST_FILES}.")
    named = [{"file": item.file, "name": plain(item.name)} for item in files]
    asked = {"kind": "read_photos", "spec__layer": str(layer.pk), "spec__user": user.pk, "spec__files": named}
    ended_badly = (Job.State.FAILED, Job.State.CANCELLED)
    before = Job.objects.filter(project=layer.project, **asked).exclude(state__in=ended_badly).first()
    if before is not None:
        return before
    for item in files:
        own = re.fullmatch(re.escape(_prefix(layer, user)) + "[0-9a-f]{32}", item.file)
        if not own or not (Path(settings.QUARANTINE_DIR) / item.file).exists():
            raise Invalid(f"'{item.file[:80]}' did not arrive.", fix="Send the photo again.", code="upload_missing")
    return jobs.enqueue(
        project=layer.project,
        kind="read_photos",
        spec={
            "layer": str(layer.pk),
            "user": user.pk,
            "files": named,
        },
        user=user,
        title=f"Read photos into {layer.name}"[:200],
        lane=Job.Lane.LIGHT,
    )


def run_again(old: Job, new: Job) -> None:
    """Make sure that photos which were not read can be read again.

    Raises:
        Conflict: the set or the files are gone.
    """
    if not FeatureLayer.objects.filter(pk=old.spec["layer"]).exists():
        raise inputs_gone("The set of photos", "Send them to another one.")
    if not any((Path(settings.QUARANTINE_DIR) / item["file"]).exists() for item in old.spec["files"]):
        raise inputs_gone("What was uploaded", "Send the photos again.")


def store(folder: Path) -> Files:
    """Return the files that the sandbox wrote into a folder, moved to where they stay."""
    size = sum((folder / file).stat().st_size for file in ("picture.jpg", "thumbnail.jpg"))
    picture, thumbnail = (storage.keep(folder / f"{file}.jpg", under="photos") for file in ("picture", "thumbnail"))
    return Files(picture, thumbnail, size)


def keep(
    *, layer: FeatureLayer, files: Files, sha256: str, name: str, shot: dict[str, Any], user: User | None
) -> Photo | None:
    """Return a new photo of a set, with its point where the camera knew its place; None where the set has it already.

    Call it in a transaction: the set stays locked until its end.

    Args:
        layer: the set.
        files: of the photo.
        sha256: of the uploaded file.
        name: of the uploaded file, for people.
        shot: what the sandbox told.
        user: who uploaded it.
    """
    # Under the lock: while the sandbox read this one, another job may have put the same photo here.
    if is_there(lock(layer), sha256):
        return None
    photo = Photo.objects.create(
        layer=layer,
        name=name,
        sha256=sha256,
        picture_path=files.picture,
        thumbnail_path=files.thumbnail,
        width=shot["width"],
        height=shot["height"],
        shot=shot,
        size_bytes=files.size_bytes,
        created_by=user,
    )
    if shot["lon"] is not None:
        point = Point(shot["lon"], shot["lat"], srid=4326)
        made = NewFeature(
            point, id=photo.pk, properties=_properties(photo), source=Feature.Source.IMPORT, verified=False
        )
        features.add_features(layer=layer, features=[made], user=user)
    return photo


def is_there(layer: FeatureLayer, sha256: str) -> bool:
    """Return whether a set has the photo of an uploaded file with this hash."""
    return Photo.objects.filter(layer=layer, sha256=sha256).exists()


def place(*, photo: Photo, lon: float, lat: float, user: User) -> None:
    """Put a photo at a place by hand, or move it there; the layer's log has it as an edit.

    Raises:
        Invalid: the place is not on Earth.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Invalid(f"{lon:g}, {lat:g} is no place on Earth.", fix="Send lon -180 to 180 and lat -90 to 90.")
    layer = photo.layer
    with transaction.atomic():
        row = Feature.objects.filter(pk=photo.pk).first()
        there = row is not None and not row.deleted
        edit = features.EditRequest(
            op_id=uuid4(),
            action="update" if there else "create",
            feature_id=photo.pk,
            base_version=0 if row is None else row.version,
            geometry=Point(lon, lat, srid=4326),
            properties=None if there else _properties(photo),
        )
        (result,) = features.apply_edits(layer=layer, edits=[edit], user=user)
        if result.status != "ok":
            problem = result.error or {}
            raise Invalid(problem.get("message", "Somebody moved it at the same moment."), fix="Place it again.")


def delete(*, photo: Photo, user: User) -> None:
    """Remove a photo and its point; its files go with the next collection."""
    with transaction.atomic():
        row = Feature.objects.filter(pk=photo.pk, deleted=False).first()
        if row is not None:
            features.delete_features(layer=photo.layer, ids=[row.pk], user=user)
        photo.delete()


def plain(name: str) -> str:
    """Return a file's name as text for people: no folders, no control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:200] or "photo"


def _prefix(layer: FeatureLayer, user: User) -> str:
    # Who sent it and where to: nobody reads another's file into a set of their own.
    return f"photo-{UUID(str(layer.pk)).hex}-{user.pk}-"


def _properties(photo: Photo) -> dict[str, Any]:
    known = {field: photo.shot.get(field) for field, _ in FIELDS[1:]}
    return {"photo": photo.name, **{key: value for key, value in known.items() if value not in (None, "")}}
