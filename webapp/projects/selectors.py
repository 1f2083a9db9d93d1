"""Projects, members and tokens as the API shows them."""

from typing import Any

from django.db.models import Count, QuerySet

from webapp.projects.models import ApiToken, AuditEntry, Invitation, Member, Project, Role, User


def with_roles(projects: QuerySet[Project], user: User) -> list[dict[str, Any]]:
    """Return projects with the user's role in each, in three queries however many there are."""
    rows = list(projects.annotate(member_count=Count("members", distinct=True)))
    own = dict(Member.objects.filter(user=user, project__in=rows).values_list("project_id", "role"))
    role = {row.pk: Role.OWNER if user.is_superuser else Role(own[row.pk]) for row in rows}
    return [project_json(row, role=role[row.pk], members=row.member_count) for row in rows]


def project_json(project: Project, *, role: Role, members: int | None = None) -> dict[str, Any]:
    """Return a project as the caller with `role` sees it."""
    return {
        "id": str(project.pk),
        "name": project.name,
        "description": project.description,
        "role": role.label,
        "members": project.members.count() if members is None else members,
        "created_at": project.created_at.isoformat(),
        "updated_at": project.updated_at.isoformat(),
        "url": f"/projects/{project.pk}/",
    }


def members(project: Project) -> list[Member]:
    """Return the members with their users, owners first."""
    return list(Member.objects.filter(project=project).select_related("user").order_by("-role", "user__username"))


def member_json(member: Member) -> dict[str, Any]:
    """Return a member."""
    return {
        "id": member.pk,
        "user": {"id": member.user_id, "username": member.user.username, "name": member.user.get_full_name()},
        "role": Role(member.role).label,
        "created_at": member.created_at.isoformat(),
    }


def invitation_json(invitation: Invitation) -> dict[str, Any]:
    """Return an invitation without its link."""
    return {
        "id": str(invitation.pk),
        "role": Role(invitation.role).label,
        "created_by": invitation.created_by.username,
        "created_at": invitation.created_at.isoformat(),
        "expires_at": invitation.expires_at.isoformat(),
        "max_uses": invitation.max_uses,
        "uses": invitation.uses,
    }


def audit(project: Project, limit: int = 100) -> list[dict[str, Any]]:
    """Return the newest acts of administration."""
    rows = AuditEntry.objects.filter(project=project).select_related("actor")[:limit]
    return [
        {
            "id": row.pk,
            "actor": row.actor.username if row.actor else None,
            "action": row.action,
            "target": row.target,
            "details": row.details,
            "at": row.at.isoformat(),
        }
        for row in rows
    ]


def tokens(user: User) -> list[ApiToken]:
    """Return the user's living and expired tokens; revoked ones are gone for them."""
    return list(ApiToken.objects.filter(user=user, revoked_at=None).select_related("project"))


def token_json(token: ApiToken) -> dict[str, Any]:
    """Return a token without its secret."""
    return {
        "id": str(token.pk),
        "name": token.name,
        "hint": token.hint,
        "scopes": token.scopes,
        "project": None if token.project is None else {"id": str(token.project.pk), "name": token.project.name},
        "created_at": token.created_at.isoformat(),
        "last_used_at": token.last_used_at and token.last_used_at.isoformat(),
        "expires_at": token.expires_at and token.expires_at.isoformat(),
    }


def me_json(user: User) -> dict[str, Any]:
    """Return the caller's own account."""
    return {
        "id": user.pk,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "name": user.get_full_name() or user.username,
        "email": user.email,
        "is_staff": user.is_staff,
    }
