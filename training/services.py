"""What changes training data, runs and packages. Torch is never imported here: long work is a job."""

import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from labeling import offsets
from labeling.models import LabelSet
from training.models import Epoch, ModelPackage, Run, TrainingData
from training.settings import NETWORKS, TITLES, Settings
from training.specs import ExportSpec
from webapp.errors import Conflict, Invalid, TooLarge
from webapp.features.models import FeatureLayer
from webapp.jobs import services as jobs
from webapp.jobs.context import scratch_folder
from webapp.jobs.models import Job
from webapp.jobs.restarts import inputs_gone
from webapp.jobs.selectors import at_work
from webapp.projects import deletion
from webapp.projects.deletion import Consequences
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
        if not layer.features.filter(deleted=False, area_m2__gt=0).exists():
            raise Invalid(
                "The label set holds lines or points only, and training takes areas.",
                fix="Draw areas, too.",
                code="areas",
            )
        data = TrainingData.objects.create(
            project=label_set.project,
            name=(name or f"{label_set.name}, edit {layer.seq}")[:MAX_NAME],
            label_set=label_set,
            layer_seq=layer.seq,
            imagery_version=imagery.version,
            metadata_format=spec.format,
            # Under the layer's lock: samples and offset are of one moment.
            spec=spec.as_json() | ({"imagery_offset": offset} if (offset := offsets.frozen(label_set)) else {}),
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
            name=(name or f"{training_data.name}, {TITLES[network]}")[:MAX_NAME],
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


def data_consequences(data: TrainingData) -> Consequences:
    """Return what deleting training data would remove, and what stands in its way."""
    chips = data.statistics.get("chips", {})
    count = sum(chips.get(side, 0) for side in ("train", "validation"))
    return Consequences(
        goes=[f"{count:,} chips, {data.size_bytes / 1e6:,.1f} MB", *deletion.taken_along(data)],
        stays=[f"The label set '{data.label_set.name}'"],
        uses=[*deletion.users_of(data), *at_work(Q(pk=data.job_id))],
    )


def delete_data(*, data: TrainingData, user: User | None) -> None:
    """Remove training data with its chips.

    Raises:
        Conflict: a run was trained on it, or its export has not ended.
    """
    with transaction.atomic():
        locked = (
            TrainingData.objects.select_for_update(of=("self",)).select_related("project", "label_set").get(pk=data.pk)
        )
        deletion.refuse(locked.name, data_consequences(locked).uses)
        deletion.audit(project=locked.project, user=user, kind="training_data", name=locked.name)
        folder = Path(django_settings.MEDIA_DIR) / locked.path
        if locked.path:
            transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))
        locked.delete()


def run_consequences(run: Run) -> Consequences:
    """Return what deleting a run would remove, and what stands in its way."""
    kept = [f"The model '{run.package.name}', which has a page and a deletion of its own"] if run.package else []
    return Consequences(
        goes=["Its curves and settings", *deletion.taken_along(run)],
        stays=[*kept, f"The training data '{run.training_data.name}'"],
        uses=[*deletion.users_of(run), *at_work(Q(pk=run.job_id))],
    )


def delete_run(*, run: Run, user: User | None) -> None:
    """Remove a run with its epochs; the model that it made stays.

    Raises:
        Conflict: its job has not ended.
    """
    with transaction.atomic():
        locked = (
            Run.objects.select_for_update(of=("self",))
            .select_related("project", "training_data", "package")
            .get(pk=run.pk)
        )
        deletion.refuse(locked.name, run_consequences(locked).uses)
        deletion.audit(project=locked.project, user=user, kind="run", name=locked.name)
        locked.delete()


def export_again(old: Job, new: Job) -> None:
    """Hand the training data of a failed export to a new job.

    Raises:
        Conflict: it was deleted, or its imagery has changed since.
    """
    data = TrainingData.objects.select_for_update(of=("self",)).filter(pk=old.spec["training_data"], path="").first()
    if data is None or data.label_set.imagery.version != data.imagery_version:
        raise inputs_gone("The training data, or its imagery as it was,", "Export the label set again.")
    data.job = new
    data.save(update_fields=["job"])


def train_again(old: Job, new: Job) -> None:
    """Hand a failed run to a new job, which goes on from the last finished epoch where the old one's files are kept.

    Raises:
        Conflict: the run was deleted, or its chips are gone.
    """
    run = Run.objects.select_for_update(of=("self",)).filter(pk=old.spec["run"], package=None).first()
    if run is None or not (Path(django_settings.MEDIA_DIR) / run.training_data.path).is_dir():
        raise inputs_gone("The run, or its training data,", "Train again on the training data's page.")
    run.job = new
    if not scratch_folder(old.pk).is_dir():
        Epoch.objects.filter(run=run).delete()
        run.best_epoch = None
    run.save(update_fields=["job", "best_epoch"])


def install_again(old: Job, new: Job) -> None:
    """Make sure that a failed installation can be run again.

    Raises:
        Conflict: the uploaded file is gone.
    """
    if not (Path(django_settings.QUARANTINE_DIR) / Path(old.spec["file"]).name).exists():
        raise inputs_gone("The uploaded package", "Upload it again.")
