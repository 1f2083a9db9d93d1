"""Feature layers: one store for samples, detections and imports, with one edit log."""

import uuid

from django.conf import settings
from django.contrib.gis.db import models

from webapp.jobs.models import Job
from webapp.projects.models import Project


class FeatureLayer(models.Model):
    """Vector features with classes, fields and a version history."""

    class Kind(models.TextChoices):
        """Where the features come from."""

        SAMPLES = "samples"
        DETECTIONS = "detections"
        POLYGONS = "polygons"
        IMPORTED = "imported"

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

    class Meta:
        ordering = ["layer", "position", "value"]
        verbose_name_plural = "feature classes"
        constraints = [
            models.UniqueConstraint(fields=["layer", "value"], name="class_value_once"),
            models.CheckConstraint(condition=models.Q(value__gte=1, value__lte=65535), name="class_value_range"),
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
    layer = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, related_name="features")
    fid = models.BigIntegerField(help_text="Integer id within the layer: MVT and Esri object id.")
    geometry = models.GeometryField(srid=4326)
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
        constraints = [models.UniqueConstraint(fields=["layer", "fid"], name="feature_fid_once")]

    def __str__(self) -> str:
        return f"feature {self.fid} v{self.version}"


class Edit(models.Model):
    """One change of one feature: the append-only log and the history."""

    class Action(models.TextChoices):
        """What the edit did."""

        CREATE = "create"
        UPDATE = "update"
        DELETE = "delete"

    layer = models.ForeignKey(FeatureLayer, on_delete=models.CASCADE, related_name="edits")
    seq = models.BigIntegerField()
    op_id = models.UUIDField()
    feature_id = models.UUIDField()
    action = models.CharField(max_length=6, choices=Action.choices)
    base_version = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField()
    geometry = models.GeometryField(srid=4326, null=True, blank=True)
    class_value = models.PositiveIntegerField(null=True, blank=True)
    score = models.FloatField(null=True, blank=True)
    properties = models.JSONField(default=dict, blank=True)
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
