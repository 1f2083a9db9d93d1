"""From a finished training to a package: description, sample results, file."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from training import package, pictures
from training.chips import normalise
from training.fit import Fitted, Item, read_item
from training.formats import Folder
from training.networks import CLASSIFY_PIXELS, IGNORE, RetinaNet
from training.package import Description, PackageClass, Sample
from training.settings import Settings

SAMPLES = 6
# Context of a U-Net's pixel; its theoretical field is wider than a chip, what it uses is about this.
UNET_HALO_PX = 64


def pack(
    path: Path, *, name: str, folder: Folder, fitted: Fitted, settings: Settings, data: dict[str, Any] | None = None
) -> Description:
    """Write the package of a finished training and return its description.

    Args:
        path: of the new `.dlpk`.
        name: of the model.
        folder: it was trained on.
        fitted: the result of `fit.fit`.
        settings: it was trained with.
        data: more facts about the data, for people.
    """
    used = settings.as_json()
    # Where it ran is no part of the model: equal trainings give equal packages.
    del used["threads"], used["device"]
    description = Description(
        name=name,
        task=folder.task,
        network=fitted.network.name,
        classes=tuple(PackageClass(entry.value, entry.name, entry.colour) for entry in folder.classes),
        bands=folder.bands,
        dtype=folder.dtype,
        resolution_m=folder.resolution_m,
        chip_px=folder.chip_px,
        halo_px=halo_px(folder, fitted),
        mean=folder.mean,
        std=folder.std,
        settings=used
        | {
            "architecture": fitted.network.architecture,
            "best_epoch": fitted.best_epoch,
            "stopped_early": fitted.stopped_early,
        },
        metrics=fitted.metrics,
        data={
            "chips": {side: len(folder.side(side)) for side in ("train", "validation")},
            "format": folder.format,
            "split": folder.split,
            "source": folder.source,
        }
        | (data or {}),
    )
    history = [{"epoch": entry.number, **entry.metrics} for entry in fitted.history]
    package.write(
        path, description=description, module=fitted.module, samples=sample_results(folder, fitted), history=history
    )
    return description


def halo_px(folder: Folder, fitted: Fitted) -> int:
    """Return the context that inference should read around a window, a multiple of 32 px, below half a chip."""
    if isinstance(fitted.network, RetinaNet):
        # Half the largest anchor: an object whose centre lies in the window is seen whole.
        levels = len(fitted.network.strides)
        wanted = int(fitted.network.anchor_px * 2**levels / 2)
    else:
        wanted = UNET_HALO_PX
    return min(-(-wanted // 32) * 32, (folder.chip_px - 1) // 2 // 32 * 32)


def sample_results(folder: Folder, fitted: Fitted, count: int = SAMPLES) -> list[Sample]:
    """Return validation chips with truth and prediction, those with most labels first."""
    chips = folder.side("validation")
    items = [read_item(folder, chip) for chip in chips]
    order = sorted(range(len(items)), key=lambda index: (-labelled(items[index]), index))
    return [sample_of(folder, fitted, items[index]) for index in order[:count]]


def labelled(item: Item) -> float:
    """Return how much a chip shows: kinds of classes before pixels, or the number of objects."""
    if item.classes.size == 0:
        return float(len(item.labels))
    known = item.classes[(item.classes != IGNORE) & (item.classes > 0)]
    # A chip half covered says more than one that is one class all over.
    return float(len(np.unique(known)) + 1 - abs(0.5 - known.size / item.classes.size))


def sample_of(folder: Folder, fitted: Fitted, item: Item) -> Sample:
    """Return the three pictures of a chip."""
    image = pictures.picture(item.array, item.valid)
    x = torch.from_numpy(normalise(item.array, item.valid, folder.mean, folder.std))[None]
    with torch.inference_mode():
        raw = {key: tensor.numpy() for key, tensor in fitted.network.raw_forward(fitted.module, x).items()}
    if folder.task == CLASSIFY_PIXELS:
        said = np.where(item.valid, fitted.network.decode(raw)[0], 0)
        truth = pictures.with_classes(image, np.where(item.classes == IGNORE, 0, item.classes), folder.classes)
        prediction = pictures.with_classes(image, said, folder.classes)
    else:
        found = fitted.network.decode(raw, threshold=float(fitted.metrics["threshold"]))[0]
        truth = pictures.with_boxes(image, item.boxes, item.labels, folder.classes)
        prediction = pictures.with_boxes(image, found.boxes, found.labels, folder.classes)
    return Sample(*(pictures.png(shown) for shown in (image, truth, prediction)))
