"""Coordinate reference systems of OGC API Features Part 2: names, boxes, and how SQL prints them."""

import math

from webapp.errors import Invalid
from webapp.features.parsing import parse_bbox
from webapp.features.selectors import Bbox

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
WGS84 = "http://www.opengis.net/def/crs/EPSG/0/4326"
MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
SUPPORTED = (CRS84, WGS84, MERCATOR)
RADIUS_M = 6_378_137.0

# CRS84 is longitude first, EPSG:4326 latitude first.
_GEOMETRY = {CRS84: "f.geometry", WGS84: "ST_FlipCoordinates(f.geometry)", MERCATOR: "f.geometry_3857"}


def parse_crs(text: str | None, name: str) -> str:
    """Return a supported CRS; CRS84 where none is named.

    Raises:
        Invalid: it is not supported.
    """
    if text is None or text == "":
        return CRS84
    if text not in SUPPORTED:
        raise Invalid(f"{name} {text[:80]!r} is not supported.", fix=f"Use {', '.join(SUPPORTED)}.", code="crs_unknown")
    return text


def check_content_crs(header: str | None) -> None:
    """Return where a body's coordinates are in CRS84, as they are without the header.

    Raises:
        Invalid: they are in another CRS: stored as they come, they would land elsewhere.
    """
    if header and header.strip().removeprefix("<").removesuffix(">") != CRS84:
        raise Invalid(
            f"A body in the CRS {header[:80]!r} is not taken.",
            fix=f"Send longitude and latitude with Content-Crs <{CRS84}>, or without that header.",
            code="crs_unsupported",
        )


def geometry_sql(crs: str) -> str:
    """Return the SQL expression of a feature's geometry in the CRS."""
    return _GEOMETRY[crs]


def box_in(text: str | None, crs: str) -> Bbox | None:
    """Return (west, south, east, north) in degrees of a box in the CRS.

    Raises:
        Invalid: it is no box.
    """
    if not text or crs == CRS84:
        return parse_bbox(text)
    try:
        numbers = [float(part) for part in text[:400].split(",")]
    except ValueError:
        return parse_bbox(text)
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        return parse_bbox(text)
    a, b, c, d = numbers
    if crs == WGS84:
        return parse_bbox(f"{b},{a},{d},{c}")
    (west, south), (east, north) = _lonlat(a, b), _lonlat(c, d)
    return parse_bbox(f"{west},{south},{east},{north}")


def _lonlat(x: float, y: float) -> tuple[float, float]:
    limit = math.pi * RADIUS_M
    x, y = max(-limit, min(limit, x)), max(-4 * limit, min(4 * limit, y))
    return math.degrees(x / RADIUS_M), math.degrees(math.atan(math.sinh(y / RADIUS_M)))
