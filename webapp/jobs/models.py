"""Jobs: launches of long work, with lease, heartbeat and fencing token."""

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse

from webapp.projects.models import Project


class Job(models.Model):
    """One launch of long work. All times are the database's clock."""

    class State(models.TextChoices):
        """Life of a job; the last three never change again."""

        QUEUED = "queued"
        RUNNING = "running"
        PUBLISHING = "publishing"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Lane(models.TextChoices):
        """Which slots of a worker a job needs."""

        HEAVY = "heavy"
        LIGHT = "light"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs")
    kind = models.CharField(max_length=80)
    lane = models.CharField(max_length=10, choices=Lane.choices, default=Lane.HEAVY)
    title = models.CharField(max_length=200, blank=True)
    spec = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    priority = models.IntegerField(default=0, help_text="Higher runs first.")
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=3)
    interruptions = models.PositiveIntegerField(
        default=0, help_text="How often the database went away under it; such attempts are not counted."
    )
    published = models.BooleanField(default=False, help_text="Its result is stored: it can only succeed.")
    token = models.UUIDField(null=True, blank=True, help_text="Fencing token of the running attempt.")
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=200, blank=True)
    progress = models.FloatField(default=0.0, help_text="0 to 1.")
    message = models.CharField(max_length=500, blank=True)
    cancel_requested = models.BooleanField(default=False)
    error_code = models.CharField(max_length=80, blank=True)
    error_message = models.TextField(blank=True)
    error_fix = models.TextField(blank=True)
    result = models.JSONField(default=dict, blank=True)
    seq = models.BigIntegerField(default=0, help_text="Number of the last event.")
    restarts = models.OneToOneField(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="restarted_by",
        help_text="The failed or cancelled job that this one runs again.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["state", "-priority", "created_at"], name="job_claim"),
            models.Index(fields=["project", "-created_at"], name="job_project"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state__in=["running", "publishing"])
                | models.Q(token__isnull=False, lease_until__isnull=False),
                name="job_running_has_lease",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["succeeded", "failed", "cancelled"], finished_at__isnull=False, token__isnull=True
                )
                | (~models.Q(state__in=["succeeded", "failed", "cancelled"]) & models.Q(finished_at__isnull=True)),
                name="job_final_has_end",
            ),
            models.CheckConstraint(
                condition=(models.Q(state="failed") & ~models.Q(error_code=""))
                | (~models.Q(state="failed") & models.Q(error_code="")),
                name="job_failed_has_error",
            ),
            models.CheckConstraint(condition=models.Q(progress__gte=0.0, progress__lte=1.0), name="job_progress_range"),
        ]

    def __str__(self) -> str:
        return self.title or self.kind

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("job", args=[self.pk])

    @property
    def finished(self) -> bool:
        """True in a state that never changes again."""
        return self.state in (Job.State.SUCCEEDED, Job.State.FAILED, Job.State.CANCELLED)


class JobEvent(models.Model):
    """One line of a job's log."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    level = models.CharField(max_length=10, default="info")
    text = models.TextField()
    attempt = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["job", "seq"]
        constraints = [models.UniqueConstraint(fields=["job", "seq"], name="job_event_seq")]

    def __str__(self) -> str:
        return self.text[:80]
