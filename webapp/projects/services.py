"""Projects, members and tokens: the only writers, each act with its audit entry."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from webapp import locks
from webapp.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from webapp.projects.access import HOLD_WAIT_MS, role_in
from webapp.projects.authentication import TOKEN_PREFIX, digest
from webapp.projects.invitations import revoke_above
from webapp.projects.models import ApiToken, AuditEntry, Member, Project, Role, User

SCOPES = ("read", "edit", "run", "manage")
MAX_LIVING_TOKENS = 50
# Who is storing something holds the membership (`access.hold_role`); there may be one more that was sent before.
REMOVAL_WAIT_MS = 2 * HOLD_WAIT_MS + 2_000
# Hashing a longer one costs the server more than it protects.
LONGEST_PASSWORD = 1024


def create_project(*, name: str, description: str = "", user: User) -> Project:
    """Return a new project with the user as its owner."""
    with transaction.atomic():
        project = Project.objects.create(name=name, description=description)
        Member.objects.create(project=project, user=user, role=Role.OWNER)
        _audit(project, user, "project.create", name)
    return project


def edit_project(*, project: Project, user: User, name: str | None = None, description: str | None = None) -> Project:
    """Change a project's name or description; what is None stays."""
    with transaction.atomic():
        project.name = project.name if name is None else name
        project.description = project.description if description is None else description
        project.save(update_fields=["name", "description", "updated_at"])
        _audit(project, user, "project.edit", project.name)
    return project


def add_member(*, project: Project, username: str, role: Role, user: User, own_role: Role) -> Member:
    """Return the new member.

    Args:
        username: whom to add, exactly as they sign in.
        user: who adds.
        own_role: the role of who adds.

    Raises:
        Denied: the role is above the own one.
        Invalid: nobody has that user name.
        Conflict: the person is a member already.
    """
    check_grant(role, own_role)
    newcomer = User.objects.filter(username=username, is_active=True).first()
    if newcomer is None:
        raise Invalid(
            f"Nobody here has the user name '{username[:150]}'.",
            fix="Check the spelling, or ask an administrator to create the account.",
            code="unknown_user",
        )
    try:
        with transaction.atomic():
            _lock_members(project, user, own_role)
            member = Member.objects.create(project=project, user=newcomer, role=role)
            _audit(project, user, "member.add", newcomer.username, role=role.label)
    except IntegrityError as error:
        raise Conflict(
            f"{newcomer.username} is a member already.", fix="Change the role in the list.", code="already_member"
        ) from error
    return member


def change_role(*, member: Member, role: Role, user: User, own_role: Role) -> Member:
    """Give a member another role.

    Raises:
        Denied: the old or the new role is above the own one.
        Conflict: the project would be left without an owner.
        Unavailable: the member is storing something large.
    """
    check_grant(role, own_role)
    with _soon(member):
        member = _lock_member(member, user, own_role)
        if role < Role.OWNER:
            _keep_an_owner(member)
        before = Role(member.role).label
        member.role = role
        member.save(update_fields=["role"])
        _audit(member.project, user, "member.role", member.user.username, before=before, role=role.label)
        revoke_above(project=member.project, inviter=member.user, role=role)
    return member


def remove_member(*, member: Member, user: User, own_role: Role) -> None:
    """End a membership: managers end those up to their own role, anybody their own.

    What the member is storing at this moment is waited for; what is sent after it waits for the removal.

    Raises:
        Denied: it is not the own membership, and the own role is too low.
        Conflict: the project would be left without an owner.
        Unavailable: the member is storing something large.
    """
    leaving = member.user_id == user.pk
    if not leaving and own_role < Role.MANAGER:
        raise Denied(f"Your role here is {own_role.label}; this needs manager.", fix="Ask a manager of the project.")
    with _soon(member):
        member = _lock_member(member, user, own_role)
        _keep_an_owner(member)
        _audit(member.project, user, "member.leave" if leaving else "member.remove", member.user.username)
        revoke_above(project=member.project, inviter=member.user, role=None)
        member.delete()


def create_token(
    *, user: User, name: str, scopes: list[str], expires_at: datetime | None = None, project: Project | None = None
) -> tuple[ApiToken, str]:
    """Return a new token's row, and the token itself, which nothing can show again.

    Raises:
        Invalid: no known scope, or the expiry is past.
        Conflict: the user has too many living tokens.
    """
    if not scopes or set(scopes) - set(SCOPES):
        raise Invalid("A token needs scopes.", fix=f"Choose some of {', '.join(SCOPES)}.")
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("The token would have expired already.", fix="Choose a day to come.")
    if living_tokens(user) >= MAX_LIVING_TOKENS:
        raise Conflict(f"You have {MAX_LIVING_TOKENS} living tokens.", fix="Revoke some that you no longer use.")
    raw = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            project=project,
            name=name,
            digest=digest(raw),
            hint=raw[: len(TOKEN_PREFIX) + 4],
            scopes=[scope for scope in SCOPES if scope in scopes],
            expires_at=expires_at,
        )
        _audit(project, user, "token.create", name, scopes=token.scopes)
    return token, raw


def living_tokens(user: User) -> int:
    """Return how many tokens of the user are not revoked."""
    return ApiToken.objects.filter(user=user, revoked_at=None).count()


def revoke_token(*, token: ApiToken, user: User) -> None:
    """End a token now. Twice is once."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            _audit(token.project, user, "token.revoke", token.name)


def change_password(*, user: User, old: str, new: str) -> None:
    """Set a new password; every other session of the user ends with it.

    Raises:
        Invalid: the old password is wrong, or the new one is weak or too long.
    """
    if len(old) > LONGEST_PASSWORD or not user.check_password(old):
        raise Invalid("The old password is not right.", fix="Type it again.", code="wrong_password")
    if len(new) > LONGEST_PASSWORD:
        raise Invalid("The new password is too long.", fix=f"Use at most {LONGEST_PASSWORD} characters.")
    try:
        password_validation.validate_password(new, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), fix="Choose another new password.", code="weak_password") from error
    with transaction.atomic():
        user.set_password(new)
        user.save(update_fields=["password"])
        _audit(None, user, "password.change", user.username)


def edit_account(
    *, user: User, first_name: str | None = None, last_name: str | None = None, email: str | None = None
) -> User:
    """Change the own name or e-mail address; what is None stays."""
    user.first_name = user.first_name if first_name is None else first_name
    user.last_name = user.last_name if last_name is None else last_name
    user.email = user.email if email is None else email
    user.save(update_fields=["first_name", "last_name", "email"])
    return user


def check_grant(role: Role, own_role: Role) -> None:
    """Check that somebody may give a role.

    Raises:
        Denied: the role is above the own one.
    """
    if role > own_role:
        raise Denied(
            f"You are {own_role.label} and cannot make somebody {role.label}.", fix="Ask an owner of the project."
        )


@contextmanager
def _soon(member: Member) -> Iterator[None]:
    """Open the transaction of a change of a membership, which waits only so long for what the member is storing."""
    try:
        with transaction.atomic(), locks.waiting_at_most(REMOVAL_WAIT_MS):
            yield
    except OperationalError as error:
        if not locks.timed_out(error):
            raise
        raise Unavailable(
            f"{member.user.username} is storing something large just now, so nothing was changed.",
            fix="Try again in a moment.",
            code="busy",
        ) from error


def _lock_members(project: Project, user: User, own_role: Role) -> None:
    """Lock the project's memberships, and see that who changes them still has the role.

    Raises:
        NotFound, Denied: the role was taken away, or lowered, since it was looked at.
    """
    # One lock per project: two owners who leave at the same moment must see each other.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    now = role_in(user, project)
    if now is None:
        raise NotFound("project")
    if now < own_role:
        raise Denied(f"Your role here is {now.label} now.", fix="Ask a manager of the project.")


def _lock_member(member: Member, user: User, own_role: Role) -> Member:
    """Lock the project's memberships and return the member as it is now, if it is not above the own role."""
    # Before the project, as whoever writes holds the own membership before anything else.
    Member.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
    _lock_members(member.project, user, own_role)
    found = Member.objects.select_related("user", "project").filter(pk=member.pk).first()
    if found is None:
        raise Conflict("This member has just been removed.", fix="Load the page again.")
    if found.role > own_role:
        raise Denied(
            f"You are {own_role.label} and cannot change an {Role(found.role).label}.",
            fix="Ask an owner of the project.",
        )
    return found


def _keep_an_owner(member: Member) -> None:
    owners = Member.objects.filter(project=member.project_id, role=Role.OWNER)
    if member.role == Role.OWNER and not owners.exclude(pk=member.pk).exists():
        raise Conflict(
            f"{member.user.username} is the last owner of the project.",
            fix="Make somebody else an owner first.",
            code="last_owner",
        )


def _audit(project: Project | None, actor: User, action: str, target: str, **details: Any) -> None:
    AuditEntry.objects.create(project=project, actor=actor, action=action, target=target[:200], details=details)
