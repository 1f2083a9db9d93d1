"""The only writers of comments. `@name` in a text names a member, who has to read it."""

import re
from dataclasses import dataclass
from uuid import UUID

from django.contrib.gis.geos import Point
from django.db import transaction
from django.utils import timezone

from labeling.models import Comment, LabelSet, Mention
from webapp import doorbell
from webapp.errors import Conflict, Denied, Invalid
from webapp.features.models import Feature
from webapp.projects.models import Member, Role, User

MAX_TEXT = 4_000
MAX_COMMENTS = 10_000
MENTION = re.compile(r"(?<![\w@])@([\w.+-]+(?:@[\w.-]+)?)")


@dataclass(frozen=True)
class NewComment:
    """A comment as its author wants it.

    Attributes:
        pk: made by the client.
        place: (lon, lat); None for an answer, which stands where its parent does.
        feature: the sample that it is about.
        parent: the comment that it answers.
    """

    pk: UUID
    text: str
    place: tuple[float, float] | None = None
    feature: UUID | None = None
    parent: UUID | None = None


def add(*, label_set: LabelSet, new: NewComment, user: User) -> Comment:
    """Return the comment after storing it; the same one sent again is stored once.

    Raises:
        Invalid: it has no text or no place, or what it is about is not in the label set.
        Conflict: the id is taken by another comment, or the label set has too many.
    """
    with transaction.atomic():
        known = Comment.objects.filter(pk=new.pk).first()
        if known is not None:
            if known.label_set_id != label_set.pk or known.author_id != user.pk:
                raise Conflict("This id is taken.", fix="Make a new UUID.", code="id_taken")
            return known
        text = checked_text(new.text)
        if label_set.comments.count() >= MAX_COMMENTS:
            raise Conflict("The label set has 10,000 comments.", fix="Delete some that are resolved.")
        parent = _parent(label_set, new)
        comment = Comment.objects.create(
            pk=new.pk,
            label_set=label_set,
            parent=parent,
            feature_id=parent.feature_id if parent else _feature(label_set, new),
            place=parent.place if parent else _place(new),
            text=text,
            author=user,
        )
        _mention(comment, also=parent)
        ring(label_set)
    return comment


def resolve(*, comment: Comment, resolved: bool, user: User) -> Comment:
    """Return the comment after settling it, or opening it again. Whoever may label may do both."""
    comment.resolved_at = timezone.now() if resolved else None
    comment.resolved_by = user if resolved else None
    with transaction.atomic():
        comment.save(update_fields=["resolved_at", "resolved_by"])
        ring(comment.label_set)
    return comment


def acknowledge(*, comment: Comment, user: User) -> None:
    """Note that a person who is named in it has read the comment."""
    with transaction.atomic():
        Mention.objects.filter(comment=comment, user=user, read_at=None).update(read_at=timezone.now())
        ring(comment.label_set)


def delete(*, comment: Comment, user: User, role: Role) -> None:
    """Remove a comment with its answers.

    Raises:
        Denied: it is somebody else's, and the user is no manager.
    """
    if comment.author_id != user.pk and role < Role.MANAGER:
        raise Denied("Only its author or a manager deletes a comment.", fix="Resolve it instead.")
    with transaction.atomic():
        comment.delete()
        ring(comment.label_set)


def checked_text(text: str) -> str:
    """Return the text without blanks around it.

    Raises:
        Invalid: it is empty or too long.
    """
    found = text.strip()
    if not 0 < len(found) <= MAX_TEXT or "\x00" in found:
        raise Invalid("A comment has 1 to 4,000 characters.", fix="Write it shorter, or in two.", code="text")
    return found


def ring(label_set: LabelSet) -> None:
    """Tell open pages to look again. Pages listen by layer: that is what their socket is about."""
    doorbell.ring(f"comments:{label_set.layer_id}", 1)


def _parent(label_set: LabelSet, new: NewComment) -> Comment | None:
    if new.parent is None:
        return None
    found = label_set.comments.filter(pk=new.parent).first()
    if found is None:
        raise Invalid("The comment that this answers is gone.", fix="Write a new one.", code="parent")
    # One level: an answer to an answer hangs beside it.
    return found.parent or found


def _feature(label_set: LabelSet, new: NewComment) -> UUID | None:
    if new.feature is None:
        return None
    if not Feature.objects.filter(pk=new.feature, layer=label_set.layer_id).exists():
        raise Invalid("The sample is not in this label set.", fix="Save it first, or pin the comment to a place.")
    return new.feature


def _place(new: NewComment) -> Point:
    if new.place is None:
        raise Invalid("The comment has no place.", fix="Send lon and lat.", code="place")
    return Point(*new.place, srid=4326)


def _mention(comment: Comment, *, also: Comment | None) -> None:
    """Name the members in the text, and in an answer whoever is answered."""
    named = {name.lower() for name in MENTION.findall(comment.text)}
    members = Member.objects.filter(project=comment.label_set.project_id, user__is_active=True).select_related("user")
    people = {member.user_id for member in members if member.user.get_username().lower() in named}
    if also is not None and also.author_id is not None and any(m.user_id == also.author_id for m in members):
        people.add(also.author_id)
    people.discard(comment.author_id or 0)
    Mention.objects.bulk_create([Mention(comment=comment, user_id=pk) for pk in sorted(people)])
