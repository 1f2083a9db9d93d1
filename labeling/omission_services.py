"""Decisions on omissions: taken over as samples, or remembered as no object."""

from uuid import UUID, uuid4

from django.db import transaction

from labeling.models import LabelSet, NoObject
from labeling.omissions import Wanted, omitted, on_imagery
from webapp.errors import Invalid
from webapp.features import services as features
from webapp.features.models import Edit
from webapp.features.numbering import lock
from webapp.features.services import EditRequest
from webapp.projects.models import User


def add(
    *, label_set: LabelSet, wanted: Wanted, feature_id: UUID, class_value: int | None, op_id: UUID, user: User
) -> UUID:
    """Return the new sample's id: a detection that nobody had drawn, taken over as it is.

    Args:
        op_id: made by the client; sent again it adds nothing and answers the same.

    Raises:
        Conflict: somebody has drawn or decided on it meanwhile (code `not_omitted`).
        Invalid: it cannot be stored; the class is unknown or retired.
    """
    with transaction.atomic():
        # Under the lock of the samples: two people who add it at once make one sample.
        lock(label_set.layer)
        earlier = Edit.objects.filter(layer=label_set.layer, op_id=op_id).first()
        if earlier is not None:
            return earlier.feature_id
        found = omitted(label_set, wanted, feature_id)
        edit = EditRequest(
            op_id, "create", uuid4(), geometry=found.geometry, class_value=class_value, score=found.score
        )
        [result] = features.apply_edits(layer=label_set.layer, edits=[edit], user=user)
        if result.status != "ok":
            error = result.error or {"message": "It cannot be stored.", "fix": "", "code": "not_stored"}
            raise Invalid(error["message"], fix=error["fix"], code=error["code"])
    return edit.feature_id


def dismiss(*, label_set: LabelSet, wanted: Wanted, feature_id: UUID, user: User) -> None:
    """Remember that there is no object: neither this detection nor another of that place comes again.

    Raises:
        Conflict: somebody has drawn or decided on it meanwhile (code `not_omitted`).
    """
    with transaction.atomic():
        if NoObject.objects.filter(label_set=label_set, feature_id=feature_id).exists():
            return
        found = omitted(label_set, wanted, feature_id)
        found.refresh_from_db(fields=["geometry"])  # where it is stored, not where the set shows it now
        NoObject.objects.get_or_create(
            label_set=label_set,
            feature_id=found.pk,
            defaults={
                "geometry": found.geometry,
                "on_imagery": on_imagery(label_set, wanted.layer),
                "decided_by": user,
            },
        )


def bring_back(*, label_set: LabelSet, feature_id: UUID) -> None:
    """Forget that a detection was said to be no object."""
    NoObject.objects.filter(label_set=label_set, feature_id=feature_id).delete()
