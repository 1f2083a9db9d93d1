"""Inference as jobs: block by block, each stored once, so that any attempt goes on where the last one stopped."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid5

import numpy as np
import shapely
from django.conf import settings as django_settings
from django.db import InterfaceError, OperationalError

from inference import merge, predict, selectors, services, vectorise
from inference.matching import Planned
from inference.merge import Detections
from inference.models import Block, Inference
from inference.plan import block_windows, to_ground
from inference.reading import Predictor, Work
from inference.specs import Settings
from inference.tools import BATCH, device_of, load
from training.selectors import package_file
from webapp.errors import Conflict, Invalid, NotFound
from webapp.features import services as features
from webapp.features.services import NewFeature
from webapp.imagery import services as imagery_services
from webapp.imagery.selectors import analysis_file
from webapp.jobs.context import Draining, JobContext, LeaseLost
from webapp.raster.blocks import BlockFolder, BlockGrid, write_file
from webapp.raster.shapes import to_crs

# A polygon layer of more helps nobody; the class raster holds all.
MAX_POLYGONS = 1_000_000
POLYGONS_TO_A_BATCH = 500
# Between two new versions of the growing class raster: each makes open maps ask for their tiles again.
SHOW_EVERY_S = 2.0
# An attempt that ends like this is followed by another, which needs what is stored.
GOES_ON = (LeaseLost, Draining, OperationalError, InterfaceError)


def classify_pixels(context: JobContext) -> dict[str, Any]:
    """Classify every pixel, then make polygons of the classes where asked for."""
    row = _inference(context)
    with ExitStack() as stack:
        stack.push(_withdrawing(context, row))
        task = _Task.of(context, row)
        folder = BlockFolder.create(context.scratch / "blocks", _block_grid(task.planned))
        with context.guard():
            place = folder.path.relative_to(django_settings.SCRATCH_DIR)
            services.make_layers(row, task.planned, blocks_path=str(place))
        seconds = _classify_blocks(task, folder)
        count = _add_polygons(task, folder) if row.result_features else None
        context.progress(0.96, "Writing the class raster")
        finished = context.scratch / "classes.tif"
        folder.assemble(finished, colours={int(item["value"]): str(item["colour"]) for item in row.package.classes})
        files = imagery_services.keep_class_raster(finished)
        told = "" if count is None else f", {count:,} polygons"
        context.progress(0.99, f"{task.planned.pixels / 1e6:,.1f} Mpx classified{told}")
        with context.publish() as job:
            assert row.result_imagery is not None, "made above"
            imagery_services.finish_class_raster(layer=row.result_imagery, path=files)
            if row.result_features is not None:
                features.finish_layer(layer=row.result_features)
            pixels = task.planned.pixels
            job.result = result = services.facts(
                row, pixels=pixels, seconds=seconds, sha256=files.sha256, polygons=count
            )
    return result


def detect_objects(context: JobContext) -> dict[str, Any]:
    """Detect objects block by block, then merge what several chips saw."""
    row = _inference(context)
    with ExitStack() as stack:
        stack.push(_withdrawing(context, row))
        task = _Task.of(context, row)
        with context.guard():
            services.make_layers(row, task.planned, blocks_path="")
        folder = context.scratch / "objects"
        folder.mkdir(exist_ok=True)
        seconds = _detect_blocks(task, folder)
        context.progress(0.95, "Merging objects across blocks")
        found = merge.concatenate([_read_objects(folder, block.number) for block in task.planned.blocks])
        final = _features(task, merge.suppress(found, max_overlap=task.settings.max_overlap))
        context.progress(0.99, f"{len(final):,} objects in {task.planned.pixels / 1e6:,.1f} Mpx")
        with context.publish() as job:
            count = services.settle_objects(row, final)
            assert row.result_features is not None, "made above"
            features.finish_layer(layer=row.result_features)
            job.result = result = services.facts(row, pixels=task.planned.pixels, seconds=seconds, objects=count)
    return result


# --- what both need ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Task:
    """All that a job works with; a function of what is frozen."""

    context: JobContext
    row: Inference
    settings: Settings
    planned: Planned
    work: Work
    predictor: Predictor

    @classmethod
    def of(cls, context: JobContext, row: Inference) -> Self:
        """Load the package and plan."""
        settings, planned = Settings.parse(row.settings["asked"], task=row.task), selectors.planned(row)
        _, predictor = load(_package_path(row), device=device_of(row.settings["device"]))
        predict.configure(threads=int(row.settings["threads"]) or os.cpu_count() or 1)
        work = Work(
            path=analysis_file(row.imagery),
            grid=planned.grid,
            layout=planned.layout,
            extent=planned.extent,
            bands=planned.bands,
            batch_size=BATCH[predictor.device],
            threshold=settings.threshold,
        )
        return cls(context, row, settings, planned, work, predictor)


def _inference(context: JobContext) -> Inference:
    row = selectors.inference(UUID(context.spec["inference"]))
    if row.imagery.version != row.imagery_version:
        raise Conflict("The imagery has changed since the inference was asked for.", fix="Start it again.")
    return row


def _package_path(row: Inference) -> Path:
    try:
        return package_file(row.package)
    except NotFound as error:
        raise Invalid(
            f"The model '{row.package.name}' was uninstalled.", fix="Choose another.", code="model_missing"
        ) from error


Exit = Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], bool]


def _withdrawing(context: JobContext, row: Inference) -> Exit:
    """Return what removes the half-made results when the job ends for good without finishing."""

    def leave(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if kind is not None and not issubclass(kind, GOES_ON):
            with context.guard() as job:
                # An attempt after the one that published must not take away what people see.
                if not job.published:
                    services.withdraw(row)
        return False

    return leave


def _stored(row: Inference) -> dict[int, str]:
    """Return the blocks that are stored: number and SHA-256 of its file."""
    return dict(Block.objects.filter(inference=row).values_list("number", "sha256"))


class _Meter:
    """Says how far the blocks are and how fast."""

    def __init__(self, task: _Task, done: int, end: float) -> None:
        self._task, self._done, self._end = task, done, end
        self._pixels, self.seconds = 0, 0.0
        self._started = time.perf_counter()
        self.tell()

    def add(self, pixels: int) -> None:
        """Count one more block."""
        self._done += 1
        self._pixels += pixels
        self.seconds = time.perf_counter() - self._started
        self.tell()

    def tell(self) -> None:
        """Report; also the check whether to go on."""
        total = len(self._task.planned.blocks)
        rate = f", {self._pixels / 1e6 / self.seconds:.2f} Mpx/s" if self.seconds else ""
        self._task.context.progress(self._end * self._done / total, f"Block {self._done} of {total}{rate}")


# --- pixels ------------------------------------------------------------------------------------------------------


def _block_grid(planned: Planned) -> BlockGrid:
    grid = planned.grid
    return BlockGrid(grid.height, grid.width, grid.transform, grid.crs_wkt, planned.layout.block_px)


def _classify_blocks(task: _Task, folder: BlockFolder) -> float:
    """Predict and store the blocks that are missing; return the seconds of all blocks."""
    stored = _stored(task.row)
    done = {block.number for block in task.planned.blocks if stored.get(block.number) == folder.sha256(block.number)}
    done &= set(stored)
    meter, shown, unseen = _Meter(task, len(done), 0.8), 0.0, False
    for block in predict.classify(task.work, task.predictor, task.planned.blocks, skip=done):
        sha256 = folder.write_block(block.number, block.window, block.classes)
        with task.context.guard():
            services.store_block(task.row, number=block.number, sha256=sha256, seconds=block.seconds)
            unseen = time.monotonic() - shown <= SHOW_EVERY_S
            if not unseen:
                shown = time.monotonic()
                _show_blocks(task)
        meter.add(block.classes.size)
    if unseen:
        # Drawing the polygons may take minutes: the map need not wait for the last blocks until then.
        with task.context.guard():
            _show_blocks(task)
    return _seconds(task)


def _show_blocks(task: _Task) -> None:
    """Let every open map ask for the growing class raster's tiles again; under the job's guard."""
    if task.row.result_imagery is not None:
        imagery_services.bump(task.row.result_imagery)


def _seconds(task: _Task) -> float:
    numbers = [block.number for block in task.planned.blocks]
    return sum(Block.objects.filter(inference=task.row, number__in=numbers).values_list("seconds", flat=True))


def _add_polygons(task: _Task, folder: BlockFolder) -> int:
    """Store the polygons of the class raster in batches that are numbered after the blocks; return how many.

    The polygons come in the same order at every attempt, so a batch that is stored is passed over.
    """
    grid, row, first = task.planned.grid, task.row, int(task.row.settings["numbers"])
    stored, count = _stored(row), 0
    windows = list(block_windows(grid.height, grid.width, task.planned.layout.block_px))
    pixel_m2 = row.imagery.gsd_m**2 * grid.scale**2
    shape = vectorise.Shape(task.settings.min_area_m2 / pixel_m2, task.settings.simplify_px)
    found = islice(vectorise.polygons(folder.read, windows, shape=shape), MAX_POLYGONS)
    for number, batch in enumerate(_batches(found, POLYGONS_TO_A_BATCH), start=first):
        count += len(batch)
        if number not in stored:
            drawn = [_polygon_feature(task, polygon, value) for polygon, value in batch]
            with task.context.guard():
                services.store_block(row, number=number, sha256="", seconds=0.0, found=drawn)
        task.context.progress(0.9, f"Drawing polygons, {count:,} so far")
    if count == MAX_POLYGONS:
        task.context.log(
            f"Stopped at {MAX_POLYGONS:,} polygons; the class raster holds all. Ask for a larger smallest area.",
            level="warning",
        )
    return count


def _polygon_feature(task: _Task, polygon: shapely.Polygon, value: int) -> NewFeature:
    grid = task.planned.grid
    ground = to_crs(to_ground(polygon, grid), grid.crs_wkt, 4326)
    # Turning to degrees rounds: a corner that touches a side may come to lie a hair beyond it.
    valid = ground if ground.is_valid else shapely.make_valid(ground)
    return NewFeature(geometry=valid, class_value=value, properties={"model": task.row.package.name})


def _batches(found: Iterable[tuple[shapely.Polygon, int]], size: int) -> Iterator[list[tuple[shapely.Polygon, int]]]:
    upcoming = iter(found)
    while batch := list(islice(upcoming, size)):
        yield batch


# --- objects -----------------------------------------------------------------------------------------------------


def _detect_blocks(task: _Task, folder: Path) -> float:
    """Detect and store the blocks that are missing; return the seconds of all blocks."""
    stored = _stored(task.row)
    done = {number for number, sha256 in stored.items() if _sha256(_objects_file(folder, number)) == sha256}
    meter = _Meter(task, len(done), 0.9)
    for block in predict.detect(task.work, task.predictor, task.planned.blocks, skip=done):
        data = _encode(block.detections)
        write_file(_objects_file(folder, block.number), data)
        # What the map shows until all blocks are merged: free of doubles within the block.
        shown = merge.suppress(block.detections, max_overlap=task.settings.max_overlap)
        drawn = [item for _, item in _features(task, shown)]
        with task.context.guard():
            services.store_block(
                task.row,
                number=block.number,
                sha256=hashlib.sha256(data).hexdigest(),
                seconds=block.seconds,
                found=drawn,
            )
        meter.add(block.window.height * block.window.width)
    return _seconds(task)


def _features(task: _Task, found: Detections) -> list[tuple[UUID, NewFeature]]:
    """Return objects as features. Their id comes from what they are, so the same object is the same feature."""
    if len(found) == 0:
        return []
    grid, name = task.planned.grid, task.row.package.name
    boxes = shapely.GeometryCollection([shapely.box(*box) for box in found.boxes])
    drawn = to_crs(to_ground(boxes, grid), grid.crs_wkt, 4326)
    made = []
    for box, geometry, score, value in zip(
        found.boxes, shapely.get_parts(drawn), found.scores, found.classes, strict=True
    ):
        pk = uuid5(task.row.pk, f"{value}:{box.tobytes().hex()}")
        feature = NewFeature(
            geometry=geometry, class_value=int(value), score=float(score), properties={"model": name}, id=pk
        )
        made.append((pk, feature))
    return made


def _objects_file(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.npy"


def _encode(found: Detections) -> bytes:
    """Return objects as float64 (n, 6): box, score, class, which all fit exactly."""
    table = np.column_stack([found.boxes, found.scores, found.classes]).astype("<f8")
    return table.tobytes()


def _read_objects(folder: Path, number: int) -> Detections:
    table = np.frombuffer(_objects_file(folder, number).read_bytes(), dtype="<f8").reshape(-1, 6)
    return Detections(table[:, :4].copy(), table[:, 4].astype(np.float32), table[:, 5].astype(np.int64))


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
