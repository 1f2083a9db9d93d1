"""The grid, its blocks and chips, and where an extent lies on it."""

from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from inference.matching import parse_extent, place_extent
from inference.plan import (
    ALIGN_PX,
    Grid,
    Layout,
    blocks,
    chips,
    grid_for,
    object_layout,
    pixel_layout,
    to_ground,
    to_pixels,
)
from webapp.raster.read import Info
from webapp.raster.shapes import footprint
from webapp.raster.windows import Window

TRANSFORM = (0.5, 0.0, 465_000.0, 0.0, -0.5, 5_247_000.0)


def about(height: int = 1000, width: int = 3000) -> Info:
    """Return a raster near Zurich with 0.5 m pixels."""
    from pyproj import CRS

    wkt = CRS.from_epsg(32632).to_wkt()
    bounds = (465_000.0, 5_246_500.0, 466_500.0, 5_247_000.0)
    return Info(Path("x"), height, width, 3, "uint8", wkt, 32632, TRANSFORM, None, ("r", "g", "b"), bounds, False)


def grid(height: int, width: int) -> Grid:
    """Return a grid of that size."""
    return Grid(height, width, TRANSFORM, about().crs_wkt, ALIGN_PX)


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from([32, 64, 96]), st.sampled_from([1, 2, 5]))
def test_each_pixel_has_one_block_and_one_core(height: int, width: int, core: int, cores_to_a_block: int) -> None:
    layout = Layout(core, 32, core * cores_to_a_block)
    found = blocks(grid(height, width), layout)
    assert sum(block.window.height * block.window.width for block in found) == height * width
    assert [block.number for block in found] == list(range(len(found)))
    seen = [window for block in found for window in chips(block, layout, grid(height, width))]
    assert len(seen) == len(set(seen)) == -(-height // core) * -(-width // core)


def test_blended_blocks_need_the_chips_around_them() -> None:
    layout = Layout(64, 32, 128, "blend")
    inner = blocks(grid(640, 640), layout)[6]
    assert len(chips(inner, layout, grid(640, 640))) == 16
    assert len(chips(blocks(grid(640, 640), layout)[0], layout, grid(640, 640))) == 9


def test_imagery_near_the_resolution_is_read_on_its_own_grid() -> None:
    assert grid_for(about(), 0.52) == Grid(1000, 3000, TRANSFORM, about().crs_wkt, ALIGN_PX)


def test_other_imagery_is_read_in_whole_source_pixels() -> None:
    found = grid_for(about(), 1.0)
    assert found.step == 64
    assert (found.height, found.width) == (500, 1500)
    assert found.transform[0] == 1.0
    assert found.source(Window(32, -64, 96, 32)) == Window(64, -128, 192, 64)


@pytest.mark.parametrize(("halo", "core"), [(0, 1024), (32, 1024), (64, 2048), (40, 2048), (96, 2048)])
def test_the_larger_the_halo_the_larger_the_chips(halo: int, core: int) -> None:
    layout = pixel_layout(grid(9000, 9000), halo_px=halo)
    assert layout.core_px == core
    assert layout.halo_px % ALIGN_PX == 0
    assert layout.halo_px >= halo
    assert layout.block_px == 2048


def test_a_small_scene_is_one_chip() -> None:
    assert pixel_layout(grid(400, 390), halo_px=64) == Layout(416, 64, 2080)


def test_detectors_keep_the_size_of_their_training_chips() -> None:
    layout = object_layout(chip_px=256, halo_px=48)
    assert (layout.chip_px, layout.halo_px, layout.block_px % layout.core_px) == (256, 64, 0)


def test_an_extent_lands_on_its_pixels_and_back() -> None:
    whole = grid(1000, 3000)
    box = shapely.box(100, 200, 300, 500)
    ground = to_ground(box, whole)
    assert to_pixels(ground, whole, src=32632).equals_exact(box, 1e-6)


def test_the_whole_world_is_cut_to_the_imagery_first(data: Path) -> None:
    from webapp.raster.read import info

    path = sorted((data / "neon_trees").glob("SJER_*.tif"))[0]
    found = info(path)
    own = Grid(found.height, found.width, found.transform, found.crs_wkt, ALIGN_PX)
    world = parse_extent(shapely.geometry.mapping(shapely.box(-180, -90, 180, 90)))
    placed = place_extent(world, own, footprint=footprint(path).bounds)
    assert placed is not None
    assert placed.equals_exact(shapely.box(0, 0, 400, 400), 1e-6) or placed.area == pytest.approx(160_000)
