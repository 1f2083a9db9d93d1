"""Where a picture without georeference lies: a world file, given bounds, or a centre and a pixel size."""

import math
from dataclasses import dataclass
from typing import Any

from pyproj import CRS
from pyproj.exceptions import CRSError

from webapp.errors import Invalid

Transform = tuple[float, float, float, float, float, float]
KEYS = {"world_file", "epsg", "bounds", "centre", "gsd_m", "note"}


@dataclass(frozen=True, slots=True)
class Position:
    """A position given beside the file, checked.

    Attributes:
        epsg: CRS of the numbers; for a file that only lacks its CRS, all there is.
        world: affine a, b, c, d, e, f of the upper left corner, from a world file.
        bounds: (west, south, east, north) in the CRS.
        centre: (lon, lat) of the picture's centre.
        gsd_m: ground size of a pixel in metres, with `centre`.
        note: who says so, for people.
    """

    epsg: int | None = None
    world: Transform | None = None
    bounds: tuple[float, float, float, float] | None = None
    centre: tuple[float, float] | None = None
    gsd_m: float | None = None
    note: str = ""

    @property
    def assumed(self) -> bool:
        """True where somebody placed the picture by hand."""
        return self.bounds is not None or self.centre is not None

    @property
    def given(self) -> bool:
        """True where it says anything at all."""
        return self.epsg is not None or self.assumed

    def transform(self, height: int, width: int) -> Transform | None:
        """Return the affine from pixel (col, row) to the CRS; None where only a CRS is given."""
        if self.world is not None:
            return self.world
        if self.bounds is not None:
            west, south, east, north = self.bounds
            return ((east - west) / width, 0.0, west, 0.0, -(north - south) / height, north)
        if self.centre is not None and self.gsd_m is not None:
            from webapp.raster.shapes import transformer

            x, y = transformer(4326, utm_epsg(*self.centre)).transform(*self.centre)
            return (self.gsd_m, 0.0, x - width * self.gsd_m / 2, 0.0, -self.gsd_m, y + height * self.gsd_m / 2)
        return None

    @property
    def crs(self) -> int | None:
        """EPSG number of the CRS of `transform`."""
        return utm_epsg(*self.centre) if self.centre is not None else self.epsg


def utm_epsg(lon: float, lat: float) -> int:
    """Return the EPSG number of the WGS 84 UTM zone at a place."""
    zone = min(60, int((lon + 180) // 6) + 1)
    return (32600 if lat >= 0 else 32700) + zone


def parse(raw: dict[str, Any]) -> Position:
    """Return the checked position.

    Args:
        raw: `{}`; `{"epsg"}`; `{"world_file": text, "epsg"}`; `{"bounds": [w, s, e, n], "epsg": 4326 if absent,
            "note"}`; or `{"centre": [lon, lat], "gsd_m", "note"}`.

    Raises:
        Invalid: unknown or contradicting fields, numbers that are none, an unknown CRS.
    """
    if not isinstance(raw, dict) or not set(raw) <= KEYS:
        raise _invalid(f"The position has unknown fields: {', '.join(sorted(set(raw) - KEYS)) or raw!r}.")
    ways = [key for key in ("world_file", "bounds", "centre") if raw.get(key) not in (None, "")]
    if len(ways) > 1:
        raise _invalid(f"The position is given twice, by {' and '.join(ways)}.")
    # Control characters and lone surrogates are nothing that a database stores or a page shows.
    note = "".join(letter for letter in str(raw.get("note") or "") if letter.isprintable())[:500]
    epsg = _epsg(raw.get("epsg"))
    if not ways:
        return Position(epsg=epsg, note=note)
    if ways == ["world_file"]:
        if epsg is None:
            raise Invalid(
                "A world file says nothing about the CRS.",
                fix="Give the EPSG code of its numbers as well.",
                code="crs_missing",
            )
        return Position(epsg=epsg, world=_world(str(raw["world_file"])), note=note)
    if ways == ["bounds"]:
        west, south, east, north = _numbers(raw["bounds"], 4, "bounds")
        if west >= east or south >= north:
            raise _invalid(f"The bounds {[west, south, east, north]} are not (west, south, east, north).")
        return Position(epsg=epsg or 4326, bounds=(west, south, east, north), note=note)
    lon, lat = _numbers(raw["centre"], 2, "centre")
    (gsd_m,) = _numbers([raw.get("gsd_m")], 1, "gsd_m")
    if not (-180 <= lon <= 180 and -80 <= lat <= 84):
        raise _invalid(f"The centre {lon}, {lat} is no (lon, lat) between 80° south and 84° north.")
    if not 0.001 <= gsd_m <= 100_000:
        raise _invalid(f"A pixel size of {gsd_m} m is not between 0.001 and 100000.")
    return Position(centre=(lon, lat), gsd_m=gsd_m, note=note)


def _world(text: str) -> Transform:
    """Return the affine of the upper left corner: a world file names the centre of the first pixel.

    Order of the six lines: A, D, B, E, C, F (Esri, "World files for raster datasets").
    """
    a, d, b, e, c, f = _numbers(text.replace(",", ".").split(), 6, "world_file")
    if a * e - b * d == 0:
        raise _invalid("The world file has pixels of size zero.")
    return (a, b, c - (a + b) / 2, d, e, f - (d + e) / 2)


def _numbers(raw: Any, count: int, name: str) -> list[float]:
    try:
        numbers = [float(number) for number in raw]
    except (TypeError, ValueError, OverflowError):  # a JSON integer may have hundreds of digits
        numbers = []
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise _invalid(f"'{name}' needs {count} number{'s' if count > 1 else ''}, got {str(raw)[:80]!r}.")
    return numbers


def _epsg(raw: Any) -> int | None:
    if raw in (None, ""):
        return None
    try:
        code = int(str(raw).upper().removeprefix("EPSG:"))
        crs = CRS.from_epsg(code)
    except (ValueError, CRSError) as error:
        raise Invalid(
            f"There is no CRS EPSG:{str(raw)[:20]}.", fix="Look the code up at epsg.io.", code="crs_unsupported"
        ) from error
    if not (crs.is_geographic or crs.is_projected):
        raise Invalid(
            f"EPSG:{code} ({crs.name}) is neither geographic nor projected.",
            fix="Give the code of a horizontal CRS, such as EPSG:4326.",
            code="crs_unsupported",
        )
    return code


def _invalid(message: str) -> Invalid:
    return Invalid(
        message,
        fix="Give a world file with its EPSG code, or bounds (west, south, east, north), or a centre and a pixel size.",
        code="position_invalid",
    )
