"""Feature layers: one store for samples, detections and imports, with one edit log."""

import uuid

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.db.models import Func

from webapp.jobs.models import Job
from webapp.projects.models import Project


class Mercator(Func):
    """A lon/lat geometry in EPSG:3857, cut at the latitude where that map ends (85.0511 degrees)."""

    arity = 1
    template = (
        "CASE WHEN ST_YMin(%(expressions)s) >= -85.0511 AND ST_YMax(%(expressions)s) <= 85.0511"
        " THEN ST_Transform(%(expressions)s, 3857)"
        " ELSE ST_Transform(ST_ClipByBox2D(%(expressions)s, ST_MakeEnvelope(-180, -85.0511, 180, 85.0511, 4326)), 3857)"
        " END"
    )


class GeodesicArea(Func):
    """Square metres on the WGS 84 ellipsoid (PostGIS geography); 0 for points and lines."""

    arity = 1
    template = "CASE WHEN ST_Dimension(%(expressions)s) = 2 THEN ST_Area(%(expressions)s::geography) ELSE 0 END"


class FeatureLayer(models.Model):
    """Vector features with classes, fields and a version history."""

    class Kind(models.TextChoices):
        """Where the features come from."""

        SAMPLES = "samples"
        DETECTIONS = "detections"
        POLYGONS = "polygons"
        IMPORTED = "imported"
        PHOTOS = "photos"

    class State(models.TextChoices):
        """A layer written by a job is on maps while it grows."""

        BUILDING = "building"
        READY = "ready"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="feature_layers")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    attribution = models.CharField(max_length=500, blank=True)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.SAMPLES)
    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)
    fields = models.JSONField(default=list, blank=True, help_text='[{name, type: "string|integer|number|boolean"}]')
    seq = models.BigIntegerField(default=0, help_text="Number of the last edit, gapless and in commit order.")
    schema_version = models.PositiveIntegerField(default=1, help_text="Rises when the class schema changes.")
    next_fid = models.BigIntegerField(default=1, help_text="Integer id of the next new feature.")
    feature_count = models.BigIntegerField(default=0, help_text="Features that are not deleted.")
    ladder = models.BooleanField(default=False, help_text="Cells are kept for tiles of low zooms.")
    west = models.FloatField(null=True, blank=True, help_text="Box of all features ever held, degrees; never shrinks.")
    south = models.FloatField(null=True, blank=True)
    east = models.FloatField(null=True, blank=True)
    north = models.FloatField(null=True, blank=True)
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


class FeatureClass(models.Model):
    """One class of a layer's class schema. Retired, never deleted, while features use it."""

    layer = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, related_name="classes")
    value = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    colour = models.CharField(max_length=7, help_text="#rrggbb")
    position = models.PositiveIntegerField(default=0)
    retired = models.BooleanField(default=False)
    shapes = ArrayField(
        models.CharField(max_length=7), default=list, blank=True, help_text="point, line, polygon; empty: any of them."
    )

    class Meta:
        ordering = ["layer", "position", "value"]
        verbose_name_plural = "feature classes"
        constraints = [
            models.UniqueConstraint(fields=["layer", "value"], name="class_value_once"),
            models.CheckConstraint(condition=models.Q(value__gte=1, value__lte=65535), name="class_value_range"),
            models.CheckConstraint(
                condition=models.Q(shapes__contained_by=["point", "line", "polygon"]), name="class_shapes_known"
            ),
            models.CheckConstraint(condition=models.Q(colour__regex=r"^#[0-9a-fA-F]{6}$"), name="class_colour_hex"),
        ]

    def __str__(self) -> str:
        return f"{self.value} {self.name}"


class Feature(models.Model):
    """One feature as it is now. `deleted` rows stay as tombstones so that versions go on."""

    class Source(models.TextChoices):
        """Who drew it."""

        HUMAN = "human"
        MODEL = "model"
        IMPORT = "import"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Every unique key begins with the layer: an index of its own would only cost writes.
    layer = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, related_name="features", db_index=False)
    fid = models.BigIntegerField(help_text="Integer id within the layer: MVT and Esri object id.")
    # Indexed together with the layer below: many layers lie over the same place.
    geometry = models.GeometryField(srid=4326, spatial_index=False)
    # Both are computed by the database at every write, so that tiles transform no row and rank by size.
    geometry_3857 = models.GeneratedField(
        expression=Mercator("geometry"),
        output_field=models.GeometryField(srid=3857, spatial_index=False, null=True),
        db_persist=True,
    )
    area_m2 = models.GeneratedField(
        expression=GeodesicArea("geometry"), output_field=models.FloatField(), db_persist=True
    )
    class_value = models.PositiveIntegerField(null=True, blank=True)
    score = models.FloatField(null=True, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.HUMAN)
    verified = models.BooleanField(default=False, help_text="A person drew or accepted it.")
    deleted = models.BooleanField(default=False)
    block = models.IntegerField(null=True, blank=True, help_text="Inference block that wrote it.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["layer", "fid"]
        constraints = [
            models.UniqueConstraint(fields=["layer", "fid"], name="feature_fid_once"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="feature_version_from_one"),
        ]
        indexes = [
            GistIndex(fields=["layer", "geometry"], condition=models.Q(deleted=False), name="feature_place"),
            models.Index(fields=["layer", "-area_m2", "fid"], condition=models.Q(deleted=False), name="feature_rank"),
            models.Index(fields=["layer", "block"], condition=models.Q(block__isnull=False), name="feature_block"),
        ]

    def __str__(self) -> str:
        return f"feature {self.fid} v{self.version}"


class Edit(models.Model):
    """One change of one feature: the append-only log and the history."""

    class Action(models.TextChoices):
        """What the edit did."""

        CREATE = "create"
        UPDATE = "update"
        DELETE = "delete"

    layer = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, related_name="edits", db_index=False)
    seq = models.BigIntegerField()
    op_id = models.UUIDField()
    feature_id = models.UUIDField()
    action = models.CharField(max_length=6, choices=Action.choices)
    base_version = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField()
    # What the feature was after the edit; empty after a delete.
    geometry = models.GeometryField(srid=4326, null=True, blank=True, spatial_index=False)
    class_value = models.PositiveIntegerField(null=True, blank=True)
    score = models.FloatField(null=True, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    source = models.CharField(max_length=10, choices=Feature.Source.choices, default=Feature.Source.HUMAN)
    verified = models.BooleanField(default=False)
    digest = models.CharField(
        max_length=32, blank=True, help_text="Of the request: a repeated op_id must carry the same body."
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["layer", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["layer", "seq"], name="edit_seq_once"),
            models.UniqueConstraint(fields=["layer", "op_id"], name="edit_op_once"),
            models.UniqueConstraint(fields=["feature_id", "version"], name="edit_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action} v{self.version}"


class SealedEdit(models.Model):
    """What a row of the log held before it was emptied (`webapp.features.sealing`). No road reads it."""

    # A number, no foreign key: with one Django would read all the edits of a layer before it deletes them.
    edit_id = models.BigIntegerField(primary_key=True, help_text="The row of the log.")
    layer = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=6)
    geometry = models.GeometryField(srid=4326, null=True, blank=True, spatial_index=False)
    class_value = models.PositiveIntegerField(null=True, blank=True)
    score = models.FloatField(null=True, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    source = models.CharField(max_length=10)
    verified = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"sealed {self.edit_id}"


class Cell(models.Model):
    """How many features of a class lie in a cell of a tile (`webapp.features.ladder`). Made of the features."""

    pk = models.CompositePrimaryKey("layer", "z", "x", "y", "cell", "class_value")
    layer = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, related_name="+", db_index=False)
    z = models.SmallIntegerField()
    x = models.IntegerField()
    y = models.IntegerField()
    cell = models.SmallIntegerField(help_text="64 * row + column within the tile.")
    class_value = models.IntegerField(help_text="-1: no class.")
    count = models.IntegerField()
    score_sum = models.FloatField()
    scored = models.IntegerField(help_text="Features that have a score.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(count__gte=0), name="cell_count_not_negative")]

    def __str__(self) -> str:
        return f"{self.count} in {self.z}/{self.x}/{self.y}, cell {self.cell}"


class TileChange(models.Model):
    """The number of the last edit that changed the ground of a tile (`webapp.features.tile_numbers`)."""

    pk = models.CompositePrimaryKey("layer", "z", "x", "y")
    layer = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, related_name="+", db_index=False)
    z = models.SmallIntegerField()
    x = models.IntegerField()
    y = models.IntegerField()
    inside = models.BigIntegerField(help_text="Last edit of something inside.")
    whole = models.BigIntegerField(default=0, help_text="Last edit that may have changed all of it.")

    def __str__(self) -> str:
        return f"{self.z}/{self.x}/{self.y} changed by {max(self.inside, self.whole)}"
