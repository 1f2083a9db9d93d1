"""What the commands of this room share: rows by id or name, and in whose name a command acts."""

from typing import TypeVar
from uuid import UUID

from django.core.management.base import CommandError
from django.db.models import Model, QuerySet

from webapp.projects.models import Project, Role, User

M = TypeVar("M", bound=Model)


def by_id_or_name(rows: "QuerySet[M]", wanted: str) -> M:
    """Return the row of that id, or the only one of that name."""
    what = rows.model._meta.verbose_name
    try:
        found = rows.filter(pk=UUID(wanted))
    except ValueError:
        found = rows.filter(name=wanted)
    first = list(found[:2])
    if not first:
        raise CommandError(f"There is no {what} '{wanted}'.")
    if len(first) > 1:
        raise CommandError(f"There are several of '{wanted}'. Give the id of the {what}.")
    return first[0]


def owner_of(project: Project) -> User | None:
    """Return the project's first owner: what a command makes belongs to somebody."""
    member = project.members.filter(role=Role.OWNER).select_related("user").order_by("pk").first()
    return member.user if member else None
