"""Inferences: a model package applied to imagery, block by block."""

import uuid

from django.conf import settings as django_settings
from django.contrib.gis.db import models
from django.urls import reverse

from training.models import ModelPackage, Task
from webapp.features.models import FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job
from webapp.maps.models import Map
from webapp.projects.models import Project


class Inference(models.Model):
    """One application of a package to an imagery layer or a part of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="inferences")
    name = models.CharField(max_length=200)
    task = models.CharField(max_length=20, choices=Task.choices)
    package = models.ForeignKey(ModelPackage, on_delete=models.RESTRICT, related_name="inferences")
    imagery = models.ForeignKey(ImageryLayer, on_delete=models.RESTRICT, related_name="inferences")
    imagery_version = models.PositiveIntegerField()
    extent = models.PolygonField(srid=4326, null=True, blank=True, help_text="Null: the whole imagery layer.")
    settings = models.JSONField(default=dict, blank=True, help_text="Frozen: threshold, batch_size, block_px, merge …")
    blocks_total = models.PositiveIntegerField(default=0)
    result_imagery = models.ForeignKey(
        ImageryLayer, on_delete=models.SET_NULL, null=True, blank=True, related_name="written_by"
    )
    result_features = models.ForeignKey(
        FeatureLayer, on_delete=models.SET_NULL, null=True, blank=True, related_name="written_by"
    )
    map = models.ForeignKey(Map, on_delete=models.SET_NULL, null=True, blank=True, related_name="inferences")
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("inference", args=[self.pk])


class Block(models.Model):
    """One finished block: stored once, in the transaction that was guarded by the token."""

    inference = models.ForeignKey(Inference, on_delete=models.CASCADE, related_name="blocks")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    features = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0.0)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["inference", "number"]
        constraints = [models.UniqueConstraint(fields=["inference", "number"], name="block_once")]

    def __str__(self) -> str:
        return f"block {self.number}"
