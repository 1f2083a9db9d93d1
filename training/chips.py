"""Chips: arrays cut from a scene at a resolution, with their labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def normalise(
    array: NDArray[Any], valid: NDArray[np.bool_], mean: Sequence[float], std: Sequence[float]
) -> NDArray[np.float32]:
    """Return what a network takes: (pixel - mean) / std per band, and 0 (the mean) where there is no data.

    The one normaliser of training and inference.

    Args:
        array: (band, row, col) in raw units, or (n, band, row, col).
        valid: bool (row, col), or (n, row, col).
        mean: per band, in raw units.
        std: per band, in raw units.

    Returns:
        float32 of the array's shape.
    """
    shape = (-1, 1, 1)
    out = array.astype(np.float32)
    out -= np.asarray(mean, dtype=np.float32).reshape(shape)
    out /= np.asarray(std, dtype=np.float32).reshape(shape)
    # NaN stands under invalid pixels of float rasters, so it is overwritten rather than multiplied.
    np.copyto(out, 0.0, where=~valid[..., None, :, :])
    return out
