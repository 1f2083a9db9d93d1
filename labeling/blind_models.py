"""Tasks that are labelled blindly: who has them, what each person drew, and what it is compared with.

Nobody's answers lie in the label set's own layer before they are settled. Each person draws on a sheet: a label set of
that person's own in a corner of the project that nobody else can enter (`webapp.projects.models.Project.corner_of`).
"""

import uuid

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField


class BlindTask(models.Model):
    """A task that is worked on on sheets until it is settled; then it is a task like any other."""

    class Kind(models.TextChoices):
        """What becomes of the answers."""

        SINGLE = "single", "by one person"
        DOUBLE = "double", "by two people"
        TRUTH = "truth", "ground truth"

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open"
        READY = "ready", "to adjudicate"
        SETTLED = "settled"

    task = models.OneToOneField("labeling.Task", on_delete=models.CASCADE, primary_key=True, related_name="blind")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    before = models.CharField(max_length=12, blank=True, help_text="The task's state when it became one.")
    people = ArrayField(models.IntegerField(), default=list, help_text="Who has it or has done it, in that order.")
    passed = ArrayField(models.IntegerField(), default=list, help_text="Who has skipped it.")
    result = models.JSONField(null=True, blank=True, help_text="The comparison of the two (`labeling.comparing`).")
    outcome = models.JSONField(null=True, blank=True, help_text="[{id, by, a, b, iou}]: the samples it became.")
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["task"]

    def __str__(self) -> str:
        return f"{self.kind} {self.task_id}"


class Labelling(models.Model):
    """One person's work on a blind task."""

    class State(models.TextChoices):
        """Where it stands."""

        WORKING = "working"
        DONE = "done"
        LEFT = "left", "given back"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    blind = models.ForeignKey(BlindTask, on_delete=models.CASCADE, related_name="labellings", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    sheet_task = models.OneToOneField(
        "labeling.Task", on_delete=models.SET_NULL, null=True, related_name="labelling", help_text="On the sheet."
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.WORKING)
    result = models.JSONField(null=True, blank=True, help_text="The comparison with the truth.")
    begun_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["begun_at", "id"]
        verbose_name = "blind labelling"
        constraints = [models.UniqueConstraint(fields=["blind", "person"], name="labelling_once")]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.blind_id}"


class Answer(models.Model):
    """One sample of a finished labelling, or of the truth, as it was then. Nothing but moved imagery changes its shape.

    A sample that lies in several cells is an answer to the task of each.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    blind = models.ForeignKey(BlindTask, on_delete=models.CASCADE, related_name="answers")
    labelling = models.ForeignKey(
        Labelling, on_delete=models.CASCADE, null=True, blank=True, related_name="answers", help_text="Null: the truth."
    )
    feature_id = models.UUIDField(help_text="Of the sample it is a copy of.")
    geometry = models.GeometryField(srid=4326, spatial_index=False)
    class_value = models.PositiveIntegerField(null=True, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    decided = models.BooleanField(default=False, help_text="This task decided what becomes of it in the label set.")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["blind", "feature_id"], name="answer_once_per_task")]
        indexes = [models.Index(fields=["feature_id"], name="answer_feature")]

    def __str__(self) -> str:
        return f"answer {self.feature_id}"
