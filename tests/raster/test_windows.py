"""Windows and grids, against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.raster.windows import Window, grid, inside_span

sizes = st.integers(1, 60)


@given(height=sizes, width=sizes, size=st.integers(1, 25), stride=st.integers(1, 25))
def test_a_grid_covers_every_pixel_with_windows_that_lie_inside(
    height: int, width: int, size: int, stride: int
) -> None:
    stride = min(stride, size)
    seen = np.zeros((height, width), dtype=int)
    for window in grid(height, width, size, stride):
        assert window == window.clip(height, width)
        assert (window.height, window.width) == (min(size, height), min(size, width))
        seen[window.slices()] += 1
    assert seen.min() >= 1


@given(height=sizes, width=sizes, size=st.integers(1, 25))
def test_a_grid_is_row_major_and_names_no_window_twice(height: int, width: int, size: int) -> None:
    windows = grid(height, width, size)
    places = [(window.row, window.col) for window in windows]
    assert places == sorted(set(places))


def test_the_last_windows_are_shifted_back_inside() -> None:
    assert grid(10, 25, 10) == [Window(0, 0, 10, 10), Window(0, 10, 10, 10), Window(0, 15, 10, 10)]


def test_grow_clip_and_intersection_agree_with_sets_of_pixels() -> None:
    window = Window(2, 3, 4, 5)
    assert window.grow(2) == Window(0, 1, 8, 9)
    assert window.grow(4).clip(7, 9) == Window(0, 0, 7, 9)
    assert window.intersection(Window(4, 0, 10, 5)) == Window(4, 3, 2, 2)
    assert window.intersection(Window(20, 20, 5, 5)).empty


@pytest.mark.parametrize("arguments", [(0, 5, 5, 5), (5, 5, 0, None), (5, 5, 5, 0), (50, 50, 5, 6)])
def test_a_grid_with_gaps_or_without_size_is_refused(arguments: tuple[int, int, int, int | None]) -> None:
    with pytest.raises(ValueError):
        grid(*arguments)


@given(
    start=st.integers(-50, 50),
    length=st.integers(1, 80),
    raster=st.integers(1, 60),
    out=st.integers(1, 120),
)
def test_every_pixel_of_a_window_lies_where_the_scale_puts_it_and_only_what_the_edge_cuts_is_smaller(
    start: int, length: int, raster: int, out: int
) -> None:
    scale, found = length / out, inside_span(start, length, raster, out)
    centres = [start + (pixel + 0.5) * scale for pixel in range(out)]
    within = [pixel for pixel, centre in enumerate(centres) if 1e-6 < centre < raster - 1e-6]
    if found is None:
        assert within == []
        return
    assert found.before + sum(span.out for span in found.spans) + found.after == out
    pixel = found.before
    for span in found.spans:
        assert span.start >= 0
        assert span.start + span.length <= raster + 1e-9
        west, east = start + pixel * scale, start + (pixel + span.out) * scale
        if (west < -1e-6 or east > raster + 1e-6) and span.out == 1:
            west, east = max(0, west), min(raster, east)
        assert (span.start, span.start + span.length) == pytest.approx((west, east), abs=1e-4)
        pixel += span.out
    assert found.before <= min(within, default=found.before)
    assert pixel > max(within, default=-1)
