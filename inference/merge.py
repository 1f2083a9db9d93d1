"""Objects seen by several chips become one: ownership by centre, then class-wise suppression across all seams."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from webapp.raster.windows import Window


@dataclass(frozen=True, slots=True)
class Detections:
    """Objects found, in no order that means anything.

    Attributes:
        boxes: float64 (n, 4): xmin, ymin, xmax, ymax in grid pixels (col, row).
        scores: float32 (n,), 0 to 1.
        classes: int64 (n,), class values.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def centres(self) -> NDArray[np.float64]:
        """Middle of each box, float64 (n, 2): x, y."""
        return (self.boxes[:, :2] + self.boxes[:, 2:]) / 2

    def take(self, indexes: NDArray[np.intp]) -> "Detections":
        """Return the objects at these positions, in that order."""
        return Detections(self.boxes[indexes], self.scores[indexes], self.classes[indexes])


def concatenate(parts: Sequence[Detections]) -> Detections:
    """Return all objects of the parts, in their order."""
    return Detections(
        np.concatenate([np.empty((0, 4)), *(part.boxes for part in parts)]),
        np.concatenate([np.empty(0, np.float32), *(part.scores for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.classes for part in parts)]),
    )


def owned(found: Detections, core: Window) -> Detections:
    """Return the objects whose centre lies in the core (left and upper side included) and that have an area.

    Every point of the grid lies in one core, so an object that several chips see whole is kept once.
    """
    x, y = found.centres.T
    has_area = (found.boxes[:, 2] > found.boxes[:, 0]) & (found.boxes[:, 3] > found.boxes[:, 1])
    across = (x >= core.col) & (x < core.col + core.width)
    down = (y >= core.row) & (y < core.row + core.height)
    return found.take(np.flatnonzero(has_area & across & down))


def best_first(found: Detections) -> NDArray[np.intp]:
    """Return the order by falling score; equal scores by class and position, so it never depends on the input's."""
    boxes = found.boxes
    return np.lexsort((boxes[:, 3], boxes[:, 2], boxes[:, 1], boxes[:, 0], found.classes, -found.scores))


def suppress(found: Detections, *, max_overlap: float) -> Detections:
    """Return the objects that stay after class-wise non-maximum suppression, best first.

    Greedy: an object goes where a better one of its class, that stays, overlaps it with an intersection over union
    above `max_overlap`. Boxes are compared with their neighbours only, found by an R-tree: linear in the number of
    objects for a scene of even density.

    Args:
        found: from all blocks of a scene.
        max_overlap: 0 to 1; 1 keeps everything.
    """
    ordered = found.take(best_first(found))
    if len(ordered) == 0 or max_overlap >= 1:
        return ordered
    better, worse = _overlapping(ordered, max_overlap)
    # Pairs sorted by the better one: when it is looked at, all that could remove it was looked at before.
    firsts = np.searchsorted(better, np.arange(len(ordered) + 1))
    keeps = np.ones(len(ordered), dtype=bool)
    for index in np.unique(better):
        if keeps[index]:
            keeps[worse[firsts[index] : firsts[index + 1]]] = False
    return ordered.take(np.flatnonzero(keeps))


def _overlapping(ordered: Detections, max_overlap: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs (better, worse) of one class that overlap too much, sorted by the better one."""
    boxes = ordered.boxes
    # One tree for all classes: they are moved apart along y instead of building a tree for each.
    apart = (np.ptp(boxes[:, [1, 3]]) + 1.0) * np.unique(ordered.classes, return_inverse=True)[1]
    shapes = shapely.box(boxes[:, 0], boxes[:, 1] + apart, boxes[:, 2], boxes[:, 3] + apart)
    first, second = shapely.STRtree(shapes).query(shapes)
    better, worse = first[first < second], second[first < second]
    low = np.maximum(boxes[better, :2], boxes[worse, :2])
    high = np.minimum(boxes[better, 2:], boxes[worse, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    over = shared > max_overlap * (area[better] + area[worse] - shared)
    better, worse = better[over], worse[over]
    order = np.lexsort((worse, better))
    return better[order], worse[order]
