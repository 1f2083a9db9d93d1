"""Mending samples that something is wrong with: each by an edit on the version that was seen, so no work is lost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from django.contrib.gis.geos import GEOSGeometry

from labeling import samples
from labeling.models import LabelSet
from webapp.errors import Invalid, TooLarge
from webapp.features import services
from webapp.features.geometry import check_shape, to_geos, to_shape
from webapp.features.models import Feature
from webapp.projects.models import User

MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Chosen:
    """A sample to mend, and the version of it that was seen."""

    id: UUID
    version: int


def fix(
    *,
    label_set: LabelSet,
    kind: str,
    action: str,
    chosen: Sequence[Chosen],
    class_value: int | None,
    user: User | None,
) -> dict[str, Any]:
    """Return how many samples were mended, and those that were not with the reason.

    Args:
        label_set: whose samples.
        kind: of the problem.
        action: one of the kind's fixes: delete, repair, cut (at the imagery's edge), class.
        chosen: at most 200.
        class_value: for `class`.
        user: who mends.

    Raises:
        Invalid: the kind or the action is unknown.
        TooLarge: more than 200 samples.
    """
    if action not in samples.kind_of(kind).fixes:
        raise Invalid(f"{action!r:.40} does not mend that.", fix="Choose what is offered.", code="action_unknown")
    if action == "class" and class_value is None:
        raise Invalid("No class is given.", fix="Choose one.", code="class_unknown")
    if len(chosen) > MOST_AT_ONCE:
        raise TooLarge(f"{len(chosen)} samples are too many at once.", fix=f"Send at most {MOST_AT_ONCE}.")
    done, failed = 0, []
    for item in chosen:
        # One by one: a colleague's change of one sample does not stop the others.
        try:
            edit = _edit(label_set, action, item, class_value)
        except Invalid as error:  # nothing would be left of it
            failed.append({"id": str(item.id), "status": "invalid", "message": str(error)})
            continue
        (result,) = services.apply_edits(layer=label_set.layer, edits=[edit], user=user)
        if result.status == "ok":
            done += 1
        else:
            told = (result.error or {}).get("message", "Somebody changed it meanwhile.")
            failed.append({"id": str(item.id), "status": result.status, "message": told})
    return {"done": done, "failed": failed}


def _edit(label_set: LabelSet, action: str, item: Chosen, class_value: int | None) -> services.EditRequest:
    if action == "delete":
        return services.EditRequest(uuid4(), "delete", item.id, item.version)
    row = Feature.objects.filter(layer=label_set.layer, pk=item.id, deleted=False).first()
    if row is None:  # the edit itself will say that it is gone
        return services.EditRequest(uuid4(), "update", item.id, item.version)
    # Mending a suggestion of a model is not to have checked it.
    edit = services.EditRequest(uuid4(), "update", item.id, item.version, verified=row.verified)
    if action == "class":
        return replace(edit, class_value=class_value)
    return replace(edit, geometry=_stored(row.geometry) if action == "repair" else _cut(label_set, row.geometry))


def _cut(label_set: LabelSet, geometry: GEOSGeometry) -> GEOSGeometry:
    """Return the part of a sample that lies on the imagery, of the same dimension."""
    return _stored(geometry.intersection(samples.footprint_of(label_set)))


def _stored(geometry: GEOSGeometry) -> GEOSGeometry:
    verdict = check_shape(to_shape(geometry), repair=True)
    if verdict.geometry is None:
        raise Invalid(verdict.reason, fix=verdict.fix, code=verdict.code)
    return to_geos(verdict.geometry)
