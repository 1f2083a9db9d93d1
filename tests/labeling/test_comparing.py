"""Agreement of two people: against brute force over all assignments, and against the formula on pixels."""

import tracemalloc
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from labeling.comparing import MATCH_IOU, NOTHING, Shape, Tally, compare, kappa, tally

# A grid of 20 x 20 squares around the equator and the prime meridian, where degrees are as good as metres.
SIDE, STEP = 20, 1e-5
CELL = box(0, 0, SIDE * STEP, SIDE * STEP)

boxes = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14), st.integers(1, 6), st.integers(1, 6), st.integers(1, 2)),
    max_size=4,
)


def shapes(name: str, drawn: list[tuple[int, int, int, int, int]]) -> list[Shape]:
    return [
        Shape(f"{name}{i}", box(x * STEP, y * STEP, (x + w) * STEP, (y + h) * STEP), value)
        for i, (x, y, w, h, value) in enumerate(drawn)
    ]


def iou(a: BaseGeometry, b: BaseGeometry) -> float:
    return round(float(a.intersection(b).area / a.union(b).area), 9)


def best_total(a: list[Shape], b: list[Shape]) -> float:
    """Return the largest sum of overlaps of a half or more over every assignment there is."""
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    totals = []
    for chosen in permutations(long, len(short)):
        ious = [iou(one.geometry, other.geometry) for one, other in zip(short, chosen, strict=True)]
        totals.append(sum(value for value in ious if value >= MATCH_IOU))
    return max(totals)


def pixels(drawn: list[tuple[int, int, int, int, int]]) -> np.ndarray:
    """Return the class of each square; the lowest value lies on top."""
    grid = np.full((SIDE, SIDE), NOTHING)
    for x, y, w, h, value in sorted(drawn, key=lambda row: -row[4]):
        grid[y : y + h, x : x + w] = value
    return grid


def kappa_by_pixels(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return scikit-learn's `cohen_kappa_score`, written out: 1 - sum(w * observed) / sum(w * expected)."""
    values = np.unique(np.concatenate([a.ravel(), b.ravel()]))
    table = np.array([[np.sum((a == i) & (b == j)) for j in values] for i in values], dtype=float)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    weights = 1 - np.eye(len(values))
    return None if (weights * expected).sum() == 0 else float(1 - (weights * table).sum() / (weights * expected).sum())


@settings(max_examples=60, deadline=None)
@given(boxes, boxes)
@example([(0, 0, 1, 1, 1)] * 3, [(0, 0, 2, 1, 1)])  # one half exactly
def test_matches_are_the_best_there_are_and_areas_are_the_pixels(
    drawn_a: list[tuple[int, int, int, int, int]], drawn_b: list[tuple[int, int, int, int, int]]
) -> None:
    a, b = shapes("a", drawn_a), shapes("b", drawn_b)
    found = compare(CELL, a, b)
    matched = [pair for pair in found.pairs if pair.iou >= MATCH_IOU]
    # 1e-6: the plane scales both axes, each by its own number.
    assert sum(pair.iou for pair in matched) == pytest.approx(best_total(a, b), abs=1e-6)
    for pair in found.pairs:
        assert pair.iou == pytest.approx(iou(pair.a.geometry, pair.b.geometry), abs=1e-6)
    assert len(found.pairs) + len(found.only_a) == len(a)
    assert len(found.pairs) + len(found.only_b) == len(b)

    grid_a, grid_b = pixels(drawn_a), pixels(drawn_b)
    whole = sum(found.areas.values())
    for (i, j), m2 in found.areas.items():
        share = np.mean((grid_a == i) & (grid_b == j))
        assert m2 / whole == pytest.approx(share, abs=1e-6)
    expected = kappa_by_pixels(grid_a, grid_b)
    got = kappa(found.areas)
    assert (got is None) == (expected is None)
    assert got is None or got == pytest.approx(expected, abs=1e-6)


def test_figures_of_a_place_counted_by_hand() -> None:
    a = shapes("a", [(0, 0, 4, 4, 1), (10, 10, 4, 4, 1), (0, 10, 4, 4, 2)])
    # The same; moved by one (IoU 12/20); another class; and one that a has not.
    b = shapes("b", [(0, 0, 4, 4, 1), (11, 10, 4, 4, 1), (0, 10, 4, 4, 1), (16, 0, 2, 2, 2)])
    found = compare(CELL, a, b)
    assert [(pair.a.id, pair.b.id, round(pair.iou, 6)) for pair in found.pairs] == [
        ("a0", "b0", 1),
        ("a1", "b1", 0.6),
        ("a2", "b2", 1),
    ]
    assert [one.id for one in found.only_b] == ["b3"]
    figures = tally(found).figures()
    assert (figures["a"], figures["b"], figures["both"]) == (3, 4, 2)
    assert figures["f1"] == pytest.approx(4 / 7)
    assert figures["iou"] == pytest.approx(0.8, abs=1e-6)
    assert (figures["recall"], figures["precision"]) == (pytest.approx(2 / 3), pytest.approx(0.5))
    trees, houses = figures["classes"]
    assert (trees["a"], trees["b"], trees["both"], trees["f1"]) == (2, 3, 2, pytest.approx(0.8))
    assert (houses["f1"], houses["iou"]) == (0, None)
    # Trees against all else, of 400 squares: both 28, only a 4, only b 20.
    observed, expected = 376 / 400, (32 * 48 + 368 * 352) / 400**2
    assert trees["kappa"] == pytest.approx((observed - expected) / (1 - expected), abs=1e-6)


def test_counts_add_up_over_tasks_and_survive_storage() -> None:
    one = tally(compare(CELL, shapes("a", [(0, 0, 4, 4, 1)]), shapes("b", [(0, 0, 4, 4, 1)])))
    two = tally(compare(CELL, shapes("c", [(0, 0, 4, 4, 1)]), []))
    total = Tally()
    for part in (one, two):
        total.add(Tally.from_json(part.as_json()))
    figures = total.figures()
    assert (figures["a"], figures["b"], figures["f1"]) == (2, 1, pytest.approx(2 / 3))
    # 16 of 800 squares in both, 16 in one only.
    observed, expected = 784 / 800, (32 * 16 + 768 * 784) / 800**2
    assert figures["kappa"] == pytest.approx((observed - expected) / (1 - expected), abs=1e-6)


def test_little_overlap_is_one_object_to_show_and_two_to_count() -> None:
    found = compare(CELL, shapes("a", [(0, 0, 4, 4, 1)]), shapes("b", [(2, 0, 4, 4, 1)]))
    assert [round(pair.iou, 3) for pair in found.pairs] == [0.333]
    assert tally(found).figures()["f1"] == 0


def test_what_lies_mostly_in_a_neighbouring_cell_is_not_held_against_anybody() -> None:
    outside = Shape("a0", box(-8 * STEP, 0, 2 * STEP, 4 * STEP), 1)
    found = compare(CELL, [outside], [])
    assert found.border == {"a0"}
    figures = tally(found).figures()
    assert (figures["a"], figures["f1"]) == (0, None)


def test_points_are_compared_as_discs_of_two_metres() -> None:
    here, near, far = (Shape(name, Point(x * STEP, 5 * STEP), 1) for name, x in (("a", 5), ("b", 5.5), ("c", 15)))
    # 1e-5 degrees are 1.11 m: discs of 2 m whose centres are 0.56 m apart overlap by more than half.
    assert [pair.iou > MATCH_IOU for pair in compare(CELL, [here], [near]).pairs] == [True]
    assert compare(CELL, [here], [far]).pairs == []


def test_nobody_drew_anything() -> None:
    figures = tally(compare(CELL, [], [])).figures()
    assert (figures["f1"], figures["iou"], figures["kappa"], figures["classes"]) == (None, None, None, [])


def test_thousands_of_samples_are_matched_in_groups_that_hang_together() -> None:
    """One table of 4,000 by 4,000 would take 128 MB and most of a minute."""
    side = 64
    cell = box(0, 0, side * 10 * STEP, side * 10 * STEP)

    def crowns(name: str, moved: float) -> list[Shape]:
        corners = [(x * 10 * STEP, y * 10 * STEP) for x in range(side) for y in range(side)]
        return [
            Shape(f"{name}{i}", box(x + moved, y, x + moved + 6 * STEP, y + 6 * STEP), 1)
            for i, (x, y) in enumerate(corners)
        ]

    tracemalloc.start()
    found = compare(cell, crowns("a", 0), crowns("b", STEP))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [pair.a.id[1:] for pair in found.pairs] == [pair.b.id[1:] for pair in found.pairs]
    assert (len(found.pairs), found.only_a, found.only_b) == (side * side, [], [])
    assert most < 64e6
