"""Where a network looks: the grid of a raster at the package's resolution, its blocks and its chips.

All of it hangs on one global grid that starts at the raster's first pixel, so the result does not depend on how the
raster is cut into blocks, nor on which blocks an extent leaves out. Known without torch: the web process plans too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from webapp.errors import BandMismatch
from webapp.raster import shapes
from webapp.raster.read import Info, Transform
from webapp.raster.windows import Window

# Encoders halve the picture five times: chips that start at multiples of 32 see it in the same phase, whatever
# the block. Source windows of such chips are whole pixels, since the grid's scale is a multiple of 1/32.
ALIGN_PX = 32
# Imagery this near to the package's resolution is read on its own pixels: networks are trained with more jitter.
SAME_RESOLUTION = 0.1
# Beyond this factor resampling makes up detail, or averages away what the network knows.
MAX_SCALE = 8.0
# Sides of the cores of chips for pixel classification, and the share of a chip's side that they should be.
CORES_PX = (1024, 1536, 2048)
USEFUL = 0.88**0.5
# A block is about this wide: seconds of work for a small network on a laptop, so that results appear soon.
BLOCK_PX = 2048

Stitch = Literal["trim", "blend"]


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixels that are predicted.

    Attributes:
        height: rows.
        width: columns.
        transform: affine a, b, c, d, e, f from grid pixel (col, row) to the CRS of the raster.
        crs_wkt: of the raster.
        step: pixels of the raster to `ALIGN_PX` pixels of the grid; equal numbers mean the raster's own grid.
    """

    height: int
    width: int
    transform: Transform
    crs_wkt: str
    step: int

    @property
    def scale(self) -> float:
        """Pixels of the raster to one of the grid."""
        return self.step / ALIGN_PX

    @property
    def whole(self) -> Window:
        """The window of the whole grid."""
        return Window(0, 0, self.height, self.width)

    def source(self, window: Window) -> Window:
        """Return the pixels of the raster under a window whose corners are multiples of `ALIGN_PX`."""
        row, col, height, width = (
            length // ALIGN_PX * self.step for length in (window.row, window.col, window.height, window.width)
        )
        return Window(row, col, height, width)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the grid is cut; frozen with the inference.

    Attributes:
        core_px: side of the part of a chip that is kept.
        halo_px: pixels around it that the network sees and that are thrown away (or blended).
        block_px: side of a block, a multiple of `core_px`.
        stitch: `trim` throws the halo away, `blend` mixes neighbours over half of it with ramps that sum to one.
    """

    core_px: int
    halo_px: int
    block_px: int
    stitch: Stitch = "trim"

    def __post_init__(self) -> None:
        if self.core_px < 1 or self.core_px % ALIGN_PX or self.halo_px < 0 or self.halo_px % ALIGN_PX:
            raise ValueError(f"Core and halo are multiples of {ALIGN_PX} px, got {self.core_px} and {self.halo_px}.")
        if self.block_px < 1 or self.block_px % self.core_px:
            raise ValueError(f"A block of {self.block_px} px is no multiple of the core of {self.core_px} px.")

    @property
    def chip_px(self) -> int:
        """Side of a chip, halo included."""
        return self.core_px + 2 * self.halo_px

    @property
    def ramp_px(self) -> int:
        """Half the width of the ramp across a border between chips: half the halo stays as context."""
        return self.halo_px // 2 if self.stitch == "blend" else 0


@dataclass(frozen=True, slots=True)
class Block:
    """The unit that is finished, stored and never redone. Its number is its place on the whole grid, row by row."""

    number: int
    window: Window


def round_up(length: int, unit: int = ALIGN_PX) -> int:
    """Return the next multiple of `unit`, at least one."""
    return max(1, -(-length // unit)) * unit


def grid_for(info: Info, resolution_m: float) -> Grid:
    """Return the grid at a package's resolution: the raster's own where they are within 10 %.

    Otherwise the grid starts at the same corner and its pixels are the raster's, enlarged by a multiple of 1/32
    (so within 1.6 % of the package's resolution, times the ratio).

    Args:
        info: a raster with a CRS.
        resolution_m: ground size of the pixels that the network was trained on.

    Raises:
        Invalid: the raster has no CRS.
        BandMismatch: the resolutions differ by more than a factor of 8.
    """
    own_m = shapes.pixel_size_m(info)
    ratio = resolution_m / own_m
    if not 1 / MAX_SCALE <= ratio <= MAX_SCALE:
        raise BandMismatch(
            f"The imagery has {own_m:.3g} m pixels, the package was trained on {resolution_m:.3g} m.",
            fix="Choose imagery nearer to the package's resolution, or train a package on this imagery.",
            code="resolution_mismatch",
        )
    step = ALIGN_PX if abs(ratio - 1) <= SAME_RESOLUTION else round(ratio * ALIGN_PX)
    scale = step / ALIGN_PX
    a, b, c, d, e, f = info.transform
    return Grid(
        height=max(1, round(info.height / scale)),
        width=max(1, round(info.width / scale)),
        transform=(a * scale, b * scale, c, d * scale, e * scale, f),
        crs_wkt=info.crs_wkt,
        step=step,
    )


def pixel_layout(
    grid: Grid, *, halo_px: int, core_px: int | None = None, block_px: int | None = None, stitch: Stitch = "trim"
) -> Layout:
    """Return the layout for pixel classification: large chips, since their halo is cheap.

    Args:
        grid: small grids get one chip of their own size.
        halo_px: at least the reach of the network; rounded up to a multiple of 32.
        core_px: multiple of 32. Not given: the smallest of 1024, 1536 and 2048 px (1.2, 1.8 and 2.5 GB for a
            small U-Net) with which at most 12 % of what the network computes is thrown away.
        block_px: rounded up to a multiple of the core.
        stitch: see `Layout`.
    """
    halo = 0 if halo_px == 0 else round_up(halo_px)
    wanted = core_px or next((core for core in CORES_PX if core >= USEFUL * (core + 2 * halo)), CORES_PX[-1])
    core = min(round_up(wanted), round_up(max(grid.height, grid.width)))
    return Layout(core, halo, round_up(block_px or BLOCK_PX, core), stitch)


def object_layout(*, chip_px: int, halo_px: int, block_px: int | None = None) -> Layout:
    """Return the layout for detection: chips of the size that the network was trained on.

    Args:
        chip_px: side of a training chip; rounded up to a multiple of 32.
        halo_px: overlap to each side, at least half the largest object; at most a quarter of the chip.
        block_px: rounded down to a multiple of the core.
    """
    chip = max(round_up(chip_px), 4 * ALIGN_PX)
    halo = min(0 if halo_px == 0 else round_up(halo_px), chip // 4 // ALIGN_PX * ALIGN_PX)
    core = chip - 2 * halo
    return Layout(core, halo, max(core, (block_px or BLOCK_PX) // core * core))


def block_windows(height: int, width: int, block_px: int) -> Iterator[Window]:
    """Yield the blocks of a grid row by row; those at the right and lower edge are cut at it."""
    whole = Window(0, 0, height, width)
    for row in range(0, height, block_px):
        for col in range(0, width, block_px):
            yield Window(row, col, block_px, block_px).intersection(whole)


def blocks(grid: Grid, layout: Layout, extent: BaseGeometry | None = None) -> list[Block]:
    """Return the blocks in order.

    Args:
        grid: what is predicted.
        layout: how it is cut.
        extent: polygon in grid pixels (col, row) outside which nothing is predicted; None for all of the grid.
    """
    found = [
        Block(number, window) for number, window in enumerate(block_windows(grid.height, grid.width, layout.block_px))
    ]
    if extent is None:
        return found
    shapely.prepare(extent)
    return [block for block in found if extent.intersects(box_of(block.window))]


def box_of(window: Window) -> shapely.Polygon:
    """Return a window as a polygon in pixels (col, row)."""
    return shapely.box(window.col, window.row, window.col + window.width, window.row + window.height)


def chips(block: Block, layout: Layout, grid: Grid) -> list[Window]:
    """Return the cores of the chips that a block needs, row by row: its own, and with `blend` those around it.

    Cores are full squares even where they reach over the grid's edge: every chip has one shape.
    """
    reach = layout.ramp_px
    inner = block.window.grow(reach).clip(grid.height, grid.width)
    core = layout.core_px
    rows = range(inner.row // core, -(-(inner.row + inner.height) // core))
    cols = range(inner.col // core, -(-(inner.col + inner.width) // core))
    return [Window(row * core, col * core, core, core) for row in rows for col in cols]


def inside(window: Window, extent: BaseGeometry | None) -> NDArray[np.bool_]:
    """Return which pixels of a window have their centre in the extent (polygon in grid pixels; None: all)."""
    if extent is None:
        return np.ones((window.height, window.width), dtype=bool)
    transform = (1.0, 0.0, float(window.col), 0.0, 1.0, float(window.row))
    burnt = shapes.burn([(extent, 1)], height=window.height, width=window.width, transform=transform)
    return burnt.astype(bool)


def to_pixels(geometry: BaseGeometry, grid: Grid, src: int | str = 4326) -> BaseGeometry:
    """Return a geometry given in `src` as one in grid pixels (col, row).

    Raises:
        Invalid: the geometry lies outside what the raster's CRS can express.
    """
    ground = shapes.to_crs(geometry, src, grid.crs_wkt)
    a, b, c, d, e, f = grid.transform
    det = a * e - b * d
    inverse = [e / det, -b / det, -d / det, a / det, (b * f - e * c) / det, (d * c - a * f) / det]
    return affinity.affine_transform(ground, inverse)


def to_ground(geometry: BaseGeometry, grid: Grid) -> BaseGeometry:
    """Return a geometry given in grid pixels (col, row) as one in the raster's CRS."""
    a, b, c, d, e, f = grid.transform
    return affinity.affine_transform(geometry, [a, b, d, e, c, f])
