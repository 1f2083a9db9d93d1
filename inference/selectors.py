"""Reads of inferences, and how packages fit imagery. Torch is never imported here."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import shapely
from django.db.models import Count, QuerySet, Sum
from django.urls import reverse
from shapely.geometry.base import BaseGeometry

from inference import matching
from inference.matching import Needs, Planned
from inference.models import Inference
from inference.specs import Settings
from training.models import ModelPackage
from webapp.errors import Invalid, NotFound, QuadratError
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import analysis_file
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_json
from webapp.projects.models import Project
from webapp.raster.readers import info_of

# Context around a chip where a package says nothing of it.
DEFAULT_HALO_PX = 64


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a package was before.

    Attributes:
        pixels_per_s: of output pixels; None where it was never used.
    """

    pixels_per_s: float | None


def inference(pk: UUID) -> Inference:
    """Return an inference with what its page shows.

    Raises:
        NotFound: there is none.
    """
    found = inferences(Project.objects.all()).filter(pk=pk).first()
    if found is None:
        raise NotFound("inference")
    return found


def inferences(projects: "QuerySet[Project]") -> "QuerySet[Inference]":
    """Return the inferences of some projects, newest first."""
    return (
        Inference.objects.filter(project__in=projects)
        .select_related(
            "project",
            "package",
            "imagery",
            "result_imagery",
            "result_features",
            "map",
            "job__project",
            "job__created_by",
            "created_by",
        )
        .order_by("-created_at", "-id")
    )


def needs_of(package: ModelPackage) -> Needs:
    """Return what a package wants to see."""
    values = tuple(int(item["value"]) for item in package.classes)
    return Needs(
        task=package.task,
        bands=tuple(str(name) for name in package.bands),
        dtype=package.dtype,
        resolution_m=package.resolution_m,
        chip_px=package.chip_px,
        halo_px=int(package.data.get("halo_px", DEFAULT_HALO_PX)),
        class_values=(0, *values) if package.task == "classify_pixels" else values,
    )


def plan_for(package: ModelPackage, imagery: ImageryLayer, settings: Settings, extent: BaseGeometry | None) -> Planned:
    """Return what would be predicted.

    Raises:
        BandMismatch: the imagery does not fit the package.
        Invalid: it is no finished scene or mosaic, or the extent does not meet it.
    """
    ready = imagery.analysis_path and imagery.state == ImageryLayer.State.READY
    if imagery.kind == ImageryLayer.Kind.CLASS_RASTER or not ready:
        raise Invalid(f"'{imagery.name}' is no finished scene or mosaic.", fix="Choose imagery that is ready.")
    west, south, east, north = imagery.footprint.extent if imagery.footprint else (-180.0, -90.0, 180.0, 90.0)
    return matching.plan(
        info_of(analysis_file(imagery)),
        needs_of(package),
        settings,
        names=band_names(imagery),
        extent=extent,
        footprint=(west, south, east, north),
    )


def band_names(imagery: ImageryLayer) -> list[str]:
    """Return the names of the imagery's bands."""
    return [str(band["name"]) for band in imagery.bands]


def planned(row: Inference) -> Planned:
    """Return what an inference predicts.

    Raises:
        BandMismatch, Invalid: see `plan_for`.
    """
    extent = None if row.extent is None else shapely.from_wkb(bytes(row.extent.wkb))
    return plan_for(row.package, row.imagery, Settings.parse(row.settings["asked"], task=row.task), extent)


def estimate(
    package: ModelPackage, imagery: ImageryLayer, settings: Settings, extent: BaseGeometry | None
) -> dict[str, Any]:
    """Return whether a package fits, how much work it is, and how long it would take."""
    try:
        found = plan_for(package, imagery, settings, extent)
    except QuadratError as error:
        problem = {"code": error.code, "message": error.message, "fix": error.fix}
        return {"fits": False, "problem": problem, "notes": [], "blocks": 0, "pixels": 0, "seconds": None}
    rate = speed(package).pixels_per_s
    return {
        "fits": True,
        "problem": None,
        "notes": matching.notes(found, needs_of(package), names=band_names(imagery)),
        "blocks": len(found.blocks),
        "pixels": found.pixels,
        "seconds": round(found.pixels / rate) if rate else None,
    }


def speed(package: ModelPackage) -> Speed:
    """Return how fast the package's last finished inference was."""
    row = package.inferences.filter(job__state=Job.State.SUCCEEDED).order_by("-created_at").first()
    measured = row.job.result.get("pixels_per_s") if row is not None and row.job is not None else None
    return Speed(float(measured) if measured else None)


def inference_json(row: Inference) -> dict[str, Any]:
    """Return what pages and clients need to show an inference."""
    done = row.blocks.filter(number__lt=row.settings["numbers"]).aggregate(count=Count("pk"), seconds=Sum("seconds"))
    return {
        "id": str(row.pk),
        "project": str(row.project_id),
        "name": row.name,
        "task": row.task,
        "package": {"id": str(row.package_id), "name": row.package.name, "url": f"/models/{row.package_id}/"},
        "imagery": {"id": str(row.imagery_id), "name": row.imagery.name, "url": f"/imagery/{row.imagery_id}/"},
        "extent": None if row.extent is None else {"type": "Polygon", "coordinates": row.extent.coords},
        "settings": row.settings["asked"],
        "blocks_total": row.blocks_total,
        "blocks_done": done["count"],
        "seconds": round(done["seconds"] or 0.0, 2),
        "results": results_json(row),
        "map": None
        if row.map is None
        else {"id": str(row.map_id), "name": row.map.name, "url": f"/maps/{row.map_id}/"},
        "job": job_json(row.job) if row.job else None,
        "created_by": row.created_by.username if row.created_by else None,
        "created_at": row.created_at.isoformat(),
        "url": reverse("inference", args=[row.pk]),
    }


def results_json(row: Inference) -> list[dict[str, Any]]:
    """Return the result layers, while they are made too."""
    found: list[dict[str, Any]] = []
    if row.result_imagery is not None:
        layer = row.result_imagery
        found.append(
            {
                "kind": "class_raster",
                "id": str(layer.pk),
                "name": layer.name,
                "state": layer.state,
                "url": f"/imagery/{layer.pk}/",
                "sha256": layer.sha256,
            }
        )
    if row.result_features is not None:
        features = row.result_features
        found.append(
            {
                "kind": "features",
                "id": str(features.pk),
                "name": features.name,
                "state": features.state,
                "url": f"/api/layers/{features.pk}/export.geojson",
                "count": features.feature_count,
            }
        )
    return found
