"""Rasters laid on each other on one canvas, by a rule."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from webapp.raster.mosaic.document import Rule
from webapp.raster.warp import Placed


class Pile:
    """What comes of several rasters on the same canvas, the topmost added first.

    Args:
        rule: "first": the topmost with data; "mean", "highest", "lowest": of all with data, band by band.
        shape: (band, row, col).
        whole_bytes: all rasters are uint8, and so is the answer; else float32.
    """

    def __init__(self, rule: Rule, shape: tuple[int, int, int], *, whole_bytes: bool) -> None:
        self._rule = rule
        self._bytes = whole_bytes
        dtype = np.float64 if rule == "mean" else np.uint8 if whole_bytes else np.float32
        self._array: NDArray[Any] = np.zeros(shape, dtype)
        self._valid = np.zeros(shape[1:], bool)
        self._count = np.zeros(shape[1:], np.uint16)

    @property
    def full(self) -> bool:
        """True where what lies below can change nothing."""
        return self._rule == "first" and bool(self._valid.all())

    def add(self, placed: Placed) -> None:
        """Lay a raster below those that lie there already."""
        array = placed.array if self._bytes else placed.array.astype(np.float32, copy=False)
        if self._rule == "mean":
            self._array += np.where(placed.valid, array, 0)
            self._count += placed.valid
            self._valid |= placed.valid
            return
        if not self._valid.any():
            self._array, self._valid = np.where(placed.valid, array, array.dtype.type(0)), placed.valid.copy()
            return
        fresh = placed.valid & ~self._valid
        if self._rule != "first":
            both = placed.valid & self._valid
            choose = np.maximum if self._rule == "highest" else np.minimum
            self._array = np.where(both, choose(self._array, array), self._array)
        self._array = np.where(fresh, array, self._array)
        self._valid = self._valid | fresh

    def result(self) -> Placed:
        """Return the pixels, 0 where no raster has data."""
        if self._rule != "mean":
            return Placed(self._array, self._valid)
        mean = self._array / np.maximum(self._count, 1)
        return Placed(np.rint(mean).astype(np.uint8) if self._bytes else mean.astype(np.float32), self._valid)
