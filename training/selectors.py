"""Reads of training data, runs and packages, and their JSON. Torch is never imported here."""

from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Model, QuerySet

from training import package as packages
from training.models import Epoch, ModelPackage, Run, TrainingData
from training.services import task_of
from training.settings import MONITOR, NETWORKS, Settings
from webapp.errors import Conflict, NotFound
from webapp.jobs.selectors import job_json
from webapp.projects.models import Project

M = TypeVar("M", bound=Model)


def training_data(pk: UUID) -> TrainingData:
    """Return one.

    Raises:
        NotFound: there is none.
    """
    found = TrainingData.objects.select_related(
        "project", "label_set__imagery", "job__project", "job__created_by", "created_by"
    ).filter(pk=pk)
    return one(found, "training data")


def run(pk: UUID) -> Run:
    """Return one.

    Raises:
        NotFound: there is none.
    """
    found = Run.objects.select_related(
        "project", "training_data", "package", "job__project", "job__created_by", "created_by"
    ).filter(pk=pk)
    return one(found, "run")


def package(pk: UUID) -> ModelPackage:
    """Return one, also one that was uninstalled.

    Raises:
        NotFound: there is none.
    """
    return one(ModelPackage.objects.select_related("project", "created_by", "run").filter(pk=pk), "model")


def one(rows: "QuerySet[M]", what: str) -> M:
    """Return the only row."""
    found = rows.first()
    if found is None:
        raise NotFound(what)
    return found


def training_data_of(projects: "QuerySet[Project]") -> "QuerySet[TrainingData]":
    """Return the training data of projects."""
    return TrainingData.objects.filter(project__in=projects).select_related(
        "project", "label_set__imagery", "job__project", "job__created_by", "created_by"
    )


def runs_of(projects: "QuerySet[Project]", *, data: UUID | None = None) -> "QuerySet[Run]":
    """Return the runs of projects, those of one training data where given."""
    rows = Run.objects.filter(project__in=projects).select_related(
        "project", "training_data", "package", "job__project", "job__created_by", "created_by"
    )
    return rows.filter(training_data=data) if data else rows


def packages_of(
    projects: "QuerySet[Project]", *, task: str = "", with_uninstalled: bool = False
) -> "QuerySet[ModelPackage]":
    """Return the packages of projects, newest first."""
    rows = ModelPackage.objects.filter(project__in=projects).select_related("project", "created_by", "run")
    if not with_uninstalled:
        rows = rows.filter(uninstalled_at=None)
    if task:
        rows = rows.filter(task=task)
    return rows.annotate(uses=Count("inferences", distinct=True))


def folder_of(data: TrainingData) -> Path:
    """Return the absolute folder of exported chips.

    Raises:
        Conflict: the export has not finished.
    """
    if not data.path:
        raise Conflict("The training data is not exported yet.", fix="Wait until its job has finished.")
    return Path(settings.MEDIA_DIR) / data.path


def package_file(row: ModelPackage) -> Path:
    """Return the absolute path of a package.

    Raises:
        NotFound: it was uninstalled.
    """
    if row.uninstalled_at is not None:
        raise NotFound("installed model")
    return Path(settings.MEDIA_DIR) / row.path


def training_data_json(data: TrainingData) -> dict[str, Any]:
    """Return what pages and clients need to show training data."""
    count = data.statistics.get("samples", 0)
    return {
        "id": str(data.pk),
        "project": str(data.project_id),
        "name": data.name,
        "task": task_of(data),
        "metadata_format": data.metadata_format,
        "layer_seq": data.layer_seq,
        "imagery_version": data.imagery_version,
        "label_set": {
            "id": str(data.label_set_id),
            "name": data.label_set.name,
            "url": f"/label/{data.label_set_id}/",
        },
        "imagery": {
            "id": str(data.label_set.imagery_id),
            "name": data.label_set.imagery.name,
            "url": f"/imagery/{data.label_set.imagery_id}/",
        },
        "spec": data.spec,
        "statistics": data.statistics,
        "size_bytes": data.size_bytes,
        "state": state_of(data.job, bool(data.path)),
        "samples": [f"/api/training-data/{data.pk}/samples/{number}.png" for number in range(count)],
        "job": job_json(data.job) if data.job else None,
        "created_by": data.created_by.username if data.created_by else None,
        "created_at": data.created_at.isoformat(),
        "url": f"/training-data/{data.pk}/",
    }


def run_json(row: Run) -> dict[str, Any]:
    """Return what pages and clients need to show a run; epochs have their own route."""
    best = row.epochs.filter(number=row.best_epoch).first() if row.best_epoch else None
    return {
        "id": str(row.pk),
        "project": str(row.project_id),
        "name": row.name,
        "network": row.network,
        "task": NETWORKS.get(row.network, ""),
        "monitor": MONITOR.get(NETWORKS.get(row.network, ""), ""),
        "settings": row.settings,
        "training_data": {
            "id": str(row.training_data_id),
            "name": row.training_data.name,
            "url": f"/training-data/{row.training_data_id}/",
        },
        "best_epoch": row.best_epoch,
        "metrics": best.metrics if best else {},
        "state": state_of(row.job, row.package_id is not None),
        "package": {"id": str(row.package_id), "name": row.package.name, "url": f"/models/{row.package_id}/"}
        if row.package
        else None,
        "job": job_json(row.job) if row.job else None,
        "created_by": row.created_by.username if row.created_by else None,
        "created_at": row.created_at.isoformat(),
        "url": f"/runs/{row.pk}/",
    }


def state_of(job: Any, done: bool) -> str:
    """Return the state of what a job makes; the job's row may be gone."""
    if done:
        return "succeeded"
    return str(job.state) if job is not None else "failed"


def epochs(row: Run, *, after: int = 0) -> list[dict[str, Any]]:
    """Return the epochs after a number, oldest first; the last one may still be running (`finished` false)."""
    return [epoch_json(epoch) for epoch in Epoch.objects.filter(run=row, number__gt=after).order_by("number")]


def epoch_json(epoch: Epoch) -> dict[str, Any]:
    """Return one epoch."""
    return {
        "number": epoch.number,
        "metrics": epoch.metrics,
        "steps": epoch.steps,
        "seconds": epoch.seconds,
        "finished": bool(epoch.metrics),
    }


def package_json(row: ModelPackage) -> dict[str, Any]:
    """Return what pages and clients need to show a package."""
    trained_by = getattr(row, "run", None)
    count = int(row.data.get("samples", 0)) if row.uninstalled_at is None else 0
    base = f"/api/models/{row.pk}"
    return {
        "id": str(row.pk),
        "project": str(row.project_id),
        "project_name": row.project.name,
        "name": row.name,
        "description": row.description,
        "task": row.task,
        "monitor": MONITOR.get(row.task, ""),
        "network": row.network,
        "source": row.source,
        "classes": row.classes,
        "bands": row.bands,
        "dtype": row.dtype,
        "resolution_m": row.resolution_m,
        "chip_px": row.chip_px,
        "metrics": row.metrics,
        "data": row.data,
        "sha256": row.sha256,
        "size_bytes": row.size_bytes,
        "installed": row.uninstalled_at is None,
        "samples": [
            {what: f"{base}/samples/{number}-{what}.png" for what in ("image", "truth", "prediction")}
            for number in range(count)
        ],
        "run": {"id": str(trained_by.pk), "name": trained_by.name, "url": f"/runs/{trained_by.pk}/"}
        if trained_by
        else None,
        "uses": getattr(row, "uses", None),
        "created_by": row.created_by.username if row.created_by else None,
        "created_at": row.created_at.isoformat(),
        "download": f"{base}/download" if row.uninstalled_at is None else None,
        "url": f"/models/{row.pk}/",
    }


def uses_of(row: ModelPackage) -> list[dict[str, Any]]:
    """Return the inferences with a package, newest first."""
    return [
        {
            "id": str(use.pk),
            "name": use.name,
            "imagery": use.imagery.name,
            "created_at": use.created_at.isoformat(),
            "url": f"/inferences/{use.pk}/",
        }
        for use in row.inferences.select_related("imagery")[:100]
    ]


def sample_picture(row: ModelPackage, number: int, what: str) -> bytes:
    """Return a sample picture out of our own package file.

    Raises:
        NotFound: there is none.
    """
    if what not in ("image", "truth", "prediction") or not 0 <= number < int(row.data.get("samples", 0)):
        raise NotFound("picture")
    return packages.read_file(package_file(row), f"samples/{number}-{what}.png")


def defaults() -> dict[str, Any]:
    """Return the settings that a form starts with."""
    values = Settings().as_json()
    del values["threads"], values["device"]
    return values
