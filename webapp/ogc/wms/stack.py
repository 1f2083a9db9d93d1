"""GetMap: layers drawn on one canvas, one over another."""

import threading

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from webapp.errors import TooMany
from webapp.ogc import pictures
from webapp.ogc.pictures import Look
from webapp.ogc.wms.parameters import MapRequest
from webapp.raster import render

# Pictures drawn at once in a process, each up to 4 megapixels; the rest wait a while for their turn.
AT_ONCE = 2
_turns = threading.BoundedSemaphore(AT_ONCE)


def draw(asked: MapRequest, looks: list[Look]) -> bytes:
    """Return the picture of a GetMap as a file.

    Args:
        asked: the request.
        looks: of the layers it names, in its order, bottom to top.

    Raises:
        Unavailable: a layer's file is missing.
        TooMany: too many maps are being drawn.
    """
    if not _turns.acquire(timeout=settings.READ_TIMEOUT_S):
        raise TooMany("Too many maps are drawn at once.", fix="Try again.", details={"retry_after_s": 2})
    try:
        return _draw(asked, looks)
    finally:
        _turns.release()


def _draw(asked: MapRequest, looks: list[Look]) -> bytes:
    if len(looks) == 1 and asked.transparent and asked.form != "jpg":
        return pictures.encode(pictures.draw(looks[0], asked.canvas), asked.form)
    shape = (asked.canvas.height, asked.canvas.width)
    rgb: NDArray[np.uint8] = np.empty((*shape, 3), np.uint8)
    rgb[:] = asked.colour
    covered = np.zeros(shape, bool)
    for look in looks:
        above, mask = pictures.draw(look, asked.canvas).rgb()
        rgb[mask] = above[mask]
        covered |= mask
    if not asked.transparent or asked.form == "jpg":
        covered[:] = True  # the colour behind is part of the picture
    return render.encode(rgb, covered, asked.form)
