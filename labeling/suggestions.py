"""What a model found, brought into a label set as suggestions: samples that nobody has checked, for the review.

Nothing that people drew or decided is touched: what lies under samples that somebody has checked stays out, what was
said to be no object too, and what was brought before stays as it is, mended or deleted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID, uuid5

import shapely
from django.db import transaction

from labeling import offsets, omissions
from labeling.models import LabelSet
from labeling.omissions import Wanted
from labeling.sheets import class_specs
from webapp.errors import Conflict, Invalid, NotFound, QuadratError
from webapp.features import services as features
from webapp.features.bulk import add_lines, copy_line
from webapp.features.geometry import to_shape
from webapp.features.models import Feature, FeatureClass, FeatureLayer
from webapp.features.schema import MAX_CLASS_VALUE, ClassSpec, check_properties, check_shape_of_class
from webapp.features.services import NewFeature
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.jobs.restarts import inputs_gone
from webapp.locks import lock_name
from webapp.projects.models import User
from webapp.raster.shift import Shift

# Of what models leave behind: boxes of objects, and outlines of classified pixels.
KINDS = (FeatureLayer.Kind.DETECTIONS, FeatureLayer.Kind.POLYGONS)
# This share of a result under checked samples: somebody has drawn it.
DRAWN = 0.5
BATCH = 2_000


@dataclass
class Brought:
    """What became of a model's results.

    Attributes:
        brought: suggestions that are new in the label set.
        already: brought before, or mended and accepted since: left as they are.
        deleted: brought before and deleted since: they stay deleted.
        left_out: less sure than wanted, drawn by people already, decided on, or in cells that are labelled blindly.
        classes_added: names of classes that the label set did not have.
        refused: how many cannot stand there, by reason.
    """

    brought: int = 0
    already: int = 0
    deleted: int = 0
    left_out: int = 0
    classes_added: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON-ready report."""
        return {**asdict(self), "refused": dict(self.refused)}


def label_sets_for(layer: FeatureLayer) -> list[dict[str, Any]]:
    """Return the label sets of the project that the layer's results can be brought into, the newest first."""
    rows = LabelSet.objects.filter(project=layer.project_id, sheet_of=None).select_related("imagery")
    return [
        {"id": str(row.pk), "name": row.name, "url": row.get_absolute_url(), "imagery": row.imagery.name}
        for row in rows.order_by("-created_at")
        if _meet(layer, row)
    ]


def _meet(layer: FeatureLayer, label_set: LabelSet) -> bool:
    footprint = label_set.imagery.footprint
    if layer.west is None or layer.south is None or layer.east is None or layer.north is None:
        return False
    if footprint is None:
        return True
    west, south, east, north = footprint.extent
    return layer.west <= east and layer.east >= west and layer.south <= north and layer.north >= south


def results(label_set: LabelSet, pk: UUID) -> FeatureLayer:
    """Return a layer of the label set's project that a model made.

    Raises:
        NotFound: there is none.
    """
    found = FeatureLayer.objects.filter(pk=pk, project=label_set.project_id, kind__in=KINDS).first()
    if found is None:
        raise NotFound("layer")
    return found


def ask(*, label_set: LabelSet, layer: FeatureLayer, score: float, user: User) -> Job:
    """Return the job that brings a model's results into a label set.

    Raises:
        Conflict: the label set is a sheet, or the layer is still growing.
        TooMany: the project has too many unfinished jobs.
    """
    if label_set.sheet_of_id is not None:
        raise Conflict("What is on a sheet is drawn by hand.", fix="Bring it into the label set.", code="sheet")
    if layer.state != FeatureLayer.State.READY:
        raise Conflict("The model is still at work.", fix="Come back when its job has ended.", code="layer_building")
    return jobs.enqueue(
        project=label_set.project,
        kind="suggest_samples",
        spec={
            "label_set": str(label_set.pk),
            "samples": str(label_set.layer_id),
            "layer": str(layer.pk),
            "score": score,
            "user": user.pk,
        },
        user=user,
        title=f"Suggestions for {label_set.name}",
        lane="light",
    )


def run_again(old: Job, new: Job) -> None:
    """Make sure that a failed job can be run again.

    Raises:
        Conflict: the label set or the model's results are gone.
    """
    if not LabelSet.objects.filter(pk=old.spec["label_set"]).exists():
        raise inputs_gone("The label set", "Choose another.")
    if not FeatureLayer.objects.filter(pk=old.spec["layer"]).exists():
        raise inputs_gone("What the model found", "Run the model again.")


def find(label_set: LabelSet, layer: FeatureLayer, score: float) -> list[UUID]:
    """Return which of a model's results nobody has drawn or decided on; those without a score are sure.

    Args:
        label_set: not a sheet.
        layer: of the same project.
        score: the least that the model must be sure, 0 to 1.
    """
    return omissions.every(label_set, Wanted(layer, score=score, cover=DRAWN, only_checked=True))


def bring(*, label_set: LabelSet, layer: FeatureLayer, found: Sequence[UUID], first_fid: int, user: User) -> Brought:
    """Return what became of a model's results, all in one transaction; done again, it adds nothing twice.

    Args:
        label_set: not a sheet.
        layer: of the same project; its classes are found by name, those that are missing are added.
        found: by `find`.
        first_fid: of as many integer ids, by `numbering.reserve`.
        user: who brings them.
    """
    with transaction.atomic():
        # Two people press the button: the second one finds what the first has brought.
        lock_name(f"suggestions {label_set.pk}")
        done = Brought()
        copies = {uuid5(label_set.layer_id, str(pk)): pk for pk in found}
        fresh = _not_there(label_set, copies, done)
        done.left_out = Feature.objects.filter(layer=layer, deleted=False).count() - len(found)
        used = Feature.objects.filter(layer=layer, deleted=False).values_list("class_value", flat=True).distinct()
        there = _There(label_set, layer, _classes(layer, label_set.layer, set(used), user, done))
        refused: dict[UUID, QuadratError] = {}
        lines = there.lines(fresh, refused)
        done.brought = add_lines(
            layer=label_set.layer, lines=lines, user=user, leave_out=refused.update, first_fid=first_fid
        )
        done.refused.update(error.message for error in refused.values())
    return done


def _not_there(label_set: LabelSet, copies: Mapping[UUID, UUID], done: Brought) -> dict[UUID, UUID]:
    held = dict(Feature.objects.filter(layer=label_set.layer_id, pk__in=list(copies)).values_list("pk", "deleted"))
    done.deleted = sum(held.values())
    done.already = len(held) - done.deleted
    return {copy: pk for copy, pk in copies.items() if copy not in held}


def _classes(
    layer: FeatureLayer, target: FeatureLayer, used: set[int | None], user: User, done: Brought
) -> dict[int, FeatureClass]:
    """Return the target's class for each of the model's, by name: the values of a model mean nothing elsewhere."""
    wanted = [one for one in FeatureClass.objects.filter(layer=layer) if one.value in used]
    there = {one.name.casefold(): one for one in FeatureClass.objects.filter(layer=target).order_by("-retired")}
    taken = {one.value for one in there.values()}
    free = (value for value in range(1, MAX_CLASS_VALUE + 1) if value not in taken)
    missing = [one for one in wanted if one.name.casefold() not in there]
    fresh = [ClassSpec(value, one.name, one.colour) for one, value in zip(missing, free, strict=False)]
    if fresh:
        features.save_classes(layer=target, classes=[*class_specs(target), *fresh], user=user)
        done.classes_added = [one.name for one in fresh]
        there = {one.name.casefold(): one for one in FeatureClass.objects.filter(layer=target).order_by("-retired")}
    return {one.value: there[one.name.casefold()] for one in wanted if one.name.casefold() in there}


class _There:
    """The label set that results go into."""

    def __init__(self, label_set: LabelSet, layer: FeatureLayer, classes: Mapping[int, FeatureClass]) -> None:
        self._label_set, self._classes = label_set, classes
        self._known = {one.value for one in classes.values()}
        self._fields = {item["name"] for item in label_set.layer.fields}
        self._shift = offsets.shift(label_set) if omissions.on_imagery(label_set, layer) else Shift()
        footprint = offsets.shown(label_set).footprint
        self._area = None if footprint is None else to_shape(footprint)
        if self._area is not None:
            shapely.prepare(self._area)

    def lines(self, fresh: Mapping[UUID, UUID], refused: dict[UUID, QuadratError]) -> Iterator[str]:
        """Yield a line for each result that can stand there; what cannot goes to `refused`."""
        for batch in _batches(fresh.items()):
            rows = Feature.objects.defer("geometry_3857").in_bulk([pk for _, pk in batch])
            for copy, pk in batch:
                try:
                    yield copy_line(self._suggestion(rows[pk], copy), self._known)
                except QuadratError as error:
                    refused[copy] = error

    def _suggestion(self, found: Feature, pk: UUID) -> NewFeature:
        shape = self._shift.moved(to_shape(found.geometry))
        if self._area is not None and not self._area.intersects(shape):
            raise Invalid("It lies beside the imagery.", fix="Choose another label set.", code="off_imagery")
        properties = {
            name: value for name, value in found.properties.items() if not self._fields or name in self._fields
        }
        return NewFeature(
            shape,
            class_value=self._class_value(found),
            score=found.score,
            properties=check_properties(properties, self._label_set.layer.fields),
            source=Feature.Source.MODEL,
            verified=False,
            id=pk,
            checked=not self._shift,
        )

    def _class_value(self, found: Feature) -> int | None:
        if found.class_value is None:
            return None
        same = self._classes.get(found.class_value)
        if same is None:
            raise Invalid("The label set has no room for its class.", fix="Delete classes.", code="class_unknown")
        if same.retired:
            raise Invalid(f"The class {same.name} is retired.", fix="Take it back.", code="class_retired")
        check_shape_of_class(int(found.geometry.dims), same.name, same.shapes)
        return same.value


def _batches(pairs: Iterable[tuple[UUID, UUID]]) -> Iterator[list[tuple[UUID, UUID]]]:
    upcoming = iter(pairs)
    while batch := list(islice(upcoming, BATCH)):
        yield batch
