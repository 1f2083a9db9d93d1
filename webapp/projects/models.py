"""Who may do what: users, projects, members, tokens, audit."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.IntegerChoices):
    """Roles of a member, each allowed all that a lower one is."""

    VIEWER = 10, "viewer"
    LABELER = 20, "labeler"
    REVIEWER = 30, "reviewer"
    MANAGER = 40, "manager"
    OWNER = 50, "owner"


class User(AbstractUser):
    """A person who signs in. Our own class from the start, so that it can grow."""


class Project(models.Model):
    """One team's imagery, labels, models and maps."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    # One person's own corner of a project: it has no members, stands in no list, and nobody else gets in. Whatever
    # must not be seen by others lies there, so a road that forgets to ask shows nothing.
    corner_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="corners")
    only_for = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["corner_of", "only_for"], name="project_corner_once"),
            models.CheckConstraint(
                condition=models.Q(corner_of=None, only_for=None)
                | models.Q(corner_of__isnull=False, only_for__isnull=False),
                name="project_corner_has_person",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A user's role in a project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-role", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="member_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class ApiToken(models.Model):
    """A bearer token. Only its SHA-256 is stored; the token itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="api_tokens")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="First characters, to recognise it by.")
    scopes = models.JSONField(default=list, help_text='Some of "read", "edit", "run", "manage".')
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class Invitation(models.Model):
    """A link that lets whoever has it join a project. Only the SHA-256 of its token is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.VIEWER)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    max_uses = models.PositiveIntegerField(null=True, blank=True, help_text="Null: as many as follow the link.")
    uses = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_known"),
            models.CheckConstraint(
                condition=models.Q(max_uses=None) | models.Q(uses__lte=models.F("max_uses")),
                name="invitation_not_over_used",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project} as {self.get_role_display()}"


class AuditEntry(models.Model):
    """One act of administration. Rows are only ever inserted."""

    project = models.ForeignKey(Project, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    action = models.CharField(max_length=80)
    target = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class SignInAttempts(models.Model):
    """How often somebody tried to sign in, per account (hashed) and per address; see `throttle`."""

    key = models.CharField(max_length=80, primary_key=True)
    count = models.PositiveIntegerField()
    doublings = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "sign-in attempts"

    def __str__(self) -> str:
        return self.key
