"""What is to know about a scene that stays where it lies, told by an overview of it. Runs inside the sandbox only."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from shapely.geometry import mapping

from webapp.errors import BadRaster
from webapp.raster.child import shown_range, stored_as
from webapp.raster.display import display_grid
from webapp.raster.probe import default_bands
from webapp.raster.read import Chip, Reader
from webapp.raster.render import Rendering, encode, stretch, to_rgb
from webapp.raster.shapes import outline_of, pixel_size_m
from webapp.raster.source import Source
from webapp.raster.statistics import Gatherer

PICTURE_PX = 360
FIX_COPY = "Copy the file here: it is then turned into one that can."


def facts_of(source: Source, path: Path, shape: tuple[int, int]) -> dict[str, Any]:
    """Return what `register` needs to know, and `picture`, a small one as a data URL.

    Args:
        source: checked and placed.
        path: the file; only the overview of that shape need be there.
        shape: (height, width) of the overview.

    Raises:
        BadRaster: it is stored in a way that is only read once it was rewritten, or holds no valid pixel.
    """
    _refuse_turned(source)
    with Reader(path) as reader:
        info = reader.info
        chip = reader.read(reader.whole, out_shape=shape, resampling="nearest")
    gatherer = Gatherer(info.count, info.dtype, chip.valid.size, has_nodata=info.nodata is not None)
    gatherer.add(chip.array, chip.valid)
    if not gatherer.valid_pixels:
        raise BadRaster(f"'{source.name}' holds no valid pixel.", fix="Check its nodata value.", code="empty_image")
    measured = gatherer.result()
    bands = default_bands(source.names, source.colours, source.dtype)
    plain = source.dtype == "uint8" and source.bits is None and source.scaling is None
    ranges = None if plain else tuple(shown_range(measured[band - 1], source.bits) for band in bands)
    rendering = Rendering(bands, ranges)
    place = display_grid(crs_wkt=info.crs_wkt, transform=Affine(*info.transform), height=info.height, width=info.width)
    return {
        "height": info.height,
        "width": info.width,
        "transform": list(info.transform),
        "crs_wkt": info.crs_wkt,
        "epsg": info.epsg,
        "dtype": info.dtype,
        "nodata": info.nodata if info.nodata is not None and np.isfinite(info.nodata) else None,
        "gsd_m": pixel_size_m(info),
        "bands": [
            # Not every pixel was counted.
            {"name": name, "sampled": chip.valid.size < info.height * info.width}
            | stored_as(source, number)
            | band.as_json()
            for number, (name, band) in enumerate(zip(source.names, measured, strict=True))
        ],
        "rendering": {"bands": list(bands), "stretch": [list(pair) for pair in ranges] if ranges else None},
        "footprint": mapping(outline_of(info, chip.valid if info.has_mask else None)),
        "min_zoom": max(0, place.zoom - place.levels - 2),
        "max_zoom": place.zoom,
        "notes": source.notes,
        "picture": _picture(chip, rendering),
    }


def _refuse_turned(source: Source) -> None:
    why = ""
    if source.palette is not None:
        why = "has a palette"
    elif source.warp_from is not None or any(source.flips):
        why = "is not stored north-up"
    if why:
        raise BadRaster(
            f"'{source.name}' {why}, which is not read from another server.", fix=FIX_COPY, code="not_linkable"
        )


def _picture(chip: Chip, rendering: Rendering) -> str:
    step = max(1, -(-max(chip.valid.shape) // PICTURE_PX))
    array, valid = chip.array[:, ::step, ::step], chip.valid[::step, ::step]
    chosen = array[[band - 1 for band in rendering.bands]]
    rgb = np.ascontiguousarray(np.moveaxis(to_rgb(stretch(chosen, rendering.stretch)), 0, -1))
    return "data:image/webp;base64," + base64.b64encode(encode(rgb, np.ascontiguousarray(valid), "webp")).decode()
