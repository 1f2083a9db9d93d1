"""Training in three lines, without a server: on a folder in Esri's layout, ours or ArcGIS's.

data = prepare_data("chips", batch_size=8)
model = UnetClassifier(data)
model.fit(10)
model.show_results().save("results.png")
model.save("roofs")
"""

import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from training import fit as loop
from training import formats, package, pictures, splits
from training.fit import EpochResult, Fitted, Hooks, read_item
from training.formats import Folder
from training.networks import CLASSIFY_PIXELS, DETECT_OBJECTS, Network, network_of
from training.pack import pack, sample_results
from training.settings import MONITOR, Settings
from webapp.errors import Invalid
from webapp.raster.read import info
from webapp.raster.windows import Window

__all__ = ["Data", "RetinaNet", "UnetClassifier", "prepare_data"]

GAP_PX = 4


@dataclass(frozen=True)
class Data:
    """Chips ready for training.

    Attributes:
        folder: what was read, with its split.
        batch_size: chips a step.
        seed: of everything random.
        augment: turn, mirror and relight training chips.
    """

    folder: Folder
    batch_size: int
    seed: int
    augment: bool

    @property
    def path(self) -> Path:
        """Folder of the chips."""
        return self.folder.path

    @property
    def chip_size(self) -> int:
        """Side of a chip in pixels."""
        return self.folder.chip_px

    @property
    def classes(self) -> list[str]:
        """Names of the classes; pixel data has the background `NoData` first, as in arcgis.learn."""
        names = [entry.name for entry in self.folder.classes]
        return ["NoData", *names] if self.folder.task == CLASSIFY_PIXELS else names

    @property
    def class_mapping(self) -> dict[int, str]:
        """Name by class value."""
        return {entry.value: entry.name for entry in self.folder.classes}

    @property
    def c(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def show_batch(self, rows: int = 3) -> Image.Image:
        """Return a picture of training chips with their labels, `rows` by `rows`."""
        chosen = self.folder.side("train")[: rows * rows]
        return grid([shown(self.folder, chip) for chip in chosen], columns=rows)


def prepare_data(
    path: str | Path,
    class_mapping: Mapping[int, str] | None = None,
    val_split_pct: float = 0.1,
    batch_size: int = 8,
    transforms: bool | None = None,
    seed: int = 42,
) -> Data:
    """Return the chips of a folder, parted in training and validation.

    Our own exports bring their spatial split. Folders of ArcGIS are split by blocks of ground where the chips have a
    position, else chip by chip.

    Args:
        path: folder with images/, labels/, map.txt and the two esri_ files.
        class_mapping: other names by class value.
        val_split_pct: share held out, where the folder brings no split.
        batch_size: chips a step.
        transforms: False for no augmentation.
        seed: of the split and the training.

    Raises:
        Invalid: the folder is none of a known format, or holds too little.
    """
    folder = formats.read_folder(Path(path))
    if class_mapping:
        renamed = tuple(replace(entry, name=class_mapping.get(entry.value, entry.name)) for entry in folder.classes)
        folder = replace(folder, classes=renamed)
    if not folder.side("validation"):
        folder = parted(folder, val_split_pct, seed)
    return Data(folder, batch_size, seed, augment=transforms is not False)


def parted(folder: Folder, share: float, seed: int) -> Folder:
    """Return the folder with a split, and the statistics of its training side."""
    chips = folder.side("train")
    places = [place(folder, chip.image) for chip in chips]
    if len(set(places)) == len(places):
        counts = np.ones((len(chips), 1), dtype=np.int64)
        sides: Sequence[str] = splits.split(places, counts, validation=share, seed=seed).sides
        kind = "blocks"
    else:
        held = set(np.random.default_rng(seed).permutation(len(chips))[: max(1, round(share * len(chips)))].tolist())
        sides = ["validation" if index in held else "train" for index in range(len(chips))]
        kind = "chips"
    new = tuple(replace(chip, side=side) for chip, side in zip(chips, sides, strict=True))
    moments = formats.measure(folder.path, [chip for chip in new if chip.side == "train"], len(folder.bands))
    return replace(
        folder,
        chips=new,
        split={"kind": kind, "seed": seed, "validation": share},
        mean=tuple(band.mean for band in moments),
        std=tuple(band.std for band in moments),
    )


def place(folder: Folder, image: str) -> Window:
    """Return where a chip lies, in pixels of the scene it was cut from."""
    found = info(folder.path / image)
    a, _, x, _, e, y = found.transform
    return Window(round(y / e), round(x / a), found.height, found.width)


class Model:
    """A network with its data: fit, look, save. `UnetClassifier` and `RetinaNet` are the ones to make."""

    network_name = ""
    task = ""

    def __init__(self, data: Data, *, pretrained: bool = True) -> None:
        if data.folder.task != self.task:
            raise Invalid(
                f"{type(self).__name__} cannot learn from {data.folder.format}.",
                fix=f"Export as {next(key for key, task in formats.TASKS.items() if task == self.task)}.",
            )
        self.data = data
        self.pretrained = pretrained
        self.history: list[EpochResult] = []
        self._network: Network = network_of(self.network_name)
        self._fitted: Fitted | None = None
        self._settings = Settings()
        self._weights: dict[str, torch.Tensor] | None = None

    @classmethod
    def from_model(cls, path: str | Path, data: Data) -> Self:
        """Return the model of a package, to be trained on with `data`.

        Raises:
            BadPackage: unsafe or damaged.
            Invalid: classes, bands or network of package and data differ.
        """
        loaded = package.load(Path(path))
        description = loaded.description
        same = [entry.value for entry in data.folder.classes] == [entry.value for entry in description.classes]
        if description.network != cls.network_name or not same or len(description.bands) != len(data.folder.bands):
            raise Invalid(
                f"'{Path(path).name}' was trained for other classes, bands or another network.",
                fix="Give data with the same class values and number of bands.",
            )
        model = cls(data, pretrained=False)
        model._network = loaded.network
        model._weights = dict(loaded.module.state_dict())
        return model

    def fit(
        self,
        epochs: int = 10,
        lr: float | None = None,
        early_stopping: bool = False,
        checkpoint: str | Path | None = None,
        device: str = "auto",
        threads: int = 0,
    ) -> None:
        """Train, going on from where the last `fit` ended; the best weights are kept.

        Args:
            epochs: passes over the chips.
            lr: highest learning rate; None: 0.001.
            early_stopping: stop after 5 epochs without progress.
            checkpoint: folder in which an interrupted call goes on; None: nothing is kept.
            device: cpu, cuda or auto.
            threads: 0 for one a core.
        """
        self._settings = Settings(
            epochs=epochs,
            batch_size=self.data.batch_size,
            learning_rate=lr or Settings.learning_rate,
            patience=5 if early_stopping else 0,
            seed=self.data.seed,
            pretrained=self.pretrained,
            augment=self.data.augment,
            threads=threads,
            device=device,
        )
        with tempfile.TemporaryDirectory() as scratch, tqdm(total=epochs, unit="epoch") as bar:

            def told(result: EpochResult) -> None:
                bar.update()
                score = result.metrics[MONITOR[self.task]]
                bar.set_postfix({"loss": f"{result.metrics['train_loss']:.3f}", MONITOR[self.task]: f"{score:.3f}"})

            self._fitted = loop.fit(
                self.data.folder,
                self._network,
                self._settings,
                scratch=Path(checkpoint or scratch),
                hooks=Hooks(epoch=told),
                weights=self._weights,
            )
        self.history = list(self._fitted.history)
        self._network = self._fitted.network
        self._weights = dict(self._fitted.module.state_dict())

    @property
    def metrics(self) -> dict[str, Any]:
        """Metrics of the best epoch on the held-out chips."""
        return self._done().metrics

    def show_results(self, rows: int = 5) -> Image.Image:
        """Return a picture: image, truth and prediction of held-out chips, a row each."""
        samples = sample_results(self.data.folder, self._done(), rows)
        cells = [png(part) for sample in samples for part in (sample.image, sample.truth, sample.prediction)]
        return grid(cells, columns=3)

    def save(self, name_or_path: str | Path) -> Path:
        """Write the model package and return its path.

        Args:
            name_or_path: a name (the file is `models/<name>/<name>.dlpk` beside the chips), or a path ending in
                `.dlpk`.
        """
        wanted = Path(name_or_path)
        if wanted.suffix.lower() != ".dlpk":
            stem = package.file_name(wanted.name)
            wanted = self.data.path / "models" / stem / f"{stem}.dlpk"
        wanted.parent.mkdir(parents=True, exist_ok=True)
        pack(wanted, name=wanted.stem, folder=self.data.folder, fitted=self._done(), settings=self._settings)
        return wanted

    def _done(self) -> Fitted:
        if self._fitted is None:
            raise Invalid("The model is not trained yet.", fix="Call fit() first.")
        return self._fitted


class UnetClassifier(Model):
    """Pixel classification with a U-Net, on Classified_Tiles."""

    network_name = "unet"
    task = CLASSIFY_PIXELS

    def mIOU(self) -> dict[str, float]:  # noqa: N802 (the name in arcgis.learn)
        """Return IoU by class name on the held-out chips."""
        return {entry["name"]: entry["iou"] for entry in self.metrics["per_class"]}


class RetinaNet(Model):
    """Object detection with a RetinaNet, on PASCAL_VOC_rectangles."""

    network_name = "retinanet"
    task = DETECT_OBJECTS

    def average_precision_score(self) -> dict[str, float]:
        """Return average precision at IoU 0.5 by class name on the held-out chips."""
        return {entry["name"]: entry["ap50"] for entry in self.metrics["per_class"]}


def shown(folder: Folder, chip: formats.ChipFile) -> Image.Image:
    """Return a chip with its labels drawn over it."""
    item = read_item(folder, chip)
    image = pictures.picture(item.array, item.valid)
    if folder.task == CLASSIFY_PIXELS:
        return pictures.with_classes(image, item.classes, folder.classes)
    return pictures.with_boxes(image, item.boxes, item.labels, folder.classes)


def png(raw: bytes) -> Image.Image:
    """Return a picture of PNG bytes that we made."""
    return Image.open(io.BytesIO(raw)).convert("RGB")


def grid(cells: Sequence[Image.Image], *, columns: int) -> Image.Image:
    """Return pictures of one size side by side."""
    width, height = cells[0].size
    rows = -(-len(cells) // columns)
    page = Image.new("RGB", (columns * (width + GAP_PX) - GAP_PX, rows * (height + GAP_PX) - GAP_PX), "white")
    for number, cell in enumerate(cells):
        page.paste(cell, (number % columns * (width + GAP_PX), number // columns * (height + GAP_PX)))
    return page
