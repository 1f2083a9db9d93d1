"""Copies of a scene for the tile benchmark: in UTM, and aligned with web tiles."""

from pathlib import Path

import rasterio
import rasterio.shutil
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform

JPEG = {"driver": "COG", "COMPRESS": "JPEG", "QUALITY": "75", "BLOCKSIZE": "512", "OVERVIEW_RESAMPLING": "AVERAGE"}


def utm_copy(source: Path, target: Path) -> Path:
    """Return a JPEG COG of the scene in its UTM zone, made where it is not there yet."""
    if not target.exists():
        with rasterio.open(source) as scene:
            lon = transform(scene.crs, "EPSG:4326", [scene.bounds.left], [scene.bounds.top])[0][0]
            with WarpedVRT(scene, crs=f"EPSG:{32601 + int((lon + 180) // 6)}", resampling=Resampling.cubic) as warped:
                rasterio.shutil.copy(warped, target, **JPEG)
    return target


def web_aligned(source: Path, target: Path) -> Path:
    """Return a JPEG COG of the scene on the grid of web tiles, as GDAL makes it; made where it is not there yet."""
    if not target.exists():
        grid = {
            "TILING_SCHEME": "GoogleMapsCompatible",
            "BLOCKSIZE": "256",
            "WARP_RESAMPLING": "CUBIC",
            "ADD_ALPHA": "NO",
        }
        rasterio.shutil.copy(source, target, **(JPEG | grid))
    return target
