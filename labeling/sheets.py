"""Sheets: a person's own copy of a label set, on which tasks are labelled blindly.

A sheet is a label set of its own, over the same imagery, in a corner of the project that only this person can enter.
So no road needs to know about it: tiles, sockets, exports and services show a sheet to its person and to nobody else.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from labeling.models import LabelSet, Task
from webapp.features import services as features
from webapp.features.models import FeatureClass, FeatureLayer
from webapp.features.schema import ClassSpec
from webapp.projects.models import Project, User


def original(label_set: LabelSet) -> LabelSet:
    """Return the label set that a sheet belongs to, or the label set itself."""
    return label_set if label_set.sheet_of is None else label_set.sheet_of


def sheet_of(label_set: LabelSet, user: User) -> LabelSet:
    """Return the user's sheet of a label set, with the classes as they are now; made where there is none.

    Call it in a transaction in which the user's claims are kept apart (`task_leases.one_at_a_time`).
    """
    found = LabelSet.objects.select_related("layer", "project").filter(sheet_of=label_set, sheet_for=user).first()
    if found is None:
        return _make(label_set, user)
    _take_over_classes(label_set.layer, found.layer)
    return found


def sheet_task(sheet: LabelSet, task: Task) -> Task:
    """Return the task's twin on a sheet; made where there is none."""
    found = Task.objects.filter(label_set=sheet, number=task.number).first()
    if found is not None:
        return found
    return Task.objects.create(
        label_set=sheet,
        number=task.number,
        geometry=task.geometry,
        centre=task.centre,
        priority=task.priority,
        uncertainty=task.uncertainty,
    )


def familiar(label_set: LabelSet, tasks: Sequence[UUID]) -> dict[UUID, list[int]]:
    """Return who has done a task on the own sheet or has samples there, by task: for them it is not blind any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT t.id, array_agg(DISTINCT s.sheet_for_id) FROM labeling_task t
            JOIN labeling_labelset s ON s.sheet_of_id = %(label_set)s AND s.sheet_for_id IS NOT NULL
            JOIN labeling_task twin ON twin.label_set_id = s.id AND twin.number = t.number
            WHERE t.id = ANY(%(tasks)s::uuid[]) AND (twin.state IN ('done', 'approved')
                OR EXISTS (SELECT FROM features_feature f WHERE f.layer_id = s.layer_id AND NOT f.deleted
                    AND ST_Intersects(f.geometry, twin.geometry)
                    AND NOT (ST_Dimension(f.geometry) = 2 AND ST_Touches(f.geometry, twin.geometry))))
            GROUP BY t.id""",
            {"label_set": label_set.pk, "tasks": list(tasks)},
        )
        return dict(cursor.fetchall())


def class_specs(layer: FeatureLayer) -> list[ClassSpec]:
    """Return the class schema of a layer, as another layer takes it over."""
    rows = FeatureClass.objects.filter(layer=layer).order_by("position", "value")
    return [ClassSpec(row.value, row.name, row.colour, row.retired, tuple(row.shapes)) for row in rows]


def _make(label_set: LabelSet, user: User) -> LabelSet:
    with transaction.atomic():
        corner, _ = Project.objects.get_or_create(
            corner_of_id=label_set.project_id, only_for=user, defaults={"name": label_set.project.name}
        )
        layer = features.create_layer(
            project=corner,
            name=label_set.name,
            kind=FeatureLayer.Kind.SAMPLES,
            classes=class_specs(label_set.layer),
            user=user,
            fields=label_set.layer.fields,
        )
        return LabelSet.objects.create(
            project=corner,
            name=label_set.name,
            imagery=label_set.imagery,
            layer=layer,
            sheet_of=label_set,
            sheet_for=user,
            created_by=user,
        )


def _take_over_classes(source: FeatureLayer, target: FeatureLayer) -> None:
    wanted = class_specs(source)
    if class_specs(target) != wanted:
        features.save_classes(layer=target, classes=wanted, user=None)
    if target.fields != source.fields:
        FeatureLayer.objects.filter(pk=target.pk).update(fields=source.fields)
