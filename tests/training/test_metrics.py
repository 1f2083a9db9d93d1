"""Metrics against brute force."""

import numpy as np
import pytest
import torch

from training.metrics import ObjectScores, PixelScores, Truth, hits, ious
from training.networks import IGNORE, Objects


def test_pixel_scores_are_those_of_a_loop_over_pixels() -> None:
    generator = np.random.default_rng(0)
    said, truth = generator.integers(0, 3, (2, 4, 20, 20))
    truth[:, :5] = IGNORE
    scores = PixelScores(["a", "b"])
    for one, other in zip(said, truth, strict=True):
        scores.add(torch.from_numpy(one[None]), torch.from_numpy(other[None]))
    result = scores.result()
    known = truth != IGNORE
    for index, entry in enumerate(result["per_class"], start=1):
        both = ((said == index) & (truth == index) & known).sum()
        either = (((said == index) | (truth == index)) & known).sum()
        assert entry["iou"] == pytest.approx(both / either)
        assert entry["pixels"] == ((truth == index) & known).sum()
    assert result["accuracy"] == pytest.approx((said == truth)[known].mean())
    assert result["iou"] == pytest.approx(np.mean([entry["iou"] for entry in result["per_class"]]))


def test_a_class_that_does_not_occur_does_not_count() -> None:
    scores = PixelScores(["here", "absent"])
    scores.add(torch.ones(1, 4, 4, dtype=torch.int64), torch.ones(1, 4, 4, dtype=torch.int64))
    assert scores.result()["iou"] == 1.0


def found(*rows: tuple[float, float, float, float, float, int]) -> Objects:
    values = np.array(rows, dtype=np.float32).reshape(-1, 6)
    return Objects(values[:, :4], values[:, 4], values[:, 5].astype(np.int64))


def real(*rows: tuple[float, float, float, float, int]) -> Truth:
    values = np.array(rows, dtype=np.float32).reshape(-1, 5)
    return Truth(values[:, :4], values[:, 4].astype(np.int64))


def test_perfect_detection_scores_one_and_says_where_to_cut() -> None:
    scores = ObjectScores(["a", "b"])
    scores.add(found((0, 0, 10, 10, 0.9, 0), (20, 20, 30, 30, 0.8, 1)), real((0, 0, 10, 10, 0), (20, 20, 30, 30, 1)))
    result = scores.result()
    assert (result["ap50"], result["f1"]) == (pytest.approx(1), pytest.approx(1))
    assert result["threshold"] == pytest.approx(0.8)


def test_a_second_box_on_one_object_is_wrong_and_so_is_the_wrong_class() -> None:
    truth = real((0, 0, 10, 10, 0))
    assert hits(found((0, 0, 10, 10, 0.5, 0), (0, 0, 10, 9, 0.9, 0)), truth).tolist() == [False, True]
    assert hits(found((0, 0, 10, 10, 0.5, 1)), truth).tolist() == [False]
    assert hits(found((0, 0, 10, 10, 0.5, 0)), real()).tolist() == [False]


def test_average_precision_is_the_area_under_precision_and_recall() -> None:
    scores = ObjectScores(["a"])
    scores.add(
        found((0, 0, 10, 10, 0.9, 0), (50, 50, 60, 60, 0.8, 0), (20, 20, 30, 30, 0.7, 0)),
        real((0, 0, 10, 10, 0), (20, 20, 30, 30, 0)),
    )
    # Precision 1 up to recall 0.5, then 2/3: COCO asks at 101 recalls, 51 of them up to 0.5.
    assert scores.result()["ap50"] == pytest.approx((51 + 50 * 2 / 3) / 101, abs=1e-3)


def test_nothing_found_or_nothing_there_scores_zero() -> None:
    empty = ObjectScores(["a"])
    empty.add(found(), real((0, 0, 10, 10, 0)))
    assert (empty.result()["ap50"], empty.result()["recall"]) == (0.0, 0.0)
    nothing = ObjectScores(["a"])
    nothing.add(found((0, 0, 10, 10, 0.9, 0)), real())
    assert nothing.result()["ap50"] == 0.0


def test_overlaps_are_those_of_areas() -> None:
    one, other = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 10], [20, 20, 30, 30], [0, 0, 10, 10]])
    assert ious(one, other)[0].tolist() == pytest.approx([50 / 150, 0, 1])
