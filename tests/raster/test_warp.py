"""Pixels on a canvas, against GDAL's own warper."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from scipy import ndimage

from tests.raster.conftest import MakeRaster
from webapp.raster.canvas import Canvas, box_canvas, tile_canvas
from webapp.raster.read import Reader
from webapp.raster.warp import read_onto


def smooth(count: int, side: int, dtype: str, top: float) -> np.ndarray:
    noise = np.random.default_rng(5).uniform(0, 1, (count, side, side))
    soft = ndimage.gaussian_filter(noise, (0, 4, 4))
    return ((soft - soft.min()) / (soft.max() - soft.min()) * top).astype(dtype)


def by_gdal(path: Path, canvas: Canvas, resampling: str) -> tuple[np.ndarray, np.ndarray]:
    west, south, east, north = canvas.bounds
    transform = Affine((east - west) / canvas.width, 0, west, 0, (south - north) / canvas.height, north)
    with (
        rasterio.open(path) as source,
        WarpedVRT(
            source,
            crs=canvas.crs,
            transform=transform,
            height=canvas.height,
            width=canvas.width,
            resampling=Resampling[resampling],
            add_alpha=source.nodata is None,
        ) as warped,
    ):
        return warped.read(list(source.indexes)).astype(float), warped.dataset_mask() > 127


def around(path: Path, crs: str, size: int, part: float = 0.6) -> Canvas:
    """Return a canvas on the middle of the raster."""
    with rasterio.open(path) as source:
        west, south, east, north = transform_bounds(source.crs, crs, *source.bounds)
    x, y, half = (west + east) / 2, (south + north) / 2, max(east - west, north - south) * part / 2
    return box_canvas((x - half, y - half, x + half, y + half), crs, height=size, width=size)


@pytest.mark.parametrize("target", ["EPSG:3857", "EPSG:4326", "EPSG:32634"])
@pytest.mark.parametrize(("dtype", "count", "top"), [("uint8", 3, 255), ("uint16", 2, 9000), ("float32", 1, 3.0)])
def test_pixels_lie_where_gdal_puts_them(
    make_raster: MakeRaster, target: str, dtype: str, count: int, top: float
) -> None:
    path = make_raster(smooth(count, 300, dtype, top))
    canvas = around(path, target, 200)
    with Reader(path) as reader:
        found = read_onto(reader, canvas, tuple(range(1, count + 1)), resampling="bilinear")
    expected, mask = by_gdal(path, canvas, "bilinear")
    assert (found.valid == mask).mean() > 0.998
    both = found.valid & mask
    # A tenth of a pixel off at this slope, and Pillow's 8-bit answers are cut, not rounded.
    assert np.abs(found.array - expected)[:, both].max() < 0.02 * top


def test_a_corner_of_the_raster_is_valid_exactly_where_it_reaches(make_raster: MakeRaster) -> None:
    path = make_raster(smooth(3, 200, "uint8", 255))
    canvas = around(path, "EPSG:3857", 150, part=2.0)
    with Reader(path) as reader:
        found = read_onto(reader, canvas, (1, 2, 3))
    expected, mask = by_gdal(path, canvas, "nearest")
    assert 0.1 < mask.mean() < 0.5
    assert (found.valid != mask).mean() < 0.002
    both = found.valid & mask
    # Without overviews either takes one of the 2.7 x 2.7 pixels below, not always the same.
    assert np.median(np.abs(found.array - expected)[:, both]) < 6


@pytest.mark.parametrize(("dtype", "count", "fill"), [("uint8", 3, 0), ("int16", 2, -9999), ("float32", 1, np.nan)])
def test_what_has_no_data_does_not_bleed_into_what_has(
    make_raster: MakeRaster, dtype: str, count: int, fill: float
) -> None:
    array = np.full((count, 120, 120), 100, dtype)
    array[:, 40:80, 40:80] = fill
    path = make_raster(array, **({} if fill == 0 else {"nodata": fill}))
    canvas = around(path, "EPSG:3857", 211)
    with Reader(path) as reader:
        found = read_onto(
            reader, canvas, tuple(range(1, count + 1)), resampling="bilinear", nodata=0.0 if fill == 0 else None
        )
    hole = ~found.valid
    assert 0.05 < hole.mean() < 0.5
    assert np.abs(found.array[:, found.valid].astype(float) - 100).max() <= 2


def test_a_scene_across_the_antimeridian_is_found_from_both_sides(make_raster: MakeRaster) -> None:
    array = smooth(1, 200, "uint8", 255)
    path = make_raster(array, crs="EPSG:4326", transform=Affine(0.01, 0, 179.0, 0, -0.01, 1.0))
    with Reader(path) as reader:
        east, west = (read_onto(reader, tile_canvas(6, x, 31), (1,)) for x in (63, 0))
    assert (east.valid.any(), west.valid.any()) == (True, True)
    # Its first pixel lies 0.011° east of the meridian and 0.12° north; one pixel of the raster to each side is as near.
    assert int(west.array[0, 250, 0]) in array[0, 86:91, 99:104]


def test_low_zooms_read_overviews_and_the_whole_world_is_a_mesh(make_raster: MakeRaster) -> None:
    array = np.zeros((1, 180, 360), np.uint8)
    array[0] = (np.arange(180)[:, None] + 0 * np.arange(360)).astype(np.uint8)
    path = make_raster(array, crs="EPSG:4326", transform=Affine(1, 0, -180, 0, -1, 90))
    canvas = tile_canvas(0, 0, 0)
    with Reader(path) as reader:
        found = read_onto(reader, canvas, (1,))
    expected, mask = by_gdal(path, canvas, "nearest")
    assert found.valid.all()
    # Rows of one degree: at most the neighbouring row.
    assert np.abs(found.array[:, mask] - expected[:, mask]).max() <= 1


def test_nothing_is_valid_far_away_and_positions_beyond_a_projection_are_no_error(make_raster: MakeRaster) -> None:
    path = make_raster(smooth(3, 50, "uint8", 255))
    with Reader(path) as reader:
        away = read_onto(reader, tile_canvas(10, 3, 3), (3, 1))
        world = read_onto(reader, tile_canvas(0, 0, 0), (1,))
    assert (away.array.shape, away.valid.any()) == ((2, 256, 256), False)
    assert world.valid.sum() <= 1


def test_bands_come_in_the_order_asked_for_also_twice(make_raster: MakeRaster) -> None:
    array = np.stack([np.full((64, 64), value, np.uint8) for value in (10, 20, 30)])
    path = make_raster(array)
    canvas: Any = around(path, "EPSG:3857", 20)
    with Reader(path) as reader:
        found = read_onto(reader, canvas, (3, 1, 3))
    assert [int(band[10, 10]) for band in found.array] == [30, 10, 30]
