"""The only writers of feature layers. Edits and bulk writes have modules of their own; callers find all here."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from webapp import doorbell
from webapp.errors import Invalid
from webapp.features import selectors
from webapp.features.bulk import NewFeature, add_features, replace_block
from webapp.features.editing import apply_edits, delete_features
from webapp.features.edits import EditRequest, EditResult
from webapp.features.models import Cell, Edit, Feature, FeatureClass, FeatureLayer, TileChange
from webapp.features.numbering import lock
from webapp.features.schema import ClassSpec, check_classes, check_fields
from webapp.jobs.models import Job
from webapp.jobs.selectors import at_work
from webapp.projects import deletion
from webapp.projects.deletion import Consequences
from webapp.projects.models import Project, User

__all__ = [
    "ClassSpec",
    "EditRequest",
    "EditResult",
    "NewFeature",
    "add_features",
    "apply_edits",
    "consequences",
    "create_layer",
    "delete",
    "delete_features",
    "drop",
    "finish_layer",
    "replace_block",
    "save_classes",
]


def create_layer(
    *,
    project: Project,
    name: str,
    kind: str,
    classes: Sequence[ClassSpec | tuple[int, str, str]],
    user: User | None,
    fields: Sequence[dict[str, str]] = (),
    attribution: str = "",
    job: Job | None = None,
    state: str = FeatureLayer.State.READY,
) -> FeatureLayer:
    """Return a new, empty layer with its class schema.

    Args:
        classes: in order; (value, name, colour) or ClassSpec.
        fields: [{name, type}]; empty: any properties are taken.
        job: the job that writes it, where one does.

    Raises:
        Invalid, Conflict: name, classes or fields cannot be used.
    """
    if not name.strip() or len(name) > 200:
        raise Invalid("A layer needs a name of 1 to 200 characters.", fix="Give it one.", code="name")
    specs = [item if isinstance(item, ClassSpec) else ClassSpec(*item) for item in classes]
    check_classes(specs)
    with transaction.atomic():
        layer = FeatureLayer.objects.create(
            project=project,
            name=name.strip(),
            kind=kind,
            state=state,
            fields=check_fields(list(fields)),
            attribution=attribution,
            job=job,
            created_by=user,
        )
        _write_classes(layer, specs)
    return layer


def save_classes(*, layer: FeatureLayer, classes: Sequence[ClassSpec], user: User | None) -> list[dict[str, Any]]:
    """Return the class schema after making it what `classes` says.

    A class that is left out is retired, never deleted: features and edits that wait somewhere may still use it.

    Raises:
        Invalid, Conflict: the classes cannot stand beside each other.
    """
    with transaction.atomic():
        layer.schema_version = lock(layer).schema_version
        wanted = list(classes)
        known = {item.value: item for item in FeatureClass.objects.filter(layer=layer)}
        left_out = [known[value] for value in known.keys() - {item.value for item in wanted}]
        wanted += [
            ClassSpec(item.value, item.name, item.colour, retired=True)
            for item in sorted(left_out, key=lambda item: item.position)
        ]
        check_classes(wanted)
        _write_classes(layer, wanted)
        layer.schema_version += 1
        FeatureLayer.objects.filter(pk=layer.pk).update(schema_version=layer.schema_version)
        doorbell.ring(f"classes:{layer.pk}", layer.schema_version)
    return selectors.classes_json(layer)


def finish_layer(*, layer: FeatureLayer) -> None:
    """Say that the job which wrote the layer is done with it."""
    FeatureLayer.objects.filter(pk=layer.pk).update(state=FeatureLayer.State.READY, updated_at=timezone.now())
    layer.state = FeatureLayer.State.READY
    doorbell.ring(f"layer:{layer.pk}", FeatureLayer.objects.values_list("seq", flat=True).get(pk=layer.pk))


def consequences(layer: FeatureLayer) -> Consequences:
    """Return what deleting a layer would remove, and what stands in its way."""
    checked = Feature.objects.filter(layer=layer, deleted=False, verified=True).count()
    by_people = f", {checked:,} of them drawn or checked by people" if checked else ""
    goes = [f"{deletion.counted(layer.feature_count, Feature)}{by_people}, with their history"]
    goes += deletion.taken_along(layer, apart_from=("Feature", "Edit", "FeatureClass", "Cell", "TileChange"))
    return Consequences(goes=goes, uses=[*deletion.users_of(layer), *writers_of(layer)])


def writers_of(layer: FeatureLayer) -> list[deletion.Use]:
    """Return the jobs that have not ended and write into a layer, or bring what it holds elsewhere."""
    return at_work(
        Q(pk=layer.job_id)
        | Q(
            kind__in=("import_features", "restore_features", "read_photos", "suggest_samples"),
            spec__layer=str(layer.pk),
        )
        | Q(kind="suggest_samples", spec__samples=str(layer.pk))
    )


def delete(*, layer: FeatureLayer, user: User | None) -> None:
    """Remove a layer with its features and their history.

    Raises:
        Conflict: it holds the samples of a label set, or a job writes into it.
    """
    with transaction.atomic():
        locked = FeatureLayer.objects.select_for_update(of=("self",)).select_related("project").get(pk=layer.pk)
        deletion.refuse(locked.name, consequences(locked).uses)
        deletion.audit(project=locked.project, user=user, kind="layer", name=locked.name, features=locked.feature_count)
        drop(locked)


def drop(layer: FeatureLayer) -> None:
    """Remove a layer and its features without asking; the caller has made sure that nothing needs them."""
    with transaction.atomic():
        # By table, not by cascade from the layer: that could read every feature into memory first.
        Cell.objects.filter(layer=layer).delete()
        TileChange.objects.filter(layer=layer).delete()
        Edit.objects.filter(layer=layer).delete()
        Feature.objects.filter(layer=layer).delete()
        doorbell.ring(f"layer:{layer.pk}", -1)
        layer.delete()


def _write_classes(layer: FeatureLayer, specs: Sequence[ClassSpec]) -> None:
    kept = dict(FeatureClass.objects.filter(layer=layer).values_list("value", "shapes"))
    FeatureClass.objects.bulk_create(
        [
            FeatureClass(
                layer=layer,
                value=item.value,
                name=item.name.strip(),
                colour=item.colour.lower(),
                position=position,
                retired=item.retired,
                shapes=list(kept.get(item.value, ()) if item.shapes is None else item.shapes),
            )
            for position, item in enumerate(specs)
        ],
        update_conflicts=True,
        unique_fields=["layer", "value"],
        update_fields=["name", "colour", "position", "retired", "shapes"],
    )
