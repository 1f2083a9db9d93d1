"""Suppression across seams against a brute-force loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.merge import Detections, best_first, concatenate, owned, suppress
from webapp.raster.windows import Window


def scene(seed: int, count: int, side: float = 100.0, classes: int = 3) -> Detections:
    """Return crowded boxes; scores are coarse, so that many are equal."""
    random = np.random.default_rng(seed)
    corner = random.uniform(0, side, (count, 2))
    size = random.uniform(1, 15, (count, 2))
    scores = (random.integers(1, 20, count) / 20).astype(np.float32)
    return Detections(np.hstack([corner, corner + size]), scores, random.integers(1, classes + 1, count))


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    area = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return float(shared / (area - shared))


def brute_force(found: Detections, max_overlap: float) -> Detections:
    """Return what greedy suppression by definition keeps: each box against all that stay."""
    kept: list[int] = []
    for index in best_first(found):
        rivals = [other for other in kept if found.classes[other] == found.classes[index]]
        if all(iou(found.boxes[index], found.boxes[other]) <= max_overlap for other in rivals):
            kept.append(int(index))
    return found.take(np.array(kept, dtype=np.intp))


def assert_equal(one: Detections, other: Detections) -> None:
    """Compare exactly, order included."""
    np.testing.assert_array_equal(one.boxes, other.boxes)
    np.testing.assert_array_equal(one.scores, other.scores)
    np.testing.assert_array_equal(one.classes, other.classes)


@given(st.integers(0, 2**32 - 1), st.integers(0, 120), st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]))
@settings(max_examples=120, deadline=None)
def test_suppression_keeps_what_brute_force_keeps(seed: int, count: int, max_overlap: float) -> None:
    found = scene(seed, count)
    assert_equal(suppress(found, max_overlap=max_overlap), brute_force(found, max_overlap))


def test_the_order_of_the_input_changes_nothing() -> None:
    found = scene(1, 400)
    shuffled = found.take(np.random.default_rng(2).permutation(400))
    assert_equal(suppress(found, max_overlap=0.3), suppress(shuffled, max_overlap=0.3))


def test_nothing_found_stays_nothing() -> None:
    assert len(suppress(concatenate([]), max_overlap=0.5)) == 0


@given(st.integers(0, 2**32 - 1), st.sampled_from([10, 32, 50]))
@settings(max_examples=40, deadline=None)
def test_each_object_has_one_owner(seed: int, core_px: int) -> None:
    found = scene(seed, 60, side=84.0)
    parts = [
        owned(found, Window(row, col, core_px, core_px))
        for row in range(0, 100, core_px)
        for col in range(0, 100, core_px)
    ]
    assert sum(len(part) for part in parts) == 60


def test_boxes_without_area_are_no_objects() -> None:
    flat = Detections(np.array([[1.0, 1.0, 1.0, 5.0]]), np.ones(1, np.float32), np.ones(1, np.int64))
    assert len(owned(flat, Window(0, 0, 10, 10))) == 0


@pytest.mark.slow
def test_a_hundred_thousand_boxes_of_even_density_take_linear_work() -> None:
    found = scene(3, 100_000, side=5_000.0, classes=2)
    kept = suppress(found, max_overlap=0.5)
    assert 0 < len(kept) < 100_000
