"""Map tiles from any raster: warped to the tile, for what has no display file of its own."""

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from webapp.errors import Invalid
from webapp.raster.canvas import check_tile
from webapp.raster.read import OPEN_OPTIONS, driver_of
from webapp.raster.render import decode, to_rgb
from webapp.raster.tiff import HALF_WORLD_M, TILE_PX, TileFile


def tile_transform(z: int, x: int, y: int, size: int) -> Affine:
    """Return the affine from a tile's pixel (col, row) to EPSG:3857."""
    span = 2 * HALF_WORLD_M / 2**z
    return Affine(span / size, 0, x * span - HALF_WORLD_M, 0, -span / size, HALF_WORLD_M - y * span)


def read_tile(path: Path | str, z: int, x: int, y: int, size: int = 256) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the picture of a map tile from an 8-bit raster in any CRS.

    Args:
        path: a GeoTIFF; its first three bands are red, green, blue, or the first one is grey.
        z: zoom of the XYZ tile in EPSG:3857.
        x: column.
        y: row, from the north.
        size: pixels to a side.

    Returns:
        rgb uint8 (row, col, 3) and mask bool (row, col), False where there is no imagery.

    Raises:
        Invalid: no such tile, or the raster is not 8-bit.
        BadRaster: no raster.
    """
    check_tile(z, x, y)
    source_path = Path(path)
    with (
        rasterio.Env(**OPEN_OPTIONS),
        rasterio.open(source_path, driver=driver_of(source_path), sharing=False) as source,
    ):
        if source.dtypes[0] != "uint8":
            raise Invalid(f"'{source_path.name}' is {source.dtypes[0]}, not 8-bit.", fix="Ingest it first.")
        bands = [1, 2, 3] if source.count >= 3 else [1]
        with WarpedVRT(
            source,
            crs="EPSG:3857",
            transform=tile_transform(z, x, y, size),
            height=size,
            width=size,
            resampling=Resampling.bilinear,
            add_alpha=source.count < 4 and source.nodata is None,
        ) as warped:
            array = warped.read(bands)
            mask = warped.dataset_mask() > 127
    return np.moveaxis(to_rgb(array), 0, -1), mask


def scaled_scene_tile(file: TileFile, z: int, x: int, y: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a tile outside the zooms of a display file, made of its smallest overview or of a part of one tile.

    Returns:
        rgb uint8 (256, 256, 3) and mask bool (256, 256).
    """
    canvas = Image.new("RGBa", (TILE_PX, TILE_PX))
    for piece in _pieces(file, z, x, y):
        # Premultiplied by alpha, so that the colour of empty pixels does not bleed in.
        part = Image.open(io.BytesIO(piece.data)).convert("RGBA").convert("RGBa").crop(piece.crop)
        resampling = Image.Resampling.BOX if piece.side < TILE_PX else Image.Resampling.BILINEAR
        canvas.paste(part.resize((piece.side, piece.side), resampling), (piece.col, piece.row))
    rgba = np.asarray(canvas.convert("RGBA"))
    return rgba[..., :3], rgba[..., 3] > 127


def scaled_class_tile(file: TileFile, z: int, x: int, y: int) -> NDArray[np.uint8]:
    """Return a tile of class values outside the zooms of a display file, uint8 (256, 256); 255 is no data."""
    canvas = np.full((TILE_PX, TILE_PX), 255, np.uint8)
    for piece in _pieces(file, z, x, y):
        left, upper, right, lower = piece.crop
        part = classes_of(piece.data)[upper:lower, left:right]
        index = (np.arange(piece.side) + 0.5) * part.shape[0] / piece.side
        nearest = index.astype(int)
        canvas[piece.row : piece.row + piece.side, piece.col : piece.col + piece.side] = part[np.ix_(nearest, nearest)]
    return canvas


def large_scene_tile(file: TileFile, z: int, x: int, y: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a tile at twice the resolution: the four of the next zoom.

    Returns:
        rgb uint8 (512, 512, 3) and mask bool (512, 512).
    """
    rgb = np.zeros((2 * TILE_PX, 2 * TILE_PX, 3), np.uint8)
    mask = np.zeros((2 * TILE_PX, 2 * TILE_PX), bool)
    for row, col in ((0, 0), (0, 1), (1, 0), (1, 1)):
        at = slice(row * TILE_PX, (row + 1) * TILE_PX), slice(col * TILE_PX, (col + 1) * TILE_PX)
        finer = z + 1, 2 * x + col, 2 * y + row
        if file.min_zoom <= z + 1 <= file.max_zoom:
            data = file.tile(*finer)
            if data:
                rgb[at], mask[at] = decode(data)
        else:
            rgb[at], mask[at] = scaled_scene_tile(file, *finer)
    return rgb, mask


def class_tile(file: TileFile, z: int, x: int, y: int) -> NDArray[np.uint8]:
    """Return a tile of class values at any zoom, uint8 (256, 256); 255 is no data."""
    if not file.min_zoom <= z <= file.max_zoom:
        return scaled_class_tile(file, z, x, y)
    data = file.tile(z, x, y)
    return classes_of(data) if data else np.full((TILE_PX, TILE_PX), 255, np.uint8)


def large_class_tile(file: TileFile, z: int, x: int, y: int) -> NDArray[np.uint8]:
    """Return a tile of class values at twice the resolution, uint8 (512, 512); 255 is no data."""
    quarters = [[class_tile(file, z + 1, 2 * x + col, 2 * y + row) for col in (0, 1)] for row in (0, 1)]
    return np.block(quarters)


def classes_of(data: bytes) -> NDArray[np.uint8]:
    """Return the class values of a tile that a display file gave, uint8 (256, 256)."""
    return np.frombuffer(zlib.decompress(data), np.uint8).reshape(TILE_PX, TILE_PX)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stored tile, the part of it that is wanted (left, upper, right, lower), and where that goes."""

    data: bytes
    crop: tuple[int, int, int, int]
    row: int
    col: int
    side: int


def _pieces(file: TileFile, z: int, x: int, y: int) -> Iterator[_Piece]:
    whole = (0, 0, TILE_PX, TILE_PX)
    if z > file.max_zoom:
        step = z - file.max_zoom
        data = file.tile(file.max_zoom, x >> step, y >> step)
        side = TILE_PX >> step
        if data and side:
            left, upper = (x % (1 << step)) * side, (y % (1 << step)) * side
            yield _Piece(data, (left, upper, left + side, upper + side), 0, 0, TILE_PX)
        return
    step = file.min_zoom - z
    side = TILE_PX >> step
    for col, row in file.smallest() if side else ():
        if col >> step == x and row >> step == y and (data := file.tile(file.min_zoom, col, row)):
            yield _Piece(data, whole, (row - (y << step)) * side, (col - (x << step)) * side, side)
