"""Blocks of a raster on their way to a network: read ahead, cut into chips, normalised."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from torch import Tensor

from inference.plan import Block, Grid, Layout, chips, inside
from training.chips import normalise
from webapp.errors import BandMismatch
from webapp.raster.read import Raster
from webapp.raster.readers import open_raster
from webapp.raster.windows import Window


@dataclass(frozen=True, slots=True)
class Predictor:
    """What the engine needs of a model package.

    Attributes:
        forward: float32 (n, band, row, col), normalised, to tensors of fixed shape (`Network.raw_forward`).
        mean: per band, in the raster's own numbers.
        std: per band, in the raster's own numbers.
        class_values: class value of each output; for pixels index 0 is the background, value 0.
        device: where `forward` wants its input.
    """

    forward: Callable[[Tensor], Mapping[str, Tensor]]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_values: tuple[int, ...]
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be predicted.

    Attributes:
        path: the raster.
        grid: see `inference.plan`.
        layout: see `inference.plan`.
        extent: polygon in grid pixels (col, row); None for all.
        bands: 1-based, in the package's order; None for all bands of the raster.
        batch_size: chips to a forward pass.
        threshold: lowest score of an object, lowest probability of a class that is not background.
    """

    path: Path
    grid: Grid
    layout: Layout
    extent: BaseGeometry | None = None
    bands: tuple[int, ...] | None = None
    batch_size: int = 1
    threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Chips side by side: float32 (n, band, row, col); the first `len(cores)` are real, the rest fill it up."""

    pixels: NDArray[np.float32]
    cores: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A block that is read: its batches, and bool (row, col) of the block's pixels that get an answer."""

    block: Block
    batches: tuple[Batch, ...]
    wanted: NDArray[np.bool_]


def check_bands(count: int, work: Work, predictor: Predictor) -> None:
    """Refuse imagery whose bands are not those of the package.

    Raises:
        BandMismatch: the raster has other bands, or too few.
    """
    chosen = work.bands or tuple(range(1, count + 1))
    if len(chosen) != len(predictor.mean) or max(chosen) > count:
        raise BandMismatch(
            f"The imagery gives {len(chosen)} of its {count} bands, the package takes {len(predictor.mean)}.",
            fix="Choose imagery with the package's bands, or train a package on this imagery.",
        )


def read_ahead(work: Work, predictor: Predictor, blocks: Sequence[Block], threads: int = 1) -> Iterator[Loaded]:
    """Yield the blocks read and normalised, in order; at most `threads` + 1 wait, so memory is bounded."""
    local = threading.local()
    readers: list[Raster] = []

    def load(block: Block) -> Loaded:
        if not hasattr(local, "reader"):
            local.reader = open_raster(work.path)
            readers.append(local.reader)
        return _load(local.reader, block, work, predictor)

    waiting: deque[Future[Loaded]] = deque()
    upcoming = iter(blocks)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="read-ahead")
    try:
        for block in upcoming:
            waiting.append(pool.submit(load, block))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for reader in readers:
            reader.close()


def _load(reader: Raster, block: Block, work: Work, predictor: Predictor) -> Loaded:
    """Read the chips of a block in one call and normalise them."""
    check_bands(reader.info.count, work, predictor)
    layout, grid = work.layout, work.grid
    cores = chips(block, layout, grid)
    around = _around(cores).grow(layout.halo_px)
    shape = None if grid.scale == 1.0 else (around.height, around.width)
    # Averages keep what is under a coarser pixel; bilinear is what a finer one needs.
    resampling: Any = "average" if grid.scale > 1.0 else "bilinear"
    chip = reader.read(
        grid.source(around),
        bands=None if work.bands is None else list(work.bands),
        out_shape=shape,
        resampling=resampling,
        pad="reflect",
    )
    own = relative(block.window, around)
    wanted = chip.valid[own.slices()] & inside(block.window, work.extent)
    if not wanted.any():
        return Loaded(block, (), wanted)
    needed = [core for core in cores if _touches(core, block, layout, wanted)]
    seen = _mirrored(chip.valid, around, grid, layout.halo_px)
    return Loaded(block, tuple(_batches(needed, chip.array, seen, around, work, predictor)), wanted)


def _mirrored(valid: NDArray[np.bool_], around: Window, grid: Grid, halo_px: int) -> NDArray[np.bool_]:
    """Return which pixels the network sees: up to a halo outside the grid those whose mirror image has data.

    The reader calls all of them invalid there, and the normaliser would put the mean over the mirrored pixels. It
    does so beyond the halo: what is mirrored there would depend on how much of the raster was read.
    """
    own = around.intersection(grid.whole)
    if own == around:
        return valid
    at = relative(own, around)
    before_after = (
        (at.row, around.height - at.row - at.height),
        (at.col, around.width - at.col - at.width),
    )
    seen = np.zeros_like(valid)
    near = relative(grid.whole.grow(halo_px).intersection(around), around).slices()
    seen[near] = np.pad(valid[at.slices()], before_after, mode="reflect")[near]
    return seen


def _touches(core: Window, block: Block, layout: Layout, wanted: NDArray[np.bool_]) -> bool:
    """Say whether a chip has a part in some pixel of the block that gets an answer."""
    reach = core.grow(layout.ramp_px).intersection(block.window)
    return not reach.empty and bool(wanted[relative(reach, block.window).slices()].any())


def _batches(
    cores: list[Window],
    array: NDArray[Any],
    valid: NDArray[np.bool_],
    around: Window,
    work: Work,
    predictor: Predictor,
) -> Iterator[Batch]:
    size, n = work.layout.chip_px, work.batch_size
    for first in range(0, len(cores), n):
        members = tuple(cores[first : first + n])
        cut = [relative(core.grow(work.layout.halo_px), around).slices() for core in members]
        chips = [normalise(array[:, *at], valid[at], predictor.mean, predictor.std) for at in cut]
        if n == 1:
            yield Batch(chips[0][None], members)
            continue
        pixels = np.zeros((n, array.shape[0], size, size), dtype=np.float32)
        for index, chip in enumerate(chips):
            pixels[index] = chip
        yield Batch(pixels, members)


def _around(cores: Sequence[Window]) -> Window:
    """Return the window around all of them."""
    row, col = min(core.row for core in cores), min(core.col for core in cores)
    bottom, right = max(core.row + core.height for core in cores), max(core.col + core.width for core in cores)
    return Window(row, col, bottom - row, right - col)


def relative(window: Window, frame: Window) -> Window:
    """Return a window in the pixels of an array that holds `frame`."""
    return Window(window.row - frame.row, window.col - frame.col, window.height, window.width)
