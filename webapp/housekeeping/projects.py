"""The end of a project: every row and every file of it, in one act. An entry room: it sees all others."""

from collections.abc import Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Count, ProtectedError, Q, QuerySet, RestrictedError, Sum
from django.db.models.deletion import Collector

from training.models import ModelPackage, TrainingData
from webapp import doorbell
from webapp.errors import Invalid
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.housekeeping.collector import drop_unnamed
from webapp.housekeeping.stores import quarantined_by
from webapp.imagery.models import ImageryLayer, Upload
from webapp.jobs.models import Job
from webapp.jobs.selectors import at_work
from webapp.photos.models import Photo
from webapp.projects import deletion
from webapp.projects.deletion import Consequences, Use
from webapp.projects.models import Project, User


def consequences(project: Project) -> Consequences:
    """Return what deleting a project would remove, and what stands in its way."""
    whole = _whole(project)
    features = FeatureLayer.objects.filter(project__in=whole).aggregate(sum=Sum("feature_count"))["sum"] or 0
    size = sum(
        model.objects.filter(project__in=whole).aggregate(sum=Sum("size_bytes"))["sum"] or 0
        for model in (ImageryLayer, TrainingData, ModelPackage)
    )
    photos = Photo.objects.filter(layer__project__in=whole).aggregate(count=Count("pk"), sum=Sum("size_bytes"))
    size += photos["sum"] or 0
    goes = deletion.taken_along(project, apart_from=("Project",))
    if features:
        goes.append(f"{features:,} features with their history")
    if photos["count"]:
        goes.append(f"{photos['count']:,} photos")
    if size:
        goes.append(f"{size / 1e6:,.1f} MB of files")
    return Consequences(
        goes=goes,
        stays=["The accounts of its members, and the record that it was deleted"],
        uses=[*at_work(Q(project__in=whole)), *_used_elsewhere(project)],
    )


def delete(*, project: Project, user: User, name: str) -> None:
    """Remove a project with all that is in it.

    Args:
        project: to be removed.
        user: who removes it.
        name: of the project, as the person typed it.

    Raises:
        Invalid: the name is not the project's.
        Conflict: a job is at work in it, or another project uses one of its models.
    """
    with transaction.atomic():
        # Whoever adds to the project needs its row, and waits from here on.
        locked = Project.objects.select_for_update().get(pk=project.pk)
        if name != locked.name:
            raise Invalid(f"'{name[:200]}' is not the project's name.", fix="Type it exactly.", code="wrong_name")
        deletion.refuse(locked.name, consequences(locked).uses)
        files = _files(locked)
        deletion.audit(project=locked, user=user, kind="project", name=locked.name, id=str(locked.pk))
        layers = list(FeatureLayer.objects.filter(project__in=_whole(locked)).values_list("pk", flat=True))
        imagery = list(ImageryLayer.objects.filter(project=locked).values_list("pk", flat=True))
        # By table, not by cascade from their layers: that could read every feature into memory first.
        Edit.objects.filter(layer__in=layers).delete()
        Feature.objects.filter(layer__in=layers).delete()
        locked.delete()
        for topic in (*(f"layer:{pk}" for pk in layers), *(f"imagery:{pk}" for pk in imagery)):
            doorbell.ring(topic, -1)
        transaction.on_commit(lambda: drop_unnamed(files))


def _whole(project: Project) -> QuerySet[Project]:
    """Return the project with the corners that people have of their own in it."""
    return Project.objects.filter(Q(pk=project.pk) | Q(corner_of=project))


def _used_elsewhere(project: Project) -> list[Use]:
    """Return what in other projects stands on something of this one (an inference on a model, say)."""
    try:
        # Django's own look at what a deletion would do, without doing it.
        Collector(using=DEFAULT_DB_ALIAS, origin=project).collect([project])
    except RestrictedError as error:
        return _uses(error.restricted_objects)
    except ProtectedError as error:
        return _uses(error.protected_objects)
    return []


def _uses(rows: Iterable[Any]) -> list[Use]:
    return [deletion.use_of(row) for row in sorted(rows, key=str)[: deletion.MOST_LISTED]]


def _files(project: Project) -> dict[str, set[str]]:
    """Return the names of the project's files by store."""
    named = ("analysis_path", "display_path", "mosaic__overview_path")
    whole = _whole(project)
    imagery = ImageryLayer.objects.filter(project__in=whole).values_list(*named)
    photos = Photo.objects.filter(layer__project__in=whole).values_list("picture_path", "thumbnail_path")
    jobs = Job.objects.filter(project__in=whole)
    return {
        "photos": {path for row in photos for path in row},
        "imagery": {path for row in imagery for path in row if path},
        "training data": set(TrainingData.objects.filter(project__in=whole).values_list("path", flat=True)) - {""},
        "model packages": set(ModelPackage.objects.filter(project__in=whole).values_list("path", flat=True)),
        "quarantine": {
            *(str(pk) for pk in Upload.objects.filter(project__in=whole).values_list("pk", flat=True)),
            *(name for spec in jobs.values_list("spec", flat=True) for name in quarantined_by(spec)),
        },
        "scratch": {f"jobs/{pk}" for pk in jobs.values_list("pk", flat=True)},
    }
