"""Label sets: feature layers of samples over imagery."""

import uuid

from django.conf import settings
from django.db import models

from webapp.features.models import FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import Project


class LabelSet(models.Model):
    """Samples over one imagery layer; the class schema and the edits are the feature layer's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="label_sets")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    imagery = models.ForeignKey(ImageryLayer, on_delete=models.PROTECT, related_name="label_sets")
    layer = models.OneToOneField(FeatureLayer, on_delete=models.PROTECT, related_name="label_set")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return self.name
