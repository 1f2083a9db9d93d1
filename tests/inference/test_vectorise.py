"""Polygons block by block against one trace of the whole array."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.plan import block_windows
from inference.vectorise import PIXELS, Shape, corners_only, polygons
from webapp.raster import shapes
from webapp.raster.read import Reader
from webapp.raster.windows import Window

Classes = NDArray[np.uint8]


def reader_of(classes: Classes) -> Callable[[Window], Classes]:
    """Return a reader of windows of an array."""
    return lambda window: np.ascontiguousarray(classes[window.slices()])


def by_blocks(classes: Classes, block_px: int, shape: Shape | None = None) -> list[tuple[shapely.Polygon, int]]:
    """Return the polygons of an array traced in blocks."""
    windows = list(block_windows(*classes.shape, block_px))
    return list(polygons(reader_of(classes), windows, shape=shape or Shape()))


def whole(classes: Classes) -> list[tuple[shapely.Polygon, int]]:
    """Return the polygons of one call over the whole array: the oracle."""
    mask = (classes != 0) & (classes != 255)
    return [(corners_only(polygon), value) for polygon, value in shapes.trace(classes, transform=PIXELS, mask=mask)]


def assert_same(found: list[tuple[shapely.Polygon, int]], expected: list[tuple[shapely.Polygon, int]]) -> None:
    """Compare as sets, by topology."""

    def key(entry: tuple[shapely.Polygon, int]) -> tuple[int, tuple[float, ...], float]:
        return entry[1], entry[0].bounds, entry[0].area

    assert len(found) == len(expected)
    for (mine, value), (theirs, other) in zip(sorted(found, key=key), sorted(expected, key=key), strict=True):
        assert value == other
        assert mine.is_valid
        assert mine.area == theirs.area
        # The same corners are the same shape; the relation of two shapes, a hundred times dearer, is for other rings.
        if not shapely.equals_exact(shapely.normalize(mine), shapely.normalize(theirs), 0.0):
            assert mine.equals(shapely.make_valid(theirs))


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([1, 2, 3, 7, 16, 64]),
    st.sampled_from([2, 3]),
    st.sampled_from([1, 4]),
)
@settings(max_examples=150, deadline=None)
def test_any_noise_gives_the_polygons_of_a_whole_trace(
    seed: int, height: int, width: int, block_px: int, classes: int, grain: int
) -> None:
    # A block costs a millisecond however small: 16 a side have every seam, corner and ring that 160 have.
    longest = max(1, 16 * block_px // grain)
    size = (min(height, longest), min(width, longest))
    noise = np.random.default_rng(seed).integers(0, classes, size, dtype=np.uint8)
    array = np.repeat(np.repeat(noise, grain, axis=0), grain, axis=1)
    assert_same(by_blocks(array, block_px), whole(array))


def test_a_ring_across_four_blocks_keeps_its_hole() -> None:
    array = np.zeros((40, 40), dtype=np.uint8)
    array[5:35, 5:35] = 3
    array[10:30, 10:30] = 0
    [(polygon, value)] = by_blocks(array, 20)
    assert value == 3
    assert len(polygon.interiors) == 1
    assert polygon.area == 30 * 30 - 20 * 20
    assert len(polygon.exterior.coords) == 5


def test_small_polygons_go_and_small_holes_are_filled() -> None:
    array = np.zeros((40, 40), dtype=np.uint8)
    array[5:35, 5:35] = 1
    array[19:21, 19:21] = 0
    array[0:2, 0:2] = 2
    [(polygon, value)] = by_blocks(array, 20, Shape(min_area_px=10))
    assert value == 1
    assert polygon.area == 900


def test_simplified_outlines_stay_within_the_distance() -> None:
    rows, cols = np.mgrid[:200, :200]
    disc = ((rows - 100) ** 2 + (cols - 100) ** 2 < 80**2).astype(np.uint8)
    [(steps, _)] = by_blocks(disc, 64)
    [(smooth, _)] = by_blocks(disc, 64, Shape(simplify_px=1.5))
    assert len(smooth.exterior.coords) < len(steps.exterior.coords) / 4
    assert smooth.hausdorff_distance(steps) <= 1.5 + 1e-9


def test_open_groups_are_handed_out_before_the_raster_ends() -> None:
    array = np.zeros((64, 64), dtype=np.uint8)
    array[10:20, 10:60] = 1
    array[40:60, 40:60] = 2
    seen: list[Window] = []

    def read(window: Window) -> Classes:
        seen.append(window)
        return np.ascontiguousarray(array[window.slices()])

    first = next(polygons(read, list(block_windows(64, 64, 16))))
    assert first[1] == 1
    assert len(seen) < 16


@pytest.mark.data
def test_real_classes_give_the_polygons_of_a_whole_trace(data: Path) -> None:
    with Reader(data / "spacenet_vegas" / "vegas_rgb_uint8.tif") as reader:
        grey = reader.read(reader.whole).array.mean(axis=0)
    array = np.digitize(grey, np.quantile(grey, [0.3, 0.6, 0.9])).astype(np.uint8)
    assert_same(by_blocks(array, 128), whole(array))
