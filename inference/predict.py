"""The engine: blocks of a raster through a network, without seams, in bounded memory.

Reader threads cut and normalise the chips of the next blocks while the network works on this one. Everything is a
fixed function of raster, package, layout and extent: chips lie on one global grid, a block always holds the same
chips in the same batches (the last one filled up), sums run in one order.
"""

import time
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference import merge
from inference.merge import Detections
from inference.plan import Block, Layout
from inference.reading import Loaded, Predictor, Work, read_ahead, relative
from webapp.raster.blocks import NODATA
from webapp.raster.windows import Window


@dataclass(frozen=True, slots=True)
class ClassBlock:
    """A finished block of pixel classification.

    Attributes:
        classes: uint8 (row, col), class values; `NODATA` outside the extent and where the raster has no data.
        seconds: from the start of its forward pass to its last pixel.
    """

    number: int
    window: Window
    classes: NDArray[np.uint8]
    seconds: float


@dataclass(frozen=True, slots=True)
class ObjectBlock:
    """A finished block of detection: objects whose centre lies in the block, in grid pixels, before `merge`."""

    number: int
    window: Window
    detections: Detections
    seconds: float


def configure(*, threads: int, seed: int = 0) -> None:
    """Make this process compute the same bits at every run on the same machine.

    Args:
        threads: for one operation; sums depend on it, so it belongs to the frozen settings.
        seed: of torch's generator.
    """
    torch.set_num_threads(max(1, threads))
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def classify(
    work: Work, predictor: Predictor, blocks: Sequence[Block], *, skip: Container[int] = ()
) -> Iterator[ClassBlock]:
    """Yield the classes of each block, in order.

    Args:
        work: raster, grid, layout, extent.
        predictor: gives `logits` (n, class, row, col) of the chips' own size.
        blocks: of the same grid and layout.
        skip: numbers of blocks that are finished already.

    Raises:
        BandMismatch: raster and package differ in number of bands.
        BadRaster: the raster's bytes cannot be decoded.
    """
    values = np.array(predictor.class_values, dtype=np.uint8)
    for loaded in read_ahead(work, predictor, [block for block in blocks if block.number not in skip]):
        started = time.perf_counter()
        window = loaded.block.window
        if work.layout.stitch == "blend":
            indexes = _blended(work, predictor, loaded, len(values))
        else:
            indexes = _trimmed(work, predictor, loaded)
        classes = values.take(indexes)
        if not loaded.wanted.all():
            classes[~loaded.wanted] = NODATA
        yield ClassBlock(loaded.block.number, window, classes, time.perf_counter() - started)


def detect(
    work: Work, predictor: Predictor, blocks: Sequence[Block], *, skip: Container[int] = ()
) -> Iterator[ObjectBlock]:
    """Yield the objects of each block, in order, owned by the chip in whose core their centre lies.

    Args:
        work: raster, grid, layout, extent.
        predictor: gives `boxes` (n, k, 4), `scores` (n, k), `labels` (n, k).
        blocks: of the same grid and layout.
        skip: numbers of blocks that are finished already.

    Raises:
        BandMismatch: raster and package differ in number of bands.
        BadRaster: the raster's bytes cannot be decoded.
    """
    values = np.array(predictor.class_values, dtype=np.int64)
    for loaded in read_ahead(work, predictor, [block for block in blocks if block.number not in skip]):
        started = time.perf_counter()
        found: list[Detections] = []
        for batch in loaded.batches:
            raw = {name: tensor.numpy() for name, tensor in _forward(predictor, batch.pixels).items()}
            for index, core in enumerate(batch.cores):
                found.append(_owned(raw, index, core, work, values))
        window = loaded.block.window
        detections = merge.concatenate(found)
        rows = np.floor(detections.centres[:, 1]).astype(np.int64) - window.row
        cols = np.floor(detections.centres[:, 0]).astype(np.int64) - window.col
        kept = detections.take(np.flatnonzero(loaded.wanted[rows, cols]))
        yield ObjectBlock(loaded.block.number, window, kept, time.perf_counter() - started)


def _forward(predictor: Predictor, pixels: NDArray[np.float32]) -> dict[str, Tensor]:
    """Return what the network says about a batch, on the CPU for objects, on its device for logits."""
    with torch.inference_mode():
        raw = predictor.forward(torch.from_numpy(pixels).to(predictor.device))
    return {name: tensor if name == "logits" else tensor.cpu() for name, tensor in raw.items()}


def best_class(logits: Tensor, threshold: float) -> NDArray[np.uint8]:
    """Return the index of the highest of (class, row, col) logits; the lowest index where several are equal.

    A running maximum: `argmax` over the first axis strides through memory and takes four times as long.
    """
    last = logits.shape[0] - 1
    best = logits[0]
    index = torch.zeros(logits.shape[1:], dtype=torch.uint8, device=logits.device)
    for number in range(1, last + 1):
        higher = logits[number] > best
        index = higher.to(torch.uint8) if number == 1 else index.masked_fill_(higher, number)
        if number < last or threshold > 0:
            best = torch.maximum(best, logits[number])
    if threshold > 0:
        index[(logits - best).exp().sum(dim=0).reciprocal() < threshold] = 0
    return index.cpu().numpy()


def _trimmed(work: Work, predictor: Predictor, loaded: Loaded) -> NDArray[np.uint8]:
    """Return class indexes (row, col) of a block: each chip gives its core, its halo is thrown away."""
    window, halo, size = loaded.block.window, work.layout.halo_px, work.layout.core_px
    out = np.zeros((window.height, window.width), dtype=np.uint8)
    with torch.inference_mode():
        for batch in loaded.batches:
            logits = _forward(predictor, batch.pixels)["logits"][:, :, halo : halo + size, halo : halo + size]
            for index, core in enumerate(batch.cores):
                shared = core.intersection(window)
                rows, cols = relative(shared, core).slices()
                out[relative(shared, window).slices()] = best_class(logits[index][:, rows, cols], work.threshold)
    return out


def _blended(work: Work, predictor: Predictor, loaded: Loaded, classes: int) -> NDArray[np.uint8]:
    """Return class indexes (row, col) of a block: probabilities of neighbours, weighed by ramps that sum to one."""
    window, layout, grid = loaded.block.window, work.layout, work.grid
    reach = layout.ramp_px
    total = torch.zeros((classes, window.height, window.width), device=predictor.device)
    with torch.inference_mode():
        for batch in loaded.batches:
            logits = _forward(predictor, batch.pixels)["logits"]
            for index, core in enumerate(batch.cores):
                shared = core.grow(reach).intersection(window)
                rows, cols = relative(shared, core.grow(layout.halo_px)).slices()
                down = ramp(layout, core.row, grid.height)[shared.row - core.row + reach :][: shared.height]
                across = ramp(layout, core.col, grid.width)[shared.col - core.col + reach :][: shared.width]
                weight = torch.from_numpy(np.outer(down, across)).to(predictor.device)
                to = relative(shared, window).slices()
                total[:, to[0], to[1]] += logits[index][:, rows, cols].softmax(dim=0) * weight
    # Logarithms, so that `best_class` finds the same probabilities again.
    return best_class(total.clamp_(min=1e-30).log_(), work.threshold)


def ramp(layout: Layout, start: int, length: int) -> NDArray[np.float32]:
    """Return a chip's weight along one axis: a Tukey (tapered cosine) window.

    It covers the core and `ramp_px` to each side. Over each border the weights of both neighbours sum to one; at
    the edge of the grid, where there is no neighbour, it stays at one.

    Args:
        layout: core and ramp.
        start: first pixel of the core on the grid.
        length: pixels of the grid along the axis.
    """
    reach, core = layout.ramp_px, layout.core_px
    weight = np.ones(core + 2 * reach, dtype=np.float64)
    if reach:
        rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(2 * reach) + 0.5) / (2 * reach))
        if start > 0:
            weight[: 2 * reach] = rise
        if start + core < length:
            weight[-2 * reach :] = 1.0 - rise
    return weight.astype(np.float32)


def _owned(
    raw: Mapping[str, NDArray[Any]], index: int, core: Window, work: Work, values: NDArray[np.int64]
) -> Detections:
    """Return the objects of one chip whose centre lies in its core, in grid pixels, cut at the grid's edge."""
    halo, grid = work.layout.halo_px, work.grid
    scores = raw["scores"][index]
    keep = np.flatnonzero((scores > 0) & (scores >= work.threshold))
    origin = np.array([core.col - halo, core.row - halo] * 2, dtype=np.float64)
    boxes = raw["boxes"][index][keep].astype(np.float64) + origin
    boxes = np.clip(boxes, 0.0, np.array([grid.width, grid.height] * 2, dtype=np.float64))
    found = Detections(boxes, scores[keep].astype(np.float32), values[raw["labels"][index][keep]])
    return merge.owned(found, core.intersection(grid.whole))
