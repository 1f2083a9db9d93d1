"""What people put on a map beside its layers: bookmarks and notes. Checked here, written with the map."""

import math
from typing import Any

from webapp.errors import Invalid

MOST_BOOKMARKS = 100
MOST_NOTES = 500
MOST_POINTS = 2_000
MAX_TEXT = 500
SHAPES = ("Point", "LineString", "Polygon")
COLOURS = ("#d1495b", "#edae49", "#2a6fdb", "#1b9e77", "#7570b3", "#222222", "#ffffff")


def bookmark(item: Any) -> dict[str, Any]:
    """Return a bookmark {name, lon, lat, zoom} as it is kept.

    Raises:
        Invalid: a place that is not on Earth, or a name that is missing or too long.
    """
    if not isinstance(item, dict):
        raise Invalid("A bookmark is no object.", fix="Send {name, lon, lat, zoom}.")
    name = str(item.get("name", "")).strip()
    if not 1 <= len(name) <= 100:
        raise Invalid(f"A bookmark's name of {len(name)} characters is not possible.", fix="Use 1 to 100.")
    lon, lat = position([item.get("lon"), item.get("lat")])
    return {"name": name, "lon": lon, "lat": lat, "zoom": _number(item.get("zoom"), 0, 30)}


def note(item: Any) -> dict[str, Any]:
    """Return a note {id, geometry, text, colour} as it is kept; geometry is GeoJSON: a point, line or polygon.

    Raises:
        Invalid: a geometry, text or colour that cannot be.
    """
    if not isinstance(item, dict) or not isinstance(item.get("geometry"), dict):
        raise Invalid("A note is no object with a geometry.", fix="Send {geometry, text, colour}.")
    text, key = str(item.get("text", "")), str(item.get("id", ""))
    if len(text) > MAX_TEXT or not 1 <= len(key) <= 40:
        raise Invalid("A note's text or id is too long.", fix=f"Keep the text to {MAX_TEXT} characters.")
    colour = item.get("colour", COLOURS[0])
    if colour not in COLOURS:
        raise Invalid("A note has an unknown colour.", fix=f"Use {', '.join(COLOURS)}.")
    return {"id": key, "geometry": _geometry(item["geometry"]), "text": text, "colour": colour}


def _geometry(value: dict[str, Any]) -> dict[str, Any]:
    kind, coordinates = value.get("type"), value.get("coordinates")
    if kind == "Point":
        return {"type": kind, "coordinates": position(coordinates)}
    if kind == "LineString":
        return {"type": kind, "coordinates": _positions(coordinates, 2)}
    if kind == "Polygon" and isinstance(coordinates, list) and len(coordinates) == 1:
        return {"type": kind, "coordinates": [_positions(coordinates[0], 4)]}
    raise Invalid("A note has no shape that maps draw.", fix=f"Send a GeoJSON {', '.join(SHAPES)} without holes.")


def _positions(value: Any, least: int) -> list[list[float]]:
    if not isinstance(value, list) or not least <= len(value) <= MOST_POINTS:
        raise Invalid("A note has too few or too many points.", fix=f"Send {least} to {MOST_POINTS}.")
    return [position(item) for item in value]


def position(value: Any) -> list[float]:
    """Return [lon, lat] in degrees.

    Raises:
        Invalid: it is none on Earth.
    """
    if not isinstance(value, list) or len(value) != 2:
        raise Invalid("A position is no pair of numbers.", fix="Send [lon, lat].")
    # Notes may lie beyond 180 degrees, where the map was scrolled around the Earth.
    return [round(_number(value[0], -540, 540), 7), round(_number(value[1], -90, 90), 7)]


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Invalid("A number is missing.", fix=f"Send {low:g} to {high:g}.")
    if not low <= value <= high:
        raise Invalid(f"{value:g} is out of range.", fix=f"Send {low:g} to {high:g}.")
    return float(value)
