"""How a layer is drawn on a map: the words of a style, and what they may hold.

A style of features: `{by, colour, field, ramp, breaks, colours, fill, line, symbol, radius, label, label_size,
filter}`. A style of imagery: `{rendering}`, the name of a saved one, or `{words}`. `{}` is the layer's own look.
"""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from webapp.errors import Invalid
from webapp.features.models import FeatureLayer
from webapp.imagery import renderings
from webapp.imagery.models import ImageryLayer

MAX_STYLE_BYTES = 20_000
MOST_STEPS = 12
MOST_CONDITIONS = 20
MOST_VALUES = 200
SYMBOLS = ("circle", "square", "triangle", "diamond", "cross")
# What every feature has beside the fields of its layer.
OWN_FIELDS = ("score", "area_m2")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

Style = dict[str, Any]


def checked(style: Mapping[str, Any], layer: ImageryLayer | FeatureLayer) -> Style:
    """Return the style as it is kept.

    Raises:
        Invalid: a word that is not understood, a value out of range, or more than 20,000 characters.
        BadRendering: rendering words that do not fit the imagery.
        NotFound: the imagery has no saved rendering of that name.
    """
    if len(repr(style)) > MAX_STYLE_BYTES:
        raise Invalid("The style is too long.", fix=f"Keep it under {MAX_STYLE_BYTES} characters.")
    return _imagery(style, layer) if isinstance(layer, ImageryLayer) else _features(style)


def _imagery(style: Mapping[str, Any], layer: ImageryLayer) -> Style:
    _known(style, ("rendering", "words"))
    if style.get("rendering"):
        return {"rendering": renderings.rendering(layer, str(style["rendering"])).name}
    if style.get("words"):
        return {"words": renderings.checked_words(layer, style["words"])}
    return {}


def _features(style: Mapping[str, Any]) -> Style:
    _known(style, tuple(_FEATURE_WORDS))
    kept = {word: _FEATURE_WORDS[word](word, value) for word, value in style.items() if value is not None}
    steps, breaks = kept.get("colours", ()), kept.get("breaks", ())
    if kept.get("by") == "graduated" and not (kept.get("field") and steps and len(steps) == len(breaks) + 1):
        raise _bad("breaks", "one colour more than breaks, and a field")
    return kept


def _known(style: Mapping[str, Any], words: Sequence[str]) -> None:
    unknown = [word for word in style if word not in words]
    if unknown:
        raise Invalid(f"'{str(unknown[0])[:40]}' is no word of this style.", fix=f"Use {', '.join(words)}.")


def _bad(word: str, wanted: str) -> Invalid:
    return Invalid(f'The style\'s "{word}" cannot be used.', fix=f"Send {wanted}.", code="bad_style")


def _colour(word: str, value: Any) -> str:
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise _bad(word, "a colour as #1b9e77")
    return value.lower()


def _text(word: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 100:
        raise _bad(word, "up to 100 characters")
    return value


def _number(word: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _bad(word, "a number")
    return value


def _within(low: float, high: float) -> Any:
    def check(word: str, value: Any) -> float:
        if not low <= _number(word, value) <= high:
            raise _bad(word, f"{low:g} to {high:g}")
        return float(value)

    return check


def _one_of(allowed: Sequence[str]) -> Any:
    def check(word: str, value: Any) -> str:
        if value not in allowed:
            raise _bad(word, f"one of {', '.join(allowed)}")
        return str(value)

    return check


def _list(word: str, value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise _bad(word, f"a list of at most {most}")
    return value


def _colours(word: str, value: Any) -> list[str]:
    return [_colour(word, item) for item in _list(word, value, MOST_STEPS)]


def _breaks(word: str, value: Any) -> list[float]:
    found = [_number(word, item) for item in _list(word, value, MOST_STEPS - 1)]
    if any(after <= before for before, after in itertools.pairwise(found)):
        raise _bad(word, "numbers that rise")
    return found


def _range(word: str, value: Any) -> list[float | None]:
    found = _list(word, value, 2)
    if len(found) != 2:
        raise _bad(word, "[from, to], null for an open end")
    return [None if item is None else _number(word, item) for item in found]


def _filter(word: str, value: Any) -> Style:
    if not isinstance(value, dict):
        raise _bad(word, "{hidden, score, fields}")
    _known(value, ("hidden", "score", "fields"))
    kept: Style = {}
    if value.get("hidden"):
        kept["hidden"] = sorted(
            {int(_within(-1, 65_535)("hidden", item)) for item in _list("hidden", value["hidden"], 500)}
        )
    if value.get("score"):
        kept["score"] = _range("score", value["score"])
    if value.get("fields"):
        kept["fields"] = [_condition(item) for item in _list("fields", value["fields"], MOST_CONDITIONS)]
    return kept


def _condition(item: Any) -> Style:
    """Return `{field, range}` or `{field, values}`: features in the range, or of these values, are shown."""
    if not isinstance(item, dict) or not item.get("field"):
        raise _bad("fields", "[{field, range}] or [{field, values}]")
    _known(item, ("field", "range", "values"))
    kept: Style = {"field": _text("field", item["field"])}
    if "range" in item:
        return {**kept, "range": _range("range", item["range"])}
    values = _list("values", item.get("values"), MOST_VALUES)
    if not all(isinstance(value, str | int | float | bool) and len(str(value)) <= 500 for value in values):
        raise _bad("values", "texts, numbers, true or false")
    return {**kept, "values": values}


_FEATURE_WORDS: dict[str, Any] = {
    "by": _one_of(("class", "single", "graduated")),
    "colour": _colour,
    "field": _text,
    "ramp": _text,
    "method": _one_of(("equal", "quantile", "by_hand")),
    "breaks": _breaks,
    "colours": _colours,
    "fill": _within(0, 1),
    "line": _within(0, 20),
    "symbol": _one_of(SYMBOLS),
    "radius": _within(1, 40),
    "label": _text,
    "label_size": _within(8, 40),
    "filter": _filter,
}
