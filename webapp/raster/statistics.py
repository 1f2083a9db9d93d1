"""Statistics of bands, gathered window by window in bounded memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webapp.raster.read import Reader
from webapp.raster.windows import Window

# Integers of 8 and 16 bits are counted exactly; others are estimated from about this many pixels a band.
SAMPLE_PIXELS = 1_000_000
HISTOGRAM_BINS = 256
# A share of zeros above this, in data of more than 8 bits without nodata, is an empty border and not imagery:
# it is left out of the percentiles that the stretch comes from.
EMPTY_SHARE = 0.01
# Rows that `measure` reads at once.
STRIP_PX = 512


@dataclass(frozen=True, slots=True)
class BandStatistics:
    """One band, in its own units; p2 and p98 are the percentiles that a picture is stretched between."""

    min: float
    max: float
    mean: float
    std: float
    p2: float
    p98: float
    edges: list[float]
    counts: list[int]

    def scaled(self, scale: float, offset: float) -> "BandStatistics":
        """Return what they are of `value * scale + offset`; a scale below zero turns the histogram round."""
        turn = -1 if scale < 0 else 1
        low, high = (self.min * scale + offset, self.max * scale + offset)[::turn]
        p2, p98 = (self.p2 * scale + offset, self.p98 * scale + offset)[::turn]
        edges = [edge * scale + offset for edge in self.edges][::turn]
        mean, std = self.mean * scale + offset, self.std * abs(scale)
        return BandStatistics(low, high, mean, std, p2, p98, edges, self.counts[::turn])

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored and shown."""
        return {
            "min": self.min,
            "max": self.max,
            "mean": self.mean,
            "std": self.std,
            "p2": self.p2,
            "p98": self.p98,
            "histogram": {"edges": self.edges, "counts": self.counts},
        }


def measure(path: Path | str) -> list[BandStatistics]:
    """Return the statistics of each band of a raster, read strip by strip; none where no pixel is valid.

    Raises:
        BadRaster: no raster, or its bytes cannot be decoded.
    """
    with Reader(path) as reader:
        info = reader.info
        gatherer = Gatherer(info.count, info.dtype, info.height * info.width, has_nodata=info.nodata is not None)
        for row in range(0, info.height, STRIP_PX):
            strip = Window(row, 0, STRIP_PX, info.width).clip(info.height, info.width)
            chip = reader.read(strip)
            gatherer.add(chip.array, chip.valid)
    return gatherer.result() if gatherer.valid_pixels else []


def sampling_step(dtype: str, pixels: int) -> int:
    """Return for how many pixels one of a band's histogram stands."""
    return 1 if _counted_exactly(np.dtype(dtype)) else max(1, pixels // SAMPLE_PIXELS)


def _counted_exactly(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "iu" and dtype.itemsize <= 2


class Gatherer:
    """Gathers statistics of `count` bands. Feed it each pixel once."""

    def __init__(self, count: int, dtype: str, pixels: int, *, has_nodata: bool) -> None:
        self._dtype = np.dtype(dtype)
        self._has_nodata = has_nodata
        self._low = np.full(count, np.inf)
        self._high = np.full(count, -np.inf)
        self._sum = np.zeros(count)
        self._square = np.zeros(count)
        self._shift: NDArray[np.float64] | None = None
        self.valid_pixels = 0
        self._exact = _counted_exactly(self._dtype)
        self._floor = int(np.iinfo(self._dtype).min) if self._exact else 0
        self._bins = np.zeros((count, 1 << (8 * self._dtype.itemsize)), np.int64) if self._exact else None
        self._step = sampling_step(dtype, pixels)
        self._sample: list[list[NDArray[Any]]] = [[] for _ in range(count)]

    def add(self, array: NDArray[Any], valid: NDArray[np.bool_]) -> None:
        """Count a window: array (band, row, col), valid (row, col)."""
        if not valid.any():
            return
        values = array.reshape(array.shape[0], -1) if valid.all() else array[:, valid]
        if not self._exact:
            values = values.astype(np.float64)
        self.valid_pixels += values.shape[1]
        if self._bins is not None:
            for band, row in enumerate(values):
                self._bins[band] += np.bincount(
                    row.astype(np.int64) - self._floor if self._floor else row, minlength=self._bins.shape[1]
                )
            return
        self._low = np.minimum(self._low, values.min(axis=1))
        self._high = np.maximum(self._high, values.max(axis=1))
        if self._shift is None:
            # Sums of squares around a value near the mean do not cancel.
            self._shift = values.mean(axis=1)
        centred = values - self._shift[:, None]
        self._sum += centred.sum(axis=1)
        self._square += (centred**2).sum(axis=1)
        for band, row in enumerate(values):
            self._sample[band].append(row[:: self._step].copy())

    def result(self) -> list[BandStatistics]:
        """Return the statistics of each band; at least one pixel must have been valid."""
        count = len(self._sum)
        return [self._counted(band) if self._exact else self._sampled(band) for band in range(count)]

    def _counted(self, band: int) -> BandStatistics:
        assert self._bins is not None
        counts = self._bins[band]
        present = np.flatnonzero(counts)
        values = np.arange(len(counts), dtype=np.float64) + self._floor
        total = counts.sum()
        mean = float((counts * values).sum() / total)
        std = float(np.sqrt((counts * (values - mean) ** 2).sum() / total))
        low, high = int(present[0]), int(present[-1])
        for_stretch = counts.copy()
        if self._empty_border(float(counts[-self._floor]), float(total), low + self._floor):
            for_stretch[-self._floor] = 0
        p2, p98 = _percentiles(for_stretch, values)
        if self._dtype.itemsize == 1:
            edges, bins = np.arange(len(counts) + 1) + self._floor, counts
        else:
            bins, edges = np.histogram(
                values[low : high + 1],
                HISTOGRAM_BINS,
                range=(values[low], values[high] + 1),
                weights=counts[low : high + 1],
            )
        return BandStatistics(
            float(values[low]),
            float(values[high]),
            mean,
            std,
            p2,
            p98,
            [float(e) for e in edges],
            [int(n) for n in bins],
        )

    def _sampled(self, band: int) -> BandStatistics:
        assert self._shift is not None
        sample = np.concatenate(self._sample[band])
        low, high = float(self._low[band]), float(self._high[band])
        # Numbers near the end of float64 (a forgotten nodata value of -1.8e308) overflow in sums and squares: what
        # is told then is the largest number that JSON holds, and not infinity.
        with np.errstate(over="ignore", invalid="ignore"):
            offset = self._sum[band] / self.valid_pixels
            mean = float(np.nan_to_num(self._shift[band] + offset))
            std = float(np.nan_to_num(np.sqrt(np.fmax(0.0, self._square[band] / self.valid_pixels - offset**2))))
        kept = sample
        if self._empty_border(float((sample == 0).sum()), float(sample.size), low):
            kept = sample[sample != 0]
        p2, p98 = (float(value) for value in np.percentile(kept if kept.size else sample, [2, 98]))
        bins, edges = np.histogram(sample, HISTOGRAM_BINS, range=(low, high if high > low else low + 1))
        return BandStatistics(low, high, mean, std, p2, p98, [float(e) for e in edges], [int(n) for n in bins])

    def _empty_border(self, zeros: float, total: float, low: float) -> bool:
        wide = self._dtype.itemsize > 1
        return wide and not self._has_nodata and low == 0 and EMPTY_SHARE * total < zeros < total


def _percentiles(counts: NDArray[np.int64], values: NDArray[np.float64]) -> tuple[float, float]:
    cumulated = np.cumsum(counts)
    low, high = np.searchsorted(cumulated, [0.02 * cumulated[-1], 0.98 * cumulated[-1]])
    return float(values[low]), float(values[min(high, len(values) - 1)])
