"""Outlines found in pixels, against shapes that were painted there."""

import numpy as np
import pytest
from numpy.typing import NDArray

from webapp.raster import segment

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def scene(noise: float = 8.0) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A grey field with a reddish roof of 30 x 40 pixels, a green disc, and noise."""
    rng = np.random.default_rng(3)
    array = np.full((3, 96, 96), 120.0)
    array[:, 20:50, 25:65] = np.array([190, 90, 70])[:, None, None]
    rows, cols = np.mgrid[:96, :96]
    array[:, (rows - 75) ** 2 + (cols - 70) ** 2 < 15**2] = np.array([[60], [150], [60]])
    return np.clip(array + rng.normal(0, noise, array.shape), 0, 255).astype(np.uint8), np.ones((96, 96), dtype=bool)


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_click_finds_the_region_of_its_colour_and_nothing_else() -> None:
    array, valid = scene()
    pixels = segment.stretched(array, valid)
    roof = np.zeros((96, 96), dtype=bool)
    roof[20:50, 25:65] = True
    found = segment.region(pixels, valid, row=35, col=45, tolerance=0.2)
    # A pixel of the border is lost or won by the smoothing.
    assert iou(found, roof) > 0.9
    field = segment.region(pixels, valid, row=5, col=5, tolerance=0.2)
    assert not (field & roof)[22:48, 27:63].any()


def test_a_box_around_an_object_finds_the_object() -> None:
    array, valid = scene(noise=14)
    pixels = segment.stretched(array, valid)
    rows, cols = np.mgrid[:96, :96]
    disc = (rows - 75) ** 2 + (cols - 70) ** 2 < 15**2
    found = segment.inside(pixels, valid, (56, 51, 94, 90))
    assert iou(found, disc) > 0.9


def test_pixels_without_data_are_never_part_of_it() -> None:
    array, valid = scene()
    valid[:, 40:] = False
    # What is no data in float imagery is often NaN.
    pixels = segment.stretched(np.where(valid, array, np.nan).astype(np.float32), valid)
    assert segment.region(pixels, valid, row=30, col=30, tolerance=0.3).sum() > 300
    assert not segment.region(pixels, valid, row=30, col=30, tolerance=0.3)[:, 40:].any()
    assert not segment.inside(pixels, valid, (15, 20, 55, 70))[:, 40:].any()


@pytest.mark.parametrize("bands", [1, 2, 4])
def test_any_number_of_bands_will_do(bands: int) -> None:
    array, valid = scene()
    pixels = segment.stretched(np.concatenate([array, array])[:bands], valid)
    assert segment.region(pixels, valid, row=35, col=45, tolerance=0.25)[35, 45]
    assert segment.inside(pixels, valid, (15, 20, 55, 70)).any()


def test_the_outline_follows_the_mask_within_a_pixel() -> None:
    mask = np.zeros((60, 60), dtype=bool)
    mask[10:40, 12:50] = True
    mask[20:24, 20:24] = False
    mask[55, 55] = True
    found = segment.outline(mask, IDENTITY, row=30, col=30)
    assert found is not None
    assert found.bounds == (12, 10, 50, 40)
    assert abs(found.area - mask[:50].sum()) <= 16, "a hole of 16 pixels is a speck"
    assert segment.outline(np.zeros((5, 5), dtype=bool), IDENTITY, row=2, col=2) is None
