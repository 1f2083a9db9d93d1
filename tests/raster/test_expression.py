"""Band math: what it computes, and what it refuses."""

import numexpr
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.errors import Invalid
from webapp.raster.expression import parse

RNG = np.random.default_rng(3)
BANDS = {number: RNG.uniform(0.5, 4000, (5, 7)).astype(np.float32) for number in (1, 2, 4)}


@pytest.mark.parametrize(
    "text",
    [
        "(b4-b1)/(b4+b1)",
        "b1 + 2 * b2 ** 2 / 3 % 7 - -b4",
        "where((b1 > 2000) & (b2 <= 1500), b1, b2)",
        "sqrt(b1) * log10(b2) + arctan2(b1, b4)",
        "2 ** 3 ** 2 * b1 - 1e2",
        "where(~(b1 > b2) | (b4 != b4), 1, 0) + 0 * b1",
    ],
)
def test_it_computes_what_numexpr_does(text: str) -> None:
    names = {f"b{number}": band.astype(np.float64) for number, band in BANDS.items()}
    expected = numexpr.evaluate(text, local_dict=names)
    found = parse(text).evaluate({number: band.astype(np.float64) for number, band in BANDS.items()})
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)


def test_each_part_between_semicolons_is_a_band_and_only_named_bands_are_read() -> None:
    expression = parse("b4;b2*2;b1>b2;")
    assert expression.bands == (1, 2, 4)
    found = expression.evaluate(BANDS)
    assert (found.shape, found.dtype) == ((3, 5, 7), np.float32)
    np.testing.assert_array_equal(found[2], (BANDS[1] > BANDS[2]).astype(np.float32))


def test_what_is_undefined_is_not_finite_and_warns_nobody() -> None:
    zero = {1: np.zeros((2, 2), np.float32)}
    assert not np.isfinite(parse("b1/b1;1/b1;log(b1-1)").evaluate(zero)).any()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the end stands"),
        ("1+2", "names no band"),
        ("b0", "no band b0"),
        ("b1+", "the end stands at character 4"),
        ("__import__('os')", "character 12"),
        ("open(b1)", "no function 'open'"),
        ("b1.real", "character 3"),
        ("b1<b2<b4", "'<' stands at character 6"),
        ("b1 if b2 else b4", "'if' stands"),
        ("sqrt(b1,b2)", "takes 1 to 1 values"),
        ("(" * 60 + "b1" + ")" * 60, "nested too deeply"),
        ("b1**" * 60 + "b1", "nested too deeply"),
        ("b1" + "+b1" * 160, "too many parts"),
        ("b1" * 300, "too long"),
        (";".join(["b1"] * 9), "9 outputs"),
        ("+".join(f"b{number}" for number in range(1, 18)), "names 17 bands"),
        ("b1\x00", "'\\x00' at character 3"),
        ("b１", "character 2"),
    ],
)
def test_what_it_does_not_know_is_refused_by_its_place(text: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert words in caught.value.message
    assert (caught.value.code, bool(caught.value.fix)) == ("bad_expression", True)


@settings(max_examples=200, deadline=None)
@given(st.text("b1234567890.+-*/%<>=!&|~(),; sqrtminwhere", max_size=60))
def test_any_text_is_an_answer_or_a_refusal(text: str) -> None:
    try:
        expression = parse(text)
    except Invalid:
        return
    found = expression.evaluate({band: np.ones((1, 1), np.float32) for band in expression.bands})
    assert found.shape == (len(expression.outputs), 1, 1)
