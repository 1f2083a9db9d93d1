"""What starts an inference and writes its results. Torch is never imported here: the work itself is a job."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import shapely
from django.conf import settings as django_settings
from django.contrib.gis.geos import Polygon
from django.db import transaction
from django.db.models import Q

from inference import selectors
from inference.matching import Planned
from inference.models import Block, Inference
from inference.plan import Grid
from inference.specs import Settings
from training.models import ModelPackage
from webapp import doorbell
from webapp.errors import Invalid
from webapp.features import services as features
from webapp.features.models import Feature, FeatureLayer
from webapp.features.services import NewFeature
from webapp.imagery import services as imagery_services
from webapp.imagery.models import ImageryLayer
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.jobs.restarts import inputs_gone
from webapp.jobs.selectors import at_work
from webapp.maps import services as maps
from webapp.maps.models import Map, MapLayer
from webapp.projects import deletion
from webapp.projects.deletion import Consequences
from webapp.projects.models import Project, User

MAX_NAME = 200
# Most features that one call may delete.
DELETE_BATCH = 500


def start(
    *,
    project: Project,
    user: User | None,
    package: ModelPackage,
    imagery: ImageryLayer,
    extent: shapely.Polygon | None,
    settings: Settings,
    name: str = "",
) -> Inference:
    """Return a new inference, its job queued, with a map that shows the imagery and soon the results.

    Args:
        project: of the imagery; the results belong to it.
        user: who starts it.
        package: installed.
        imagery: a finished scene.
        extent: in EPSG:4326; None for the whole scene.
        settings: frozen with the inference.
        name: of inference and results; made of package and imagery where empty.

    Raises:
        BandMismatch: bands, type or resolution of package and imagery differ.
        Invalid: an extent beside the imagery, or a package that is not installed.
        TooMany: the project has too many unfinished jobs.
    """
    if package.uninstalled_at is not None:
        raise Invalid(f"The model '{package.name}' was uninstalled.", fix="Choose another.", code="model_missing")
    planned = selectors.plan_for(package, imagery, settings, extent)
    title = (name.strip() or f"{package.name} on {imagery.name}")[:MAX_NAME]
    with transaction.atomic():
        row = Inference.objects.create(
            project=project,
            name=title,
            task=package.task,
            package=package,
            imagery=imagery,
            imagery_version=imagery.version,
            extent=None if extent is None else _geos(extent),
            settings={
                "asked": settings.as_json(),
                "threads": django_settings.COMPUTE_THREADS,
                "device": django_settings.COMPUTE_DEVICE,
                # Numbers from here on are batches of polygons, below it blocks of the grid.
                "numbers": planned.blocks[-1].number + 1,
            },
            blocks_total=len(planned.blocks),
            map=maps.create_map(project=project, name=title, user=user, layers=[imagery]),
            created_by=user,
        )
        row.job = jobs.enqueue(project=project, kind=row.task, spec={"inference": str(row.pk)}, user=user, title=title)
        row.save(update_fields=["job"])
    tidy()
    return row


def tidy() -> None:
    """Withdraw results that a job left half made when its last process died."""
    ended = (Job.State.FAILED, Job.State.CANCELLED)
    made = Q(result_imagery__isnull=False) | Q(result_features__isnull=False)
    for row in selectors.inferences(Project.objects.all()).filter(made, job__state__in=ended):
        withdraw(row)


def make_layers(row: Inference, planned: Planned, *, blocks_path: str) -> None:
    """Make the result layers, growing, and put them on the map; those that are there stay.

    The caller holds the job's guard.

    Args:
        row: the inference.
        planned: what it predicts.
        blocks_path: of the class raster's blocks, relative to SCRATCH_DIR.
    """
    if row.result_imagery is None and row.task == "classify_pixels":
        row.result_imagery = _class_raster(row, planned.grid, blocks_path)
        _show(row, row.result_imagery, "Classes")
    wants_features = row.task == "detect_objects" or row.settings["asked"]["polygons"]
    if row.result_features is None and wants_features:
        detections = row.task == "detect_objects"
        row.result_features = features.create_layer(
            project=row.project,
            name=f"{row.name}: {'objects' if detections else 'polygons'}"[:MAX_NAME],
            kind=FeatureLayer.Kind.DETECTIONS if detections else FeatureLayer.Kind.POLYGONS,
            classes=[(int(item["value"]), str(item["name"]), str(item["colour"])) for item in row.package.classes],
            user=row.created_by,
            attribution=row.imagery.attribution,
            job=row.job,
            state=FeatureLayer.State.BUILDING,
        )
        _show(row, row.result_features, "Objects" if detections else "Polygons")
    row.save(update_fields=["result_imagery", "result_features"])


def store_block(row: Inference, *, number: int, sha256: str, seconds: float, found: Sequence[NewFeature] = ()) -> bool:
    """Note a finished block with its features; return False where it was stored before. Under the job's guard.

    A block that is there keeps its features: its file was lost and made again, from the same pixels.
    """
    if Block.objects.filter(inference=row, number=number).update(sha256=sha256):
        return False
    count = 0
    if found and row.result_features is not None:
        count = features.add_features(layer=row.result_features, features=found, block=number)
    Block.objects.create(inference=row, number=number, sha256=sha256, seconds=seconds, features=count)
    return True


def settle_objects(row: Inference, final: Iterable[tuple[UUID, NewFeature]]) -> int:
    """Make the features of all blocks the final ones, under the job's guard; return how many there are.

    Those that stay keep their identity and history; what a person verified or deleted meanwhile is left alone.
    """
    layer = row.result_features
    assert layer is not None, "a detection has its layer from the start"
    wanted = dict(final)
    known = dict(Feature.objects.filter(layer=layer).values_list("pk", "verified"))
    extra = [pk for pk, verified in known.items() if pk not in wanted and not verified]
    for first in range(0, len(extra), DELETE_BATCH):
        features.delete_features(layer=layer, ids=extra[first : first + DELETE_BATCH])
    features.add_features(layer=layer, features=[item for pk, item in wanted.items() if pk not in known])
    return Feature.objects.filter(layer=layer, deleted=False).count()


def withdraw(row: Inference) -> None:
    """Remove the result layers of an inference that did not finish; its map keeps the imagery."""
    with transaction.atomic():
        made: list[ImageryLayer | FeatureLayer] = [
            layer for layer in (row.result_imagery, row.result_features) if layer is not None
        ]
        placed = MapLayer.objects.filter(
            Q(imagery=row.result_imagery_id, imagery__isnull=False)
            | Q(features=row.result_features_id, features__isnull=False)
        )
        for shown in placed.select_related("map"):
            maps.remove_layer(layer=shown)
        row.result_imagery = row.result_features = None
        row.save(update_fields=["result_imagery", "result_features"])
        Block.objects.filter(inference=row).delete()
        for layer in made:
            if isinstance(layer, FeatureLayer):
                features.drop(layer)
            else:
                doorbell.ring(f"imagery:{layer.pk}", -1)
                layer.delete()


def run_again(old: Job, new: Job) -> None:
    """Hand a failed inference to a new job; what was half made is removed, its blocks are predicted anew.

    Raises:
        Conflict: it was deleted, its model was uninstalled, or its imagery has changed since.
    """
    found = Inference.objects.select_for_update(of=("self",)).filter(pk=old.spec["inference"]).first()
    if found is None:
        raise inputs_gone("The inference", "Start another.")
    row = selectors.inference(found.pk)
    if row.package.uninstalled_at is not None:
        raise inputs_gone(f"The model '{row.package.name}'", "Start an inference with another.")
    if row.imagery.version != row.imagery_version:
        raise inputs_gone("The imagery as it was", "Start another inference.")
    withdraw(row)
    row.job = new
    row.save(update_fields=["job"])


def consequences(row: Inference) -> Consequences:
    """Return what deleting an inference would remove, and what stands in its way."""
    results = []
    if row.result_imagery is not None:
        results.append(f"the class raster '{row.result_imagery.name}'")
    if row.result_features is not None:
        checked = Feature.objects.filter(layer=row.result_features, deleted=False, verified=True).count()
        by_people = f", {checked:,} of them checked by people" if checked else ""
        layer = row.result_features
        results.append(f"the layer '{layer.name}' with {layer.feature_count:,} features{by_people}")
    told = " and ".join(results)
    stays = [f"The map '{row.map.name}'"] if row.map else []
    return Consequences(
        goes=["What was asked for, and how it went", *deletion.taken_along(row)],
        stays=[*stays, f"The model '{row.package.name}' and the imagery '{row.imagery.name}'"],
        uses=[*deletion.users_of(row), *at_work(Q(pk=row.job_id))],
        options={"results": f"Delete its results too: {told}. They leave every map."} if results else {},
    )


def delete(*, row: Inference, user: User | None, with_results: bool) -> None:
    """Remove an inference; its result layers stay as layers of their own, or go with it.

    Raises:
        Conflict: its job has not ended; or, with results, something stands on one of them.
    """
    with transaction.atomic():
        Inference.objects.select_for_update().get(pk=row.pk)
        found = selectors.inference(row.pk)
        deletion.refuse(found.name, consequences(found).uses)
        deletion.audit(project=found.project, user=user, kind="inference", name=found.name, with_results=with_results)
        imagery, layer = found.result_imagery, found.result_features
        found.delete()
        if with_results and imagery is not None:
            imagery_services.delete(layer=imagery, user=user)
        if with_results and layer is not None:
            features.delete(layer=layer, user=user)


def _class_raster(row: Inference, grid: Grid, blocks_path: str) -> ImageryLayer:
    layer = imagery_services.create_class_raster(
        project=row.project,
        user=row.created_by,
        name=f"{row.name}: classes"[:MAX_NAME],
        like=row.imagery,
        classes=row.package.classes,
        job=row.job,
        blocks_path=blocks_path,
    )
    # The grid is the package's resolution, which need not be the imagery's.
    ImageryLayer.objects.filter(pk=layer.pk).update(
        height=grid.height,
        width=grid.width,
        transform=list(grid.transform),
        gsd_m=row.imagery.gsd_m * grid.scale,
        nodata=255,
    )
    layer.refresh_from_db()
    return layer


def _geos(polygon: shapely.Polygon) -> Polygon:
    """Return GeoDjango's polygon in EPSG:4326."""
    rings = [list(ring.coords) for ring in (polygon.exterior, *polygon.interiors)]
    return Polygon(*rings, srid=4326)


def _show(row: Inference, layer: ImageryLayer | FeatureLayer, title: str) -> None:
    """Put a layer on the inference's map, which has its name, unless somebody deleted the map."""
    found = Map.objects.filter(pk=row.map_id).first() if row.map_id else None
    if found is not None:
        maps.add_layer(map=found, layer=layer, title=title)


def facts(row: Inference, *, pixels: int, seconds: float, **more: Any) -> dict[str, Any]:
    """Return the result of the job.

    Args:
        row: the inference.
        pixels: that were predicted.
        seconds: that this took.
        more: what the task adds.
    """
    return {
        "inference": str(row.pk),
        "map": str(row.map_id) if row.map_id else None,
        "class_raster": str(row.result_imagery_id) if row.result_imagery_id else None,
        "features": str(row.result_features_id) if row.result_features_id else None,
        "pixels": pixels,
        "pixels_per_s": round(pixels / seconds, 1) if seconds > 0 else None,
        "url": f"/maps/{row.map_id}/" if row.map_id else f"/inferences/{row.pk}/",
        **more,
    }
