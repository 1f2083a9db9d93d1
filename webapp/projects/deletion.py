"""What a deletion would break and what it takes along, read from the foreign keys: every room's, whoever added them.

A foreign key with `on_delete=RESTRICT` says "this row stands on that one": it blocks the deletion, unless both go at
once with their project. `PROTECT` would keep a project from being deleted at all, so no model uses it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import CASCADE, PROTECT, RESTRICT

from webapp.errors import Conflict
from webapp.projects.models import AuditEntry, Project, User

# More users of an object than this are not listed.
MOST_LISTED = 20


@dataclass(frozen=True)
class Use:
    """One thing that keeps an object from being deleted.

    Attributes:
        kind: in words ("label set", "job").
        name: what people call it.
        url: its page; None where it has none.
    """

    kind: str
    name: str
    url: str | None


@dataclass
class Consequences:
    """What a deletion means, for the dialog that asks.

    Attributes:
        goes: what is removed, in words.
        stays: what is kept although it seems to belong to it.
        uses: what stands in the way; empty: the object can be deleted.
        options: choices of the deletion by name, each with its sentence.
    """

    goes: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what the dialog shows."""
        return {
            "allowed": not self.uses,
            "goes": self.goes,
            "stays": self.stays,
            "used_by": [_use_json(use) for use in self.uses],
            "fix": _fix(self.uses),
            "options": self.options,
        }


def users_of(row: models.Model) -> list[Use]:
    """Return what stands on a row: the first twenty rows of each foreign key that restricts its deletion."""
    return [
        use_of(user)
        for relation in _relations(row, RESTRICT, PROTECT)
        for user in relation.related_model._base_manager.filter(**{relation.field.name: row})[:MOST_LISTED]
    ]


def taken_along(row: models.Model, *, apart_from: Iterable[str] = ()) -> list[str]:
    """Return what goes with a row, counted by kind ("3 maps"); `apart_from` names models that need no mention."""
    unmentioned = set(apart_from)
    counts: dict[type[models.Model], int] = {}
    for relation in _relations(row, CASCADE):
        found = relation.related_model._base_manager.filter(**{relation.field.name: row}).count()
        if found and relation.related_model.__name__ not in unmentioned:
            counts[relation.related_model] = counts.get(relation.related_model, 0) + found
    return [counted(count, model) for model, count in counts.items()]


def counted(count: int, model: type[models.Model]) -> str:
    """Return a number with the model's name in words."""
    name = model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural
    return f"{count:,} {name}"


def use_of(row: models.Model) -> Use:
    """Return a row as something that stands in the way."""
    url = getattr(row, "get_absolute_url", None)
    return Use(str(row._meta.verbose_name), str(row), url() if url else None)


def refuse(name: str, uses: Sequence[Use]) -> None:
    """Return where nothing stands in the way.

    Raises:
        Conflict: something does; code `in_use`, `details["used_by"]` says what.
    """
    if not uses:
        return
    listed = ", ".join(f"{use.kind} '{use.name}'" for use in uses[:3])
    more = f" and {len(uses) - 3} more" if len(uses) > 3 else ""
    raise Conflict(
        f"'{name}' is in use by {listed}{more}.",
        fix=_fix(uses),
        code="in_use",
        details={"used_by": [_use_json(use) for use in uses]},
    )


def audit(*, project: Project, user: User | None, kind: str, name: str, **details: Any) -> None:
    """Note a deletion in the project's history."""
    AuditEntry.objects.create(project=project, actor=user, action=f"{kind}.delete", target=name[:200], details=details)


def _fix(uses: Sequence[Use]) -> str:
    kinds = {use.kind for use in uses}
    if not kinds:
        return ""
    if kinds == {"job"}:
        return "Cancel the job first, or wait until it has ended."
    return "Cancel the jobs and delete the others first." if "job" in kinds else "Delete what uses it first."


def _use_json(use: Use) -> dict[str, Any]:
    return {"kind": use.kind, "name": use.name, "url": use.url}


def _relations(row: models.Model, *wanted: Any) -> Iterator[Any]:
    """Yield the foreign keys that point at a row's model and act like this; hidden ones too."""
    for relation in row._meta.get_fields(include_hidden=True):
        points_here = relation.auto_created and not relation.concrete and (relation.one_to_one or relation.one_to_many)
        if points_here and getattr(relation, "on_delete", None) in wanted:
            yield relation
