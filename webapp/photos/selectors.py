"""Reads of photos."""

from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from webapp.errors import NotFound
from webapp.features.models import Feature, FeatureLayer
from webapp.features.selectors import layer_json
from webapp.photos.models import Photo

Size = Literal["picture", "thumbnail"]
MOST_LISTED = 5_000
# Of a shot, what its own fields in the list tell.
SHOWN = (
    "altitude_m",
    "height_m",
    "direction_deg",
    "pitch_deg",
    "taken_at",
    "camera",
    "lens",
    "focal_mm",
    "focal_35mm",
    "exposure_s",
    "f_number",
    "iso",
)


def set_of(pk: UUID) -> FeatureLayer:
    """Return a set of photos with its project.

    Raises:
        NotFound: there is none.
    """
    found = FeatureLayer.objects.select_related("project").filter(pk=pk, kind=FeatureLayer.Kind.PHOTOS).first()
    if found is None:
        raise NotFound("set of photos")
    return found


def photo_of(pk: UUID, layer: FeatureLayer | None = None) -> Photo:
    """Return a photo with its set and project; with `layer` only one of that set.

    Raises:
        NotFound: there is none.
    """
    rows = Photo.objects.select_related("layer__project").filter(pk=pk)
    found = (rows if layer is None else rows.filter(layer=layer)).first()
    if found is None:
        raise NotFound("photo")
    return found


def file_of(photo: Photo, size: Size) -> Path:
    """Return the absolute path of one of a photo's files."""
    return Path(settings.MEDIA_DIR) / (photo.picture_path if size == "picture" else photo.thumbnail_path)


def photo_json(photo: Photo, place: tuple[float, float] | None) -> dict[str, Any]:
    """Return a photo with its place (lon, lat), None where it has none yet."""
    return {
        "id": str(photo.pk),
        "name": photo.name,
        "width": photo.width,
        "height": photo.height,
        "place": place,
        **{key: photo.shot.get(key) for key in SHOWN},
        "notes": photo.shot.get("notes", []),
        "picture": reverse("api-photo-picture", args=[photo.pk]),
        "thumbnail": reverse("api-photo-thumbnail", args=[photo.pk]),
    }


def place_of(photo: Photo) -> tuple[float, float] | None:
    """Return where a photo stands, (lon, lat); None where it has no point."""
    point = Feature.objects.filter(pk=photo.pk, deleted=False).values_list("geometry", flat=True).first()
    return None if point is None else (point.x, point.y)


def set_json(layer: FeatureLayer) -> dict[str, Any]:
    """Return a set with its photos by name; those that nobody has placed yet come first."""
    points = Feature.objects.filter(layer=layer, deleted=False).values_list("pk", "geometry")
    places = {pk: (point.x, point.y) for pk, point in points}
    rows = Photo.objects.filter(layer=layer).order_by("name", "pk")[:MOST_LISTED]
    photos = [photo_json(row, places.get(row.pk)) for row in rows]
    photos.sort(key=lambda photo: photo["place"] is not None)
    return {**layer_json(layer), "photos": photos, "photo_count": Photo.objects.filter(layer=layer).count()}
