"""Sets how far imagery is shown from where its file says."""

import math
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from labeling import blind_answers, offsets
from labeling.models import ImageryOffset, LabelSet
from webapp import doorbell
from webapp.errors import Conflict, Invalid
from webapp.features import moving
from webapp.features.numbering import lock
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import AuditEntry, User
from webapp.raster.shift import Shift, shift_of

MOST_M = 500.0
MAX_NOTE = 200


@dataclass(frozen=True)
class Wanted:
    """An offset as somebody wants it.

    Attributes:
        version: of the offset that was seen; 0: there was none.
        take_along: the samples were drawn on this imagery, so they go where it goes. False: they stay where they are,
            because the imagery is being brought to them.
    """

    east_m: float
    north_m: float
    note: str
    version: int
    take_along: bool


def put(*, label_set: LabelSet, imagery: ImageryLayer, wanted: Wanted, user: User) -> int:
    """Keep an offset of imagery and return how many samples went along.

    One transaction under the layer's lock: an export reads samples and offset of one moment.

    Raises:
        Invalid: over 500 m, the imagery is of another project, or samples are to go along with other imagery than
            their set's.
        Conflict: somebody has changed the offset meanwhile.
    """
    if not all(math.isfinite(part) and abs(part) <= MOST_M for part in (wanted.east_m, wanted.north_m)):
        raise Invalid(f"An offset is at most {MOST_M:g} m.", fix="Georeference the imagery anew.", code="offset_range")
    if imagery.project_id != label_set.project_id:
        raise Invalid("The imagery is not in this project.", fix="Choose imagery of the project.", code="imagery")
    if wanted.take_along and imagery.pk != label_set.imagery_id:
        raise Invalid("Samples belong to the set's own imagery.", fix="Leave them where they are.", code="imagery")
    note = wanted.note.strip()
    if len(note) > MAX_NOTE:
        raise Invalid(f"The note has {len(note)} characters.", fix=f"Keep to {MAX_NOTE}.", code="note")
    if label_set.sheet_of_id is not None:
        raise Conflict("A sheet shows the imagery as its label set does.", fix="Set the offset there.", code="sheet")
    # What people draw blindly meanwhile was drawn on the same imagery.
    sheets = LabelSet.objects.filter(sheet_of=label_set).select_related("layer").order_by("pk")
    with transaction.atomic():
        lock(label_set.layer)
        before = ImageryOffset.objects.filter(label_set=label_set, imagery=imagery).first()
        if wanted.version != (before.version if before else 0):
            raise Conflict(
                "Somebody has changed the offset meanwhile.",
                fix="Look at it as it is now.",
                code="offset_changed",
                details=offsets.as_json(imagery, before),
            )
        old = _shift(imagery, before.east_m, before.north_m) if before else Shift()
        new = _shift(imagery, wanted.east_m, wanted.north_m)
        ImageryOffset.objects.update_or_create(
            label_set=label_set,
            imagery=imagery,
            defaults={
                "east_m": wanted.east_m,
                "north_m": wanted.north_m,
                "note": note,
                "version": wanted.version + 1,
                "set_by": user,
                "set_at": timezone.now(),
            },
        )
        step = Shift(new.x - old.x, new.y - old.y)
        moved = 0
        if wanted.take_along and step:
            moved = moving.move(layer=label_set.layer, shift=step, user=user)
            for sheet in sheets:
                moving.move(layer=sheet.layer, shift=step, user=user)
            blind_answers.move(label_set, step)
        AuditEntry.objects.create(
            project_id=label_set.project_id,
            actor=user,
            action="label_set.offset",
            target=str(label_set.pk),
            details={
                "imagery": str(imagery.pk), "east_m": wanted.east_m, "north_m": wanted.north_m, "note": note,
                "samples_moved": moved,
            },
        )  # fmt: skip
        for layer in (label_set.layer_id, *(sheet.layer_id for sheet in sheets)):
            doorbell.ring(f"offsets:{layer}", wanted.version + 1)
    return moved


def _shift(imagery: ImageryLayer, east_m: float, north_m: float) -> Shift:
    return shift_of(offsets.latitude(imagery), east_m, north_m)
