"""The demo's score, against areas that can be counted by hand."""

import pytest
import shapely

from webapp.demo.score import Measured, Score, areas, score, sentence


def test_a_half_found_square_has_half_the_overlap() -> None:
    extent = shapely.box(0, 0, 10, 10)
    result = score([shapely.box(0, 0, 2, 1)], [shapely.box(0, 0, 2, 2)], extent)
    assert (result.iou, result.precision, result.recall) == (0.5, 1.0, 0.5)
    assert result.chance_iou == pytest.approx(0.04)


def test_what_lies_outside_the_extent_counts_for_neither() -> None:
    extent = shapely.box(0, 0, 10, 10)
    inside = shapely.box(1, 1, 2, 2)
    result = score([inside, shapely.box(20, 0, 30, 10)], [inside, shapely.box(-9, 0, -1, 10)], extent)
    assert result.iou == 1.0


def test_overlapping_labels_count_once() -> None:
    extent = shapely.box(0, 0, 10, 10)
    result = score([shapely.box(0, 0, 3, 1)], [shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)], extent)
    assert result.iou == 1.0


def test_nothing_found_is_a_score_of_zero_and_no_error() -> None:
    result = score([], [shapely.box(0, 0, 1, 1)], shapely.box(0, 0, 10, 10))
    assert (result.iou, result.precision, result.recall) == (0.0, 0.0, 0.0)


def test_areas_are_measured_in_metres() -> None:
    square = shapely.geometry.mapping(shapely.box(-111.0, 44.9, -110.999, 44.901))
    (found,) = areas({"features": [{"geometry": square}, {"geometry": None}]}, 32612)
    # A thousandth of a degree: 111.2 m north by 79.0 m east at this latitude (0.5 % for the ellipsoid).
    assert found.area == pytest.approx(111.2 * 79.0, rel=0.005)


def test_both_scores_are_said_and_one_below_chance_is_called_useless() -> None:
    good, bad = Score(0.55, 0.67, 0.76, 0.25), Score(0.31, 0.76, 0.35, 0.38)
    told = sentence(Measured(good, 209), Measured(bad, 279), "The other")
    for part in (
        "0.55 against 209 labels",
        "0.25",
        "“The other”",
        "0.31 against 279 labels",
        "0.38",
        "of no use there",
    ):
        assert part in told
    assert "of no use" not in sentence(Measured(good, 209), Measured(good, 279), "The other")
