"""Maps: ordered layers with styles and a viewport."""

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse

from webapp.features.models import FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import Project


class Basemap(models.Model):
    """Pictures of another site that lie under maps, drawn by the reader's browser; an administrator's to name."""

    class Kind(models.TextChoices):
        """How its server is asked."""

        XYZ = "xyz", "XYZ tiles (rows from the north)"
        TMS = "tms", "TMS tiles (rows from the south)"
        WMS = "wms", "WMS"

    class Format(models.TextChoices):
        """Of a WMS's pictures."""

        PNG = "image/png", "PNG"
        JPEG = "image/jpeg", "JPEG"

    class Version(models.TextChoices):
        """Of WMS."""

        V130 = "1.3.0", "1.3.0"
        V111 = "1.1.1", "1.1.1"

    class TileSize(models.IntegerChoices):
        """Pixels of a tile's side."""

        NORMAL = 256, "256 pixels"
        LARGE = 512, "512 pixels"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=3, choices=Kind.choices, default=Kind.XYZ)
    url = models.CharField(
        "address",
        max_length=1000,
        help_text="Of tiles: https://tiles.example.org/{z}/{x}/{y}.png ({s} for a subdomain, {r} for @2x, {key} for "
        "the key). Of a WMS: what stands before REQUEST=.",
    )
    key = models.CharField(
        max_length=500,
        blank=True,
        help_text="Stands where the address says {key}. Whoever opens a map with this basemap can find it: limit it "
        "to this site at its provider.",
    )
    subdomains = models.CharField(max_length=100, default="a,b,c", help_text="For {s}.")
    attribution = models.CharField(max_length=500, blank=True, help_text="Plain text, as its provider asks for it.")
    attribution_url = models.URLField(max_length=500, blank=True, help_text="Where the attribution leads.")
    min_zoom = models.PositiveSmallIntegerField(default=0, help_text="Nothing is drawn below this zoom.")
    max_zoom = models.PositiveSmallIntegerField(default=19, help_text="Beyond it, its tiles are drawn larger.")
    tile_size = models.PositiveSmallIntegerField(choices=TileSize.choices, default=TileSize.NORMAL)
    wms_layers = models.CharField("WMS layers", max_length=500, blank=True, help_text="Comma-separated names.")
    wms_format = models.CharField("WMS format", max_length=20, choices=Format.choices, default=Format.PNG)
    wms_version = models.CharField("WMS version", max_length=5, choices=Version.choices, default=Version.V130)
    is_default = models.BooleanField("default", default=False, help_text="Under every map that chose none.")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_basemap"
            ),
            models.CheckConstraint(
                condition=models.Q(min_zoom__lte=models.F("max_zoom"), max_zoom__lte=26), name="basemap_zoom_range"
            ),
        ]

    def __str__(self) -> str:
        return self.name


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
    basemap = models.CharField(
        max_length=60,
        blank=True,
        help_text='"": the site\'s default; "plain"; "site:<id>" of a basemap; "imagery:<id>" of an imagery layer.',
    )
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
