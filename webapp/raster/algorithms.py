"""What is computed of pixels and their neighbours before they are coloured: relief, slope, contours, indices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webapp.errors import Invalid
from webapp.raster.colours import colormap

Array = NDArray[Any]
Pixel = tuple[float, float]
_CONTOUR_COLOUR = (94, 54, 22)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that an algorithm takes."""

    default: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One algorithm.

    Attributes:
        run: (array (band, row, col), pixel (across, down) in metres, numbers) -> (band, row, col); a uint8 answer is
            drawn as it is.
        bands: that it takes.
        outputs: bands that it gives.
        margin_px: pixels around the picture that it looks at.
        value_range: (low, high) of its values where nobody says how to stretch them; None: uint8 already.
        parameters: its numbers.
        title: for people.
    """

    run: Callable[[Array, Pixel, Mapping[str, float]], Array]
    bands: int
    outputs: int
    margin_px: int
    value_range: tuple[float, float] | None
    parameters: Mapping[str, Parameter]
    title: str

    def check(self, given: Mapping[str, float]) -> None:
        """Refuse numbers that it does not take.

        Raises:
            Invalid: an unknown name, or a value out of range.
        """
        for name, value in given.items():
            known = self.parameters.get(name)
            if known is None or not known.low <= value <= known.high:
                allowed = ", ".join(f"{key} {one.low:g} to {one.high:g}" for key, one in self.parameters.items())
                raise Invalid(
                    f"{name[:40]} = {value:g} is no number of this algorithm.",
                    fix=f"It takes {allowed or 'none'}.",
                    code="bad_rendering",
                    details={"word": "algorithm_params", "allowed": list(self.parameters)},
                )

    def numbers(self, given: Mapping[str, float]) -> dict[str, float]:
        """Return all its numbers, the given ones over the defaults."""
        return {name: given.get(name, one.default) for name, one in self.parameters.items()}


def gradients(height: Array, pixel: Pixel) -> tuple[Array, Array]:
    """Return the rise to the east and to the south, metres a metre, after Horn (1981); the outermost pixels repeat."""
    z = np.pad(height.astype(np.float32), 1, mode="edge")
    east = (z[:-2, 2:] + 2 * z[1:-1, 2:] + z[2:, 2:]) - (z[:-2, :-2] + 2 * z[1:-1, :-2] + z[2:, :-2])
    south = (z[2:, :-2] + 2 * z[2:, 1:-1] + z[2:, 2:]) - (z[:-2, :-2] + 2 * z[:-2, 1:-1] + z[:-2, 2:])
    return east / (8 * pixel[0]), south / (8 * pixel[1])


def _hillshade(array: Array, pixel: Pixel, numbers: Mapping[str, float]) -> Array:
    """Lambert's law on Horn's gradients, as gdaldem draws it: 1 to 255, flat ground at the sine of the altitude."""
    east, south = (numbers["z_exaggeration"] * part for part in gradients(array[0], pixel))
    azimuth, altitude = np.radians(numbers["azimuth"]), np.radians(numbers["angle_altitude"])
    # Dot product of the light's direction with the surface normal (-east, +south, 1).
    light = np.cos(altitude) * (-np.sin(azimuth) * east + np.cos(azimuth) * south) + np.sin(altitude)
    shade = light / np.sqrt(1 + east**2 + south**2)
    return np.asarray(1 + 254 * np.clip(shade, 0, 1) + 0.5, np.float32).astype(np.uint8)[None]


def _slope(array: Array, pixel: Pixel, numbers: Mapping[str, float]) -> Array:
    """Degrees above the horizontal."""
    east, south = (numbers["z_exaggeration"] * part for part in gradients(array[0], pixel))
    degrees: Array = np.degrees(np.arctan(np.hypot(east, south)))
    return degrees[None]


def _contours(array: Array, pixel: Pixel, numbers: Mapping[str, float]) -> Array:
    """Heights tinted between minz and maxz, with a line each `increment`."""
    height, increment = array[0], numbers["increment"]
    level = np.floor(height / increment)
    reach = int(numbers["thickness"])
    line = np.zeros(height.shape, bool)
    for step in range(1, reach + 1):
        line[:, :-step] |= level[:, step:] != level[:, :-step]
        line[:-step] |= level[step:] != level[:-step]
    span = max(numbers["maxz"] - numbers["minz"], 1e-6)
    tint = np.clip(np.nan_to_num((height - numbers["minz"]) / span * 255), 0, 255).astype(np.uint8)
    rgb: Array = np.moveaxis(colormap("terrain")[tint][..., :3], -1, 0).copy()
    rgb[:, line] = np.array(_CONTOUR_COLOUR, np.uint8)[:, None]
    return rgb


def _normalized_index(array: Array, pixel: Pixel, numbers: Mapping[str, float]) -> Array:
    """(second - first) / (second + first): NDVI of red and near infrared, NDWI of near infrared and green."""
    first, second = array.astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        index: Array = (second - first) / (second + first)
    return index[None]


def _terrarium(array: Array, pixel: Pixel, numbers: Mapping[str, float]) -> Array:
    """Heights as Mapzen's Terrarium colours: red * 256 + green + blue / 256 - 32768."""
    value = np.clip(np.nan_to_num(array[0].astype(np.float64)) + 32768, 0, 65535.99)
    return np.stack([value // 256, value % 256, value * 256 % 256]).astype(np.uint8)


def _terrain_rgb(array: Array, pixel: Pixel, numbers: Mapping[str, float]) -> Array:
    """Heights as Mapbox's Terrain-RGB colours: -10000 + (red * 65536 + green * 256 + blue) * interval."""
    steps = (np.nan_to_num(array[0].astype(np.float64)) - numbers["baseval"]) / numbers["interval"]
    value = np.clip(np.rint(steps), 0, 2**24 - 1).astype(np.int64)
    return np.stack([value >> 16, value >> 8 & 255, value & 255]).astype(np.uint8)


_EXAGGERATION = Parameter(1, 0.001, 1000)
ALGORITHMS: dict[str, Algorithm] = {
    "hillshade": Algorithm(
        _hillshade,
        1,
        1,
        1,
        None,
        {"azimuth": Parameter(315, 0, 360), "angle_altitude": Parameter(45, 0, 90), "z_exaggeration": _EXAGGERATION},
        "Relief lit from a side",
    ),
    "slope": Algorithm(_slope, 1, 1, 1, (0, 90), {"z_exaggeration": _EXAGGERATION}, "Slope in degrees"),
    "contours": Algorithm(
        _contours,
        1,
        3,
        5,
        None,
        {
            "increment": Parameter(35, 1e-6, 1e6),
            "thickness": Parameter(1, 1, 5),
            "minz": Parameter(-500, -12_000, 9_000),
            "maxz": Parameter(5_000, -12_000, 9_000),
        },
        "Contour lines on tinted heights",
    ),
    "normalizedIndex": Algorithm(_normalized_index, 2, 1, 0, (-1, 1), {}, "Normalised difference of two bands"),
    "terrarium": Algorithm(_terrarium, 1, 3, 0, None, {}, "Heights as Terrarium colours"),
    "terrainrgb": Algorithm(
        _terrain_rgb,
        1,
        3,
        0,
        None,
        {"interval": Parameter(0.1, 1e-4, 100), "baseval": Parameter(-10_000, -20_000, 20_000)},
        "Heights as Terrain-RGB colours",
    ),
}
