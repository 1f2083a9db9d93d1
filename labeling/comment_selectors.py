"""Reads of comments."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from labeling.models import BlindTask, Comment, LabelSet, Mention, Task
from webapp.errors import NotFound
from webapp.projects.models import Role, User

MAX_THREADS = 500


def comment(pk: UUID) -> Comment:
    """Return the comment with its label set and project.

    Raises:
        NotFound: there is none.
    """
    found = Comment.objects.select_related("label_set__project").filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def threads(label_set: LabelSet, *, me: int, role: Role, resolved: bool = False) -> list[dict[str, Any]]:
    """Return the newest 500 comments with their answers, newest first.

    Args:
        role: of the caller; labelers are not shown what was said where ground truth lies.
        resolved: those that are settled, instead of the open ones. What the caller has still to read is always there.
    """
    settled = Q(resolved_at__isnull=not resolved)
    unread = Q(mentions__user=me, mentions__read_at=None) | Q(
        answers__mentions__user=me, answers__mentions__read_at=None
    )
    top = label_set.comments.filter(parent=None).filter(settled | unread).distinct()
    if role < Role.REVIEWER:
        truth = Task.objects.filter(label_set=label_set, blind__kind=BlindTask.Kind.TRUTH)
        top = top.exclude(Exists(truth.filter(geometry__covers=OuterRef("place"))))
    rows = _whole(top).order_by("-created_at", "id")[:MAX_THREADS]
    return [{**as_json(row, me), "answers": [as_json(one, me) for one in row.answers.all()]} for row in rows]


def _whole(rows: QuerySet[Comment]) -> QuerySet[Comment]:
    mentions = Prefetch("mentions", Mention.objects.select_related("user"))
    answers = Prefetch("answers", Comment.objects.select_related("author", "resolved_by").prefetch_related(mentions))
    return rows.select_related("author", "resolved_by").prefetch_related(mentions, answers)


def as_json(row: Comment, me: int) -> dict[str, Any]:
    """Return one comment; `must_read` is the caller's own."""
    mentions = list(row.mentions.all())
    return {
        "id": str(row.pk),
        "parent": None if row.parent_id is None else str(row.parent_id),
        "feature": None if row.feature_id is None else str(row.feature_id),
        "lon": row.place.x,
        "lat": row.place.y,
        "text": row.text,
        "author": person(row.author),
        "at": row.created_at.isoformat(),
        "resolved_at": None if row.resolved_at is None else row.resolved_at.isoformat(),
        "resolved_by": person(row.resolved_by),
        "mentions": [person(one.user) for one in mentions],
        "must_read": any(one.user_id == me and one.read_at is None for one in mentions),
    }


def person(user: User | None) -> dict[str, Any] | None:
    """Return {id, name} of a user."""
    return None if user is None else {"id": user.pk, "name": user.get_full_name() or user.get_username()}
