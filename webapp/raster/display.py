"""The display COG: a raster as maps show it, in EPSG:3857 on the grid of the zoom levels."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from webapp.errors import BadRaster
from webapp.raster.render import WEBP_QUALITY, Rendering, stretch, to_rgb
from webapp.raster.saving import created
from webapp.raster.scaling import Scaling, scaling_of
from webapp.raster.tiff import HALF_WORLD_M, TILE_PX
from webapp.raster.windows import Window
from webapp.raster.write import (
    CHUNK_PX,
    DEFAULT_THREADS,
    WRITE_OPTIONS,
    Progress,
    draft_profile,
    pixels_of,
    to_cog,
    warped_valid,
)

MAX_ZOOM = 24
# Pixels of a class raster that have no data; as in the files that inference writes.
NO_CLASS = 255
# Web Mercator ends here: the square's own edge.
MAX_LAT = 85.0511


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
        turns: for a scene that meets a tile from two sides, whose grid is then the whole world's: how often round the
            Earth its longitudes are counted, from the first to the last. Else none.
    """

    zoom: int
    levels: int
    col: int
    row: int
    rows: int
    cols: int
    used: Window
    turns: tuple[int, ...] = ()

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
    if cols * unit <= 2**zoom:
        return DisplayGrid(zoom, levels, col * unit, row * unit, rows * unit, cols * unit, used)
    # As one from 0 to 360 degrees does: the same tile would lie in the file twice.
    turns = range(math.floor(first_col / TILE_PX / 2**zoom), math.ceil(last_col / TILE_PX / 2**zoom))
    everywhere = Window(used.row, 0, used.height, 2**zoom * TILE_PX)
    return DisplayGrid(zoom, levels, 0, row * unit, rows * unit, 2**zoom, everywhere, tuple(turns))


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
        profile = draft_profile(4 if rendering else 1, "uint8", height, width, TILE_PX, threads)
        if rendering:
            profile |= {"photometric": "RGB", "alpha": "YES"}
        with created(draft, crs="EPSG:3857", transform=place.transform, **profile) as out:
            windows = list(_aligned(place, height, width))
            for number, window in enumerate(windows):
                out.write(_drawn(source, place, window, rendering), window=pixels_of(window))
                progress(0.6 * (number + 1) / len(windows), "Drawing the map tiles")
    progress(0.6, "Compressing the map tiles")
    picture = (
        {"COMPRESS": "WEBP", "QUALITY": str(WEBP_QUALITY)} if rendering else {"COMPRESS": "DEFLATE", "PREDICTOR": "NO"}
    )
    to_cog(
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


def _drawn(source: Any, place: DisplayGrid, window: Window, rendering: Rendering | None) -> NDArray[np.uint8]:
    """Return a window of the display file: RGBA, or class values.

    The map's coordinates end at the antimeridian, and GDAL counts longitudes from -180 to 180. What a scene in degrees
    holds beyond is therefore drawn as the same scene one turn to the west, or to the east.
    """
    turn = (place.col + window.col // TILE_PX) // 2**place.zoom
    where = Affine.translation(-2 * HALF_WORLD_M * turn, 0) @ place.transform
    where = where @ Affine.translation(window.col, window.row)
    nothing = np.full((4 if rendering else 1, window.height, window.width), 0 if rendering else NO_CLASS, np.uint8)
    found = nothing
    for degrees in [360.0 * turn for turn in place.turns or (turn,)] if source.crs.is_geographic else [0.0]:
        with _warped(source, degrees, where, window, Resampling.cubic if rendering else Resampling.nearest) as warped:
            part = _picture(warped, rendering, scaling_of(source))
        found = part if found is nothing else np.where(part[-1] == nothing[-1], found, part)
    return found


def _warped(source: Any, degrees: float, where: Affine, window: Window, resampling: Resampling) -> WarpedVRT:
    return WarpedVRT(
        source,
        crs="EPSG:3857",
        src_transform=Affine.translation(-degrees, 0) @ source.transform if degrees else None,
        transform=where,
        height=window.height,
        width=window.width,
        resampling=resampling,
        warp_mem_limit=128,
        # Without nodata, what lies outside the source is known by an alpha band only.
        add_alpha=source.nodata is None,
        SAMPLE_GRID="YES",
        SOURCE_EXTRA="16",
    )


def _picture(warped: WarpedVRT, rendering: Rendering | None, scaling: Scaling | None) -> NDArray[np.uint8]:
    """Return RGBA, or class values."""
    valid = warped_valid(warped)
    if rendering is None:
        classes: NDArray[np.uint8] = warped.read(1).astype(np.uint8)
        return np.where(valid, classes, np.uint8(NO_CLASS))[None]
    if not valid.any():
        return np.zeros((4, *valid.shape), np.uint8)
    array = warped.read(list(rendering.bands))
    if scaling is not None:
        array = scaling.apply(array, list(rendering.bands))
    rgb = to_rgb(stretch(array, rendering.stretch))
    return np.concatenate([np.where(valid, rgb, np.uint8(0)), valid[None].astype(np.uint8) * 255])


def _aligned(place: DisplayGrid, height: int, width: int) -> Iterator[Window]:
    """Yield chunks that cover what is used, each beginning and ending at tile edges, none across the antimeridian."""
    used, world = place.used, 2**place.zoom
    first_row, first_col = used.row // TILE_PX * TILE_PX, used.col // TILE_PX * TILE_PX
    bottom = min(height, -(-(used.row + used.height) // TILE_PX) * TILE_PX)
    right = min(width, -(-(used.col + used.width) // TILE_PX) * TILE_PX)
    for row in range(first_row, bottom, CHUNK_PX):
        col = first_col
        while col < right:
            edge = (world - (place.col + col // TILE_PX) % world) * TILE_PX
            yield Window(row, col, CHUNK_PX, min(CHUNK_PX, edge)).clip(bottom, right)
            col += min(CHUNK_PX, edge)
