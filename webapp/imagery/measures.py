"""Numbers of a layer, whole or in a box: statistics and the stretch that follows from them."""

import math
from dataclasses import replace
from typing import Any

from webapp.errors import BadRaster, Invalid
from webapp.imagery import drawing
from webapp.imagery.drawing import DrawSource
from webapp.raster.canvas import Bounds, Canvas, box_canvas, crs_of, fitting_size
from webapp.raster.rendering import Rendering
from webapp.raster.stretches import Range, ranges_of

# Longest side of what is read for statistics that are not stored.
SAMPLE_PX = 1024
MOST_PX = 2048
DEGREES = "EPSG:4326"


def numbers(text: str, count: int, what: str) -> tuple[float, ...]:
    """Return `count` finite numbers, divided by commas.

    Raises:
        Invalid: other text.
    """
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count or not all(math.isfinite(number) for number in found):
        raise Invalid(f"{what} is '{text[:80]}'.", fix=f"Give {count} numbers divided by commas.", code=f"bad_{what}")
    return found


def bounds_of(text: str) -> Bounds:
    """Return (west, south, east, north) of a `bbox` word.

    Raises:
        Invalid: other text.
    """
    west, south, east, north = numbers(text, 4, "bbox")
    return west, south, east, north


def side_px(text: str | None, standard: int, most: int = MOST_PX) -> int:
    """Return a number of pixels of a query.

    Raises:
        Invalid: no whole number, or out of range.
    """
    if text is None:
        return standard
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise Invalid(f"'{text[:20]}' is no size.", fix=f"Give 1 to {most} px.", code="size_invalid")
    return int(text)


def own_canvas(source: DrawSource, longest_px: int) -> Canvas:
    """Return the whole raster in its own CRS, at most that many pixels long and never blown up.

    Raises:
        Unavailable: it is still being made, or its file is missing.
    """
    from webapp.raster.readers import kept_reader

    try:
        info = kept_reader(drawing.analysis_of(source)).info
    except BadRaster as error:
        raise drawing.missing() from error
    scale = max(1.0, max(info.height, info.width) / longest_px)
    return Canvas(info.crs_wkt, info.bounds, max(1, round(info.height / scale)), max(1, round(info.width / scale)))


def box_of(bounds: Bounds, crs: str, longest_px: int) -> Canvas:
    """Return a box of a CRS with square pixels on the ground, nearly: degrees are drawn as wide as they are here.

    Raises:
        Invalid: an empty box, or an unknown CRS.
    """
    box_canvas(bounds, crs, height=1, width=1)
    west, south, east, north = bounds
    shrink = math.cos(math.radians(max(-89.0, min(89.0, (south + north) / 2)))) if crs_of(crs).is_geographic else 1.0
    height, width = fitting_size((west * shrink, south, east * shrink, north), longest_px)
    return box_canvas(bounds, crs, height=height, width=width)


def statistics(source: DrawSource, rendering: Rendering, canvas: Canvas | None) -> dict[str, dict[str, Any]]:
    """Return TiTiler's statistics of each band, or of each part of an expression, by its name ("b1").

    Args:
        source: of the layer.
        rendering: `bidx`, `expression`, `algorithm` and `nodata` are looked at.
        canvas: what is measured; None: the whole raster, by what was counted when it came in where only bands are
            asked for, else from a sample of it.

    Raises:
        BadRendering: a band that is not there.
        Unavailable: the file is missing.
    """
    plain = not (rendering.expression or rendering.algorithm or rendering.nodata is not None)
    stored = source.defaults.statistics
    if canvas is None and plain and stored and "mean" in stored[0]:
        bands = rendering.bidx or tuple(range(1, source.defaults.count + 1))
        return {f"b{band}": _stored(stored[band - 1]) for band in bands}
    return _measured(source, rendering, canvas or own_canvas(source, SAMPLE_PX))


def view_stretch(source: DrawSource, kind: str, rendering: Rendering, canvas: Canvas | None) -> tuple[Range, ...]:
    """Return (low, high) of each band of the rendering, from the stored histogram or from what a canvas shows.

    Args:
        source: of the layer.
        kind: see `webapp.raster.stretches.ranges_of`.
        rendering: which bands, or which expression.
        canvas: the view; None: the whole raster.

    Raises:
        Invalid: no such stretch, or nothing to measure in the view.
    """
    found = statistics(source, rendering, canvas)
    if not all(math.isfinite(band["min"]) for band in found.values()):
        raise Invalid("There is no imagery in this view.", fix="Move the map to the imagery.", code="view_empty")
    return ranges_of(kind, [_plain(band) for band in found.values()])


def _stored(band: Any) -> dict[str, Any]:
    found = {key: band[key] for key in ("min", "max", "mean", "std")}
    found |= {"percentile_2": band["p2"], "percentile_98": band["p98"], "exact": not band.get("sampled", False)}
    if "histogram" in band:
        counts, edges = band["histogram"]["counts"], band["histogram"]["edges"]
        found |= {"histogram": [counts, edges], "valid_pixels": sum(counts)}
    return found


def _plain(band: dict[str, Any]) -> dict[str, Any]:
    """Return statistics in the shape that ingest stores."""
    counts, edges = band.get("histogram", ([], []))
    found = {key: band[key] for key in ("min", "max", "mean", "std")}
    found |= {"p2": band["percentile_2"], "p98": band["percentile_98"]}
    return found | ({"histogram": {"edges": edges, "counts": counts}} if counts else {})


def _measured(source: DrawSource, rendering: Rendering, canvas: Canvas) -> dict[str, dict[str, Any]]:
    from webapp.raster import picture

    if not rendering.wanted_bands:
        rendering = _all_bands(source, rendering)
    try:
        return picture.statistics(drawing.analysis_of(source), canvas, rendering)
    except BadRaster as error:
        raise drawing.missing() from error


def _all_bands(source: DrawSource, rendering: Rendering) -> Rendering:
    if rendering.algorithm:
        return rendering.filled(source.defaults)
    return replace(rendering, bidx=tuple(range(1, source.defaults.count + 1)))
