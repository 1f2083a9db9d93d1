"""Small rasters made on the spot, for behaviour that no sample file has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

UTM = Affine(0.5, 0, 500_000, 0, -0.5, 4_649_000)
MakeRaster = Callable[..., Path]


@pytest.fixture
def make_raster(tmp_path: Path) -> MakeRaster:
    """Return a function that writes (band, row, col) as a GeoTIFF."""

    def make(array: np.ndarray, name: str = "scene.tif", mask: np.ndarray | None = None, **profile: Any) -> Path:
        path = tmp_path / name
        profile = {"crs": "EPSG:32633", "transform": UTM, "driver": "GTiff", **profile}
        count, height, width = array.shape
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(path, "w", count=count, height=height, width=width, dtype=array.dtype, **profile) as target,
        ):
            target.write(array)
            if mask is not None:
                target.write_mask(mask)
        return path

    return make
