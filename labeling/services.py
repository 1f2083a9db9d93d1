"""The only writers of label sets. Their samples are edited through the feature room."""

from collections.abc import Sequence

from django.db import transaction

from labeling.models import LabelSet
from webapp.errors import Invalid
from webapp.features import services as features
from webapp.features.models import FeatureLayer
from webapp.features.schema import ClassSpec
from webapp.imagery.models import ImageryLayer
from webapp.projects import deletion
from webapp.projects.deletion import Consequences
from webapp.projects.models import Project, User


def create_label_set(
    *,
    project: Project,
    name: str,
    imagery: ImageryLayer,
    classes: Sequence[ClassSpec | tuple[int, str, str]],
    user: User | None,
    description: str = "",
) -> LabelSet:
    """Return a new label set with an empty layer of samples over the imagery.

    Raises:
        Invalid: the imagery is of another project, or name or classes cannot be used.
        Conflict: two classes share a value or a name.
    """
    if imagery.project_id != project.pk:
        raise Invalid("The imagery is not in this project.", fix="Choose imagery of the project.", code="imagery")
    with transaction.atomic():
        layer = features.create_layer(
            project=project,
            name=name,
            kind=FeatureLayer.Kind.SAMPLES,
            classes=classes,
            user=user,
            attribution="",
        )
        return LabelSet.objects.create(
            project=project,
            name=layer.name,
            description=description,
            imagery=imagery,
            layer=layer,
            created_by=user,
        )


def rename_label_set(*, label_set: LabelSet, name: str | None, description: str | None) -> LabelSet:
    """Return the label set after changing its name or description (None: unchanged).

    Raises:
        Invalid: the name is empty or too long.
    """
    if name is not None and not 0 < len(name.strip()) <= 200:
        raise Invalid("A label set needs a name of 1 to 200 characters.", fix="Give it one.", code="name")
    with transaction.atomic():
        label_set.name = label_set.name if name is None else name.strip()
        label_set.description = label_set.description if description is None else description
        label_set.save(update_fields=["name", "description", "updated_at"])
        label_set.layer.name = label_set.name
        label_set.layer.save(update_fields=["name", "updated_at"])
    return label_set


def consequences(label_set: LabelSet) -> Consequences:
    """Return what deleting a label set would remove, and what stands in its way."""
    samples = features.consequences(label_set.layer)
    # Sheets go along, but for what stands on them.
    rows = [label_set, *label_set.sheets.select_related("layer")]
    used = [features.consequences(row.layer).uses for row in rows]
    return Consequences(
        goes=[*samples.goes, *deletion.taken_along(label_set, apart_from=("CopiedSample",))],
        stays=[f"The imagery '{label_set.imagery.name}'"],
        uses=[
            *(use for row in rows for use in deletion.users_of(row)),
            *(use for uses in used for use in uses if use.kind != LabelSet._meta.verbose_name),
        ],
    )


def delete(*, label_set: LabelSet, user: User | None) -> None:
    """Remove a label set with its samples and their history.

    Raises:
        Conflict: training data was exported from it, or a job writes into it.
    """
    with transaction.atomic():
        locked = (
            LabelSet.objects.select_for_update(of=("self",))
            .select_related("project", "imagery", "layer")
            .get(pk=label_set.pk)
        )
        deletion.refuse(locked.name, consequences(locked).uses)
        deletion.audit(
            project=locked.project,
            user=user,
            kind="label_set",
            name=locked.name,
            features=locked.layer.feature_count,
        )
        layers = [locked.layer, *(sheet.layer for sheet in locked.sheets.select_related("layer"))]
        locked.delete()
        for layer in layers:
            features.drop(layer)
