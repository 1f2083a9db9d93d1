"""Does a package fit imagery, and what would be predicted. No torch here: pages ask this too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from inference.plan import ALIGN_PX, Block, Grid, Layout, blocks, grid_for, object_layout, pixel_layout, to_pixels
from inference.specs import MAX_CLASS_VALUE, Settings
from webapp.errors import BandMismatch, Invalid
from webapp.raster.read import Info

# What shapely raises on what is no GeoJSON; numbers of hundreds of digits overflow.
NO_GEOJSON = (
    *(shapely.errors.GEOSException, TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError),
)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a package wants to see.

    Attributes:
        bands: names in the order in which the network takes them.
    """

    task: str
    bands: tuple[str, ...]
    dtype: str
    resolution_m: float
    chip_px: int
    halo_px: int
    class_values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """What is predicted and how it is cut.

    Attributes:
        bands: 1-based bands of the imagery in the package's order.
        extent: in grid pixels (col, row); None for all.
        blocks: in order.
    """

    grid: Grid
    layout: Layout
    bands: tuple[int, ...]
    extent: BaseGeometry | None
    blocks: tuple[Block, ...]

    @property
    def pixels(self) -> int:
        """Pixels of all blocks."""
        return sum(block.window.height * block.window.width for block in self.blocks)


def bands_for(needs: Needs, *, names: Sequence[str], dtype: str) -> tuple[int, ...]:
    """Return which bands of the imagery the network takes: by name where all names are there, else in order.

    Args:
        needs: of the package.
        names: of the imagery's bands.
        dtype: of the imagery.

    Raises:
        BandMismatch: number or type of the bands differ.
    """
    if dtype != needs.dtype:
        raise BandMismatch(
            f"The imagery is {dtype}, the package was trained on {needs.dtype}: its numbers mean something else.",
            fix=f"Choose imagery of type {needs.dtype}, or train a package on this imagery.",
        )
    places = {name.strip().lower(): number for number, name in enumerate(names, start=1)}
    wanted = [name.strip().lower() for name in needs.bands]
    if len(places) == len(names) and all(name in places for name in wanted):
        return tuple(places[name] for name in wanted)
    if len(names) == len(wanted):
        return tuple(range(1, len(names) + 1))
    raise BandMismatch(
        f"The imagery has {len(names)} bands ({', '.join(names)}), the package takes {len(wanted)} "
        f"({', '.join(needs.bands)}).",
        fix="Choose imagery with the package's bands, or train a package on this imagery.",
        details={"imagery": list(names), "package": list(needs.bands)},
    )


def check_classes(needs: Needs) -> None:
    """Refuse class values that a class raster cannot hold.

    Raises:
        Invalid: a value above 254.
    """
    high = [value for value in needs.class_values if value > MAX_CLASS_VALUE]
    if needs.task == "classify_pixels" and high:
        raise Invalid(
            f"Class value {high[0]} does not fit into a class raster.",
            fix=f"Give the classes values from 1 to {MAX_CLASS_VALUE} and train again.",
        )


def parse_extent(value: Mapping[str, Any] | None) -> shapely.Polygon | None:
    """Return a GeoJSON polygon in EPSG:4326 that can limit an inference; None for none.

    Raises:
        Invalid: no polygon, empty, crossing itself, or not on Earth.
    """
    if value is None:
        return None
    fix = "Draw one polygon on the map, or leave the extent out."
    try:
        geometry = shapely.geometry.shape(dict(value))
    except NO_GEOJSON as error:
        raise Invalid("The extent is no GeoJSON polygon.", fix=fix, code="extent_invalid") from error
    if not isinstance(geometry, shapely.Polygon):
        raise Invalid(f"The extent is a {geometry.geom_type}, not a polygon.", fix=fix, code="extent_invalid")
    west, south, east, north = geometry.bounds if not geometry.is_empty else (0.0, 0.0, 0.0, 0.0)
    if geometry.is_empty or not geometry.is_valid or geometry.area == 0:
        raise Invalid("The extent is empty or crosses itself.", fix=fix, code="extent_invalid")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid(
            "The extent lies outside the Earth.", fix="Send longitude and latitude in degrees.", code="extent_invalid"
        )
    return shapely.force_2d(geometry)


def place_extent(
    extent: BaseGeometry | None, grid: Grid, *, footprint: tuple[float, float, float, float]
) -> BaseGeometry | None:
    """Return an extent in EPSG:4326 as one in grid pixels; None for all.

    Args:
        extent: in EPSG:4326.
        grid: of the imagery.
        footprint: (west, south, east, north) of the imagery in degrees: the rest of the world is cut off first,
            since the imagery's CRS may not be able to express it.

    Raises:
        Invalid: it does not meet the imagery.
    """
    if extent is None:
        return None
    west, south, east, north = footprint
    margin = max(east - west, north - south) * 0.1 + 1e-4
    near = extent.intersection(shapely.box(west - margin, south - margin, east + margin, north + margin))
    if not near.is_empty:
        pixels = to_pixels(near.segmentize(margin), grid)
        whole = shapely.box(0, 0, grid.width, grid.height)
        inside = shapely.make_valid(pixels).intersection(whole)
        if inside.area > 0:
            return inside
    raise Invalid(
        "The extent does not meet the imagery.", fix="Draw it over the imagery, or leave it out.", code="extent_outside"
    )


def plan(
    about: Info,
    needs: Needs,
    settings: Settings,
    *,
    names: Sequence[str],
    extent: BaseGeometry | None = None,
    footprint: tuple[float, float, float, float] = (-180.0, -90.0, 180.0, 90.0),
) -> Planned:
    """Return what is predicted: a function of its arguments only, so every attempt plans the same.

    Args:
        about: the raster.
        needs: of the package.
        settings: of the inference.
        names: of the raster's bands.
        extent: in EPSG:4326, or None.
        footprint: of the imagery, in degrees.

    Raises:
        BandMismatch: bands, type or resolution do not fit.
        Invalid: no CRS, an extent beside the imagery, class values that do not fit.
    """
    check_classes(needs)
    bands = bands_for(needs, names=names, dtype=about.dtype)
    grid = grid_for(about, needs.resolution_m)
    halo = needs.halo_px if settings.halo_px is None else settings.halo_px
    if needs.task == "detect_objects":
        layout = object_layout(chip_px=needs.chip_px, halo_px=halo, block_px=settings.block_px)
    else:
        layout = pixel_layout(
            grid,
            halo_px=halo,
            core_px=settings.core_px,
            block_px=settings.block_px,
            stitch="blend" if settings.stitch == "blend" else "trim",
        )
    placed = place_extent(extent, grid, footprint=footprint)
    return Planned(grid, layout, bands, placed, tuple(blocks(grid, layout, placed)))


def notes(planned: Planned, needs: Needs, *, names: Sequence[str]) -> list[str]:
    """Return what a person should know before starting, in sentences."""
    found = []
    chosen = [names[band - 1].strip().lower() for band in planned.bands]
    if chosen != [name.strip().lower() for name in needs.bands]:
        found.append(
            f"The bands are taken in order ({', '.join(names)}); the package calls them {', '.join(needs.bands)}."
        )
    scale = planned.grid.scale
    if planned.grid.step != ALIGN_PX:
        times, way = (scale, "coarser") if scale > 1 else (1 / scale, "finer")
        found.append(f"The imagery is read {times:.2g} times {way}, at the package's {needs.resolution_m:.3g} m.")
    return found
