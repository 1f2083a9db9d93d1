"""From a scene and its labels to a folder of training data, on all cores."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from training import formats, splits
from training.chips import Cutter, Cutting, Format, Label, Plan, plan, scale_for, to_grid
from training.formats import ChipFacts, ChipFile, ClassName, Folder, Layout, Moments
from webapp.errors import Invalid
from webapp.raster.read import Raster
from webapp.raster.readers import info_of, open_raster
from webapp.raster.windows import Window

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Order:
    """What to export.

    Attributes:
        imagery: the scene.
        labels: in EPSG:4326.
        classes: all classes of the schema that are exported; labels of others are left out.
        format: of the folder.
        cutting: how chips are cut.
        extent: polygon in EPSG:4326 inside which everything is labelled; None: the bounds of the labels.
        validation: share of the chips held out, in blocks.
        seed: of the choice of blocks.
        bands: names of the scene's bands; None: from the file.
        source: where this comes from, kept in the folder.
    """

    imagery: Path
    labels: Sequence[Label]
    classes: tuple[ClassName, ...]
    format: Format
    cutting: Cutting = field(default_factory=Cutting)
    extent: BaseGeometry | None = None
    validation: float = 0.2
    seed: int = 42
    bands: tuple[str, ...] | None = None
    source: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """One chip on disk with what the statistics need."""

    window: Window
    chip: ChipFile
    facts: ChipFacts
    moments: tuple[Moments, ...]


class Workers:
    """One reader a thread, all closed at the end: GDAL datasets belong to their thread."""

    def __init__(self, order: Order, plan: Plan, labels: Sequence[Label]) -> None:
        self._order, self._plan, self._labels = order, plan, labels
        self._own = threading.local()
        self._readers: list[Raster] = []

    def cutter(self) -> Cutter:
        """Return this thread's cutter."""
        if not hasattr(self._own, "cutter"):
            reader = open_raster(self._order.imagery)
            self._readers.append(reader)
            self._own.cutter = Cutter(reader, self._plan, self._labels, self._order.cutting)
        cutter: Cutter = self._own.cutter
        return cutter

    def close(self) -> None:
        """Close all files."""
        for reader in self._readers:
            reader.close()


def export(order: Order, folder: Path, *, threads: int = 1, progress: Progress | None = None) -> Folder:
    """Write a folder of training data and return what it holds. Equal orders give equal folders.

    Args:
        order: what to export.
        folder: empty or absent.
        threads: that cut and compress chips.
        progress: called with a fraction and a sentence; it may raise to stop.

    Raises:
        Invalid: no label, no class, or the labels do not meet the imagery.
    """
    wanted = {entry.value for entry in order.classes}
    if not wanted:
        raise Invalid("There is no class to export.", fix="Add a class to the label set.")
    if order.format == "Classified_Tiles" and max(wanted) > 254:
        raise Invalid(
            f"The class value {max(wanted)} does not fit a class raster of 8 bit.", fix="Use class values up to 254."
        )
    info = info_of(order.imagery)
    labels = [label for label in order.labels if label.value in wanted]
    if not labels:
        raise Invalid("There is no label to export.", fix="Label some objects first.")
    placed = to_grid(labels, info, scale_for(info, order.cutting.resolution_m))
    planned = plan(info, placed, order.cutting, order.extent)
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    layout = layout_of(order, planned)
    written = write_chips(order, planned, placed, layout, folder, threads=threads, progress=progress)
    if not written:
        raise Invalid("No chip holds both data and labelled ground.", fix="Check extent, chip size and labels.")
    return finish(order, planned, layout, written, folder)


def layout_of(order: Order, planned: Plan) -> Layout:
    """Return what all chips of the folder share."""
    info = planned.info
    names = order.bands or info.descriptions
    chosen = order.cutting.bands or tuple(range(1, info.count + 1))
    a, b, _, d, e, _ = info.transform
    return Layout(
        format=order.format,
        classes=order.classes,
        chip_px=order.cutting.chip_px,
        bands=tuple(names[band - 1] for band in chosen),
        crs_wkt=info.crs_wkt,
        epsg=info.epsg,
        cell=(float(np.hypot(a, d)) * planned.scale, float(np.hypot(b, e)) * planned.scale),
    )


def write_chips(
    order: Order,
    planned: Plan,
    labels: Sequence[Label],
    layout: Layout,
    folder: Path,
    *,
    threads: int,
    progress: Progress | None,
) -> list[Written]:
    """Cut and write all chips; files are numbered by window, so that threads do not change the result."""
    workers = Workers(order, planned, labels)

    def work(number: int) -> Written | None:
        window = planned.windows[number]
        cut = workers.cutter().cut(window)
        if cut is None:
            return None
        chip = formats.write_pair(folder, f"cut{number}", cut, layout)
        moments = tuple(Moments() for _ in cut.array)
        for band, moment in zip(cut.array, moments, strict=True):
            moment.add(band[cut.valid])
        return Written(window, replace(chip, row=window.row, col=window.col), formats.facts_of(cut), moments)

    found: list[Written] = []
    count = len(planned.windows)
    try:
        with ThreadPoolExecutor(max(1, threads)) as pool:
            for number, result in enumerate(pool.map(work, range(count))):
                if result is not None:
                    found.append(renumber(folder, result, len(found)))
                if progress is not None:
                    progress((number + 1) / count, f"Chip {number + 1} of {count}")
    finally:
        workers.close()
    return found


def renumber(folder: Path, written: Written, number: int) -> Written:
    """Give a chip its final name: Esri's numbers have no gaps, and empty chips are known only after cutting."""
    stem = formats.stem_of(number)
    image, label = (
        str((folder / name).rename((folder / name).with_stem(stem)).relative_to(folder))
        for name in (written.chip.image, written.chip.label)
    )
    if label.endswith(".xml"):
        path = folder / label
        path.write_bytes(path.read_bytes().replace(f"{written.chip.stem}.tif".encode(), f"{stem}.tif".encode(), 1))
    return replace(written, chip=replace(written.chip, stem=stem, image=image, label=label))


def finish(order: Order, planned: Plan, layout: Layout, written: Sequence[Written], folder: Path) -> Folder:
    """Part the chips, measure the training side, and write the metadata."""
    values = [entry.value for entry in order.classes]
    per_class = [item.facts.pixels if order.format == "Classified_Tiles" else item.facts.objects for item in written]
    counts = np.array([[found.get(value, 0) for value in values] for found in per_class], dtype=np.int64)
    parted = splits.split([item.window for item in written], counts, validation=order.validation, seed=order.seed)
    chips = tuple(replace(item.chip, side=side) for item, side in zip(written, parted.sides, strict=True))
    used = [item for item, chip in zip(written, chips, strict=True) if chip.side == "train"] or list(written)
    trained = together([item.moments for item in used])
    everything = together([item.moments for item in written])
    formats.write_metadata(folder, layout, chips, [item.facts for item in written], everything)
    result = Folder(
        path=folder,
        format=order.format,
        classes=order.classes,
        chips=chips,
        chip_px=layout.chip_px,
        bands=layout.bands,
        dtype=planned.info.dtype,
        resolution_m=planned.resolution_m,
        mean=tuple(band.mean for band in trained),
        std=tuple(band.std for band in trained),
        split={"kind": "blocks", "block_px": parted.block_px, "seed": order.seed, "validation": order.validation},
        source=order.source,
    )
    formats.write_ours(result)
    return result


def together(parts: Sequence[tuple[Moments, ...]]) -> list[Moments]:
    """Return the statistics per band of several chips as one."""
    merged = [Moments() for _ in parts[0]]
    for part in parts:
        for into, more in zip(merged, part, strict=True):
            into.merge(more)
    return merged
