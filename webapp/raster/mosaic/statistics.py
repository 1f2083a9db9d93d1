"""Statistics of many rasters as of one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webapp.raster.statistics import HISTOGRAM_BINS
from webapp.raster.stretches import percentile

Band = Mapping[str, Any]


def pooled(bands: Sequence[Band], steps: Sequence[int]) -> dict[str, Any]:
    """Return `{min, max, mean, std, p2, p98, histogram}` of one band over all pixels of several rasters.

    Where rasters overlap, the pixels of each count.

    Args:
        bands: the same of each raster, with its histogram.
        steps: for how many pixels one of a histogram stands, since large rasters are sampled.
    """
    weights = np.array([sum(band["histogram"]["counts"]) * step for band, step in zip(bands, steps, strict=True)])
    share = weights / max(1, weights.sum())
    means = np.array([band["mean"] for band in bands], float)
    mean = float(share @ means)
    squares = np.array([band["std"] for band in bands], float) ** 2 + (means - mean) ** 2
    histogram = _together([band["histogram"] for band in bands], steps)
    return {
        "min": min(float(band["min"]) for band in bands),
        "max": max(float(band["max"]) for band in bands),
        "mean": mean,
        "std": float(np.sqrt(share @ squares)),
        "p2": percentile(histogram, 2),
        "p98": percentile(histogram, 98),
        "histogram": histogram,
    }


def _together(histograms: Sequence[Band], steps: Sequence[int]) -> dict[str, Any]:
    edges = [np.asarray(one["edges"], float) for one in histograms]
    common = edges[0]
    if not all(len(one) == len(common) and (one == common).all() for one in edges):
        common = np.linspace(min(one[0] for one in edges), max(one[-1] for one in edges), HISTOGRAM_BINS + 1)
    total: NDArray[np.float64] = np.zeros(len(common))
    for one, own, step in zip(histograms, edges, steps, strict=True):
        below = np.concatenate([[0.0], np.cumsum(np.asarray(one["counts"], float))]) * step
        # The values of a bin are spread evenly within it.
        total += np.interp(common, own, below)
    return {"edges": common.tolist(), "counts": np.diff(np.rint(total)).astype(int).tolist()}
