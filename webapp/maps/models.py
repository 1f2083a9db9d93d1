"""Maps: ordered layers with styles and a viewport."""

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse

from webapp.features.models import FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import Project


class Map(models.Model):
    """An ordered stack of layers that people look at and share."""

    class Share(models.TextChoices):
        """Who may open the map."""

        PRIVATE = "private"  # who made it, and managers
        MEMBERS = "members"
        LINK = "link"
        PUBLIC = "public"  # as by link, and listed for everybody

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="maps")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    share = models.CharField(max_length=10, choices=Share.choices, default=Share.MEMBERS)
    view = models.JSONField(
        default=dict,
        blank=True,
        help_text='{"lon", "lat", "zoom", "compare"?: {"mode", "left", "right", "at"}, "time"?}; empty: all layers.',
    )
    bookmarks = models.JSONField(default=list, blank=True, help_text='[{"name", "lon", "lat", "zoom"}]')
    notes = models.JSONField(default=list, blank=True, help_text='[{"id", "geometry", "text", "colour"}]')
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("map", args=[self.pk])

    @property
    def open_to_all(self) -> bool:
        """Whether strangers may look at it."""
        return self.share in (Map.Share.LINK, Map.Share.PUBLIC)


class MapLayer(models.Model):
    """One layer on a map: an imagery layer (scene or class raster) or a feature layer."""

    map = models.ForeignKey(Map, on_delete=models.CASCADE, related_name="layers")
    position = models.PositiveIntegerField(help_text="0 is the bottom.")
    imagery = models.ForeignKey(ImageryLayer, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    features = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=200, blank=True)
    visible = models.BooleanField(default=True)
    opacity = models.FloatField(default=1.0)
    style = models.JSONField(default=dict, blank=True)
    group = models.CharField(max_length=100, blank=True, help_text="Name of its group; layers of one stand together.")

    class Meta:
        ordering = ["map", "position", "id"]
        verbose_name = "place on a map"
        verbose_name_plural = "places on maps"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(imagery__isnull=False, features__isnull=True)
                | models.Q(imagery__isnull=True, features__isnull=False),
                name="map_layer_one_source",
            ),
            models.CheckConstraint(
                condition=models.Q(opacity__gte=0.0, opacity__lte=1.0), name="map_layer_opacity_range"
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.source)

    @property
    def source(self) -> ImageryLayer | FeatureLayer:
        """What it shows; a constraint holds that it is one of both."""
        found = self.imagery or self.features
        assert found is not None
        return found
