"""A picture of a raster on any canvas: bands or band math, algorithm, stretch, colours."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from webapp.raster import colours, expression, render
from webapp.raster.algorithms import ALGORITHMS
from webapp.raster.canvas import Canvas, Resampling
from webapp.raster.mosaic.reader import MosaicReader
from webapp.raster.readers import kept_reader
from webapp.raster.render import Format
from webapp.raster.rendering import Rendering
from webapp.raster.warp import Placed, read_onto


@dataclass(frozen=True, slots=True)
class Picture:
    """What is encoded.

    Attributes:
        pixels: uint8, (row, col, 3) colours, or (row, col) grey or, with a table, indexes into it.
        mask: bool (row, col), False where it is transparent.
        table: uint8 (256, 4), the colours of indexes; None: pixels are colours.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    table: colours.Lut | None = None

    def rgb(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return (rgb (row, col, 3), mask (row, col))."""
        if self.table is not None:
            rgba = self.table[self.pixels]
            return rgba[..., :3], self.mask & (rgba[..., 3] > 0)
        if self.pixels.ndim == 2:
            return np.repeat(self.pixels[..., None], 3, axis=2), self.mask
        return self.pixels, self.mask


def draw(path: Path, canvas: Canvas, rendering: Rendering) -> Picture:
    """Return the picture of a raster on a canvas, in memory of the canvas's size.

    Args:
        path: of a raster of ours, in any CRS.
        canvas: see `tile_canvas` and `box_canvas`.
        rendering: filled (`Rendering.filled`): it names its bands and how they are stretched.

    Raises:
        Invalid: a band that is not there.
        BadRaster: the file cannot be read.
    """
    placed = values(path, canvas, rendering)
    kind = ALGORITHMS.get(rendering.algorithm)
    ranges = rendering.rescale or ((kind.value_range,) if kind and kind.value_range else ())
    array = _eight_bit(placed.array, ranges)
    mask = placed.valid if rendering.return_mask else np.ones_like(placed.valid)
    if array.shape[0] == 1 and (rendering.colormap_name or rendering.colormap):
        return Picture(array[0], mask, _table(rendering))
    if rendering.color_formula:
        array = colours.apply_formula(render.to_rgb(array), colours.parse_formula(rendering.color_formula))
    if array.shape[0] == 4:  # the fourth band is asked for as alpha
        mask = mask & (array[3] > 127)
    if array.shape[0] == 1:
        return Picture(array[0], mask)
    return Picture(np.ascontiguousarray(np.moveaxis(render.to_rgb(array), 0, -1)), mask)


def values(path: Path, canvas: Canvas, rendering: Rendering) -> Placed:
    """Return what is drawn before it is stretched: bands, band math or an algorithm's answer on the canvas.

    Raises:
        Invalid: a band that is not there.
        BadRaster: the file cannot be read.
    """
    kind = ALGORITHMS.get(rendering.algorithm)
    margin = kind.margin_px if kind else 0
    placed = _bands(path, canvas.grown(margin), rendering)
    if kind is None:
        return placed
    array = placed.array
    if margin and not placed.valid.all() and placed.valid.any():
        # What has no data would be a cliff: it is as high as the middle of the rest.
        array = np.where(placed.valid, array, np.median(array[:, placed.valid], axis=1)[:, None, None])
    found = kind.run(array, canvas.pixel_m(), kind.numbers(dict(rendering.algorithm_params)))
    return _finite(Placed(found, placed.valid)).cut(margin)


def encode(picture: Picture, form: Format) -> bytes:
    """Return the picture as a file; PNG of a colour table is paletted, grey stays grey."""
    if form == "png":
        return render.encode_png(picture.pixels, picture.mask, picture.table)
    return render.encode(*picture.rgb(), form)


def statistics(path: Path, canvas: Canvas, rendering: Rendering) -> dict[str, dict[str, Any]]:
    """Return what TiTiler says of each output on a canvas, by its name: "b1", or the expression's own text.

    Where nothing is valid, minimum to percentiles are NaN.

    Raises:
        Invalid: a band that is not there.
        BadRaster: the file cannot be read.
    """
    placed = values(path, canvas, rendering)
    if rendering.algorithm:
        names = [rendering.algorithm] * placed.array.shape[0]
    elif rendering.expression:
        names = [part.strip() for part in rendering.expression.split(";") if part.strip()]
    else:
        names = [f"b{band}" for band in rendering.bidx]
    return {name: _measured(band[placed.valid], placed.valid) for name, band in zip(names, placed.array, strict=True)}


def _measured(band: NDArray[Any], valid: NDArray[np.bool_]) -> dict[str, Any]:
    total, count = valid.size, int(band.size)
    facts: dict[str, Any] = {
        "count": count,
        "valid_pixels": count,
        "masked_pixels": total - count,
        "valid_percent": round(100 * count / total, 2),
        "exact": False,
    }
    if not count:
        nothing = ("min", "max", "mean", "std", "median", "percentile_2", "percentile_98")
        return dict.fromkeys(nothing, float("nan")) | facts | {"histogram": [[], []]}
    numbers = band.astype(np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    counts, edges = np.histogram(numbers, 256, range=(low, high if high > low else low + 1))
    p2, median, p98 = (float(value) for value in np.percentile(numbers, [2, 50, 98]))
    return {
        "min": low,
        "max": high,
        "mean": float(numbers.mean()),
        "std": float(numbers.std()),
        "median": median,
        "percentile_2": p2,
        "percentile_98": p98,
        "histogram": [counts.tolist(), edges.tolist()],
        **facts,
    }


def _bands(path: Path, canvas: Canvas, rendering: Rendering) -> Placed:
    if not rendering.expression:
        return _placed(path, canvas, rendering.bidx, rendering)
    parsed = expression.parse(rendering.expression)
    placed = _placed(path, canvas, parsed.bands, rendering)
    numbers = placed.array.astype(np.float32, copy=False)
    found = parsed.evaluate(dict(zip(parsed.bands, numbers, strict=True)))
    return _finite(Placed(found, placed.valid))


def _placed(path: Path, canvas: Canvas, bands: tuple[int, ...], rendering: Rendering) -> Placed:
    raster, resampling = kept_reader(path), cast(Resampling, rendering.resampling)
    if isinstance(raster, MosaicReader):
        return raster.onto(canvas, bands, resampling=resampling, nodata=rendering.nodata)
    return read_onto(raster, canvas, bands, resampling=resampling, nodata=rendering.nodata)


def _finite(placed: Placed) -> Placed:
    if placed.array.dtype.kind != "f":
        return placed
    finite = np.isfinite(placed.array).all(axis=0)
    if finite.all():
        return placed
    return Placed(np.where(finite, placed.array, 0), placed.valid & finite)


def _eight_bit(array: NDArray[Any], ranges: tuple[tuple[float, float], ...]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8 and not ranges:
        return array
    if not ranges:
        return np.asarray(np.clip(np.nan_to_num(array), 0, 255), np.uint8)
    whole = ranges if len(ranges) == array.shape[0] else (ranges[0],) * array.shape[0]
    if array.dtype == np.uint8:
        # 256 values at most: a table is cheaper than arithmetic on every pixel.
        tables = [_scaled(np.arange(256, dtype=np.float32), one) for one in whole]
        return np.stack([table[band] for table, band in zip(tables, array, strict=True)])
    return np.stack([_scaled(band, one) for band, one in zip(array, whole, strict=True)])


def _scaled(band: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return low as 0 and high as 255, linear between, cut outside; low may lie above high, which turns it over."""
    low, high = limits
    scale = 255.0 / (high - low)
    shifted = band * np.float32(scale) + np.float32(0.5 - low * scale)
    return np.asarray(np.clip(np.nan_to_num(shifted, copy=False), 0, 255)).astype(np.uint8)


def _table(rendering: Rendering) -> colours.Lut:
    if rendering.colormap_name:
        named: colours.Lut = colours.colormap(rendering.colormap_name)
        return named
    table: colours.Lut = np.zeros((256, 4), np.uint8)
    for value, rgba in rendering.colormap:
        table[value] = rgba
    return table
