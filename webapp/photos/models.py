"""Photos that stand at a place: drone photos looking aslant, photos of a visit in the field.

A set of photos is a feature layer of points, so that maps style, filter, tabulate, tile and export it like any other. A
photo and its point have the same id; a photo that nobody has placed yet has no point.
"""

import uuid

from django.conf import settings
from django.db import models

from webapp.features.models import FeatureLayer


class Photo(models.Model):
    """One photo of a set, as our own upright JPEG."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    layer = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, related_name="photos", db_index=False)
    name = models.CharField(max_length=200, help_text="Of the file, for people.")
    sha256 = models.CharField(max_length=64, help_text="Of the uploaded file: the same photo is there once.")
    picture_path = models.CharField(max_length=200, help_text="Relative to MEDIA_DIR, as is the thumbnail.")
    thumbnail_path = models.CharField(max_length=200)
    width = models.PositiveIntegerField(help_text="Pixels of the picture as it stands upright.")
    height = models.PositiveIntegerField()
    shot = models.JSONField(default=dict, help_text="What the camera wrote: the fields of webapp.raster.exif.Shot.")
    size_bytes = models.BigIntegerField(help_text="Of picture and thumbnail.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["layer", "name", "id"]
        constraints = [models.UniqueConstraint(fields=["layer", "sha256"], name="photo_once")]

    def __str__(self) -> str:
        return self.name
