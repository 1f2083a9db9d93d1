"""Samples copied forward: from the label set of one date into that of another, where they wait to be looked at.

Label sets over several dates are a family: `copied_from` names the first of them. A sample keeps its place on Earth,
whatever the offset of either imagery (see `offsets`), and the same object is known again on every date, so that it is
copied once however often and whichever way somebody copies.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import shapely
from django.db import connection, transaction
from shapely.geometry.base import BaseGeometry

from labeling import offsets, services
from labeling.models import CopiedSample, ImageryOffset, LabelSet
from labeling.sheets import class_specs
from webapp.errors import Conflict, Invalid, NotFound, QuadratError, TooLarge
from webapp.features import services as features
from webapp.features.bulk import add_lines, copy_line
from webapp.features.geometry import to_shape
from webapp.features.models import Feature, FeatureClass, FeatureLayer
from webapp.features.numbering import lock
from webapp.features.schema import ClassSpec, check_properties, check_shape_of_class
from webapp.features.selectors import Bbox, place_sql
from webapp.features.services import NewFeature
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import User

MAX_COPIES = 5_000
MAX_NAME = 200


@dataclass
class Copied:
    """What became of the samples that were to be copied.

    Attributes:
        label_set: into which they were copied.
        copied: how many are new there.
        already: how many were there, as they are now: these are left alone.
        deleted: how many somebody deleted there: these stay deleted.
        refused: how many could not be copied, by (code, message, fix).
    """

    label_set: LabelSet
    copied: int = 0
    already: int = 0
    deleted: int = 0
    refused: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def refuse(self, error: QuadratError, count: int = 1) -> None:
        """Count what cannot be copied."""
        self.refused[(error.code, error.message, error.fix)] += count

    def as_json(self) -> dict[str, Any]:
        """Return the JSON-ready answer."""
        return {
            "label_set": str(self.label_set.pk),
            "name": self.label_set.name,
            "url": self.label_set.get_absolute_url(),
            "copied": self.copied,
            "already": self.already,
            "deleted": self.deleted,
            "refused": [
                {"code": code, "message": message, "fix": fix, "count": count}
                for (code, message, fix), count in self.refused.items()
            ],
        }


def copy(
    *, label_set: LabelSet, imagery: ImageryLayer, user: User, ids: Sequence[UUID] = (), box: Bbox | None = None
) -> Copied:
    """Copy samples into the label set of other imagery, made where the family has none; in one transaction.

    What arrives is nobody's word on that date yet: it is unverified, so the review stream there asks about it.

    Args:
        label_set: where they are.
        imagery: of another date, of the same project.
        user: who copies.
        ids: of the samples.
        box: in degrees (west, south, east, north): all that meet it, instead of `ids`.

    Raises:
        Conflict: the label set is a sheet: what is drawn blindly stays there (code `sheet`).
        Invalid: the imagery is the set's own or of another project, or there is nothing to be copied; where a label
            set would have to be made, also if none could be copied into it.
        TooLarge: over 5,000 samples.
        NotFound: somebody has deleted the label set.
    """
    if label_set.sheet_of_id is not None:
        raise Conflict("What is drawn on a sheet stays there.", fix="Copy from the label set.", code="sheet")
    if imagery.project_id != label_set.project_id or imagery.pk == label_set.imagery_id:
        raise Invalid("This is no other imagery of the project.", fix="Choose another date.", code="imagery")
    with transaction.atomic():
        # Two who copy at once find one set. Locks are taken in one order everywhere: a label set, then a layer.
        family = LabelSet.objects.select_related("project", "imagery", "layer")
        first = family.select_for_update(no_key=True, of=("self",)).filter(pk=label_set.copied_from_id or label_set.pk)
        root = first.first()
        if root is None:
            raise NotFound("label set")
        samples = _samples(label_set.layer, ids, box)
        same_date = root if root.imagery_id == imagery.pk else family.filter(copied_from=root, imagery=imagery).first()
        target = same_date or _make(root, label_set, imagery, user)
        done = Copied(target)
        if missing := len(set(ids)) - len(samples) if box is None else 0:
            gone = Invalid("It is not in this label set any more.", fix="Load the page again.", code="gone")
            done.refuse(gone, missing)
        lock(target.layer)
        classes = _classes(label_set.layer, target.layer, samples, user)
        _write(_new(samples, target.layer, done), _There(target, classes), done, user)
        if same_date is None and not done.copied:
            # An empty label set is of use to nobody.
            [((code, message, fix), _)] = done.refused.most_common(1)
            raise Invalid(message, fix=fix, code=code)
    return done


@dataclass
class _There:
    """The label set that copies go into; `classes`: its class for each of the source, None where it has none such."""

    label_set: LabelSet
    classes: dict[int, FeatureClass | None]

    def __post_init__(self) -> None:
        footprint = offsets.shown(self.label_set).footprint
        self.area: BaseGeometry | None = None if footprint is None else to_shape(footprint)
        if self.area is not None:
            shapely.prepare(self.area)

    def copied(self, sample: Feature, pk: UUID) -> NewFeature:
        """Return the copy of a sample.

        Raises:
            Invalid: it lies beside the imagery, or the schema there takes no such sample.
            TooLarge: its properties are more than a layer takes.
        """
        shape = to_shape(sample.geometry)
        if self.area is not None and not self.area.intersects(shape):
            raise Invalid("It lies beside the imagery of that date.", fix="Choose another date.", code="off_imagery")
        check_properties(sample.properties, self.label_set.layer.fields)
        return NewFeature(
            shape,
            class_value=self._class_value(sample),
            score=sample.score,
            properties=sample.properties,
            source=sample.source,
            verified=False,
            id=pk,
            checked=True,
        )

    def _class_value(self, sample: Feature) -> int | None:
        if sample.class_value is None:
            return None
        found = self.classes.get(sample.class_value)
        if found is None:
            raise Invalid("Its class is not in the other set.", fix="Give both sets the class.", code="class_unknown")
        if found.retired:
            raise Invalid(f"The class {found.name} is retired.", fix="Choose another class.", code="class_retired")
        check_shape_of_class(int(sample.geometry.dims), found.name, found.shapes)
        return found.value


def _samples(layer: FeatureLayer, ids: Sequence[UUID], box: Bbox | None) -> list[Feature]:
    if box is not None:
        where, values = place_sql(box)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT f.id FROM features_feature f WHERE f.layer_id = %s AND NOT f.deleted AND {where} LIMIT %s",
                [layer.pk, *values, MAX_COPIES + 1],
            )
            ids = [pk for (pk,) in cursor.fetchall()]
    if len(ids) > MAX_COPIES:
        raise TooLarge(f"Over {MAX_COPIES:,} samples are too many at once.", fix="Copy a part of them after the other.")
    found = Feature.objects.filter(layer=layer, deleted=False, pk__in=ids).defer("geometry_3857").order_by("fid")
    samples = list(found)
    if not samples:
        raise Invalid("There is no such sample.", fix="Load the page again.", code="nothing_to_copy")
    return samples


def _make(root: LabelSet, source: LabelSet, imagery: ImageryLayer, user: User) -> LabelSet:
    """Return a new set of the family: schema and fields as where the samples are, each imagery shown as there."""
    date = f", {imagery.acquired_at:%-d %b %Y}" if imagery.acquired_at else ""
    tail = f", {imagery.name}{date}"[: MAX_NAME // 2]
    made = services.create_label_set(
        project=root.project,
        name=root.name[: MAX_NAME - len(tail)] + tail,
        imagery=imagery,
        classes=class_specs(source.layer),
        user=user,
    )
    made.copied_from = root
    made.save(update_fields=["copied_from"])
    FeatureLayer.objects.filter(pk=made.layer_id).update(fields=source.layer.fields)
    made.layer.fields = source.layer.fields
    rows = list(ImageryOffset.objects.filter(label_set=source))
    for row in rows:
        row.pk, row.label_set, row.version = None, made, 1
        row._state.adding = True
    ImageryOffset.objects.bulk_create(rows)
    return made


def _classes(
    source: FeatureLayer, target: FeatureLayer, samples: Sequence[Feature], user: User
) -> dict[int, FeatureClass | None]:
    """Return the target's class for each class of the samples; one that came to the source since is added there."""
    used = {sample.class_value for sample in samples}
    wanted = [one for one in FeatureClass.objects.filter(layer=source) if one.value in used]
    there = {one.value: one for one in FeatureClass.objects.filter(layer=target)}
    names = {one.name.casefold() for one in there.values() if not one.retired}
    fresh = [
        ClassSpec(one.value, one.name, one.colour, shapes=tuple(one.shapes))
        for one in wanted
        if not one.retired and one.value not in there and one.name.casefold() not in names
    ]
    if fresh:
        features.save_classes(layer=target, classes=[*class_specs(target), *fresh], user=user)
        there = {one.value: one for one in FeatureClass.objects.filter(layer=target)}
    living = {one.name.casefold(): one for one in there.values() if not one.retired}
    found: dict[int, FeatureClass | None] = {}
    for one in wanted:
        same = there.get(one.value)
        # A value alone says nothing: there it may stand for something else by now.
        like = same is not None and same.name.casefold() == one.name.casefold()
        found[one.value] = same if like else living.get(one.name.casefold())
    return found


def _new(samples: Sequence[Feature], target: FeatureLayer, done: Copied) -> list[tuple[Feature, UUID, UUID]]:
    """Return the samples that are not there yet, each with its origin's id and the id of its copy."""
    rows = CopiedSample.objects.filter(pk__in=[one.pk for one in samples]).values_list("feature_id", "origin_id")
    origins: dict[UUID, UUID] = dict(rows)
    asked = [(one, origin := origins.get(one.pk, one.pk), uuid5(target.pk, str(origin))) for one in samples]
    ids = {pk for _, origin, copy_id in asked for pk in (origin, copy_id)}
    held = Feature.objects.filter(pk__in=ids).exclude(layer=samples[0].layer_id)
    there = {pk: (layer, deleted) for pk, layer, deleted in held.values_list("pk", "layer", "deleted")}
    taken = Conflict("The id of its copy is taken.", fix="Draw it there anew.", code="id_taken")
    fresh: list[tuple[Feature, UUID, UUID]] = []
    for sample, origin, copy_id in asked:
        # The one it was copied from may lie there itself.
        found = [there[pk] for pk in (origin, copy_id) if pk in there and there[pk][0] == target.pk]
        if found:
            done.deleted += found[0][1]
            done.already += not found[0][1]
        elif copy_id in there:
            done.refuse(taken)
        else:
            fresh.append((sample, origin, copy_id))
    return fresh


def _write(fresh: Sequence[tuple[Feature, UUID, UUID]], there: _There, done: Copied, user: User) -> None:
    """Store the copies, but for those that cannot stand there, with what they are copies of."""
    layer, known = there.label_set.layer, {one.value for one in there.classes.values() if one is not None}
    lines: dict[UUID, str] = {}
    origins: dict[UUID, UUID] = {}
    for sample, origin, copy_id in fresh:
        try:
            lines[copy_id] = copy_line(there.copied(sample, copy_id), known)
        except QuadratError as error:
            done.refuse(error)
        else:
            origins[copy_id] = origin

    def leave_out(refused: Mapping[UUID, QuadratError]) -> None:
        for pk, error in refused.items():
            done.refuse(error)
            del origins[pk]

    done.copied = add_lines(layer=layer, lines=lines.values(), user=user, leave_out=leave_out)
    CopiedSample.objects.bulk_create(
        CopiedSample(feature_id=pk, origin_id=origin, label_set=there.label_set) for pk, origin in origins.items()
    )
