"""The words that say how bands become a picture; TiTiler's, so that its users can paste their addresses.

A rendering knows no file and no layer: it is parsed from a query, stored under a name, filled up with a layer's own
bands and stretch, and then drawn by `webapp.raster.picture`.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Self

from webapp.errors import Invalid
from webapp.raster import colours, expression
from webapp.raster.algorithms import ALGORITHMS
from webapp.raster.canvas import RESAMPLINGS
from webapp.raster.stretches import Range, check_stretch, ranges_of

MAX_BIDX = 16
WORDS = (
    "bidx",
    "expression",
    "rescale",
    "stretch",
    "colormap_name",
    "colormap",
    "color_formula",
    "nodata",
    "resampling",
    "algorithm",
    "algorithm_params",
    "return_mask",
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


class BadRendering(Invalid):
    """A rendering word, or its value, is not understood; `details` holds `word` and, where they can be counted,
    `allowed`."""

    code = "bad_rendering"


def _bad(word: str, message: str, fix: str, allowed: Sequence[str] = ()) -> BadRendering:
    return BadRendering(message, fix=fix, details={"word": word, **({"allowed": list(allowed)} if allowed else {})})


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a layer says about its own pictures, for words that a rendering leaves out.

    Attributes:
        bands: one or three 1-based bands.
        stretch: (low, high) of each of these; None: 8-bit values as they are.
        count: bands of the raster.
        dtype: of its pixels.
        statistics: `{min, max, mean, std, p2, p98, histogram?}` a band, in band order; may be empty.
    """

    bands: tuple[int, ...]
    stretch: tuple[Range, ...] | None
    count: int
    dtype: str
    statistics: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Rendering:
    """How bands become a picture. Without any word: as the layer is shown.

    Attributes:
        bidx: 1-based bands, in order; empty: the layer's own.
        expression: band math instead of bands; see `webapp.raster.expression`.
        rescale: (low, high) drawn as 0 and 255, one for all bands or one a band.
        stretch: where rescale is taken from instead: "minmax", "percentile[,low,high]" or "stddev[,times]".
        colormap_name: colours of a single band.
        colormap: colours of single values, (value 0 to 255, (red, green, blue, alpha)), instead.
        color_formula: corrections, such as "gamma RGB 1.8".
        nodata: value of pixels without data.
        resampling: "nearest", "bilinear", "cubic" or "average".
        algorithm: name in `webapp.raster.algorithms`.
        algorithm_params: its numbers, sorted by name.
        return_mask: False: what has no data is not transparent.
    """

    bidx: tuple[int, ...] = ()
    expression: str = ""
    rescale: tuple[Range, ...] = ()
    stretch: str = ""
    colormap_name: str = ""
    colormap: tuple[tuple[int, tuple[int, int, int, int]], ...] = ()
    color_formula: str = ""
    nodata: float | None = None
    resampling: str = "nearest"
    algorithm: str = ""
    algorithm_params: tuple[tuple[str, float], ...] = ()
    return_mask: bool = True

    @classmethod
    def parse(cls, query: Mapping[str, Sequence[str]]) -> Self:
        """Return the rendering that query words ask for.

        Args:
            query: word -> its values, as `urllib.parse.parse_qs` gives them; rendering words only.

        Raises:
            BadRendering: a word or value that is not understood; the message names it and what is allowed.
        """
        values: dict[str, Any] = {}
        for word, given in query.items():
            if word not in _PARSERS:
                raise _bad(word, f"'{word[:40]}' is no rendering word.", f"Use {', '.join(WORDS)}.", WORDS)
            kept = [text.strip() for text in given if text.strip()]
            if kept:
                values[word] = _PARSERS[word](kept)
        found = cls(**values)
        found._check_together()
        return found

    def words(self) -> dict[str, list[str]]:
        """Return the query words of this rendering, those that differ from none at all; `parse` reads them back."""
        found: dict[str, list[str]] = {}
        if self.bidx:
            found["bidx"] = [str(band) for band in self.bidx]
        if self.rescale:
            found["rescale"] = [f"{low:.10g},{high:.10g}" for low, high in self.rescale]
        for word in ("expression", "stretch", "colormap_name", "color_formula", "algorithm"):
            if getattr(self, word):
                found[word] = [getattr(self, word)]
        if self.colormap:
            found["colormap"] = [json.dumps({str(value): list(rgba) for value, rgba in self.colormap})]
        if self.nodata is not None:
            found["nodata"] = ["nan" if math.isnan(self.nodata) else f"{self.nodata:.17g}"]
        if self.resampling != "nearest":
            found["resampling"] = [self.resampling]
        if self.algorithm_params:
            found["algorithm_params"] = [json.dumps(dict(self.algorithm_params))]
        if not self.return_mask:
            found["return_mask"] = ["false"]
        return found

    @property
    def plain(self) -> bool:
        """True where nothing is asked for: the layer's own look."""
        return self == _PLAIN

    @property
    def digest(self) -> str:
        """Twelve hex digits that differ where the pictures may; equal in every process."""
        return _digest(self)

    def filled(self, defaults: Defaults) -> "Rendering":
        """Return the rendering with the layer's own bands and stretch where it leaves them out.

        Raises:
            BadRendering: bands that the layer does not have, or values that nobody said how to draw.
        """
        for band in self.wanted_bands:
            if band > defaults.count:
                word = "expression" if self.expression else "bidx"
                raise _bad(
                    word,
                    f"There is no band {band}: the imagery has {defaults.count}.",
                    f"Choose bands 1 to {defaults.count}.",
                )
        whole = self if self.wanted_bands else replace(self, bidx=self._own_bands(defaults))
        if whole.rescale or (whole.algorithm and not whole.stretch):
            return whole
        return replace(whole, rescale=whole._ranges(defaults), stretch="")

    @property
    def wanted_bands(self) -> tuple[int, ...]:
        """The 1-based bands that it reads, each once; empty: the layer's own."""
        if self.expression:
            return expression.parse(self.expression).bands
        return tuple(sorted(set(self.bidx)))

    @property
    def outputs(self) -> int:
        """Bands that come of bands or expression, before an algorithm."""
        return len(expression.parse(self.expression).outputs) if self.expression else len(self.bidx)

    def _own_bands(self, defaults: Defaults) -> tuple[int, ...]:
        if self.algorithm:
            return tuple(range(1, ALGORITHMS[self.algorithm].bands + 1))
        return defaults.bands[:1] if self.colormap_name or self.colormap else defaults.bands

    def _ranges(self, defaults: Defaults) -> tuple[Range, ...]:
        if self.expression:
            if self.stretch:
                raise _bad(
                    "stretch",
                    "The stored statistics are those of bands, not of an expression.",
                    "Give rescale=low,high; …/stretch finds them from the view.",
                )
            if set(self.expression) <= set("bB0123456789; ") and defaults.dtype == "uint8":
                return ()
            raise _bad(
                "rescale",
                "Band math gives numbers of any size.",
                "Say which are drawn black and white: rescale=-1,1 for a normalised difference.",
            )
        if not self.stretch:
            if self.colormap or (defaults.dtype == "uint8" and defaults.stretch is None):
                return ()
            if self.bidx == defaults.bands and defaults.stretch:
                return defaults.stretch
        if not defaults.statistics or "min" not in defaults.statistics[0]:
            if defaults.dtype == "uint8":
                return ()
            raise _bad("rescale", "The imagery has no statistics to stretch by.", "Give rescale=low,high.")
        chosen = [defaults.statistics[band - 1] for band in self.bidx]
        return ranges_of(self.stretch or "percentile", chosen)

    def _check_together(self) -> None:
        if self.bidx and self.expression:
            raise _bad("bidx", "bidx and expression are both given.", "Leave one of them out.")
        if self.rescale and self.stretch:
            raise _bad("stretch", "rescale and stretch are both given.", "Leave one of them out.")
        if self.colormap_name and self.colormap:
            raise _bad("colormap", "colormap and colormap_name are both given.", "Leave one of them out.")
        if self.algorithm_params and not self.algorithm:
            raise _bad("algorithm_params", "algorithm_params has no algorithm.", "Name an algorithm.", list(ALGORITHMS))
        if self.algorithm:
            kind = ALGORITHMS[self.algorithm]
            try:
                kind.check(dict(self.algorithm_params))
            except Invalid as error:
                raise _bad("algorithm_params", error.message, error.fix, list(kind.parameters)) from error
            if self.outputs and self.outputs != kind.bands:
                raise _bad(
                    "algorithm",
                    f"{self.algorithm} takes {kind.bands} bands, not {self.outputs}.",
                    "Choose them with bidx or expression.",
                )
        count = ALGORITHMS[self.algorithm].outputs if self.algorithm else self.outputs
        if len(self.rescale) > 1 and count and len(self.rescale) != count:
            raise _bad(
                "rescale", f"{len(self.rescale)} ranges for {count} bands.", "Give one for all, or one for each band."
            )
        if (self.colormap_name or self.colormap) and count > 1:
            raise _bad("colormap_name", f"Colours of a map are for one band, not {count}.", "Choose one band.")
        if count > 4:
            raise _bad("bidx", f"A picture has one, three or four bands, not {count}.", "Choose one or three.")


def _bidx(given: list[str]) -> tuple[int, ...]:
    parts = [part.strip() for text in given for part in text.split(",")]
    if len(parts) > MAX_BIDX or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise _bad("bidx", f"bidx is '{','.join(parts)[:60]}'.", "Give band numbers, as bidx=3&bidx=2&bidx=1.")
    if any(int(part) < 1 for part in parts):
        raise _bad("bidx", "There is no band 0.", "Bands are counted from 1.")
    return tuple(int(part) for part in parts)


def _expression(given: list[str]) -> str:
    text = ";".join(part.rstrip(";") for part in given)
    try:
        expression.parse(text)
    except Invalid as error:
        raise _bad("expression", error.message, error.fix) from error
    return text


def _rescale(given: list[str]) -> tuple[Range, ...]:
    numbers: list[float] = []
    for text in given:
        parts = [part.strip() for part in text.split(",")]
        if len(parts) % 2 or not all(_NUMBER.fullmatch(part) for part in parts):
            raise _bad("rescale", f"rescale is '{text[:60]}'.", "Write it as rescale=0,3000, one for all or each band.")
        numbers += [float(part) for part in parts]
    found = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    for low, high in found:
        if not (math.isfinite(low) and math.isfinite(high)) or low == high:
            raise _bad("rescale", f"The range {low:g} to {high:g} is empty.", "Give two different numbers.")
    return found


def _stretch(given: list[str]) -> str:
    try:
        return check_stretch(given[-1])
    except Invalid as error:
        raise _bad("stretch", error.message, error.fix, ("minmax", "percentile", "stddev")) from error


def _colormap_name(given: list[str]) -> str:
    name = given[-1].lower()
    if name not in colours.colormap_names():
        raise _bad(
            "colormap_name",
            f"There is no colour map '{name[:40]}'.",
            "Choose one of details.allowed, such as viridis, rdylgn or terrain.",
            colours.colormap_names(),
        )
    return name


def _colormap(given: list[str]) -> tuple[tuple[int, tuple[int, int, int, int]], ...]:
    wrong = _bad("colormap", "colormap is no list of colours.", 'Write it as {"1": "#ff0000", "2": [0, 0, 255, 255]}.')
    try:
        found = json.loads(given[-1])
    except (ValueError, RecursionError) as error:
        raise wrong from error
    if not isinstance(found, dict) or not found or len(found) > 256:
        raise wrong
    colormap = []
    for value, colour in found.items():
        if not (value.isascii() and value.isdigit() and len(value) < 4 and int(value) < 256):
            raise wrong
        if isinstance(colour, str) and re.fullmatch(r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?", colour):
            colour = list(bytes.fromhex(colour[1:]))
        if (
            not isinstance(colour, list)
            or len(colour) not in (3, 4)
            or not all(type(part) is int and 0 <= part <= 255 for part in colour)
        ):
            raise wrong
        red, green, blue, alpha = [*colour, 255][:4]
        colormap.append((int(value), (red, green, blue, alpha)))
    return tuple(sorted(colormap))


def _color_formula(given: list[str]) -> str:
    try:
        colours.parse_formula(given[-1])
    except Invalid as error:
        raise _bad("color_formula", error.message, error.fix, error.details["allowed"]) from error
    return given[-1]


def _nodata(given: list[str]) -> float:
    text = given[-1]
    if text.lower() == "nan":
        return math.nan
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise _bad("nodata", f"nodata is '{text[:40]}'.", "Give a number, or nan.")
    return float(text)


def _choice(word: str, allowed: Sequence[str], given: list[str]) -> str:
    if given[-1] not in allowed:
        raise _bad(word, f"{word} is '{given[-1][:40]}'.", f"Choose {', '.join(allowed)}.", allowed)
    return given[-1]


def _algorithm_params(given: list[str]) -> tuple[tuple[str, float], ...]:
    wrong = _bad("algorithm_params", "algorithm_params is no object of numbers.", 'Write it as {"azimuth": 315}.')
    try:
        found = json.loads(given[-1])
    except (ValueError, RecursionError) as error:
        raise wrong from error
    if not isinstance(found, dict) or len(found) > 8:
        raise wrong
    if not all(type(value) in (int, float) and abs(value) < 1e12 for value in found.values()):
        raise wrong
    return tuple(sorted((str(key), float(value)) for key, value in found.items()))


_PARSERS: dict[str, Any] = {
    "bidx": _bidx,
    "expression": _expression,
    "rescale": _rescale,
    "stretch": _stretch,
    "colormap_name": _colormap_name,
    "colormap": _colormap,
    "color_formula": _color_formula,
    "nodata": _nodata,
    "resampling": lambda given: _choice("resampling", RESAMPLINGS, given),
    "algorithm": lambda given: _choice("algorithm", tuple(ALGORITHMS), given),
    "algorithm_params": _algorithm_params,
    "return_mask": lambda given: _choice("return_mask", ("true", "false"), [given[-1].lower()]) == "true",
}
_PLAIN = Rendering()


@lru_cache(maxsize=1024)
def _digest(rendering: Rendering) -> str:
    return blake2b(json.dumps(rendering.words(), sort_keys=True).encode(), digest_size=6).hexdigest()
