"""Imagery layers and the uploads they come from."""

import uuid

from django.conf import settings
from django.contrib.gis.db import models
from django.urls import reverse

from webapp.jobs.models import Job
from webapp.projects.models import Project


class ImageryLayer(models.Model):
    """A scene, a mosaic or a class raster, with its bands, statistics and named renderings."""

    class Kind(models.TextChoices):
        """What the pixels are."""

        SCENE = "scene"
        MOSAIC = "mosaic"
        CLASS_RASTER = "class_raster"

    class State(models.TextChoices):
        """A layer is on maps from `building` on: class rasters grow block by block, mosaics get their overview."""

        BUILDING = "building"
        READY = "ready"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imagery")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    attribution = models.CharField(max_length=500, blank=True)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.SCENE)
    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)
    version = models.PositiveIntegerField(default=1, help_text="In every tile URL; rises when pixels change.")
    analysis_path = models.CharField(max_length=200, blank=True, help_text="In MEDIA_DIR: source grid, all bands.")
    display_path = models.CharField(max_length=200, blank=True, help_text="In MEDIA_DIR: EPSG:3857, 8 bit.")
    blocks_path = models.CharField(max_length=200, blank=True, help_text="Relative to SCRATCH_DIR, while building.")
    remote = models.JSONField(
        default=dict,
        blank=True,
        help_text="Of a file that stays on another server: {url, etag, last_modified, item}, as people may see it.",
    )
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the source file.")
    size_bytes = models.BigIntegerField(default=0)
    crs_wkt = models.TextField(blank=True)
    epsg = models.IntegerField(null=True, blank=True)
    height = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    transform = models.JSONField(help_text="Affine a, b, c, d, e, f: pixel (col, row) to the CRS.")
    gsd_m = models.FloatField(help_text="Ground size of a pixel in metres at the centre.")
    dtype = models.CharField(max_length=20)
    nodata = models.FloatField(null=True, blank=True)
    bands = models.JSONField(
        default=list,
        help_text="[{name, min, max, mean, std, p2, p98, histogram: {edges, counts}}] in band order.",
    )
    classes = models.JSONField(default=list, blank=True, help_text="Class raster: [{value, name, colour}].")
    rendering = models.JSONField(
        default=dict, blank=True, help_text="Default rendering: {bands: [1,2,3], stretch: [[lo,hi], …]}."
    )
    footprint = models.MultiPolygonField(srid=4326, null=True, blank=True)
    position_assumed = models.BooleanField(default=False)
    position_note = models.CharField(max_length=500, blank=True)
    min_zoom = models.PositiveSmallIntegerField(default=0)
    max_zoom = models.PositiveSmallIntegerField(default=22)
    acquired_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("imagery", args=[self.pk])


class Mosaic(models.Model):
    """How a layer's scenes are read as one. What follows from it lies in the layer's analysis file."""

    class Rule(models.TextChoices):
        """What is shown where scenes overlap."""

        NEWEST = "newest"
        FIRST = "first"
        MEAN = "mean"
        HIGHEST = "highest"
        LOWEST = "lowest"

    layer = models.OneToOneField(ImageryLayer, on_delete=models.CASCADE, primary_key=True, related_name="mosaic")
    rule = models.CharField(max_length=10, choices=Rule.choices, default=Rule.NEWEST)
    overview_path = models.CharField(max_length=200, blank=True, help_text="In MEDIA_DIR: all bands, low resolution.")

    def __str__(self) -> str:
        return f"{self.layer} ({self.rule})"


class MosaicScene(models.Model):
    """A scene in a mosaic's list."""

    mosaic = models.ForeignKey(ImageryLayer, on_delete=models.CASCADE, related_name="scenes")
    # A scene is not taken away under a mosaic, and with it under whatever was labelled or predicted on that.
    scene = models.ForeignKey(ImageryLayer, on_delete=models.RESTRICT, related_name="mosaics")
    position = models.PositiveIntegerField(help_text="The first lies on top, but for the rule newest.")

    class Meta:
        verbose_name = "mosaic"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["mosaic", "scene"], name="scene_once_a_mosaic")]

    def __str__(self) -> str:
        return self.mosaic.name

    def get_absolute_url(self) -> str:
        """Return the address of the mosaic's page."""
        return self.mosaic.get_absolute_url()


class NamedRendering(models.Model):
    """A look of an imagery layer under a name: rendering words that are kept."""

    layer = models.ForeignKey(ImageryLayer, on_delete=models.CASCADE, related_name="renderings")
    name = models.CharField(max_length=50, help_text="In addresses: ?rendering=name.")
    title = models.CharField(max_length=200, blank=True)
    words = models.JSONField(default=dict, help_text="Rendering words as {word: [value, …]}.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["layer", "name"], name="rendering_name_once_a_layer")]

    def __str__(self) -> str:
        return self.name


class Upload(models.Model):
    """A file on its way into quarantine, in resumable pieces."""

    class State(models.TextChoices):
        """Bytes arrive, then a job takes the file over."""

        RECEIVING = "receiving"
        INGESTING = "ingesting"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="uploads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    filename = models.CharField(max_length=200)
    size_bytes = models.BigIntegerField()
    received_bytes = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING)
    position = models.JSONField(
        default=dict,
        blank=True,
        help_text='{"world_file": text, "epsg": n} or {"bounds": [w, s, e, n], "epsg": n, "note": text}.',
    )
    options = models.JSONField(default=dict, blank=True, help_text="Name, attribution, acquired_at of the layer.")
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    layer = models.ForeignKey(ImageryLayer, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(received_bytes__lte=models.F("size_bytes")), name="upload_not_over_size"
            )
        ]

    def __str__(self) -> str:
        return self.filename
