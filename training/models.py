"""Training data, runs, epochs, model packages."""

import uuid

from django.conf import settings as django_settings
from django.db import models
from django.urls import reverse

from labeling.models import LabelSet
from webapp.jobs.models import Job
from webapp.projects.models import Project


class Task(models.TextChoices):
    """What a network does."""

    CLASSIFY_PIXELS = "classify_pixels"
    DETECT_OBJECTS = "detect_objects"


class TrainingData(models.Model):
    """A folder of chips exported from a label set, frozen at its sequence number."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="training_data")
    name = models.CharField(max_length=200)
    label_set = models.ForeignKey(LabelSet, on_delete=models.RESTRICT, related_name="training_data")
    layer_seq = models.BigIntegerField()
    imagery_version = models.PositiveIntegerField()
    metadata_format = models.CharField(max_length=40)
    spec = models.JSONField(default=dict, help_text="Frozen: chip_px, stride_px, resolution_m, extent, split, seed …")
    path = models.CharField(max_length=200, blank=True, help_text="Relative to MEDIA_DIR, set when finished.")
    statistics = models.JSONField(default=dict, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "id"]
        verbose_name = verbose_name_plural = "training data"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("training-data", args=[self.pk])


class ModelPackage(models.Model):
    """Weights and description, ready to use."""

    class Source(models.TextChoices):
        """Where it comes from."""

        TRAINED = "trained"
        INSTALLED = "installed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="packages")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    task = models.CharField(max_length=20, choices=Task.choices)
    network = models.CharField(max_length=80)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.TRAINED)
    path = models.CharField(max_length=200, help_text="Relative to MEDIA_DIR: the .dlpk.")
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    classes = models.JSONField(default=list, help_text="[{value, name, colour}]")
    bands = models.JSONField(default=list, help_text="Band names in order.")
    dtype = models.CharField(max_length=20)
    resolution_m = models.FloatField()
    chip_px = models.PositiveIntegerField()
    metrics = models.JSONField(default=dict, blank=True)
    data = models.JSONField(default=dict, blank=True, help_text="What it was trained on.")
    uninstalled_at = models.DateTimeField(null=True, blank=True)
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
        return reverse("model", args=[self.pk])


class Run(models.Model):
    """One training."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    name = models.CharField(max_length=200)
    training_data = models.ForeignKey(TrainingData, on_delete=models.RESTRICT, related_name="runs")
    network = models.CharField(max_length=80)
    settings = models.JSONField(default=dict, help_text="Frozen: epochs, batch_size, learning_rate, seed, patience …")
    best_epoch = models.PositiveIntegerField(null=True, blank=True)
    package = models.OneToOneField(ModelPackage, on_delete=models.SET_NULL, null=True, blank=True, related_name="run")
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
        return reverse("run", args=[self.pk])


class Epoch(models.Model):
    """One pass over the training chips: its losses and metrics."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="epochs")
    number = models.PositiveIntegerField()
    metrics = models.JSONField(default=dict, help_text="train_loss, validation_loss, and the task's metrics.")
    steps = models.JSONField(default=list, help_text="[[step, loss], …] within the epoch.")
    seconds = models.FloatField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="epoch_once")]

    def __str__(self) -> str:
        return f"{self.run} epoch {self.number}"
