"""Spatial splits: no training chip shares a pixel with a validation chip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.splits import split
from webapp.errors import Invalid
from webapp.raster.windows import Window, grid


def shared(one: Window, other: Window) -> int:
    inside = one.intersection(other)
    return inside.height * inside.width


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(64, 700),
    width=st.integers(64, 700),
    stride=st.sampled_from([16, 32, 48, 64]),
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.1, 0.2, 0.5]),
)
def test_no_pixel_is_on_both_sides(height: int, width: int, stride: int, seed: int, share: float) -> None:
    windows = grid(height, width, 64, stride)
    parted = split(windows, np.ones((len(windows), 1), dtype=np.int64), validation=share, seed=seed)
    train = [window for window, side in zip(windows, parted.sides, strict=True) if side == "train"]
    held = [window for window, side in zip(windows, parted.sides, strict=True) if side == "validation"]
    # The oracle is brute force, every pair.
    assert not any(shared(one, other) for one in train for other in held)
    assert len(parted.sides) == len(windows)


def test_the_share_is_about_what_was_asked_for_and_the_same_for_the_same_seed() -> None:
    windows = grid(2560, 2560, 128, 128)
    counts = np.ones((len(windows), 1), dtype=np.int64)
    one = split(windows, counts, validation=0.2, seed=1)
    assert one.count("validation") / len(windows) == pytest.approx(0.2, abs=0.05)
    assert one.count("dropped") == 0
    assert one == split(windows, counts, validation=0.2, seed=1)
    assert one != split(windows, counts, validation=0.2, seed=2)


def test_a_rare_class_is_on_both_sides_where_it_can_be() -> None:
    windows = grid(1280, 1280, 128, 128)
    counts = np.zeros((len(windows), 2), dtype=np.int64)
    counts[:, 0] = 100
    counts[[5, 88], 1] = 10
    for seed in range(5):
        sides = split(windows, counts, validation=0.2, seed=seed).sides
        assert {sides[5], sides[88]} == {"train", "validation"}


def test_nothing_is_held_out_where_nothing_is_wanted_or_there_is_one_chip() -> None:
    windows = grid(256, 256, 128)
    assert set(split(windows, np.ones((4, 1), dtype=np.int64), validation=0, seed=1).sides) == {"train"}
    assert split(windows[:1], np.ones((1, 1), dtype=np.int64), validation=0.2, seed=1).sides == ("train",)


def test_an_impossible_share_is_refused() -> None:
    with pytest.raises(Invalid):
        split(grid(256, 256, 128), np.ones((4, 1), dtype=np.int64), validation=0.7, seed=1)
