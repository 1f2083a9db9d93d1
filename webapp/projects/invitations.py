"""Invitations by link: made and revoked by managers, used by whoever has the link."""

import secrets
from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from webapp.errors import Conflict, Invalid, NotFound
from webapp.projects.authentication import digest
from webapp.projects.models import AuditEntry, Invitation, Member, Project, Role, User

DEFAULT_DAYS = 7
MOST_DAYS = 90
MOST_OPEN = 50


class Closed(Conflict):
    """An invitation that lets nobody in any more."""

    code = "invitation_closed"


def invite(
    *, project: Project, user: User, role: Role, days: int = DEFAULT_DAYS, max_uses: int | None = 1
) -> tuple[Invitation, str]:
    """Return a new invitation, and the token of its link, which nothing can show again.

    Args:
        project: to join.
        user: who invites; the caller has checked that `role` is not above the own one.
        role: of whoever joins.
        days: that the link works.
        max_uses: how many may join by it; None for any number.

    Raises:
        Invalid: days or uses are out of range.
        Conflict: the project has too many open invitations.
    """
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"A link cannot work for {days} days.", fix=f"Choose 1 to {MOST_DAYS}.")
    if max_uses is not None and max_uses < 1:
        raise Invalid(f"A link cannot be used {max_uses} times.", fix="Choose 1 or more, or null for any number.")
    if open_ones(project).count() >= MOST_OPEN:
        raise Conflict(f"The project has {MOST_OPEN} open invitations.", fix="Revoke some first.")
    raw = secrets.token_urlsafe(32)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            project=project,
            role=role,
            digest=digest(raw),
            max_uses=max_uses,
            created_by=user,
            expires_at=timezone.now() + timedelta(days=days),
        )
        _audit(invitation, user, "invitation.create", days=days, uses=max_uses or "any")
    return invitation, raw


def open_ones(project: Project) -> QuerySet[Invitation]:
    """Return the invitations that still let somebody in, newest first."""
    unused = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
    return Invitation.objects.filter(
        unused, project=project, revoked_at=None, expires_at__gt=timezone.now()
    ).select_related("created_by")


def revoke(*, invitation: Invitation, user: User) -> None:
    """End an invitation now. Twice is once."""
    with transaction.atomic():
        if Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=timezone.now()):
            _audit(invitation, user, "invitation.revoke")


def revoke_above(*, project: Project, inviter: User, role: Role | None) -> None:
    """End what a member invited beyond what the member may now give: None for one who left."""
    mine = Invitation.objects.filter(project=project, created_by=inviter, revoked_at=None)
    if role is not None and role >= Role.MANAGER:
        mine = mine.filter(role__gt=role)
    mine.update(revoked_at=timezone.now())


def find(raw: str) -> Invitation:
    """Return the invitation of a link that still lets somebody in.

    Raises:
        NotFound: there is no such link.
        Closed: it was revoked, has expired or was used up.
    """
    found = Invitation.objects.select_related("project", "created_by").filter(digest=digest(raw)).first()
    if found is None:
        raise NotFound("invitation")
    _check(found)
    return found


def role_of_member(project: Project, user: AbstractBaseUser | object) -> Role | None:
    """Return the role that a user has in the project by membership; None for a stranger."""
    if not isinstance(user, User):
        return None
    found = Member.objects.filter(project=project, user=user).values_list("role", flat=True).first()
    return None if found is None else Role(found)


def join(*, raw: str, user: User) -> Project:
    """Make the user a member by a link; return the project.

    Raises:
        NotFound: there is no such link.
        Closed: it was revoked, has expired or was used up.
        Conflict: the user is a member already; the link is not used up by that.
    """
    with transaction.atomic():
        invitation = (
            Invitation.objects.select_for_update(of=("self",))
            .select_related("project", "created_by")
            .filter(digest=digest(raw))
            .first()
        )
        if invitation is None:
            raise NotFound("invitation")
        # The lock of all changes of members; the newcomer may be added by name at this moment.
        project = Project.objects.select_for_update(no_key=True).get(pk=invitation.project_id)
        known = role_of_member(project, user)
        if known is not None:
            raise Conflict(
                f"You are a member of {project.name} already, as {known.label}.",
                fix="Open the project.",
                code="already_member",
            )
        _check(invitation)
        Member.objects.create(project=project, user=user, role=invitation.role)
        Invitation.objects.filter(pk=invitation.pk).update(uses=F("uses") + 1)
        _audit(invitation, user, "invitation.accept", by=invitation.created_by.username)
    return project


def _check(invitation: Invitation) -> None:
    ask = "Ask whoever sent it for a new link."
    if invitation.revoked_at is not None:
        raise Closed("This invitation was revoked.", fix=ask)
    if invitation.max_uses is not None and invitation.uses >= invitation.max_uses:
        raise Closed("This invitation was used already.", fix=ask)
    if invitation.expires_at <= timezone.now():
        raise Closed(f"This invitation expired on {invitation.expires_at:%d %B %Y}.", fix=ask)
    if not _may_still_invite(invitation):
        raise Closed("Whoever sent this invitation may no longer invite.", fix="Ask a manager of the project.")


def _may_still_invite(invitation: Invitation) -> bool:
    inviter = invitation.created_by
    role = Role.OWNER if inviter.is_superuser else role_of_member(invitation.project, inviter)
    return inviter.is_active and role is not None and role >= max(Role.MANAGER, invitation.role)


def _audit(invitation: Invitation, actor: User, action: str, **details: object) -> None:
    AuditEntry.objects.create(
        project=invitation.project,
        actor=actor,
        action=action,
        target=f"{Role(invitation.role).label} {str(invitation.pk)[:8]}",
        details=details,
    )
