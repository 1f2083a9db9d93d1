"""Writing our own files: the analysis COG (source grid, all bands, lossless) and the display COG."""

import math
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
from rasterio.warp import transform_bounds
from rasterio.windows import Window as RasterioWindow

from webapp.errors import BadRaster
from webapp.raster.probe import Source, damaged
from webapp.raster.read import OPEN_OPTIONS
from webapp.raster.render import WEBP_QUALITY, Rendering, stretch, to_rgb
from webapp.raster.saving import copy_to_cog, created
from webapp.raster.statistics import BandStatistics, Gatherer
from webapp.raster.tiff import HALF_WORLD_M, TILE_PX
from webapp.raster.windows import Window

Progress = Callable[[float, str], None]
# Bytes of pixels read at once.
STRIP_BYTES = 96 * 1024**2
CHUNK_PX = 2048
ANALYSIS_BLOCK_PX = 512
MAX_ZOOM = 24
# Pixels of a class raster that have no data; as in the files that inference writes.
NO_CLASS = 255
# Web Mercator ends here: the square's own edge.
MAX_LAT = 85.0511
DEFAULT_THREADS = 2
WRITE_OPTIONS: dict[str, Any] = {**OPEN_OPTIONS, "GDAL_TIFF_INTERNAL_MASK": "YES", "GDAL_CACHEMAX": 256}


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_analysis_cog` saw on its one way through the pixels."""

    statistics: list[BandStatistics]
    valid_pixels: int
    masked: bool


@dataclass(frozen=True, slots=True)
class DisplayGrid:
    """The Web Mercator grid of a display file, aligned with the tiles of all its zoom levels.

    Attributes:
        zoom: of the full resolution.
        levels: zoom levels in the file, the full one counted.
        col: leftmost tile at `zoom`; may lie beyond the world's edge for a scene across the antimeridian.
        row: topmost tile at `zoom`.
        rows: tiles down.
        cols: tiles across.
        used: pixels that the scene can touch.
    """

    zoom: int
    levels: int
    col: int
    row: int
    rows: int
    cols: int
    used: Window

    @property
    def resolution_m(self) -> float:
        """Size of a pixel in Web Mercator metres."""
        return float(2 * HALF_WORLD_M / TILE_PX / 2**self.zoom)

    @property
    def transform(self) -> Affine:
        """Affine from pixel (col, row) to EPSG:3857."""
        span = self.resolution_m * TILE_PX
        return Affine(
            self.resolution_m, 0, self.col * span - HALF_WORLD_M, 0, -self.resolution_m, HALF_WORLD_M - self.row * span
        )


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
    profile = _profile(source.count, source.dtype, height, width, ANALYSIS_BLOCK_PX, threads)
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
            out.write(array, window=_rasterio(window))
            if masked_from is None and not valid.all():
                masked_from = number
                for earlier in windows[:number]:
                    out.write_mask(np.full((earlier.height, earlier.width), 255, np.uint8), window=_rasterio(earlier))
            if masked_from is not None:
                out.write_mask(valid.astype(np.uint8) * 255, window=_rasterio(window))
            gatherer.add(array, valid)
            progress(0.7 * (number + 1) / len(windows), "Reading the pixels")
        for index, name in enumerate(source.names, 1):
            out.set_band_description(index, name)
    if gatherer.valid_pixels == 0:
        raise BadRaster(
            f"'{source.name}' holds no valid pixel: all are nodata or masked.",
            fix="Check its nodata value and mask.",
            code="empty_image",
        )
    progress(0.7, "Compressing the analysis file")
    _to_cog(
        draft,
        target,
        COMPRESS="ZSTD",
        LEVEL="3",
        PREDICTOR="YES",
        BLOCKSIZE=str(ANALYSIS_BLOCK_PX),
        OVERVIEW_RESAMPLING="NEAREST" if nearest else "AVERAGE",
        NUM_THREADS=str(threads),
    )
    return Written(gatherer.result(), gatherer.valid_pixels, masked_from is not None)


def display_grid(*, crs_wkt: str, transform: Affine, height: int, width: int) -> DisplayGrid:
    """Return the grid in which a raster is displayed.

    The zoom is the one whose pixels are nearest in size to the raster's own, so nothing is blown up or lost by more
    than a factor of 1.42.

    Raises:
        BadRaster: the raster lies wholly outside the Web Mercator square.
    """
    corners = [transform @ corner for corner in ((0, 0), (width, 0), (0, height), (width, height))]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    west, south, east, north = transform_bounds(
        crs_wkt, "EPSG:4326", min(xs), min(ys), max(xs), max(ys), densify_pts=31
    )
    if not all(math.isfinite(value) for value in (west, south, east, north)):
        west, south, east, north = -180.0, -90.0, 180.0, 90.0
    if east < west:
        east += 360.0
    south, north = max(south, -MAX_LAT), min(north, MAX_LAT)
    if south >= north:
        raise BadRaster(
            "The scene lies nearer to a pole than Web Mercator maps reach (85.05°).",
            fix="Choose imagery between 85° south and 85° north.",
            code="bounds_impossible",
        )
    left, right = (lon / 180.0 * HALF_WORLD_M for lon in (west, east))
    bottom, top = (math.asinh(math.tan(math.radians(lat))) / math.pi * HALF_WORLD_M for lat in (south, north))
    # The area of the scene in Web Mercator, shared among its pixels.
    pixel = math.sqrt(max((right - left) * (top - bottom), 1e-9) / (height * width))
    zoom = min(MAX_ZOOM, max(0, round(math.log2(2 * HALF_WORLD_M / TILE_PX / pixel))))
    resolution = 2 * HALF_WORLD_M / TILE_PX / 2**zoom
    # Half a thousandth of a pixel is what rounding may add.
    first_col, last_col = (left + HALF_WORLD_M) / resolution + 5e-4, (right + HALF_WORLD_M) / resolution - 5e-4
    first_row, last_row = (HALF_WORLD_M - top) / resolution + 5e-4, (HALF_WORLD_M - bottom) / resolution - 5e-4
    tiles = max(last_col - first_col, last_row - first_row) / TILE_PX
    levels = min(zoom, max(0, math.ceil(math.log2(max(tiles, 1))))) + 1
    step = TILE_PX * 2 ** (levels - 1)
    col, row = math.floor(first_col / step), max(0, math.floor(first_row / step))
    cols, rows = math.floor(last_col / step) + 1 - col, math.floor(last_row / step) + 1 - row
    unit = 2 ** (levels - 1)
    origin_row, origin_col = row * step, col * step
    top_px, left_px = math.floor(first_row) - origin_row, math.floor(first_col) - origin_col
    used = Window(
        max(0, top_px),
        left_px,
        math.ceil(last_row) - origin_row - max(0, top_px),
        math.ceil(last_col) - origin_col - left_px,
    )
    return DisplayGrid(zoom, levels, col * unit, row * unit, rows * unit, cols * unit, used)


def write_display_cog(
    analysis: Path,
    target: Path,
    rendering: Rendering | None,
    *,
    progress: Progress,
    threads: int = DEFAULT_THREADS,
) -> DisplayGrid:
    """Write the raster as it is shown: EPSG:3857 in 256 px tiles on the grid of the zoom levels.

    Args:
        analysis: one of our own analysis files.
        target: the file to write.
        rendering: scene: RGBA in WebP, each tile a picture of its own. None: class values, lossless (zlib),
            `NO_CLASS` where there is no data.
        progress: called with 0 to 1.
        threads: for compressing.

    Raises:
        BadRaster: the raster cannot be shown in Web Mercator.
        StorageFull: the disk has no room for it.
    """
    draft = target.with_suffix(".draft.tif")
    with rasterio.Env(**WRITE_OPTIONS), rasterio.open(analysis, driver="GTiff") as source:
        place = display_grid(
            crs_wkt=source.crs.to_wkt(), transform=source.transform, height=source.height, width=source.width
        )
        height, width = place.rows * TILE_PX, place.cols * TILE_PX
        profile = _profile(4 if rendering else 1, "uint8", height, width, TILE_PX, threads)
        if rendering:
            profile |= {"photometric": "RGB", "alpha": "YES"}
        with (
            WarpedVRT(
                source,
                crs="EPSG:3857",
                transform=place.transform,
                height=height,
                width=width,
                resampling=Resampling.cubic if rendering else Resampling.nearest,
                warp_mem_limit=128,
                # Without nodata, what lies outside the source is known by an alpha band only.
                add_alpha=source.nodata is None,
                SAMPLE_GRID="YES",
                SOURCE_EXTRA="16",
            ) as warped,
            created(draft, crs="EPSG:3857", transform=place.transform, **profile) as out,
        ):
            windows = list(_aligned(place.used, height, width))
            for number, window in enumerate(windows):
                out.write(_picture(warped, window, rendering), window=_rasterio(window))
                progress(0.6 * (number + 1) / len(windows), "Drawing the map tiles")
    progress(0.6, "Compressing the map tiles")
    picture = (
        {"COMPRESS": "WEBP", "QUALITY": str(WEBP_QUALITY)} if rendering else {"COMPRESS": "DEFLATE", "PREDICTOR": "NO"}
    )
    _to_cog(
        draft,
        target,
        BLOCKSIZE=str(TILE_PX),
        OVERVIEW_RESAMPLING="AVERAGE" if rendering else "NEAREST",
        OVERVIEW_COUNT=str(place.levels - 1),
        OVERVIEWS="AUTO" if place.levels > 1 else "NONE",
        SPARSE_OK="TRUE",
        NUM_THREADS=str(threads),
        **picture,
    )
    return place


def _picture(warped: Any, window: Window, rendering: Rendering | None) -> NDArray[np.uint8]:
    """Return a window of the display file: RGBA, or class values."""
    valid = warped.dataset_mask(window=_rasterio(window)) > 127
    if rendering is None:
        classes: NDArray[np.uint8] = warped.read(1, window=_rasterio(window)).astype(np.uint8)
        return np.where(valid, classes, np.uint8(NO_CLASS))[None]
    if not valid.any():
        return np.zeros((4, window.height, window.width), np.uint8)
    array = warped.read(list(rendering.bands), window=_rasterio(window))
    rgb = to_rgb(stretch(array, rendering.stretch))
    return np.concatenate([np.where(valid, rgb, np.uint8(0)), valid[None].astype(np.uint8) * 255])


def _aligned(used: Window, height: int, width: int) -> Iterator[Window]:
    """Yield chunks that cover `used`, each beginning and ending at tile edges."""
    first_row, first_col = used.row // TILE_PX * TILE_PX, used.col // TILE_PX * TILE_PX
    bottom = min(height, -(-(used.row + used.height) // TILE_PX) * TILE_PX)
    right = min(width, -(-(used.col + used.width) // TILE_PX) * TILE_PX)
    for row in range(first_row, bottom, CHUNK_PX):
        for col in range(first_col, right, CHUNK_PX):
            yield Window(row, col, CHUNK_PX, CHUNK_PX).clip(bottom, right)


def _profile(count: int, dtype: str, height: int, width: int, block: int, threads: int) -> dict[str, Any]:
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


def _to_cog(draft: Path, target: Path, **options: str) -> None:
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
            there = _rasterio(Window(row, col, window.height, window.width))
            array = source.dataset.read(source.bands, window=there)
            stored = (
                source.dataset.dataset_mask(window=there) if source.stored_mask and source.palette is None else None
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
            array = warped.read(source.bands, window=_rasterio(window))
            array, valid = _valid(source, array, warped.dataset_mask(window=_rasterio(window)))
            yield window, array, valid


def _valid(
    source: Source, array: NDArray[Any], stored: NDArray[np.uint8] | None
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the array in its final bands, and which pixels have data: one band with data is enough."""
    valid = np.ones(array.shape[1:], bool) if stored is None else stored > 127
    if source.palette is not None:
        colours = source.palette[array[0]]
        return np.moveaxis(colours[..., :3], -1, 0), valid & (colours[..., 3] > 0)
    if source.nodata is not None:
        valid &= (array != np.dtype(source.dtype).type(source.nodata)).any(axis=0)
    if array.dtype.kind == "f":
        valid &= np.isfinite(array).all(axis=0)
    return array, valid


def _rasterio(window: Window) -> RasterioWindow:
    return RasterioWindow(window.col, window.row, window.width, window.height)
