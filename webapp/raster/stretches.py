"""Which values are drawn black and which white: from statistics of bands."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from webapp.errors import Invalid

Range = tuple[float, float]
DEFAULT_PERCENTILES = (2.0, 98.0)
DEFAULT_DEVIATIONS = 2.0
_STRETCH = re.compile(
    r"minmax|percentile(?:,([0-9]{1,3}(?:\.[0-9]{1,3})?),([0-9]{1,3}(?:\.[0-9]{1,3})?))?"
    r"|stddev(?:,([0-9]{1,2}(?:\.[0-9]{1,3})?))?",
    re.ASCII,
)


def check_stretch(text: str) -> str:
    """Return the stretch, checked: "minmax", "percentile[,low,high]" or "stddev[,times]".

    Raises:
        Invalid: it is none.
    """
    _parsed(text)
    return text


def ranges_of(text: str, statistics: Sequence[Mapping[str, Any]]) -> tuple[Range, ...]:
    """Return (low, high) of each band.

    Args:
        text: "minmax"; "percentile" (2 to 98 %) or "percentile,low,high"; "stddev" (the mean and 2 standard
            deviations to both sides, within minimum and maximum) or "stddev,times".
        statistics: `{min, max, mean, std, p2, p98, histogram: {edges, counts}}` of each band; percentiles other
            than 2 and 98 need the histogram.

    Raises:
        Invalid: no such stretch, or the histogram is missing.
    """
    kind, numbers = _parsed(text)
    found = [_range(kind, numbers, band) for band in statistics]
    # A band of one value has no range: it is drawn black.
    return tuple((low, high if high > low else low + 1.0) for low, high in found)


def _parsed(text: str) -> tuple[str, tuple[float, ...]]:
    matched = _STRETCH.fullmatch(text)
    if matched is None:
        raise _bad(text)
    kind = text.split(",")[0]
    numbers = tuple(float(part) for part in matched.groups() if part is not None)
    if kind == "percentile":
        numbers = numbers or DEFAULT_PERCENTILES
        if not 0 <= numbers[0] < numbers[1] <= 100:
            raise _bad(text)
    elif kind == "stddev":
        numbers = numbers or (DEFAULT_DEVIATIONS,)
        if numbers[0] <= 0:
            raise _bad(text)
    return kind, numbers


def _bad(text: str) -> Invalid:
    return Invalid(
        f"There is no stretch '{text[:40]}'.",
        fix="Write minmax, percentile, percentile,5,95, stddev or stddev,1.5.",
        code="bad_stretch",
    )


def _range(kind: str, numbers: tuple[float, ...], band: Mapping[str, Any]) -> Range:
    if kind == "minmax":
        return float(band["min"]), float(band["max"])
    if kind == "stddev":
        reach = numbers[0] * float(band["std"])
        return max(float(band["min"]), float(band["mean"]) - reach), min(
            float(band["max"]), float(band["mean"]) + reach
        )
    if numbers == DEFAULT_PERCENTILES and "p2" in band:
        return float(band["p2"]), float(band["p98"])
    if "histogram" not in band:
        raise Invalid("There is no stored histogram.", fix="Use percentile (2 to 98 %), minmax or stddev.")
    low, high = (percentile(band["histogram"], share) for share in numbers)
    return low, high


def percentile(histogram: Mapping[str, Any], percent: float) -> float:
    """Return a percentile from a histogram `{edges, counts}`, its values spread evenly within a bin."""
    counts, edges = np.asarray(histogram["counts"], float), np.asarray(histogram["edges"], float)
    total = counts.sum()
    if not total > 0 or not math.isfinite(total):
        return float(edges[0])
    return float(np.interp(percent / 100 * total, np.concatenate([[0.0], np.cumsum(counts)]), edges))
