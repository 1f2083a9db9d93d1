"""What a map's style makes of imagery, in words that a legend can say."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from webapp.errors import Invalid
from webapp.imagery import drawing
from webapp.imagery.models import ImageryLayer
from webapp.raster.colours import colormap
from webapp.raster.rendering import Rendering

RAMP_STEPS = 16


def picture(layer: ImageryLayer, style: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{query, words, ramp, problem}` of a layer drawn with a map's style.

    `query` stands behind the tiles' address ("" for the layer's own look); `words` are complete: bands or expression,
    ranges, colour map; `ramp` holds 16 colours of the colour map. A style that no longer fits (its saved rendering is
    gone, the imagery has fewer bands now) gives the layer's own look and the reason as `problem`.
    """
    source = drawing.draw_source(layer)
    asked: dict[str, Any] = dict(style.get("words") or {})
    if style.get("rendering"):
        asked = {drawing.NAMED: [style["rendering"]]}
    try:
        return _shown(drawing.rendering_of(source, asked), urlencode(asked, doseq=True))
    except Invalid as error:
        try:
            return {**_shown(drawing.fill(source, Rendering()), ""), "problem": error.message if asked else ""}
        except Invalid:  # imagery without statistics, of an old ingest, says nothing of itself
            return {"query": "", "words": {}, "ramp": [], "problem": ""}


def _shown(rendering: Rendering, query: str) -> dict[str, Any]:
    ramp: list[str] = []
    if rendering.colormap_name:
        lut = colormap(rendering.colormap_name)
        ramp = [f"#{bytes(lut[round(step * 255 / (RAMP_STEPS - 1)), :3]).hex()}" for step in range(RAMP_STEPS)]
    words = rendering.words()
    words.pop("colormap", None)  # class colours: the legend has them with their names
    return {"query": query, "words": words, "ramp": ramp, "problem": ""}
