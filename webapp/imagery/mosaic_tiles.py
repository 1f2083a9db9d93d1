"""A mosaic's map tiles beyond its overview: from the scenes' display files, or drawn where those look otherwise."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from webapp.errors import BadRaster, Unavailable
from webapp.imagery.drawing import missing
from webapp.raster import render
from webapp.raster.render import Format
from webapp.raster.tiff import TILE_PX, TileFile

if TYPE_CHECKING:
    from webapp.raster.mosaic.document import Stored

# While a mosaic has no overview, a tile that more scenes meet waits for it.
MOST_OPENED = 32
RETRY_AFTER_S = 3


def within_overview(path: Path, file: TileFile | None, z: int, size: int) -> bool:
    """Say whether a tile comes from the overview's display file alone.

    Raises:
        Unavailable: the mosaic's file is missing.
    """
    if file is None:
        return False
    finest = z if size == TILE_PX else z + 1
    return finest <= file.max_zoom or _stored(path).mosaic.complete


def tile(
    path: Path,
    place: tuple[int, int, int],
    form: Format,
    size: int,
    *,
    opened: Callable[[Path], TileFile],
    drawn: Callable[[], bytes],
    overview: bool,
) -> bytes:
    """Return a tile as a picture file, b"" where no scene has anything.

    Args:
        path: of the mosaic's file.
        place: (z, x, y).
        form: file format.
        size: 256, or 512 for twice the resolution.
        opened: returns an open display file.
        drawn: draws the tile from the scenes' analysis files, for scenes whose own look is another one.
        overview: False while it is still being made.

    Raises:
        Unavailable: a file is missing, or the tile needs the overview.
    """
    # GDAL is loaded by the first picture, not by every process that only shows pages.
    from webapp.raster.mosaic import tiles

    mosaic = _stored(path)
    members = mosaic.at_tile(*place)
    if not members:
        return b""
    if not overview and len(members) > MOST_OPENED:
        raise Unavailable(
            "The mosaic's overview is still being made.",
            fix="Zoom in, or wait until its job is done.",
            code="layer_building",
            details={"retry_after_s": RETRY_AFTER_S},
        )
    if not all(member.display for member in members):
        return drawn()
    if size == TILE_PX:
        data = tiles.stored_tile(mosaic, members, *place, opened)
        if data is not None and (form == "webp" or not data):
            return data
        rgb, mask = render.decode(data) if data else tiles.tile_pixels(mosaic, members, *place, opened)
    else:
        rgb, mask = tiles.large_tile_pixels(mosaic, members, *place, opened)
    return render.encode(rgb, mask, form) if mask.any() else b""


def _stored(path: Path) -> "Stored":
    from webapp.raster.mosaic.document import stored

    try:
        return stored(path)
    except BadRaster as error:
        raise missing() from error
