"""Label sets: feature layers of samples over imagery, and the tasks into which their area is cut."""

import uuid

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.urls import reverse

from labeling.blind_models import Answer, BlindTask, Labelling
from labeling.review_models import Comment, Mention, NoObject, Verdict
from webapp.features.models import FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import Project

__all__ = [
    "Answer",
    "BlindTask",
    "Comment",
    "CopiedSample",
    "LabelSet",
    "Labelling",
    "Mention",
    "NoObject",
    "Proposal",
    "Task",
    "TaskEvent",
    "Verdict",
]


class LabelSet(models.Model):
    """Samples over one imagery layer; the class schema and the edits are the feature layer's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="label_sets")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    imagery = models.ForeignKey(ImageryLayer, on_delete=models.RESTRICT, related_name="label_sets")
    layer = models.OneToOneField(FeatureLayer, on_delete=models.RESTRICT, related_name="label_set")
    task_seq = models.BigIntegerField(default=0, help_text="Number of the last task event, gapless, in commit order.")
    # A sheet: one person's own copy, on which tasks of the label set are labelled blindly.
    sheet_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="sheets")
    sheet_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    # Of the family of sets over several dates: the one that the first copies came from.
    copied_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="copies")
    all_on_sheets = models.BooleanField(default=False, help_text="New tasks are labelled on sheets, checks among them.")
    agree_iou = models.FloatField(default=0.8, help_text="Two shapes that overlap by this, of one class, are the same.")
    show_scores = models.BooleanField(default=False, help_text="Labelers see how they did on ground truth.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["sheet_of", "sheet_for"], name="label_set_sheet_once"),
            models.UniqueConstraint(fields=["copied_from", "imagery"], name="label_set_once_a_date"),
            models.CheckConstraint(
                condition=models.Q(agree_iou__gte=0.5, agree_iou__lte=1), name="label_set_agree_iou_range"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("label", args=[self.pk])


class ImageryOffset(models.Model):
    """How far imagery is shown from where its file says, while this set is labelled. Display only: see `offsets`."""

    label_set = models.ForeignKey(LabelSet, on_delete=models.CASCADE, related_name="offsets", db_index=False)
    imagery = models.ForeignKey(ImageryLayer, on_delete=models.CASCADE, related_name="+")
    east_m = models.FloatField(help_text="Metres on the ground at the middle of the imagery.")
    north_m = models.FloatField()
    note = models.CharField(max_length=200, blank=True, help_text="How it was found.")
    version = models.PositiveIntegerField(default=1)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    set_at = models.DateTimeField()

    class Meta:
        verbose_name = "imagery offset"
        constraints = [
            models.UniqueConstraint(fields=["label_set", "imagery"], name="offset_once_an_imagery"),
            models.CheckConstraint(
                condition=models.Q(east_m__gte=-500, east_m__lte=500, north_m__gte=-500, north_m__lte=500),
                name="offset_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.east_m:g} m E, {self.north_m:g} m N"


class CopiedSample(models.Model):
    """A sample that began as a copy of one over imagery of another date, and which one that was."""

    feature_id = models.UUIDField(primary_key=True, help_text="Made of the layer's id and the origin's.")
    # No copy of a copy: so the same object is known again on every date, whichever way it was copied.
    origin_id = models.UUIDField(help_text="The sample that somebody drew.")
    label_set = models.ForeignKey(LabelSet, on_delete=models.CASCADE, related_name="copied_samples")

    def __str__(self) -> str:
        return f"{self.feature_id} of {self.origin_id}"


class Task(models.Model):
    """One cell of a label set's grid. All times are the database's clock.

    The lease (holder, token, lease_until) is apart from the state: a labeler holds a task in progress, a reviewer one
    that is done. `token` is the fencing token: it rises with each lease, and only the newest one may act.
    """

    class State(models.TextChoices):
        """Where the work on it stands; who may change it how is in `labeling.task_states`."""

        TODO = "todo", "to do"
        IN_PROGRESS = "in_progress", "in progress"
        DONE = "done", "done"
        APPROVED = "approved", "approved"
        RETURNED = "returned", "returned"
        SKIPPED = "skipped", "skipped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Every unique key begins with the label set.
    label_set = models.ForeignKey(LabelSet, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    number = models.PositiveIntegerField(help_text="What people call it.")
    geometry = models.GeometryField(srid=4326)
    centre = models.PointField(srid=4326, spatial_index=False, help_text="A point inside, for nearness.")
    state = models.CharField(max_length=12, choices=State.choices, default=State.TODO)
    priority = models.IntegerField(default=0, help_text="Higher comes first.")
    uncertainty = models.FloatField(null=True, blank=True, help_text="0 to 1: how unsure a model is here.")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    token = models.BigIntegerField(default=0, help_text="Fencing token: rises with each lease.")
    lease_until = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.TextField(blank=True, help_text="Why it was returned or skipped, while that holds.")
    must_read = models.BooleanField(default=False, help_text="The note has to be acknowledged before editing.")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="parts")
    on_sheets = models.BooleanField(default=False, help_text="Labelled blindly, until it is settled.")
    split = models.BooleanField(default=False, help_text="Its parts stand for it; the row keeps the history.")
    seq = models.BigIntegerField(default=0, help_text="Number of its last event.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["label_set", "number"]
        constraints = [
            models.UniqueConstraint(fields=["label_set", "number"], name="task_number_once"),
            models.CheckConstraint(
                condition=models.Q(uncertainty__isnull=True) | models.Q(uncertainty__gte=0, uncertainty__lte=1),
                name="task_uncertainty_range",
            ),
            models.CheckConstraint(
                condition=models.Q(lease_until__isnull=True) | models.Q(token__gte=1), name="task_lease_has_token"
            ),
        ]
        indexes = [
            models.Index(fields=["label_set", "seq"], name="task_changes"),
            models.Index(fields=["label_set", "holder"], condition=models.Q(holder__isnull=False), name="task_held"),
            models.Index(fields=["label_set"], condition=models.Q(on_sheets=True, split=False), name="task_on_sheets"),
            GistIndex(fields=["geometry"], condition=models.Q(on_sheets=True, split=False), name="task_blind_place"),
        ]

    def __str__(self) -> str:
        return f"task {self.number}"


class TaskEvent(models.Model):
    """One thing that happened to a task. Rows are only ever inserted."""

    label_set = models.ForeignKey(LabelSet, on_delete=models.CASCADE, related_name="task_events", db_index=False)
    seq = models.BigIntegerField()
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="events")
    action = models.CharField(max_length=20)
    from_state = models.CharField(max_length=12, blank=True)
    to_state = models.CharField(max_length=12)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    token = models.BigIntegerField(default=0, help_text="Of the lease under which it happened.")
    note = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["label_set", "seq"]
        constraints = [models.UniqueConstraint(fields=["label_set", "seq"], name="task_event_seq_once")]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"


class Proposal(models.Model):
    """A change drawn under a lease that somebody else holds now: kept apart until the new holder decides."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="proposals")
    token = models.BigIntegerField(help_text="Of the lease that had ended.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    op_ids = ArrayField(models.UUIDField(), help_text="The edits it is made of: a repeated one adds nothing.")
    feature_id = models.UUIDField(help_text="Of the sample that it makes, changes or deletes.")
    action = models.CharField(max_length=6, help_text="create, update or delete")
    base_version = models.PositiveIntegerField(default=0, help_text="Of the sample that the author saw.")
    geometry = models.GeometryField(srid=4326, null=True, blank=True, spatial_index=False)
    class_value = models.PositiveIntegerField(null=True, blank=True)
    properties = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["task"], condition=models.Q(state="open"), name="proposal_open"),
            models.Index(fields=["task", "author"], name="proposal_author"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.feature_id}"
