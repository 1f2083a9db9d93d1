"""Photos of a map's layers, for whoever may open the map."""

from uuid import UUID

from django.http import FileResponse
from django.urls import reverse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import NotFound
from webapp.maps import selectors
from webapp.maps.parsing import opened
from webapp.photos import selectors as photos
from webapp.photos.api import sent
from webapp.photos.models import Photo


@api_view(["GET"])
def map_photo(request: Request, pk: UUID, layer: int, photo: UUID) -> Response:
    """Return a photo of a layer: how it was taken, and where its pictures are."""
    found = _photo(request, pk, layer, photo)
    place = [pk, layer, photo]
    addresses = {
        "picture": reverse("api-map-photo-picture", args=place),
        "thumbnail": reverse("api-map-photo-thumbnail", args=place),
    }
    return Response(photos.photo_json(found, photos.place_of(found)) | addresses)


@api_view(["GET"])
def map_photo_picture(request: Request, pk: UUID, layer: int, photo: UUID) -> FileResponse:
    """Send a photo of a layer as JPEG."""
    return sent(_photo(request, pk, layer, photo), "picture")


@api_view(["GET"])
def map_photo_thumbnail(request: Request, pk: UUID, layer: int, photo: UUID) -> FileResponse:
    """Send a small copy of a photo of a layer."""
    return sent(_photo(request, pk, layer, photo), "thumbnail")


def _photo(request: Request, pk: UUID, layer: int, photo: UUID) -> Photo:
    found, _ = opened(request, pk)
    row = selectors.layer_of(found, layer)
    if row.features is None:
        raise NotFound("photo")
    shown = photos.photo_of(photo, row.features)
    # What is not on the map is not shared by it.
    if photos.place_of(shown) is None:
        raise NotFound("photo")
    return shown
