"""A class raster that grows block by block: each block a file, one grid for all, one COG at the end."""

import hashlib
import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.windows import Window as RasterioWindow

from webapp.errors import BadRaster
from webapp.raster.read import Transform
from webapp.raster.saving import copy_to_cog, created
from webapp.raster.shapes import transformer
from webapp.raster.windows import Window

# Not predicted: outside the extent or the imagery. Class values go up to 254.
NODATA = 255
# Each block keeps a copy with every 8th pixel, from which small-scale tiles are made.
DECIMATION = 8
# Half the circumference of the Web Mercator sphere, in metres (EPSG:3857).
MERCATOR_M = math.pi * 6378137.0
# Side of the TIFF tiles of the finished raster.
TIFF_TILE_PX = 512


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """The raster that the blocks make up.

    Attributes:
        height: rows.
        width: columns.
        transform: affine a, b, c, d, e, f from pixel (col, row) to the CRS.
        crs_wkt: the CRS.
        block_px: side of a block; those at the right and lower edge are cut.
    """

    height: int
    width: int
    transform: Transform
    crs_wkt: str
    block_px: int

    @property
    def columns(self) -> int:
        """Blocks side by side."""
        return -(-self.width // self.block_px)

    def window(self, number: int) -> Window:
        """Return the pixels of a block; blocks are numbered row by row."""
        row, col = divmod(number, self.columns)
        size = self.block_px
        return Window(row * size, col * size, size, size).clip(self.height, self.width)


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _encode(classes: NDArray[np.uint8]) -> bytes:
    parts = [
        zlib.compress(np.ascontiguousarray(part).tobytes(), 1)
        for part in (classes, classes[::DECIMATION, ::DECIMATION])
    ]
    head = {"height": classes.shape[0], "width": classes.shape[1], "sizes": [len(part) for part in parts]}
    return json.dumps(head).encode() + b"\n" + b"".join(parts)


def _decode(path: Path, level: int) -> NDArray[np.uint8]:
    with path.open("rb") as file:
        head = json.loads(file.readline())
        step = (1, DECIMATION)[level]
        if level:
            file.seek(head["sizes"][0], os.SEEK_CUR)
        packed = file.read(head["sizes"][level])
    shape = (-(-head["height"] // step), -(-head["width"] // step))
    return np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(shape)


def _within(part: Window, frame: Window) -> tuple[slice, slice]:
    """Return where a window lies in an array that holds `frame`."""
    return Window(part.row - frame.row, part.col - frame.col, part.height, part.width).slices()


# Blocks never change once written, so the path is key enough; a full one of 2048 px holds 4 MB.
@lru_cache(maxsize=8)
def _full(path: str) -> NDArray[np.uint8]:
    return _decode(Path(path), 0)


@lru_cache(maxsize=512)
def _small(path: str) -> NDArray[np.uint8]:
    return _decode(Path(path), 1)


class BlockFolder:
    """The blocks of one class raster on disk. Any process may read while one writes.

    Raises:
        BadRaster: the folder holds no block grid.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            stored = json.loads((self.path / "grid.json").read_text())
        except (OSError, ValueError) as error:
            raise BadRaster(
                f"'{self.path.name}' holds no class raster in the making.", fix="Run the inference again."
            ) from error
        self.grid = BlockGrid(**{**stored, "transform": tuple(stored["transform"])})

    @classmethod
    def create(cls, path: Path | str, grid: BlockGrid) -> Self:
        """Return the folder, made where it is not there; blocks of the same grid that it holds stay.

        Raises:
            BadRaster: it holds blocks of another grid.
        """
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "grid.json").exists():
            write_file(folder / "grid.json", json.dumps(asdict(grid)).encode())
        made = cls(folder)
        if made.grid != grid:
            raise BadRaster(f"'{folder.name}' holds blocks of another grid.", fix="Start the inference anew.")
        return made

    def file(self, number: int) -> Path:
        """Return where a block lies."""
        return self.path / f"{number:08d}.blk"

    def numbers(self) -> list[int]:
        """Return the numbers of the blocks that are there, in order."""
        return sorted(int(file.stem) for file in self.path.glob("[0-9]*.blk"))

    def write_block(self, number: int, window: Window, classes: NDArray[np.uint8]) -> str:
        """Store a block, whole or not at all, and return its file's SHA-256.

        Args:
            number: place on the grid, row by row.
            window: the pixels it covers; must be the grid's own for that number.
            classes: uint8 (row, col), class values, `NODATA` where nothing was predicted.

        Raises:
            ValueError: window, shape or dtype is not that of the block.
        """
        own = self.grid.window(number)
        if window != own or classes.shape != (own.height, own.width) or classes.dtype != np.uint8:
            raise ValueError(f"Block {number} is {own} of uint8, got {window}, {classes.shape}, {classes.dtype}.")
        data = _encode(classes)
        write_file(self.file(number), data)
        return hashlib.sha256(data).hexdigest()

    def sha256(self, number: int) -> str | None:
        """Return the SHA-256 of a block's file; None where it is not there."""
        try:
            return hashlib.sha256(self.file(number).read_bytes()).hexdigest()
        except FileNotFoundError:
            return None

    def read_block(self, number: int) -> NDArray[np.uint8]:
        """Return the classes of a block, uint8 (row, col); all `NODATA` where it is not there (yet)."""
        try:
            return _decode(self.file(number), 0)
        except FileNotFoundError:
            window = self.grid.window(number)
            return np.full((window.height, window.width), NODATA, dtype=np.uint8)

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Return the classes of a window inside the grid, uint8 (row, col); `NODATA` where no block is yet."""
        out = np.full((window.height, window.width), NODATA, dtype=np.uint8)
        size = self.grid.block_px
        for row in range(window.row // size, -(-(window.row + window.height) // size)):
            for col in range(window.col // size, -(-(window.col + window.width) // size)):
                number = row * self.grid.columns + col
                path = self.file(number)
                if path.exists():
                    block = self.grid.window(number)
                    shared = block.intersection(window)
                    out[_within(shared, window)] = _full(str(path))[_within(shared, block)]
        return out

    def read_tile(self, z: int, x: int, y: int, size: int = 256) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return a map tile of what is there so far: the class under the centre of each tile pixel.

        Args:
            z: zoom of the XYZ tile in EPSG:3857.
            x: column.
            y: row, from the north.
            size: pixels to a side.

        Returns:
            classes uint8 (row, col) and mask bool (row, col), True where a class was predicted.
        """
        rows, cols = self._pixels(z, x, y, size)
        found = (rows >= 0) & (rows < self.grid.height) & (cols >= 0) & (cols < self.grid.width)
        classes = np.full((size, size), NODATA, dtype=np.uint8)
        if found.any():
            small = self._coarse(rows, cols)
            numbers = np.where(found, rows // self.grid.block_px * self.grid.columns + cols // self.grid.block_px, -1)
            for number in np.unique(numbers[found]):
                self._sample(int(number), numbers == number, (rows, cols), classes, small=small)
        return classes, classes != NODATA

    def _sample(
        self,
        number: int,
        where: NDArray[np.bool_],
        pixels: tuple[NDArray[np.int64], NDArray[np.int64]],
        out: NDArray[np.uint8],
        *,
        small: bool,
    ) -> None:
        path = self.file(number)
        if not path.exists():
            return
        window = self.grid.window(number)
        rows, cols = pixels[0][where] - window.row, pixels[1][where] - window.col
        out[where] = (
            _small(str(path))[rows // DECIMATION, cols // DECIMATION] if small else _full(str(path))[rows, cols]
        )

    @staticmethod
    def _coarse(rows: NDArray[np.int64], cols: NDArray[np.int64]) -> bool:
        """Say whether neighbouring tile pixels are so far apart that every 8th pixel is enough."""
        middle = rows.shape[0] // 2
        apart = max(
            abs(int(rows[middle, middle]) - int(rows[middle - 1, middle])) if middle else 0,
            abs(int(cols[middle, middle]) - int(cols[middle, middle - 1])) if middle else 0,
        )
        return apart >= DECIMATION

    def _pixels(self, z: int, x: int, y: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return row and column of the grid under the centre of each tile pixel; -1 where there is none."""
        step = 2 * MERCATOR_M / 2**z / size
        across = -MERCATOR_M + (x * size + np.arange(size) + 0.5) * step
        down = MERCATOR_M - (y * size + np.arange(size) + 0.5) * step
        east, north = np.meshgrid(across, down)
        if CRS.from_wkt(self.grid.crs_wkt).to_epsg() != 3857:
            east, north = transformer(3857, self.grid.crs_wkt).transform(east, north)
        good = np.isfinite(east) & np.isfinite(north)
        cols, rows = ~Affine(*self.grid.transform) @ (np.where(good, east, 0.0), np.where(good, north, 0.0))
        limit = float(2**31)
        row, col = (
            np.where(good, np.floor(np.clip(axis, -limit, limit)), -1).astype(np.int64) for axis in (rows, cols)
        )
        return row, col

    def windows(self) -> Iterator[tuple[int, Window]]:
        """Yield (number, window) of all blocks of the grid, row by row."""
        rows = -(-self.grid.height // self.grid.block_px)
        for number in range(rows * self.grid.columns):
            yield number, self.grid.window(number)

    def assemble(self, path: Path | str, *, colours: Mapping[int, str]) -> str:
        """Write the finished class raster and return its SHA-256.

        A cloud-optimised GeoTIFF on the blocks' own grid: uint8 with a colour table, DEFLATE, 512 px tiles,
        overviews by majority. The same blocks give the same bytes: one writer thread, fixed options, no time
        stamp, and the number of the attempt leaves no trace.

        Args:
            path: where it goes; replaced whole.
            colours: class value to #rrggbb; value 0 (background) is transparent where not given.

        Raises:
            StorageFull: the disk has no room for it.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        plain = target.with_name(f".{target.name}.plain.tif")
        finished = target.with_name(f".{target.name}.tmp")
        # The memory stays that of a row of TIFF tiles, whatever the raster's size.
        with rasterio.Env(GDAL_CACHEMAX=64, GDAL_NUM_THREADS=1, GDAL_PAM_ENABLED="NO"):
            self._write_plain(plain, colours)
            copy_to_cog(
                plain,
                finished,
                COMPRESS="DEFLATE",
                LEVEL=6,
                BLOCKSIZE=TIFF_TILE_PX,
                OVERVIEW_RESAMPLING="MODE",
                NUM_THREADS=1,
                BIGTIFF="IF_SAFER",
            )
        plain.unlink()
        digest = _sync(finished)
        finished.replace(target)
        return digest

    def _write_plain(self, path: Path, colours: Mapping[int, str]) -> None:
        profile: dict[str, Any] = {
            "driver": "GTiff",
            "height": self.grid.height,
            "width": self.grid.width,
            "count": 1,
            "dtype": "uint8",
            "nodata": NODATA,
            "crs": self.grid.crs_wkt,
            "transform": Affine(*self.grid.transform),
            "photometric": "PALETTE",
            "compress": "DEFLATE",
            "zlevel": 1,
            "tiled": True,
            "blockxsize": TIFF_TILE_PX,
            "blockysize": TIFF_TILE_PX,
            "BIGTIFF": "IF_SAFER",
            "SPARSE_OK": True,
        }
        with created(path, **profile) as raster:
            raster.write_colormap(1, colour_table(colours))
            # Tile by tile in file order, so that no compressed tile is ever written twice.
            side = max(TIFF_TILE_PX, self.grid.block_px // TIFF_TILE_PX * TIFF_TILE_PX)
            for row in range(0, self.grid.height, side):
                for col in range(0, self.grid.width, side):
                    window = Window(row, col, side, side).clip(self.grid.height, self.grid.width)
                    classes = self.read(window)
                    raster.write(classes, 1, window=RasterioWindow(window.col, window.row, window.width, window.height))


def colour_table(colours: Mapping[int, str]) -> dict[int, tuple[int, int, int, int]]:
    """Return GDAL's colour table: class value to (red, green, blue, alpha); unknown values are transparent."""
    table = dict.fromkeys(range(256), (0, 0, 0, 0))
    for value, colour in colours.items():
        red, green, blue = bytes.fromhex(colour.removeprefix("#"))
        table[value] = (red, green, blue, 255)
    return table


def _sync(path: Path) -> str:
    """Bring a file to the disk and return its SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb+") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
        os.fsync(file.fileno())
    return digest.hexdigest()
