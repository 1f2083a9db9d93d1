"""What an imagery layer holds at one place: band values of a scene, the class of a class raster."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.http import QueryDict

from webapp.errors import BadRaster, Invalid, Unavailable
from webapp.imagery import drawing
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import analysis_file
from webapp.raster.rendering import Rendering

if TYPE_CHECKING:
    from webapp.raster.point import Held


def place_of(query: QueryDict) -> tuple[float, float]:
    """Return (lon, lat) in degrees that a request asks for by `?lon=&lat=`.

    Raises:
        Invalid: one is missing, no number, or not on Earth.
    """
    try:
        lon, lat = float(str(query["lon"])), float(str(query["lat"]))
    except (KeyError, ValueError) as error:
        raise Invalid("The place is missing.", fix="Send ?lon=&lat= in degrees.") from error
    if not (math.isfinite(lon) and -180 <= lon <= 180 and -90 <= lat <= 90):
        raise Invalid(f"{lon}, {lat} is not on Earth.", fix="Send lon -180 to 180, lat -90 to 90.")
    return lon, lat


def point(layer: ImageryLayer, lon: float, lat: float) -> dict[str, Any]:
    """Return the layer at a place as `{coordinates, values, band_names, class}`, and a mosaic's `scenes`.

    Values are null where the layer holds nothing: outside, without data, or in a block that is not predicted yet.
    `class` is `{value, name, colour}` of a class raster; background that no class names has a null class. `scenes`
    are `[{id, name, values}]`, all with data there, the topmost first: by the rules newest and first the values are
    that one's.

    Raises:
        Unavailable: the layer's file is missing or damaged.
    """
    found = _held(layer, lon, lat)
    values = found.values
    return {
        "coordinates": [lon, lat],
        "values": values,
        "band_names": [str(band.get("name") or f"Band {number}") for number, band in enumerate(layer.bands, start=1)],
        "class": _class(layer, values[0]) if layer.kind == ImageryLayer.Kind.CLASS_RASTER and values else None,
        **({"scenes": _scenes(layer, found)} if layer.kind == ImageryLayer.Kind.MOSAIC else {}),
    }


def _held(layer: ImageryLayer, lon: float, lat: float) -> "Held":
    # GDAL is loaded by the first who asks, not by every process that only shows pages.
    from webapp.raster.point import Held, class_at, held_at

    if layer.analysis_path:
        try:
            return held_at(analysis_file(layer), lon, lat)
        except BadRaster as error:
            raise Unavailable(
                "The layer's file is missing or damaged.",
                fix="Ask the administrator to restore it.",
                code="layer_unavailable",
            ) from error
    if not layer.blocks_path:
        return Held([None])
    try:
        return Held([class_at(Path(settings.SCRATCH_DIR) / layer.blocks_path, lon, lat)])
    except BadRaster:
        return Held([None])  # no block is written yet


def _scenes(layer: ImageryLayer, found: "Held") -> list[dict[str, Any]]:
    names = dict(layer.scenes.values_list("scene_id", "scene__name"))
    return [{"id": key, "name": names.get(UUID(key), ""), "values": values} for key, values in found.members]


def rendered(layer: ImageryLayer, lon: float, lat: float, words: drawing.Words) -> dict[str, Any]:
    """Return what rendering words' bands or expression are at a place, as `{coordinates, values, band_names}`.

    Raises:
        BadRendering: words that are not understood or do not fit the layer.
        Unavailable: the layer's file is missing or damaged, or still being made.
    """
    from webapp.raster.point import rendered_at

    source = drawing.draw_source(layer)
    asked = Rendering.parse(
        {word: values for word, values in words.items() if word in ("bidx", "expression", "nodata")}
    )
    path = drawing.analysis_of(source)
    try:
        values = rendered_at(path, lon, lat, asked)
    except BadRaster as error:
        raise drawing.missing() from error
    names = asked.expression.split(";") if asked.expression else [f"b{band}" for band in asked.bidx]
    names = [name.strip() for name in names if name.strip()] or [f"b{band}" for band in range(1, len(values) + 1)]
    return {"coordinates": [lon, lat], "values": values, "band_names": names}


def _class(layer: ImageryLayer, value: float | None) -> dict[str, Any] | None:
    named = (item for item in layer.classes if value is not None and int(item["value"]) == value)
    found = next(named, None)
    return None if found is None else {key: found[key] for key in ("value", "name", "colour")}
