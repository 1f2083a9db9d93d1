"""What WMS requests ask for, parsed: 1.3.0 (06-042), and 1.1.1 from older programs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from webapp.errors import Invalid
from webapp.imagery.selectors import Bounds
from webapp.ogc.parameters import BadParameter, bad, needed, numbers, whole
from webapp.raster.canvas import MAX_PIXELS, MAX_SIDE_PX, Canvas, box_canvas, crs_of
from webapp.raster.render import MEDIA_TYPES, Format

MAX_LAYERS = 10
FORMATS: dict[str, Format] = {media: form for form, media in MEDIA_TYPES.items()}
INFO_FORMATS = ("text/plain", "application/json", "text/html")
_EPSG = re.compile(r"EPSG:\d{4,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MapRequest:
    """One GetMap.

    Attributes:
        layers: bottom to top, each with its style ("" for the usual one).
        canvas: what is drawn, x before y whatever the CRS says.
        colour: red, green, blue of what no layer covers.
        transparent: that is left out instead, where the format can.
    """

    layers: tuple[tuple[UUID, str], ...]
    canvas: Canvas
    form: Format
    colour: tuple[int, int, int]
    transparent: bool


@dataclass(frozen=True, slots=True)
class InfoRequest:
    """One GetFeatureInfo: the position is in the canvas's CRS, x before y."""

    layers: tuple[UUID, ...]
    canvas: Canvas
    position: tuple[float, float]
    info_format: str


def parse_map(query: Mapping[str, str]) -> MapRequest:
    """Return what a GetMap asks for.

    Args:
        query: its parameters, names in lower case.

    Raises:
        BadParameter: one is missing or wrong.
        Invalid: the picture is too large.
    """
    form = FORMATS.get(needed(query, "format").split(";")[0].strip().lower())
    if form is None:
        raise bad("format", f"FORMAT={query['format'][:40]} is not drawn.", code="InvalidFormat", fix=_one_of(FORMATS))
    return MapRequest(
        layers=_layers(query),
        canvas=_canvas(query),
        form=form,
        colour=_colour(query.get("bgcolor", "")),
        transparent=query.get("transparent", "").upper() == "TRUE",
    )


def parse_info(query: Mapping[str, str]) -> InfoRequest:
    """Return what a GetFeatureInfo asks for.

    Raises:
        BadParameter: a parameter is missing or wrong.
        Invalid: the picture is too large.
    """
    info_format = query.get("info_format") or INFO_FORMATS[0]
    if info_format not in INFO_FORMATS:
        raise bad(
            "info_format",
            f"INFO_FORMAT={info_format[:40]} is not written.",
            code="InvalidFormat",
            fix=_one_of(INFO_FORMATS),
        )
    canvas = _canvas(query)
    # 1.3.0 counts I from the left and J from the top, 1.1.1 calls them X and Y.
    names = ("i", "j") if version_of(query) != "1.1.1" else ("x", "y")
    try:
        col, row = whole(query, names[0], 0, canvas.width - 1), whole(query, names[1], 0, canvas.height - 1)
    except BadParameter as error:
        raise bad(str(error.details["locator"]), error.message, code="InvalidPoint") from error
    west, south, east, north = canvas.bounds
    x = west + (col + 0.5) * (east - west) / canvas.width
    y = north - (row + 0.5) * (north - south) / canvas.height
    return InfoRequest(_ids(needed(query, "query_layers"), "query_layers"), canvas, (x, y), info_format)


def version_of(query: Mapping[str, str]) -> str:
    """Return the version that a request is written in: 1.1.1, or 1.3.0 for any other."""
    return "1.1.1" if query.get("version", "").startswith("1.1") else "1.3.0"


def _layers(query: Mapping[str, str]) -> tuple[tuple[UUID, str], ...]:
    ids = _ids(needed(query, "layers"), "layers")
    styles = query.get("styles", "").split(",")
    if styles == [""]:
        styles = [""] * len(ids)
    if len(styles) != len(ids):
        raise bad("styles", f"STYLES names {len(styles)} styles for {len(ids)} layers.", code="StyleNotDefined")
    return tuple(zip(ids, styles, strict=True))


def _ids(text: str, name: str) -> tuple[UUID, ...]:
    parts = text.split(",")
    if len(parts) > MAX_LAYERS:
        raise bad(name, f"{name.upper()} names {len(parts)} layers.", fix=f"Ask for at most {MAX_LAYERS} at once.")
    try:
        return tuple(UUID(part) for part in parts)
    except ValueError as error:
        raise bad(
            name, f"{text[:60]} is no layer.", code="LayerNotDefined", fix="Take names from the capabilities."
        ) from error


def _canvas(query: Mapping[str, str]) -> Canvas:
    name = "srs" if version_of(query) == "1.1.1" else "crs"
    crs = needed(query, name).upper()
    if crs != "CRS:84" and not _EPSG.fullmatch(crs):
        raise bad(name, f"{name.upper()}={crs[:40]} is not known.", code="InvalidCRS", fix="Give it as EPSG:3857.")
    try:
        found = crs_of(crs)
    except Invalid as error:
        raise bad(name, f"{name.upper()}={crs[:40]} is not known.", code="InvalidCRS") from error
    box = numbers(needed(query, "bbox"), "bbox", 4)
    # 1.3.0 gives a box in the axis order of the CRS (06-042, 6.7.2): latitude first in EPSG:4326.
    if name == "crs" and crs != "CRS:84" and found.axis_info and found.axis_info[0].direction == "north":
        box = (box[1], box[0], box[3], box[2])
    width, height = (whole(query, side, 1, MAX_SIDE_PX) for side in ("width", "height"))
    if width * height > MAX_PIXELS:
        raise bad("width", f"{width} x {height} px are not drawn.", fix=f"Ask for at most {MAX_PIXELS:,} px.")
    west, south, east, north = box
    if west >= east or south >= north:
        raise bad("bbox", f"BBOX={query['bbox'][:80]} is empty.", fix="Its smallest numbers come first.")
    bounds: Bounds = (west, south, east, north)
    return box_canvas(bounds, crs, height=height, width=width)


def _colour(text: str) -> tuple[int, int, int]:
    if not text:
        return 255, 255, 255
    found = re.fullmatch(r"0[xX]([0-9a-fA-F]{6})", text)
    if found is None:
        raise bad("bgcolor", f"BGCOLOR={text[:20]} is no colour.", fix="Give it as 0xRRGGBB.")
    red, green, blue = bytes.fromhex(found[1])
    return red, green, blue


def _one_of(names: Mapping[str, object] | tuple[str, ...]) -> str:
    return f"Use {', '.join(names)}."
