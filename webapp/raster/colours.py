"""Colours of one band: named colour maps, and corrections of a picture's colours."""

import re
from functools import lru_cache
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from webapp.errors import Invalid

Lut = NDArray[np.uint8]
MAX_OPERATIONS = 8
_NUMBER = r"-?[0-9]{1,4}(?:\.[0-9]{1,6})?"
_OPERATION = re.compile(
    rf"\s*,?\s*(?:(gamma)\s+([rgb]{{1,3}})\s+({_NUMBER})|(sigmoidal)\s+([rgb]{{1,3}})\s+({_NUMBER})\s+({_NUMBER})"
    rf"|(saturation)\s+({_NUMBER}))(?=[\s,]|$)",
    re.IGNORECASE | re.ASCII,
)
Operation = tuple[str, tuple[int, ...], tuple[float, ...]]


@lru_cache(maxsize=1)
def colormap_names() -> tuple[str, ...]:
    """Return the names of all colour maps, those of TiTiler: matplotlib's, cmocean's and a few more."""
    folder = files("rio_tiler") / "cmap_data"
    return tuple(sorted(file.name.removesuffix(".npy") for file in folder.iterdir() if file.name.endswith(".npy")))


@lru_cache(maxsize=64)
def colormap(name: str) -> Lut:
    """Return a colour map as uint8 (256, 4), red, green, blue, alpha.

    Raises:
        Invalid: there is no such colour map.
    """
    if name not in colormap_names():
        raise Invalid(
            f"There is no colour map '{name[:40]}'.",
            fix="Choose one of details.allowed, such as viridis, rdylgn or terrain.",
            code="bad_rendering",
            details={"word": "colormap_name", "allowed": list(colormap_names())},
        )
    data = (files("rio_tiler") / "cmap_data" / f"{name}.npy").read_bytes()
    lut: Lut = np.load(BytesIO(data), allow_pickle=False).astype(np.uint8)
    lut.setflags(write=False)
    return lut


@lru_cache(maxsize=256)
def parse_formula(text: str) -> tuple[Operation, ...]:
    """Return the steps of a colour formula, such as "gamma RGB 1.8, sigmoidal RGB 10 0.5, saturation 1.2".

    Raises:
        Invalid: another word, or a number out of range.
    """
    found: list[Operation] = []
    at, end = 0, len(text.rstrip(" ,"))
    while at < end:
        matched = _OPERATION.match(text, at)
        if matched is None or len(found) == MAX_OPERATIONS:
            raise _bad_formula(f"The colour formula '{text[:80]}' is not understood at character {at + 1}.")
        words = [word for word in matched.groups() if word is not None]
        name = words[0].lower()
        numbers = tuple(float(word) for word in words[1 if name == "saturation" else 2 :])
        bands = () if name == "saturation" else tuple(sorted({"rgb".index(letter) for letter in words[1].lower()}))
        _check(name, numbers)
        found.append((name, bands, numbers))
        at = matched.end()
    return tuple(found)


def apply_formula(rgb: NDArray[np.uint8], steps: tuple[Operation, ...]) -> NDArray[np.uint8]:
    """Return the picture, uint8 (3, row, col), with its colours corrected."""
    picture = rgb.astype(np.float32) / 255
    for name, bands, numbers in steps:
        if name == "saturation":
            # Only where it is asked for: the module behind it is slow to load.
            from color_operations.colorspace import saturate_rgb

            picture = saturate_rgb(picture.astype(np.float64), numbers[0]).astype(np.float32)
        for band in bands:
            picture[band] = picture[band] ** (1 / numbers[0]) if name == "gamma" else _sigmoidal(picture[band], numbers)
    return np.asarray(np.clip(picture, 0, 1) * 255 + 0.5, np.float32).astype(np.uint8)


def _sigmoidal(band: NDArray[np.float32], numbers: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the band with more contrast around `bias`, black and white kept (ImageMagick's -sigmoidal-contrast)."""
    contrast, bias = numbers
    if contrast == 0:
        return band
    low, high = (1 / (1 + np.exp(contrast * (bias - end))) for end in (0.0, 1.0))
    return np.asarray((1 / (1 + np.exp(contrast * (bias - band))) - low) / (high - low), np.float32)


def _check(name: str, numbers: tuple[float, ...]) -> None:
    limits = {"gamma": ((0.01, 10),), "sigmoidal": ((0, 100), (0, 1)), "saturation": ((0, 10),)}[name]
    for number, (low, high) in zip(numbers, limits, strict=True):
        if not low <= number <= high:
            raise _bad_formula(f"{name} takes {low} to {high}, not {number:g}.")


def _bad_formula(message: str) -> Invalid:
    return Invalid(
        message,
        fix="Write steps such as: gamma RGB 1.8, sigmoidal RGB 10 0.5, saturation 1.2.",
        code="bad_rendering",
        details={"word": "color_formula", "allowed": ["gamma", "sigmoidal", "saturation"]},
    )
