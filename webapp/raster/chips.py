"""Writing chips: small georeferenced TIFF files of training data, readable by any GIS."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from webapp.raster.read import Transform

Colour = tuple[int, int, int]


def write_chip(
    path: Path,
    array: NDArray[Any],
    *,
    transform: Transform,
    crs_wkt: str,
    valid: NDArray[np.bool_] | None = None,
    colours: Mapping[int, Colour] | None = None,
) -> None:
    """Write a small TIFF.

    Args:
        path: of the new file.
        array: (band, row, col).
        transform: affine a, b, c, d, e, f from pixel (col, row) to the CRS.
        crs_wkt: empty for none.
        valid: bool (row, col); an internal mask is written where a pixel is False.
        colours: red, green, blue by pixel value, for one band of 8 bit.

    Raises:
        OSError: it could not be stored whole.
    """
    bands, height, width = array.shape
    photometric = "rgb" if bands == 3 and array.dtype == np.uint8 else "minisblack" if colours is None else "palette"
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_PAM_ENABLED=False):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        # In memory first: where two threads write straight to files, masks now and then lose bytes (GDAL 3.10), and
        # rasterio reports nothing that fails as a file is closed, on a full disk for one.
        with MemoryFile() as memory:
            with memory.open(
                driver="GTiff",
                height=height,
                width=width,
                count=bands,
                dtype=array.dtype,
                crs=crs_wkt or None,
                transform=Affine(*transform),
                compress="deflate",
                predictor=2 if np.issubdtype(array.dtype, np.integer) and colours is None else 1,
                zlevel=1,
                # Otherwise GDAL calls the fourth of four bands alpha, and readers would take it for a mask.
                photometric=photometric,
                alpha="no",
            ) as target:
                # Before the pixels: with the first of them GDAL fixes the kind of picture.
                if colours is not None:
                    target.write_colormap(1, {value: (*colour, 255) for value, colour in colours.items()})
                target.write(array)
                if valid is not None and not valid.all():
                    target.write_mask(valid)
            path.write_bytes(memory.getbuffer())
