"""A mosaic at low resolution as one file, so that what is seen from far away opens one file and not hundreds."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from webapp.raster.mosaic.document import Mosaic
from webapp.raster.mosaic.reader import MosaicReader
from webapp.raster.saving import created
from webapp.raster.windows import Span, Window
from webapp.raster.write import (
    ANALYSIS_BLOCK_PX,
    ANALYSIS_COG,
    DEFAULT_THREADS,
    WRITE_OPTIONS,
    Progress,
    draft_profile,
    pixels_of,
    to_cog,
)

# Pixels of an overview: as many as show a whole mosaic on any screen, made in seconds. A small mosaic has them all.
MOST_PIXELS = 4096 * 4096
# So many times that lies between scattered scenes at most; it is not stored, but walked over.
MOST_GAPS = 8
CHUNK_PX = 1024


def factor_of(mosaic: Mosaic, *, most_pixels: int = MOST_PIXELS) -> int:
    """Return how many pixels of the mosaic become one of its overview along each side: a power of two."""
    whole = float(mosaic.height) * mosaic.width
    held = min(whole, sum((right - left) * (bottom - top) for left, top, right, bottom in _boxes(mosaic)))
    factor = 1
    while held / factor**2 > most_pixels or whole / factor**2 > MOST_GAPS * most_pixels:
        factor *= 2
    return factor


def write_overview(
    reader: MosaicReader, target: Path, factor: int, *, progress: Progress, threads: int = DEFAULT_THREADS
) -> None:
    """Write a mosaic's pixels, averaged, as a COG with a mask and overviews of its own.

    Args:
        reader: of a mosaic without overview.
        target: the file to write.
        factor: of `factor_of`.
        progress: called with 0 to 1.
        threads: for compressing.

    Raises:
        BadRaster: a member is gone, or damaged.
        StorageFull: the disk has no room for it.
    """
    info = reader.info
    height, width = -(-info.height // factor), -(-info.width // factor)
    profile = draft_profile(info.count, info.dtype, height, width, ANALYSIS_BLOCK_PX, threads)
    colours = info.count == 3 and info.dtype == "uint8"
    profile |= {"photometric": "RGB"} if colours else {"photometric": "MINISBLACK", "alpha": "UNSPECIFIED"}
    draft = target.with_suffix(".draft.tif")
    windows = [window for window in _windows(height, width) if not reader.empty(*_spans(window, factor))]
    with (
        rasterio.Env(**WRITE_OPTIONS),
        created(draft, crs=info.crs_wkt, transform=Affine(*info.transform) @ Affine.scale(factor), **profile) as out,
    ):
        for number, window in enumerate(windows):
            there = Window(window.row * factor, window.col * factor, window.height * factor, window.width * factor)
            chip = reader.read(there, out_shape=(window.height, window.width), resampling="average")
            out.write(chip.array, window=pixels_of(window))
            out.write_mask(chip.valid.astype(np.uint8) * 255, window=pixels_of(window))
            progress(0.8 * (number + 1) / len(windows), "Putting the scenes together")
        for index, name in enumerate(info.descriptions, 1):
            out.set_band_description(index, name)
    progress(0.8, "Compressing the overview")
    to_cog(
        draft,
        target,
        **ANALYSIS_COG,
        OVERVIEW_RESAMPLING="AVERAGE",
        SPARSE_OK="TRUE",
        NUM_THREADS=str(threads),
    )


def _boxes(mosaic: Mosaic) -> Iterator[tuple[float, float, float, float]]:
    return (member.box for member in mosaic.members)


def _windows(height: int, width: int) -> Iterator[Window]:
    for row in range(0, height, CHUNK_PX):
        for col in range(0, width, CHUNK_PX):
            yield Window(row, col, CHUNK_PX, CHUNK_PX).clip(height, width)


def _spans(window: Window, factor: int) -> tuple[Span, Span]:
    rows = Span(window.row * factor, window.height * factor, window.height)
    return rows, Span(window.col * factor, window.width * factor, window.width)
