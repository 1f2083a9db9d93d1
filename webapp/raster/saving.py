"""Rasters that get to the disk whole, or not at all.

GDAL writes the blocks that its cache still holds when a file is closed, and rasterio does not report what fails then:
on a full disk a file is left short, or empty, and nobody is told. So there must be room before a file is closed, and
its tile index is compared with its length afterwards.
"""

import resource
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from webapp.errors import StorageFull, TooLarge
from webapp.raster.tiff import stored_bytes

# What GDAL's block cache and its writing threads may still hold when a file is closed.
ROOM_BYTES = 384 * 1024**2


@contextmanager
def created(path: Path, **profile: Any) -> Iterator[Any]:
    """Yield a new TIFF to write to, which is closed and checked at the end.

    Args:
        path: of the new file.
        profile: for `rasterio.open`: height, width, count, dtype and GDAL's creation options.

    Raises:
        StorageFull: the disk has no room for it.
        TooLarge: it is longer than this process may write.
    """
    raw = profile["height"] * profile["width"] * profile["count"] * np.dtype(profile["dtype"]).itemsize
    try:
        with rasterio.open(path, "w", **profile) as target:
            yield target
            _check_room(path, min(2 * raw, ROOM_BYTES))
    except (RasterioError, CPLE_BaseError):
        _check_room(path, 0)
        raise
    _check_whole(path)


def copy_to_cog(source: Path, target: Path, **options: Any) -> None:
    """Write a cloud-optimised GeoTIFF of another one.

    Args:
        source: the file to read.
        target: the file to write.
        options: GDAL's creation options of the COG driver.

    Raises:
        StorageFull: the disk has no room for it.
        TooLarge: it is longer than this process may write.
    """
    try:
        rasterio.shutil.copy(source, target, driver="COG", **options)
    except (RasterioError, CPLE_BaseError):
        _check_room(target, 0)
        raise
    _check_whole(target)


def _check_room(path: Path, needed: int) -> None:
    """Raise StorageFull or TooLarge where a file cannot grow by some bytes; a mebibyte counts as none."""
    needed += 1024**2
    length = path.stat().st_size if path.exists() else 0
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and length + needed > limit:
        raise TooLarge(
            f"The raster is longer than the {limit:,} bytes that a file may take.",
            fix="Cut it into parts, or ask the administrator to raise the limit.",
        )
    if shutil.disk_usage(path.parent).free < needed:
        raise _full()


def _check_whole(path: Path) -> None:
    try:
        needed = stored_bytes(path)
    except (OSError, struct.error, KeyError, ValueError, IndexError) as error:
        raise _full() from error
    if needed > path.stat().st_size:
        raise _full()


def _full() -> StorageFull:
    return StorageFull("The disk is full.", fix="Make room for the site's files, then start the job again.")
