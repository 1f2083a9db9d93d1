"""Scale and offset of bands: what the stored numbers are in physical units."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Scaling:
    """A raster's scales and offsets, band by band, in the order of `source.indexes`.

    The physical value of a stored one is `stored * scale + offset` (GDAL's raster data model, "scale" and "offset").
    """

    scales: tuple[float, ...]
    offsets: tuple[float, ...]

    def apply(self, array: NDArray[Any], bands: list[int]) -> NDArray[np.float32]:
        """Return stored pixels (band, row, col) of some 1-based bands in physical units."""
        scale = np.array([self.scales[band - 1] for band in bands])[:, None, None]
        offset = np.array([self.offsets[band - 1] for band in bands])[:, None, None]
        return np.asarray(array * scale + offset, np.float32)

    def told(self) -> str:
        """Return a sentence for people."""
        pairs = list(dict.fromkeys(zip(self.scales, self.offsets, strict=True)))
        if len(pairs) > 1:
            return "Values are shown in physical units: each band's scale and offset are applied."
        return f"Values are shown in physical units: what is stored, times {pairs[0][0]:g}, plus {pairs[0][1]:g}."


def scaling_of(source: Any) -> Scaling | None:
    """Return the scaling that an open rasterio dataset declares; None where its numbers are meant as they are."""
    found = Scaling(tuple(float(scale) for scale in source.scales), tuple(float(offset) for offset in source.offsets))
    usable = all(map(math.isfinite, (*found.scales, *found.offsets))) and all(found.scales)
    plain = set(found.scales) == {1.0} and set(found.offsets) == {0.0}
    return None if plain or not usable else found
