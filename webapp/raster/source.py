"""An uploaded raster that may come in: open, and placed on Earth."""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from webapp.errors import BadRaster
from webapp.raster.read import Transform
from webapp.raster.scaling import Scaling

FIX_AGAIN = "Export it again and upload the new file."


@dataclass
class Source:
    """An accepted raster: open, and placed on Earth.

    Attributes:
        dataset: rasterio's open dataset.
        name: the file's name, for people.
        crs: CRS of `transform`.
        transform: affine from pixel (col, row) of the rewritten, north-up raster to the CRS.
        shape: (height, width) of the rewritten raster.
        flips: (rows, columns) are in the opposite order in the file.
        warp_from: the file's own affine where it is rotated, sheared or placed by control points, and so is warped.
        count: bands of the rewritten raster: no alpha, a palette spread to three.
        palette: uint8 (256, 4) colours of a palette picture.
        nodata: value of pixels without data, a finite number.
        declares_nodata: it says which pixels have no data, so that zeros are data.
        scaling: of the rewritten raster's bands; its pixels stay as they are stored.
        bits: bits a sample, where less than the data type's.
        notes: what people should know about how it was read.
    """

    dataset: Any
    name: str
    crs: CRS
    transform: Transform
    shape: tuple[int, int]
    count: int
    dtype: str
    flips: tuple[bool, bool] = (False, False)
    warp_from: Affine | None = None
    bands: list[int] = field(default_factory=list)
    palette: NDArray[np.uint8] | None = None
    nodata: float | None = None
    declares_nodata: bool = False
    stored_mask: bool = False
    scaling: Scaling | None = None
    bits: int | None = None
    names: list[str] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def damaged(name: str, error: BaseException) -> BadRaster:
    """Return the error for a file whose bytes cannot be decoded."""
    # Neither our folders nor the name that the file has inside the sandbox mean anything to people.
    # rasterio's own sentence often says only "See previous exception for details."
    told = str(error.__cause__ or error) or type(error).__name__
    reason = re.sub(r"(/[\w.-]+)+/|\bsource: ", "", told)[:200]
    return BadRaster(
        f"'{name}' is damaged or cut off: {reason}",
        fix=f"Check the copy against the original. {FIX_AGAIN}",
        code="file_damaged",
    )
