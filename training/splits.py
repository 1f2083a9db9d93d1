"""Spatial splits: training and validation chips lie apart, so that the score is not a memory of the neighbours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import box

from webapp.errors import Invalid
from webapp.raster.windows import Window

Side = Literal["train", "validation", "dropped"]

# Layouts of blocks that are tried; the one that shares out the classes best is taken.
TRIALS = 64
# A block is this many chips wide where the area allows at least `LEAST_BLOCKS` of them.
BLOCK_CHIPS = 3
LEAST_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class Split:
    """Which chip goes where.

    Attributes:
        sides: per chip; `dropped` ones overlap the other side.
        block_px: side of the square blocks that are whole on one side.
        seed: of the choice of blocks.
    """

    sides: tuple[Side, ...]
    block_px: int
    seed: int

    def count(self, side: Side) -> int:
        """Return the number of chips on a side."""
        return self.sides.count(side)


def split(windows: Sequence[Window], counts: NDArray[np.int64], *, validation: float, seed: int) -> Split:
    """Return a split by square blocks in which no training chip shares a pixel with a validation chip.

    Args:
        windows: of the chips, on one grid.
        counts: (chip, class) pixels or objects of each class, to share them out evenly.
        validation: share of the chips wanted for validation, 0 to 0.5; 0 leaves all for training.
        seed: of the choice of blocks.

    Raises:
        Invalid: the share is out of range.
    """
    if not 0 <= validation <= 0.5:
        raise Invalid(f"A validation share of {validation:g} is out of range.", fix="Use 0 to 0.5.")
    size = windows[0].height if windows else 0
    if validation == 0 or len(windows) < 2:
        return Split(tuple("train" for _ in windows), size, seed)
    block = block_px(windows)
    rows, cols = (np.array([getattr(window, axis) for window in windows]) + size // 2 for axis in ("row", "col"))
    _, blocks = np.unique(
        np.stack([(rows - rows.min()) // block, (cols - cols.min()) // block]), axis=1, return_inverse=True
    )
    blocks = blocks.reshape(-1)
    neighbours = overlapping(windows)
    generator = np.random.default_rng(seed)
    trials = [choose(blocks, validation, generator) for _ in range(TRIALS)]
    sides = [separate(trial, neighbours) for trial in trials]
    best = min(range(TRIALS), key=lambda index: (cost(sides[index], counts, validation), index))
    names: tuple[Side, ...] = ("train", "validation", "dropped")
    return Split(tuple(names[side] for side in sides[best]), block, seed)


def block_px(windows: Sequence[Window]) -> int:
    """Return the side of a block: three chips, less where that leaves too few blocks to choose from."""
    size = windows[0].height
    rows, cols = [window.row for window in windows], [window.col for window in windows]
    height, width = max(rows) - min(rows) + size, max(cols) - min(cols) + size
    for chips in range(BLOCK_CHIPS, 1, -1):
        if math.ceil(height / (chips * size)) * math.ceil(width / (chips * size)) >= LEAST_BLOCKS:
            return chips * size
    return size


def choose(blocks: NDArray[np.intp], validation: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Return which chips are for validation: blocks drawn until the share is reached, never all of them."""
    names = generator.permutation(blocks.max() + 1)
    sizes = np.bincount(blocks)[names]
    total = np.cumsum(sizes)
    taken = max(1, int(np.argmin(np.abs(total - validation * len(blocks)))) + 1)
    chosen: NDArray[np.bool_] = np.isin(blocks, names[: min(taken, max(1, len(names) - 1))])
    return chosen


def overlapping(windows: Sequence[Window]) -> NDArray[np.intp]:
    """Return pairs (2, m) of chips that share a pixel."""
    outlines = [box(w.col, w.row, w.col + w.width, w.row + w.height) for w in windows]
    # Half a pixel less on each side: chips that only touch share nothing.
    inner = [box(w.col + 0.5, w.row + 0.5, w.col + w.width - 0.5, w.row + w.height - 0.5) for w in windows]
    pairs: NDArray[np.intp] = shapely.STRtree(outlines).query(inner, predicate="intersects")
    return pairs


def separate(validation: NDArray[np.bool_], neighbours: NDArray[np.intp]) -> NDArray[np.int8]:
    """Return 0 (train), 1 (validation) or 2 (dropped: a training chip that shares pixels with a validation chip)."""
    sides = validation.astype(np.int8)
    touched = neighbours[0][validation[neighbours[1]]]
    sides[touched[~validation[touched]]] = 2
    return sides


def cost(sides: NDArray[np.int8], counts: NDArray[np.int64], validation: float) -> float:
    """Return how bad a split is: classes unevenly shared, chips lost, a side without a class or a chip."""
    if not (sides == 0).any():
        return math.inf
    total = counts.sum(axis=0)
    used = total > 0
    held = counts[sides == 1].sum(axis=0)[used] / total[used]
    left = counts[sides == 0].sum(axis=0)[used]
    uneven = float(np.abs(held - validation).mean()) if used.any() else 0.0
    lacking = float((held == 0).sum() + (left == 0).sum())
    return uneven + lacking + float((sides == 2).mean()) + abs(float((sides == 1).mean()) - validation)
