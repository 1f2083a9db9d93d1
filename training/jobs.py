"""The long work of this room: export, training, installation. Only workers import this module."""

import json
import os
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

import shapely
from django.conf import settings as django_settings
from django.db import transaction

from training import fit as loop
from training import formats, package, pictures
from training.chips import Label
from training.export import Order, export
from training.formats import ClassName, Folder
from training.models import Epoch, ModelPackage, Run, TrainingData
from training.networks import network_of
from training.pack import pack
from training.selectors import folder_of
from training.settings import Settings
from training.specs import ExportSpec
from webapp.errors import Conflict, Invalid
from webapp.features.selectors import features_at
from webapp.imagery.selectors import analysis_file, date_of
from webapp.jobs.context import JobContext
from webapp.projects.models import AuditEntry, Project, User
from webapp.raster.shift import Shift

# Sample chips on the page of training data.
SAMPLES = 8
# Seconds between two stores of the loss within an epoch.
STEPS_EVERY_S = 1.0


def export_training_data(context: JobContext) -> dict[str, Any]:
    """Cut the chips of a frozen label set. An interrupted export begins again: it is a matter of seconds."""
    data = TrainingData.objects.select_related("label_set__imagery", "label_set__layer").get(
        pk=context.spec["training_data"]
    )
    result = {"training_data": str(data.pk), "url": f"/training-data/{data.pk}/"}
    if not data.path:
        draft = context.scratch / "data"
        shutil.rmtree(draft, ignore_errors=True)
        order = order_of(data)
        folder = export(
            order, draft, threads=threads(), progress=lambda fraction, text: context.progress(0.95 * fraction, text)
        )
        count = write_samples(folder)
        facts = statistics_of(folder) | {"samples": count}
        # The token in the name: a late writer of a lost lease touches files of its own.
        path = f"training/{data.pk}-{context.token.hex[:8]}"
        move(draft, Path(django_settings.MEDIA_DIR) / path)
        with context.publish() as job:
            data.path, job.result = path, result
            data.statistics = facts
            data.size_bytes = size_of(Path(django_settings.MEDIA_DIR) / path)
            data.save(update_fields=["path", "statistics", "size_bytes"])
    return result


def order_of(data: TrainingData) -> Order:
    """Return what to export: labels as they were at the frozen number."""
    values = dict(data.spec)
    offset = values.pop("imagery_offset", None)
    label_set, spec = data.label_set, ExportSpec.parse(values)
    # Samples are where people saw the imagery; chips are cut where its file has the pixels.
    back = -Shift(offset["x"], offset["y"]) if offset else Shift()
    imagery, layer = label_set.imagery, label_set.layer
    if imagery.version != data.imagery_version:
        raise Conflict("The imagery has changed since the export was asked for.", fix="Start the export again.")
    classes = tuple(
        ClassName(entry.value, entry.name, entry.colour) for entry in layer.classes.order_by("position", "value")
    )
    labels = [
        Label(back.moved(state.shape), state.class_value)
        for state in features_at(layer, data.layer_seq)
        # Chips hold areas: a line or a point says where something is, not which pixels are it.
        if state.class_value is not None and shapely.get_dimensions(state.shape) == 2
    ]
    used = {label.value for label in labels}
    return Order(
        imagery=analysis_file(imagery),
        labels=labels,
        classes=tuple(entry for entry in classes if entry.value in used),
        format=spec.format,
        cutting=spec.cutting,
        extent=None if spec.extent is None else back.moved(spec.extent),
        validation=spec.validation,
        seed=spec.seed,
        bands=tuple(str(band["name"]) for band in imagery.bands),
        source={
            "imagery": {
                "id": str(imagery.pk),
                "name": imagery.name,
                "version": imagery.version,
                "date": date_of(imagery),
            },
            "attribution": [text for text in (imagery.attribution, layer.attribution) if text],
            "label_set": {"id": str(label_set.pk), "name": label_set.name, "layer_seq": data.layer_seq},
            **({"imagery_offset": offset} if offset else {}),
        },
    )


def statistics_of(folder: Folder) -> dict[str, Any]:
    """Return the facts that the page shows."""
    stats = json.loads((folder.path / formats.STATS).read_text())
    pixels = folder.format == "Classified_Tiles"
    inner = stats["ClassPixelStats" if pixels else "FeatureStats"]
    counts = inner["NumPixelsPerClass" if pixels else "NumFeaturesPerClass"]
    return {
        "chips": {side: len(folder.side(side)) for side in ("train", "validation", "dropped")},
        "counted": "pixels" if pixels else "objects",
        "classes": [
            {"value": entry.value, "name": entry.name, "colour": entry.colour, "chips": images, "count": count}
            for entry, images, count in zip(folder.classes, inner["NumImagesPerClass"], counts, strict=True)
        ],
        "bands": list(folder.bands),
        "dtype": folder.dtype,
        "resolution_m": folder.resolution_m,
        "chip_px": folder.chip_px,
        "mean": list(folder.mean),
        "std": list(folder.std),
        "split": folder.split,
    }


def write_samples(folder: Folder) -> int:
    """Write pictures of some chips with their labels, spread over the scene; return how many."""
    (folder.path / "samples").mkdir()
    step = max(1, len(folder.chips) // SAMPLES)
    chosen = folder.chips[::step][:SAMPLES]
    for number, chip in enumerate(chosen):
        item = loop.read_item(folder, chip)
        image = pictures.picture(item.array, item.valid)
        if folder.task == "classify_pixels":
            shown = pictures.with_classes(image, item.classes, folder.classes)
        else:
            shown = pictures.with_boxes(image, item.boxes, item.labels, folder.classes)
        (folder.path / "samples" / f"{number}.png").write_bytes(pictures.png(shown))
    return len(chosen)


def train(context: JobContext) -> dict[str, Any]:
    """Train a network; after a kill it goes on from the last finished epoch."""
    run = Run.objects.select_related("training_data", "project", "created_by").get(pk=context.spec["run"])
    if run.package_id is None:
        settings = Settings(**run.settings)
        folder = formats.read_folder(folder_of(run.training_data))
        fitted = loop.fit(
            folder,
            network_of(run.network),
            settings,
            scratch=context.scratch / "run",
            hooks=hooks_of(context, run, settings),
        )
        if fitted.stopped_early:
            context.log(f"Stopped early after epoch {len(fitted.history)}: no progress in {settings.patience} epochs.")
        context.progress(0.98, "Packing the best weights")
        draft = context.scratch / "package.dlpk"
        data = {"training_data": {"id": str(run.training_data_id), "name": run.training_data.name}}
        description = pack(draft, name=run.name, folder=folder, fitted=fitted, settings=settings, data=data)
        path = keep(draft)
        with context.publish() as job:
            run.package = store(run.project, run.created_by, description, path, ModelPackage.Source.TRAINED)
            run.best_epoch = fitted.best_epoch
            run.save(update_fields=["package", "best_epoch"])
            job.result = _result(run)
    return _result(run)


def _result(run: Run) -> dict[str, Any]:
    return {"run": str(run.pk), "package": str(run.package_id), "url": f"/models/{run.package_id}/"}


def hooks_of(context: JobContext, run: Run, settings: Settings) -> loop.Hooks:
    """Return hooks that store losses and epochs as they come, and stop the run when the job must stop."""
    points: list[list[float]] = []
    told = time.monotonic()

    def step(epoch: int, at: int, steps: int, loss: float) -> None:
        nonlocal told
        points.append([at, loss])
        if time.monotonic() - told >= STEPS_EVERY_S:
            told = time.monotonic()
            with context.guard():
                Epoch.objects.update_or_create(
                    run=run, number=epoch, defaults={"steps": points, "metrics": {}, "seconds": 0.0}
                )
        fraction = (epoch - 1 + at / steps) / settings.epochs
        context.progress(0.97 * fraction, f"Epoch {epoch} of {settings.epochs}, loss {loss:.3f}")

    def epoch(result: loop.EpochResult) -> None:
        points.clear()
        with context.guard():
            Epoch.objects.update_or_create(
                run=run,
                number=result.number,
                defaults={
                    "metrics": result.metrics,
                    "steps": [list(point) for point in result.steps],
                    "seconds": result.seconds,
                },
            )
            if result.best:
                Run.objects.filter(pk=run.pk).update(best_epoch=result.number)
        loss = result.metrics["validation_loss"]
        context.progress(
            0.97 * result.number / settings.epochs,
            f"Epoch {result.number} of {settings.epochs} done, validation loss {loss:.3f}",
        )

    return loop.Hooks(step=step, epoch=epoch, terminated=context.check)


def install_package(context: JobContext) -> dict[str, Any]:
    """Check an uploaded package by loading it, and keep it rewritten as our own file."""
    source = Path(django_settings.QUARANTINE_DIR) / Path(context.spec["file"]).name
    if not source.exists():
        raise Invalid("The uploaded file is gone.", fix="Upload the package again.")
    context.progress(0.1, "Checking the package")
    draft = context.scratch / "package.dlpk"
    try:
        loaded = package.rewrite(source, draft)
    except Invalid:
        source.unlink(missing_ok=True)
        raise
    context.progress(0.9, "Storing")
    path = keep(draft)
    project, user = context.job.project, context.job.created_by
    if project is None:
        raise Invalid("A package belongs to a project.", fix="Name one.")
    with context.publish() as job:
        row = ModelPackage.objects.create(
            project=project,
            source=ModelPackage.Source.INSTALLED,
            created_by=user,
            **fields_of(loaded.description, path),
        )
        AuditEntry.objects.create(project=project, actor=user, action="package.install", target=row.name)
        # With the row: another attempt would find the same file and install it a second time.
        job.result = result = {"package": str(row.pk), "url": f"/models/{row.pk}/"}
        transaction.on_commit(partial(source.unlink, missing_ok=True))
    source.unlink(missing_ok=True)
    return result


def store(
    project: Project, user: User | None, description: package.Description, path: Path, source: str
) -> ModelPackage:
    """Return the new row of a package."""
    return ModelPackage.objects.create(project=project, source=source, created_by=user, **fields_of(description, path))


def fields_of(description: package.Description, path: Path) -> dict[str, Any]:
    """Return the columns of a package row."""
    return {
        "name": description.name,
        "task": description.task,
        "network": description.network,
        "path": str(path.relative_to(django_settings.MEDIA_DIR)),
        "sha256": path.stem,
        "size_bytes": path.stat().st_size,
        "classes": [entry._asdict() for entry in description.classes],
        "bands": list(description.bands),
        "dtype": description.dtype,
        "resolution_m": description.resolution_m,
        "chip_px": description.chip_px,
        "metrics": description.metrics,
        "data": description.data
        | {"settings": description.settings, "samples": package.sample_count(path), "halo_px": description.halo_px},
    }


def keep(draft: Path) -> Path:
    """Move a package to its place, named by its content: the same package twice is one file."""
    path = Path(django_settings.MEDIA_DIR) / "packages" / f"{package.sha256(draft)}.dlpk"
    move(draft, path)
    return path


def move(source: Path, target: Path) -> None:
    """Move a file or folder, replacing a file; across file systems it is copied beside the target and renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    near = target.with_name(f".{target.name}.draft")
    shutil.move(source, near)
    if near.is_dir():
        for path in near.rglob("*"):
            sync(path)
    sync(near)
    near.rename(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def threads() -> int:
    """Return how many threads a job may use."""
    return int(django_settings.COMPUTE_THREADS) or os.cpu_count() or 1
