"""The analysis COG: a source's own grid and all its bands, lossless; and what all our COGs are written with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window as RasterioWindow

from webapp.errors import BadRaster
from webapp.raster.read import OPEN_OPTIONS
from webapp.raster.saving import copy_to_cog, created
from webapp.raster.source import Source, damaged
from webapp.raster.statistics import BandStatistics, Gatherer
from webapp.raster.windows import Window

Progress = Callable[[float, str], None]
# Bytes of pixels read at once.
STRIP_BYTES = 96 * 1024**2
CHUNK_PX = 2048
ANALYSIS_BLOCK_PX = 512
# What an analysis COG is made with: lossless, and quick to read.
ANALYSIS_COG = {"COMPRESS": "ZSTD", "LEVEL": "3", "PREDICTOR": "YES", "BLOCKSIZE": str(ANALYSIS_BLOCK_PX)}
DEFAULT_THREADS = 2
WRITE_OPTIONS: dict[str, Any] = {**OPEN_OPTIONS, "GDAL_TIFF_INTERNAL_MASK": "YES", "GDAL_CACHEMAX": 256}


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_analysis_cog` saw on its one way through the pixels; statistics are in physical units."""

    statistics: list[BandStatistics]
    valid_pixels: int
    masked: bool


def write_analysis_cog(
    source: Source, target: Path, *, progress: Progress, threads: int = DEFAULT_THREADS, nearest: bool = False
) -> Written:
    """Write the source's pixels, north-up and lossless, with a mask where some are missing, and with overviews.

    Every block of the source is decoded once, so a damaged file is found here.

    Args:
        source: checked and placed.
        target: the file to write.
        progress: called with 0 to 1.
        threads: for compressing.
        nearest: pixels are class values: overviews and turns never mix them.

    Raises:
        BadRaster: the source is damaged, or holds no valid pixel.
        StorageFull: the disk has no room for it.
    """
    height, width = source.shape
    gatherer = Gatherer(
        source.count, source.dtype, height * width, has_nodata=source.declares_nodata or source.stored_mask
    )
    draft = target.with_suffix(".draft.tif")
    profile = draft_profile(source.count, source.dtype, height, width, ANALYSIS_BLOCK_PX, threads)
    # Left alone, GDAL declares the fourth of four 8-bit bands to be alpha: near infrared would become a mask.
    colours = source.count == 3 and source.dtype == "uint8"
    profile |= {"photometric": "RGB"} if colours else {"photometric": "MINISBLACK", "alpha": "UNSPECIFIED"}
    windows = list(_windows(source))
    masked_from: int | None = None
    with (
        rasterio.Env(**WRITE_OPTIONS),
        created(draft, crs=source.crs.to_wkt(), transform=Affine(*source.transform), **profile) as out,
    ):
        for number, (window, array, valid) in enumerate(_pixels(source, windows, nearest=nearest)):
            out.write(array, window=pixels_of(window))
            if masked_from is None and not valid.all():
                masked_from = number
                for earlier in windows[:number]:
                    out.write_mask(np.full((earlier.height, earlier.width), 255, np.uint8), window=pixels_of(earlier))
            if masked_from is not None:
                out.write_mask(valid.astype(np.uint8) * 255, window=pixels_of(window))
            gatherer.add(array, valid)
            progress(0.7 * (number + 1) / len(windows), "Reading the pixels")
        for index, name in enumerate(source.names, 1):
            out.set_band_description(index, name)
        if source.scaling is not None:
            out.scales, out.offsets = source.scaling.scales, source.scaling.offsets
    if gatherer.valid_pixels == 0:
        raise BadRaster(
            f"'{source.name}' holds no valid pixel: all are nodata or masked.",
            fix="Check its nodata value and mask.",
            code="empty_image",
        )
    progress(0.7, "Compressing the analysis file")
    to_cog(
        draft,
        target,
        **ANALYSIS_COG,
        OVERVIEW_RESAMPLING="NEAREST" if nearest else "AVERAGE",
        NUM_THREADS=str(threads),
    )
    statistics = gatherer.result()
    if source.scaling is not None:
        pairs = zip(source.scaling.scales, source.scaling.offsets, strict=True)
        statistics = [band.scaled(*pair) for band, pair in zip(statistics, pairs, strict=True)]
    return Written(statistics, gatherer.valid_pixels, masked_from is not None)


def draft_profile(count: int, dtype: str, height: int, width: int, block: int, threads: int) -> dict[str, Any]:
    """Return the options of a draft: quick to write and read again, empty blocks not stored."""
    return {
        "driver": "GTiff",
        "count": count,
        "dtype": dtype,
        "height": height,
        "width": width,
        "tiled": True,
        "blockxsize": block,
        "blockysize": block,
        "compress": "ZSTD",
        "zstd_level": 1,
        "interleave": "pixel",
        "bigtiff": "YES",
        "sparse_ok": True,
        "num_threads": threads,
    }


def to_cog(draft: Path, target: Path, **options: str) -> None:
    """Make a COG of a draft, and remove the draft."""
    with rasterio.Env(**WRITE_OPTIONS):
        copy_to_cog(draft, target, BIGTIFF="IF_SAFER", **options)
    draft.unlink()


def _windows(source: Source) -> Iterator[Window]:
    """Yield windows that read every block of the source once, and write whole blocks."""
    height, width = source.shape
    pixel_bytes = source.count * np.dtype(source.dtype).itemsize
    block_height, block_width = source.dataset.block_shapes[0]
    if source.warp_from is None and block_width >= source.dataset.width:
        rows = max(block_height, STRIP_BYTES // (width * pixel_bytes), 1)
        rows = max(ANALYSIS_BLOCK_PX, rows // ANALYSIS_BLOCK_PX * ANALYSIS_BLOCK_PX)
        if rows * width * pixel_bytes <= 8 * STRIP_BYTES:
            for row in range(0, height, rows):
                yield Window(row, 0, rows, width).clip(height, width)
            return
    for row in range(0, height, CHUNK_PX):
        for col in range(0, width, CHUNK_PX):
            yield Window(row, col, CHUNK_PX, CHUNK_PX).clip(height, width)


def _pixels(
    source: Source, windows: list[Window], *, nearest: bool
) -> Iterator[tuple[Window, NDArray[Any], NDArray[np.bool_]]]:
    """Yield (window of the rewritten raster, array (band, row, col), valid (row, col))."""
    try:
        if source.warp_from is not None:
            yield from _warped_pixels(source, windows, nearest=nearest)
            return
        height, width = source.shape
        flip_rows, flip_cols = source.flips
        for window in windows:
            row = height - window.row - window.height if flip_rows else window.row
            col = width - window.col - window.width if flip_cols else window.col
            there = pixels_of(Window(row, col, window.height, window.width))
            array = source.dataset.read(source.bands, window=there)
            stored = (
                source.dataset.dataset_mask(window=there) > 127
                if source.stored_mask and source.palette is None
                else None
            )
            array, valid = _valid(source, array, stored)
            turn = (slice(None, None, -1 if flip_rows else 1), slice(None, None, -1 if flip_cols else 1))
            yield window, array[:, *turn], valid[turn]
    except (RasterioError, MemoryError) as error:
        raise damaged(source.name, error) from error


def _warped_pixels(
    source: Source, windows: list[Window], *, nearest: bool
) -> Iterator[tuple[Window, NDArray[Any], NDArray[np.bool_]]]:
    height, width = source.shape
    with WarpedVRT(
        source.dataset,
        src_crs=source.crs.to_wkt(),
        crs=source.crs.to_wkt(),
        transform=Affine(*source.transform),
        height=height,
        width=width,
        resampling=Resampling.nearest if nearest or source.palette is not None else Resampling.bilinear,
        src_nodata=source.nodata,
        add_alpha=source.nodata is None and ColorInterp.alpha not in source.dataset.colorinterp,
        UNIFIED_SRC_NODATA="YES",
        src_transform=source.warp_from,
    ) as warped:
        for window in windows:
            array = warped.read(source.bands, window=pixels_of(window))
            array, valid = _valid(source, array, warped_valid(warped, pixels_of(window)))
            yield window, array, valid


def warped_valid(warped: WarpedVRT, window: RasterioWindow | None = None) -> NDArray[np.bool_]:
    """Return which pixels (row, col) of a warped raster have data.

    GDAL takes the alpha band that warping adds for the raster's mask beside one or three bands of 8 or 16 unsigned bits
    only; any other raster would have data everywhere. So the band itself is asked.
    """
    if ColorInterp.alpha not in warped.colorinterp:
        return np.asarray(warped.dataset_mask(window=window) > 127)
    band = warped.colorinterp.index(ColorInterp.alpha) + 1
    dtype = np.dtype(warped.dtypes[band - 1])
    opaque = np.iinfo(dtype).max if dtype in (np.uint8, np.uint16, np.int16) else 255
    return np.asarray(warped.read(band, window=window) > opaque / 2)


def _valid(
    source: Source, array: NDArray[Any], stored: NDArray[np.bool_] | None
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the array in its final bands, and which pixels have data: one band with data is enough."""
    valid = np.ones(array.shape[1:], bool) if stored is None else stored
    if source.palette is not None:
        colours = source.palette[array[0]]
        return np.moveaxis(colours[..., :3], -1, 0), valid & (colours[..., 3] > 0)
    if source.nodata is not None:
        valid &= (array != np.dtype(source.dtype).type(source.nodata)).any(axis=0)
    if array.dtype.kind == "f":
        valid &= np.isfinite(array).all(axis=0)
    return array, valid


def pixels_of(window: Window) -> RasterioWindow:
    """Return the window as rasterio takes it."""
    return RasterioWindow(window.col, window.row, window.width, window.height)
