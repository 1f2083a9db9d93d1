"""What changes training data, runs and packages. Torch is never imported here: long work is a job."""

import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from labeling.models import LabelSet
from training.models import ModelPackage, Run, TrainingData
from training.settings import NETWORKS, Settings
from training.specs import ExportSpec
from webapp.errors import Conflict, Invalid, TooLarge
from webapp.features.models import FeatureLayer
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.projects.models import AuditEntry, Project, User

MAX_PACKAGE_BYTES = 2 * 1024**3
MAX_NAME = 200


def export(*, label_set: LabelSet, user: User | None, spec: ExportSpec, name: str = "") -> TrainingData:
    """Freeze a label set at its sequence number and start the export of its chips.

    Raises:
        Invalid: the label set has no label yet, or the spec names bands that the imagery lacks.
    """
    imagery = label_set.imagery
    if spec.cutting.bands and max(spec.cutting.bands) > len(imagery.bands):
        raise Invalid(
            f"Band {max(spec.cutting.bands)} does not exist: the imagery has {len(imagery.bands)}.",
            fix="Choose from its bands.",
        )
    with transaction.atomic():
        # The share lock waits for edits that are being committed: the number is then one that readers see whole.
        layer = FeatureLayer.objects.select_for_update(no_key=True).get(pk=label_set.layer_id)
        if not layer.features.filter(deleted=False).exists():
            raise Invalid("The label set holds no label.", fix="Label some objects first.")
        data = TrainingData.objects.create(
            project=label_set.project,
            name=(name or f"{label_set.name}, edit {layer.seq}")[:MAX_NAME],
            label_set=label_set,
            layer_seq=layer.seq,
            imagery_version=imagery.version,
            metadata_format=spec.format,
            spec=spec.as_json(),
            created_by=user,
        )
        data.job = jobs.enqueue(
            project=data.project,
            kind="export_training_data",
            spec={"training_data": str(data.pk)},
            user=user,
            title=f"Export {data.name}",
        )
        data.save(update_fields=["job"])
    return data


def start_run(
    *,
    training_data: TrainingData,
    user: User | None,
    network: str = "",
    settings: Mapping[str, Any] | None = None,
    name: str = "",
) -> Run:
    """Start a training; its settings are frozen with it.

    Args:
        training_data: exported.
        user: who starts it.
        network: `unet` or `retinanet`; empty for the one that fits the data.
        settings: see `training.settings.Settings`; what is absent takes its default.
        name: of run and model.

    Raises:
        Invalid: the network does not fit the data, or a setting is wrong.
        Conflict: the export has not finished.
    """
    task = task_of(training_data)
    network = network or next(key for key, does in NETWORKS.items() if does == task)
    if NETWORKS.get(network) != task:
        fitting = [key for key, does in NETWORKS.items() if does == task]
        raise Invalid(
            f"Network {network!r} cannot be trained on {training_data.metadata_format}.",
            fix=f"Use {' or '.join(fitting)}.",
        )
    if not training_data.path:
        raise Conflict("The training data is not exported yet.", fix="Wait until its job has finished.")
    used = Settings.parse(
        {"threads": django_settings.COMPUTE_THREADS, "device": django_settings.COMPUTE_DEVICE} | dict(settings or {})
    )
    if not training_data.statistics.get("chips", {}).get("validation"):
        raise Invalid("The training data holds no chip for validation.", fix="Export it again with a validation share.")
    with transaction.atomic():
        run = Run.objects.create(
            project=training_data.project,
            name=(name or f"{training_data.name} {network}")[:MAX_NAME],
            training_data=training_data,
            network=network,
            settings=used.as_json(),
            created_by=user,
        )
        run.job = jobs.enqueue(
            project=run.project, kind="train", spec={"run": str(run.pk)}, user=user, title=f"Train {run.name}"
        )
        run.save(update_fields=["job"])
    return run


def task_of(data: TrainingData) -> str:
    """Return what a network learns from this data."""
    return "classify_pixels" if data.metadata_format == "Classified_Tiles" else "detect_objects"


def install_package(
    *, project: Project, user: User | None, chunks: Iterable[bytes], filename: str, size_bytes: int
) -> Job:
    """Put an uploaded package into quarantine and start its check; no byte of it is read here.

    Raises:
        TooLarge: over the limit.
        Invalid: an empty file, or not named .dlpk or .zip.
    """
    if size_bytes > min(MAX_PACKAGE_BYTES, django_settings.UPLOAD_MAX_BYTES):
        raise TooLarge(f"The package has {size_bytes} bytes.", fix=f"The limit is {MAX_PACKAGE_BYTES} bytes.")
    if not size_bytes or Path(filename).suffix.lower() not in (".dlpk", ".zip"):
        raise Invalid(f"'{filename[:80]}' is no model package.", fix="Choose a .dlpk file.")
    folder = Path(django_settings.QUARANTINE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    # Never the stranger's name: the path is made of a number of ours.
    kept = folder / f"{uuid.uuid4()}.dlpk"
    try:
        with kept.open("wb") as target:
            target.writelines(chunks)
        return jobs.enqueue(
            project=project,
            kind="install_package",
            spec={"file": kept.name, "filename": Path(filename).name[:MAX_NAME]},
            user=user,
            title=f"Install {Path(filename).name[:150]}",
            lane=Job.Lane.LIGHT,
        )
    except BaseException:  # the disk is full, too many jobs: nobody would ever read it
        kept.unlink(missing_ok=True)
        raise


def uninstall(*, package: ModelPackage, user: User | None) -> ModelPackage:
    """Take a package out of use and remove its file; where it was used stays known.

    Raises:
        Conflict: an inference with it is running.
    """
    with transaction.atomic():
        locked = ModelPackage.objects.select_for_update().get(pk=package.pk)
        if locked.uninstalled_at is not None:
            return locked
        if locked.inferences.filter(job__finished_at=None, job__isnull=False).exists():
            raise Conflict("The package is in use by an inference.", fix="Wait for it, or cancel it first.")
        locked.uninstalled_at = timezone.now()
        locked.save(update_fields=["uninstalled_at"])
        AuditEntry.objects.create(project=locked.project, actor=user, action="package.uninstall", target=locked.name)
        twins = ModelPackage.objects.filter(path=locked.path, uninstalled_at=None).exists()
        if not twins:
            path = Path(django_settings.MEDIA_DIR) / locked.path
            transaction.on_commit(lambda: path.unlink(missing_ok=True))
    return locked
