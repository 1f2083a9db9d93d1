"""What people decide on samples and say about them: verdicts, remarks, and places where there is no object."""

import uuid

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.indexes import GistIndex


class Verdict(models.Model):
    """What somebody decided on a sample that somebody else, or a model, made. Rows are only ever inserted."""

    class Kind(models.TextChoices):
        """The decision."""

        ACCEPT = "accept"
        FIX = "fix"
        REJECT = "reject"

    label_set = models.ForeignKey(
        "labeling.LabelSet", on_delete=models.CASCADE, related_name="verdicts", db_index=False
    )
    op_id = models.UUIDField(help_text="Of the edit that carried it out.")
    feature_id = models.UUIDField()
    version = models.PositiveIntegerField(help_text="Of the sample after it: a later version is not reviewed.")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    source = models.CharField(max_length=10, help_text="Who had made it: human, model or import.")
    class_value = models.PositiveIntegerField(null=True, blank=True, help_text="Its class before.")
    score = models.FloatField(null=True, blank=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["label_set", "id"]
        constraints = [models.UniqueConstraint(fields=["label_set", "op_id"], name="verdict_op_once")]
        indexes = [models.Index(fields=["feature_id", "version"], name="verdict_of_version")]

    def __str__(self) -> str:
        return f"{self.kind} {self.feature_id}"


class Comment(models.Model):
    """A remark at a place of a label set, or on one of its samples; answers hang below it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, help_text="Made by the client: sent twice it is one.")
    label_set = models.ForeignKey("labeling.LabelSet", on_delete=models.CASCADE, related_name="comments")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="answers")
    feature_id = models.UUIDField(null=True, blank=True, help_text="Of the sample that it is about.")
    place = models.PointField(srid=4326, spatial_index=False)
    text = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.text[:60]


class Mention(models.Model):
    """Somebody named in a comment: it has to be read before it leaves the page."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="mentions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["comment", "user"], name="mention_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.comment_id}"


class NoObject(models.Model):
    """A place where a model sees an object and somebody said that there is none: it is not asked again."""

    label_set = models.ForeignKey("labeling.LabelSet", on_delete=models.CASCADE, related_name="+", db_index=False)
    feature_id = models.UUIDField(help_text="Of the detection.")
    geometry = models.GeometryField(srid=4326, spatial_index=False, help_text="As the detection is stored.")
    on_imagery = models.BooleanField(default=False, help_text="Detected on the set's own imagery, with which it moves.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["label_set", "feature_id"], name="no_object_once")]
        indexes = [GistIndex(fields=["geometry"], name="no_object_place")]

    def __str__(self) -> str:
        return f"no object {self.feature_id}"
