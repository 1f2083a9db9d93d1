"""Pixels of a raster on any canvas, at a fraction of what a general warper costs.

A tile is small beside the Earth: within it the way from one CRS to another is an affine map or, at low zooms, a mesh
of a few of them. Positions are computed exactly at the corners of the mesh only, the overview nearest above the wanted
resolution is read as it lies in the file, and Pillow's own C loops place it.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from webapp.raster.canvas import Canvas, Resampling, between, crs_of
from webapp.raster.read import Chip, Raster
from webapp.raster.windows import Window

# How far, in source pixels of the overview read, a position may be off before the mesh is made finer.
TOLERANCE_PX = 0.1
MESHES = (1, 4, 8, 16, 32)
# Pixels read around what is needed, for the neighbours that an interpolation looks at.
MARGIN_PX = 3
# Most pixels of one read: a raster without overviews is read coarser instead.
MOST_READ_PX = 6000 * 6000
_PILLOW = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "cubic": Image.Resampling.BICUBIC,
    "average": Image.Resampling.BILINEAR,
}
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Placed:
    """Pixels on a canvas.

    Attributes:
        array: (band, row, col): uint8 where the raster is, else float32.
        valid: bool (row, col).
    """

    array: NDArray[Any]
    valid: NDArray[np.bool_]

    def cut(self, px: int) -> "Placed":
        """Return it without `px` pixels on each side."""
        inner = slice(px, -px) if px else slice(None)
        return Placed(self.array[:, inner, inner], self.valid[inner, inner])


def read_onto(
    reader: Raster,
    canvas: Canvas,
    bands: tuple[int, ...],
    *,
    resampling: Resampling = "nearest",
    nodata: float | None = None,
) -> Placed:
    """Return the raster's pixels on the canvas; nothing is valid where the raster does not reach.

    Args:
        reader: of this thread.
        canvas: in any CRS.
        bands: 1-based, each once or more.
        resampling: how a pixel is made of its neighbours.
        nodata: value of pixels without data, beside what the file says; NaN is always one.

    Raises:
        Invalid: a band that is not there.
        BadRaster: the file cannot be decoded.
    """
    distinct = sorted(set(bands))
    mesh = mesh_of(reader, canvas)
    chip = None if mesh is None else _chip(reader, mesh, canvas, distinct, resampling)
    if chip is None or mesh is None:
        dtype = np.uint8 if reader.info.dtype == "uint8" else np.float32
        shape = (canvas.height, canvas.width)
        return Placed(np.zeros((len(bands), *shape), dtype), np.zeros(shape, bool))
    valid = chip.valid
    if nodata is not None and math.isfinite(nodata):
        valid = valid & (chip.array != nodata).any(axis=0)
    down, across = chip.window.height / valid.shape[0], chip.window.width / valid.shape[1]
    points = (mesh - (chip.window.col, chip.window.row)) / (across, down)
    placed = _place(chip.array, valid, points, canvas, resampling)
    if tuple(distinct) == bands:
        return placed
    return Placed(placed.array[[distinct.index(band) for band in bands]], placed.valid)


def mesh_of(reader: Raster, canvas: Canvas) -> Points | None:
    """Return source pixel positions (row, col, 2: x, y) of the mesh's corners; None where nothing is met.

    The coarsest mesh is taken whose cells, drawn as bilinear quadrilaterals, keep within the tolerance.
    """
    points = _positions(reader, canvas, 1)
    if between(canvas.crs, reader.info.crs_wkt) is not None:
        coarse = points
        for cells in MESHES[1:]:
            points = _positions(reader, canvas, cells)
            off = np.abs(_interpolated(coarse, cells // (coarse.shape[0] - 1)) - points).max()
            # In pixels of what will be read, which are never smaller than half a canvas pixel.
            if off / max(1.0, scale_of(points, canvas) / 2) <= TOLERANCE_PX:
                points = coarse
                break
            coarse = points
    corners = _finite(points)
    if not corners.size:
        return None
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    outside = right <= 0 or bottom <= 0 or left >= reader.info.width or top >= reader.info.height
    return None if outside else points


def _finite(points: Points) -> Points:
    """Return the positions (n, 2) that the CRS can express."""
    flat = points.reshape(-1, 2)
    kept: Points = flat[np.isfinite(flat).all(axis=1)]
    return kept


def _positions(reader: Raster, canvas: Canvas, cells: int) -> Points:
    west, south, east, north = canvas.bounds
    steps = np.arange(cells + 1) / cells
    xs, ys = np.meshgrid(west + (east - west) * steps, north + (south - north) * steps)
    there = reader.info.crs_wkt
    way = between(canvas.crs, there)
    if way is not None:
        xs, ys = way.transform(xs, ys)
        xs, ys = np.where(np.isfinite(xs), xs, np.nan), np.where(np.isfinite(ys), ys, np.nan)
    a, b, c, d, e, f = reader.info.transform
    if crs_of(there).is_geographic:
        # Longitudes near the raster's middle: one across the antimeridian goes on beyond 180°.
        middle = c + a * reader.info.width / 2 + b * reader.info.height / 2
        xs = xs + 360.0 * np.round((middle - xs) / 360.0)
    determinant = a * e - b * d
    east_px, north_px = xs - c, ys - f
    return np.stack([(e * east_px - b * north_px) / determinant, (a * north_px - d * east_px) / determinant], axis=-1)


def _interpolated(coarse: Points, step: int) -> Points:
    cells = coarse.shape[0] - 1
    index = np.arange(cells * step + 1) / step
    low = np.minimum(index.astype(int), cells - 1)
    part = index - low
    rows = coarse[low] * (1 - part)[:, None, None] + coarse[low + 1] * part[:, None, None]
    found: Points = rows[:, low] * (1 - part)[None, :, None] + rows[:, low + 1] * part[None, :, None]
    return found


def scale_of(points: Points, canvas: Canvas) -> float:
    """Return the median number of source pixels to a canvas pixel, along the finer of the two axes."""
    cells = points.shape[0] - 1
    across = np.hypot(*np.diff(points, axis=1).T) * cells / canvas.width
    down = np.hypot(*np.diff(points, axis=0).T) * cells / canvas.height
    if cells == 1:
        return float(min(across.mean(), down.mean()))
    sizes = [float(np.nanmedian(part)) for part in (across, down) if np.isfinite(part).any()]
    return min(sizes) if sizes else 1.0


def _chip(reader: Raster, mesh: Points, canvas: Canvas, bands: list[int], resampling: Resampling) -> Chip | None:
    """Return what the canvas needs of the raster, at the resolution of an overview or, averaged, at the canvas's."""
    height, width = reader.info.height, reader.info.width
    scale = scale_of(mesh, canvas)
    # The overview's own pixels, read as they are: halves below the wanted resolution cost nothing but time.
    step = 2 ** max(0, math.floor(math.log2(max(scale, 1e-9)) + 1e-6))
    if resampling == "average" and scale > 1:
        step = scale
    corners = _finite(mesh)
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    left, right = max(left - MARGIN_PX * step, 0.0), min(right + MARGIN_PX * step, float(width))
    top, bottom = max(top - MARGIN_PX * step, 0.0), min(bottom + MARGIN_PX * step, float(height))
    while (right - left) * (bottom - top) / step**2 > MOST_READ_PX:
        step *= 2
    whole = math.ceil(step)
    first_col, first_row = math.floor(left / whole) * whole, math.floor(top / whole) * whole
    last_col, last_row = min(width, math.ceil(right / whole) * whole), min(height, math.ceil(bottom / whole) * whole)
    window = Window(first_row, first_col, last_row - first_row, last_col - first_col)
    if window.empty:
        return None
    shape = (max(1, round(window.height / step)), max(1, round(window.width / step)))
    how: Literal["nearest", "average"] = "average" if resampling == "average" else "nearest"
    return reader.read(window, bands=bands, out_shape=None if step == 1 else shape, resampling=how)


def _place(
    array: NDArray[Any], valid: NDArray[np.bool_], points: Points, canvas: Canvas, resampling: Resampling
) -> Placed:
    """Return the chip's pixels on the canvas, given the chip positions of the mesh's corners."""
    method, data = _method(points, canvas)
    size = (canvas.width, canvas.height)
    pillow = _PILLOW[resampling]

    def moved(image: Image.Image, how: Image.Resampling) -> NDArray[Any]:
        return np.asarray(image.transform(size, method, data, resample=how))

    whole = bool(valid.all())
    if array.dtype == np.uint8 and array.shape[0] == 3:
        colours = [Image.fromarray(band) for band in array]
        if whole and _inside(points, valid.shape):
            rgb = moved(Image.merge("RGB", colours), pillow)
            return Placed(np.moveaxis(rgb, -1, 0), np.ones(size[::-1], bool))
        # Pillow itself weighs colours by alpha, so what has no data does not bleed into what has. The alpha band
        # is what tells, too, where the canvas lies outside the chip.
        alpha = Image.fromarray(valid * np.uint8(255))
        rgba = moved(Image.merge("RGBA", [*colours, alpha]), pillow)
        return Placed(np.moveaxis(np.ascontiguousarray(rgba[..., :3]), -1, 0), rgba[..., 3] > 127)
    mask = moved(Image.fromarray(valid * np.uint8(255), "L"), Image.Resampling.NEAREST) > 127
    if array.dtype == np.uint8 and (whole or resampling == "nearest"):
        return Placed(np.stack([moved(Image.fromarray(band, "L"), pillow) for band in array]), mask)
    numbers = array.astype(np.float32, copy=False)
    if whole or resampling == "nearest":
        found = np.stack([moved(Image.fromarray(band, "F"), pillow) for band in numbers])
    else:
        # Weighed by validity: a neighbour without data counts nothing.
        weight = moved(Image.fromarray(valid.astype(np.float32), "F"), Image.Resampling.BILINEAR)
        weight = np.where(weight > 1e-3, weight, np.float32(1))
        clean = np.where(valid, numbers, np.float32(0))
        found = np.stack([moved(Image.fromarray(band, "F"), Image.Resampling.BILINEAR) for band in clean]) / weight
    if array.dtype == np.uint8:
        found = np.clip(np.rint(found), 0, 255).astype(np.uint8)
    return Placed(found, mask)


def _inside(points: Points, shape: tuple[int, ...]) -> bool:
    """Say whether the whole canvas lies within the chip."""
    corners = points.reshape(-1, 2)
    return bool((corners >= 0).all() and (corners <= (shape[1], shape[0])).all())


def _method(points: Points, canvas: Canvas) -> tuple[Image.Transform, Any]:
    """Return Pillow's transform: one affine map where the mesh is a single parallelogram, else a mesh."""
    cells = points.shape[0] - 1
    if cells == 1:
        north_west, north_east, south_west = points[0, 0], points[0, 1], points[1, 0]
        across, down = (north_east - north_west) / canvas.width, (south_west - north_west) / canvas.height
        if np.abs(points[1, 1] - (north_east + south_west - north_west)).max() <= TOLERANCE_PX:
            return Image.Transform.AFFINE, (across[0], down[0], north_west[0], across[1], down[1], north_west[1])
    cols = np.rint(np.linspace(0, canvas.width, cells + 1)).astype(int)
    rows = np.rint(np.linspace(0, canvas.height, cells + 1)).astype(int)
    found = []
    for row in range(cells):
        for col in range(cells):
            corners = points[row : row + 2, col : col + 2]
            if not np.isfinite(corners).all():
                continue
            quad = (*corners[0, 0], *corners[1, 0], *corners[1, 1], *corners[0, 1])
            box = (int(cols[col]), int(rows[row]), int(cols[col + 1]), int(rows[row + 1]))
            if box[0] < box[2] and box[1] < box[3]:
                found.append((box, tuple(float(value) for value in quad)))
    return Image.Transform.MESH, found
