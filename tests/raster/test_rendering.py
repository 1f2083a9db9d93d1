"""The rendering words: what they parse to, what they refuse, and how they are filled up."""

import pytest

from webapp.raster.rendering import BadRendering, Defaults, Rendering

STATISTICS = tuple(
    {"min": 0.0, "max": 100.0 * n, "mean": 50.0 * n, "std": 10.0 * n, "p2": 5.0 * n, "p98": 90.0 * n}
    for n in (1, 2, 3, 4)
)
U16 = Defaults((3, 2, 1), ((0.0, 30.0), (0.0, 20.0), (0.0, 10.0)), 4, "uint16", STATISTICS)
U8 = Defaults((1, 2, 3), None, 3, "uint8", STATISTICS[:3])


@pytest.mark.parametrize(
    "query",
    [
        {},
        {
            "bidx": ["3", "2", "1"],
            "rescale": ["0,3000"],
            "color_formula": ["gamma RGB 1.8"],
            "resampling": ["bilinear"],
        },
        {"expression": ["(b4-b3)/(b4+b3)"], "rescale": ["-1,1"], "colormap_name": ["rdylgn"], "nodata": ["nan"]},
        {
            "bidx": ["1"],
            "algorithm": ["hillshade"],
            "algorithm_params": ['{"azimuth": 45.0}'],
            "return_mask": ["false"],
        },
        {"bidx": ["1"], "colormap": ['{"1": [255, 0, 0, 255], "2": [0, 0, 255, 128]}'], "nodata": ["0"]},
        {"stretch": ["percentile,5,95"]},
    ],
)
def test_words_and_rendering_turn_into_each_other(query: dict[str, list[str]]) -> None:
    rendering = Rendering.parse(query)
    assert rendering.words() == query
    assert Rendering.parse(rendering.words()).digest == rendering.digest
    assert rendering.plain == (not query)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"format": ["png"]}, "format"),
        ({"bidx": ["0"]}, "bidx"),
        ({"bidx": ["x"]}, "bidx"),
        ({"bidx": ["1"] * 20}, "bidx"),
        ({"bidx": ["1", "2", "3", "4", "5"]}, "bidx"),
        ({"bidx": ["1"], "expression": ["b1"]}, "bidx"),
        ({"expression": ["exec(b1)"]}, "expression"),
        ({"rescale": ["1"]}, "rescale"),
        ({"rescale": ["1,1"]}, "rescale"),
        ({"rescale": ["nan,1"]}, "rescale"),
        ({"rescale": ["0,1", "0,2"], "bidx": ["1", "2", "3"]}, "rescale"),
        ({"rescale": ["0,1"], "stretch": ["minmax"]}, "stretch"),
        ({"stretch": ["percentile,98,2"]}, "stretch"),
        ({"colormap_name": ["nosuch"]}, "colormap_name"),
        ({"colormap_name": ["../../etc/passwd"]}, "colormap_name"),
        ({"colormap_name": ["viridis"], "bidx": ["1", "2", "3"]}, "colormap_name"),
        ({"colormap": ['{"300": "#ff0000"}']}, "colormap"),
        ({"colormap": ["[" * 5000]}, "colormap"),
        ({"color_formula": ["gamma RGB 99"]}, "color_formula"),
        ({"color_formula": ["import os"]}, "color_formula"),
        ({"nodata": ["inf"]}, "nodata"),
        ({"resampling": ["lanczos"]}, "resampling"),
        ({"algorithm": ["rm"]}, "algorithm"),
        ({"algorithm": ["hillshade"], "bidx": ["1", "2"]}, "algorithm"),
        ({"algorithm": ["hillshade"], "algorithm_params": ['{"azimuth": 999}']}, "algorithm_params"),
        ({"algorithm": ["hillshade"], "algorithm_params": ['{"azimuth": "1"}']}, "algorithm_params"),
        ({"algorithm_params": ["{}x"]}, "algorithm_params"),
    ],
)
def test_a_bad_word_is_named(query: dict[str, list[str]], word: str) -> None:
    with pytest.raises(BadRendering) as caught:
        Rendering.parse(query)
    error = caught.value
    assert (error.details["word"], bool(error.message), bool(error.fix)) == (word, True, True)


def test_what_is_left_out_comes_from_the_layer() -> None:
    assert Rendering().filled(U8) == Rendering(bidx=(1, 2, 3))
    assert Rendering().filled(U16) == Rendering(bidx=(3, 2, 1), rescale=((0, 30), (0, 20), (0, 10)))
    assert Rendering(bidx=(4,)).filled(U16).rescale == ((20.0, 360.0),)
    assert Rendering(bidx=(2,), stretch="minmax").filled(U16).rescale == ((0.0, 200.0),)
    assert Rendering(stretch="stddev").filled(U8).rescale == ((30.0, 70.0), (60.0, 140.0), (90.0, 210.0))
    assert Rendering(colormap_name="viridis").filled(U16).bidx == (3,)
    assert Rendering(algorithm="hillshade").filled(U16) == Rendering(algorithm="hillshade", bidx=(1,))
    assert Rendering(expression="b1;b2").filled(U8).rescale == ()


@pytest.mark.parametrize(
    ("rendering", "word"),
    [
        (Rendering(bidx=(5,)), "bidx"),
        (Rendering(expression="b9", rescale=((0, 1),)), "expression"),
        (Rendering(expression="(b1-b2)/(b1+b2)"), "rescale"),
        (Rendering(expression="b1", stretch="minmax"), "stretch"),
    ],
)
def test_what_nobody_can_know_is_asked_for(rendering: Rendering, word: str) -> None:
    with pytest.raises(BadRendering) as caught:
        rendering.filled(U16)
    assert caught.value.details["word"] == word
