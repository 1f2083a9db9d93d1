"""Rewriting: the rows R01-R40 of what goes wrong with rasters, and the pixels of what goes right."""

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.warp import transform as transform_points
from shapely.geometry import Polygon

from webapp.errors import BadRaster, QuadratError, TooLarge
from webapp.raster.canvas import tile_canvas
from webapp.raster.display import display_grid, write_display_cog
from webapp.raster.point import values_at
from webapp.raster.position import parse
from webapp.raster.probe import Source, default_bands, open_source
from webapp.raster.read import Reader, info
from webapp.raster.render import Rendering, decode
from webapp.raster.shapes import to_crs
from webapp.raster.tiff import HALF_WORLD_M, TILE_PX, TileFile
from webapp.raster.tiles import classes_of, read_tile, scaled_scene_tile, tile_transform
from webapp.raster.warp import read_onto
from webapp.raster.write import write_analysis_cog

from .conftest import UTM, MakeRaster

RGB = np.random.default_rng(5).integers(1, 255, (3, 200, 300)).astype(np.uint8)


def quiet(fraction: float, message: str) -> None:
    """Nobody watches."""


def opened(path: Path, position: dict[str, Any] | None = None, **options: Any) -> Source:
    options = {"nodata": None, "max_pixels": 10**9, **options}
    return open_source(path, name=path.name, position=parse(position or {}), **options)


def analysed(path: Path, position: dict[str, Any] | None = None, **options: Any) -> Path:
    out = path.with_name("analysis.tif")
    write_analysis_cog(opened(path, position, **options), out, progress=quiet)
    return out


def displayed(path: Path, rendering: Rendering | None = None) -> TileFile:
    out = path.with_name("display.tif")
    write_display_cog(path, out, rendering, progress=quiet)
    return TileFile(out)


def pixels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with Reader(path) as reader:
        chip = reader.read(reader.whole)
    return chip.array, chip.valid


# --- what is refused -----------------------------------------------------------------------------


def tiny_tiff(width: int, height: int) -> bytes:
    """Return a TIFF header of a few bytes that claims any size."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    tags += [(278, 4, height), (279, 4, 8)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"


NAN = math.nan
REFUSED: dict[str, tuple[Callable[[MakeRaster], Path], str]] = {
    "no CRS": (lambda make: make(RGB, crs=None), "crs_missing"),
    "no geotransform": (lambda make: make(RGB, transform=Affine.identity()), "georeference_missing"),
    "a zero pixel": (lambda make: make(RGB, transform=Affine(0.5, 0, 0, 0, 0.0, 0)), "georeference_invalid"),
    "a NaN": (lambda make: make(RGB, transform=Affine(0.5, 0, NAN, 0, -0.5, 0)), "georeference_invalid"),
    "metres called degrees": (lambda make: make(RGB, crs="EPSG:4326"), "bounds_impossible"),
    "longitude 400": (
        lambda make: make(RGB, crs="EPSG:4326", transform=Affine(0.1, 0, 400, 0, -0.1, 50)),
        "bounds_impossible",
    ),
    "degrees called metres": (
        lambda make: make(RGB, transform=Affine(1e-6, 0, 15.1, 0, -1e-6, 46.2)),
        "bounds_suspicious",
    ),
    "an engineering CRS": (lambda make: make(RGB, crs='LOCAL_CS["site",UNIT["metre",1]]'), "crs_unsupported"),
    "complex pixels": (lambda make: make(np.ones((1, 9, 9), np.complex64)), "dtype_unsupported"),
    "65 bands": (lambda make: make(np.ones((65, 4, 4), np.uint8)), "too_many_bands"),
}


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_its_own_code_and_a_fix(make_raster: MakeRaster, what: str) -> None:
    make, code = REFUSED[what]
    with pytest.raises(QuadratError) as raised:
        opened(make(make_raster))
    assert raised.value.code == code
    assert "scene.tif" in raised.value.message
    assert raised.value.fix


@pytest.mark.parametrize(("width", "height"), [(2**31 - 1, 2**31 - 1), (50_000, 50_000)])
def test_a_tiny_file_that_claims_to_be_huge_is_refused_before_its_pixels(
    tmp_path: Path, width: int, height: int
) -> None:
    path = tmp_path / "bomb.tif"
    path.write_bytes(tiny_tiff(width, height))
    with pytest.raises(QuadratError) as raised:
        opened(path)
    assert raised.value.code in ("dimensions_implausible", "file_damaged")


def test_more_pixels_than_allowed_are_refused(make_raster: MakeRaster) -> None:
    with pytest.raises(TooLarge) as raised:
        opened(make_raster(RGB), max_pixels=59_999)
    assert raised.value.code == "too_many_pixels"


def test_a_bomb_of_zeros_is_refused_by_its_expansion(tmp_path: Path) -> None:
    path = tmp_path / "zeros.tif"
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "width": 40_000, "height": 40_000, "compress": "ZSTD"}
    with rasterio.open(path, "w", tiled=True, blockxsize=8192, blockysize=8192, sparse_ok=True, **profile):
        pass
    with pytest.raises(BadRaster) as raised:
        opened(path, max_pixels=10**10)
    assert raised.value.code in ("expansion_limit", "dimensions_implausible")


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("kept", [0.3, 0.999])
def test_a_png_that_is_cut_off_is_refused(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "scene.png"
    Image.fromarray(RGB.transpose(1, 2, 0)).save(path)
    opened(path, {"bounds": [14, 50, 14.01, 50.01]})
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(BadRaster, match=r"'scene\.png' is damaged or cut off") as raised:
        opened(path, {"bounds": [14, 50, 14.01, 50.01]})
    assert raised.value.code == "file_damaged"


def test_random_bytes_after_the_header_are_found_when_the_blocks_are_read(make_raster: MakeRaster) -> None:
    path = make_raster(RGB, compress="deflate", blockysize=16)
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 5000] = np.random.default_rng(1).bytes(5000)
    path.write_bytes(whole)
    with pytest.raises(BadRaster) as raised:
        analysed(path)
    assert raised.value.code == "file_damaged"
    assert str(path.parent) not in raised.value.message


# --- pixels are the same -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "profile",
    [
        {},
        {"tiled": True, "blockxsize": 128, "blockysize": 64, "compress": "lzw"},
        {"interleave": "band", "compress": "deflate"},
        {"bigtiff": "YES"},
    ],
)
def test_any_layout_keeps_every_pixel(make_raster: MakeRaster, profile: dict[str, Any]) -> None:
    array, valid = pixels(analysed(make_raster(RGB, **profile)))
    np.testing.assert_array_equal(array, RGB)
    assert valid.all()


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_any_type_of_pixel_keeps_its_values(make_raster: MakeRaster, dtype: str) -> None:
    source = (np.random.default_rng(2).normal(0, 50, (2, 70, 90))).astype(dtype)
    array, _ = pixels(analysed(make_raster(source)))
    np.testing.assert_array_equal(array, source)


@pytest.mark.parametrize(("a", "e"), [(0.5, 0.5), (-0.5, -0.5), (-0.5, 0.5)])
def test_a_mirrored_raster_is_turned_north_up_and_each_pixel_keeps_its_place(
    make_raster: MakeRaster, a: float, e: float
) -> None:
    mirrored = Affine(a, 0, 500_000, 0, e, 4_649_000)
    path = analysed(make_raster(RGB, transform=mirrored))
    found = info(path)
    assert found.transform[0] > 0
    assert found.transform[4] < 0
    with rasterio.open(path) as rewritten:
        for row, col in ((0, 0), (3, 290), (199, 0), (120, 77), (199, 299)):
            place = mirrored @ (col + 0.5, row + 0.5)
            assert list(next(rewritten.sample([place]))) == list(RGB[:, row, col])


@pytest.mark.parametrize(
    "turned",
    [
        Affine.translation(500_000, 4_649_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5),
        Affine(0.5, 0.2, 500_000, 0.0, -0.5, 4_649_000),
    ],
)
def test_a_rotated_or_sheared_raster_is_turned_with_less_than_half_a_pixel_of_error(
    make_raster: MakeRaster, turned: Affine
) -> None:
    # A bright square of 5 pixels around each probe: its centre of mass must lie where the affine says.
    array = np.full((1, 200, 300), 10, np.uint8)
    probes = [(20, 20), (20, 270), (170, 30), (180, 280), (100, 150)]
    for row, col in probes:
        array[0, row - 2 : row + 3, col - 2 : col + 3] = 250
    path = analysed(make_raster(array, transform=turned))
    out, valid = pixels(path)
    affine = Affine(*info(path).transform)
    pixel = abs(affine.a)
    rows, cols = np.nonzero((out[0] > 130) & valid)
    bright = np.array([affine @ (col + 0.5, row + 0.5) for row, col in zip(rows, cols, strict=True)])
    for row, col in probes:
        place = np.array(turned @ (col + 0.5, row + 0.5))
        near = bright[np.linalg.norm(bright - place, axis=1) < 6 * pixel]
        assert np.linalg.norm(near.mean(axis=0) - place) < 0.5 * pixel
    assert not valid.all()


def test_control_points_place_a_raster(make_raster: MakeRaster, tmp_path: Path) -> None:
    corners = [(0, 0), (0, 300), (200, 0), (200, 300), (100, 150)]
    gcps = [GroundControlPoint(row, col, *(UTM @ (col, row))) for row, col in corners]
    path = tmp_path / "points.tif"
    profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "height": 200, "width": 300}
    with rasterio.open(path, "w", gcps=gcps, crs="EPSG:32633", **profile) as target:
        target.write(RGB)
    found = info(analysed(path))
    assert found.epsg == 32633
    assert found.bounds == pytest.approx((500_000, 4_648_900, 500_150, 4_649_000), abs=0.5)


# --- masks ---------------------------------------------------------------------------------------


def test_a_value_without_data_becomes_a_mask_and_one_band_with_data_is_enough(make_raster: MakeRaster) -> None:
    array = RGB.copy()
    array[:, :50] = 0
    array[0, 100, 100] = 0
    path = analysed(make_raster(array, nodata=0))
    _, valid = pixels(path)
    assert (valid == (array != 0).any(axis=0)).all()
    assert info(path).nodata is None


def test_a_given_nodata_value_serves_where_the_file_has_none(make_raster: MakeRaster) -> None:
    array = RGB.copy()
    array[:, :50] = 0
    assert pixels(analysed(make_raster(array), nodata=0))[1].sum() == 150 * 300


def test_a_nodata_value_that_cannot_occur_is_ignored_with_a_note(make_raster: MakeRaster) -> None:
    source = opened(make_raster(RGB), nodata=-9999)
    assert source.nodata is None
    assert "-9999" in source.notes[0]


def test_infinite_and_missing_numbers_have_no_data_and_do_not_spoil_the_statistics(make_raster: MakeRaster) -> None:
    array = np.random.default_rng(7).normal(5, 1, (1, 60, 60))
    array[0, 0, 0], array[0, 1, 1], array[0, 2, 2] = np.inf, -np.inf, np.nan
    path = make_raster(array)
    written = write_analysis_cog(opened(path), path.with_name("analysis.tif"), progress=quiet)
    good = array[np.isfinite(array)]
    assert written.valid_pixels == good.size
    assert written.statistics[0].mean == pytest.approx(good.mean())
    assert written.statistics[0].std == pytest.approx(good.std())
    assert (written.statistics[0].min, written.statistics[0].max) == (good.min(), good.max())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_nodata_value_that_is_no_number_leaves_the_mask_to_the_pixels(make_raster: MakeRaster, value: float) -> None:
    array = np.ones((1, 20, 20), np.float32)
    array[0, :4], array[0, 4:8] = value, 0
    path = make_raster(array, nodata=value)
    source = opened(path)
    assert source.nodata is None
    written = write_analysis_cog(source, path.with_name("analysis.tif"), progress=quiet)
    # It names what is missing, so its zeros are data.
    assert (written.statistics[0].min, written.statistics[0].p2) == (0, 0)
    _, valid = pixels(path.with_name("analysis.tif"))
    assert (valid == np.isfinite(array[0])).all()


def test_a_forgotten_nodata_value_at_the_end_of_float64_overflows_to_numbers_that_json_holds(
    make_raster: MakeRaster,
) -> None:
    array = np.ones((1, 20, 20), np.float64)
    array[0, :4] = np.finfo(np.float64).min
    path = make_raster(array)
    written = write_analysis_cog(opened(path), path.with_name("analysis.tif"), progress=quiet)
    json.dumps(written.statistics[0].as_json(), allow_nan=False)


def test_an_alpha_band_becomes_the_mask(make_raster: MakeRaster) -> None:
    alpha = np.full((1, 200, 300), 255, np.uint8)
    alpha[:, 100:] = 0
    path = analysed(make_raster(np.concatenate([RGB, alpha]), photometric="RGB", alpha="YES"))
    array, valid = pixels(path)
    assert array.shape[0] == 3
    assert valid.sum() == 100 * 300


def test_a_mask_that_begins_late_keeps_all_that_came_before(make_raster: MakeRaster) -> None:
    array = np.full((1, 5000, 300), 9, np.uint8)
    array[0, 4990:] = 0
    path = analysed(make_raster(array, nodata=0, tiled=True, blockxsize=256, blockysize=256))
    assert pixels(path)[1].sum() == 4990 * 300


def test_a_palette_is_spread_to_its_colours(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = tmp_path / "palette.tif"
    classes = np.random.default_rng(3).integers(0, 3, (40, 40)).astype(np.uint8)
    colours = {0: (0, 0, 0, 0), 1: (27, 158, 119, 255), 2: (217, 95, 2, 255)}
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "height": 40, "width": 40, "crs": "EPSG:32633"}
    with rasterio.open(path, "w", transform=UTM, photometric="PALETTE", nodata=0, **profile) as target:
        target.write(classes, 1)
        target.write_colormap(1, colours)
    array, valid = pixels(analysed(path))
    assert (valid == (classes > 0)).all()
    for value, colour in colours.items():
        assert (colour[:3] == array[:, classes == value].T).all()


# --- statistics ----------------------------------------------------------------------------------


def test_statistics_agree_with_numpy(make_raster: MakeRaster) -> None:
    array = np.random.default_rng(4).integers(-500, 9000, (2, 333, 444)).astype(np.int16)
    path = make_raster(array)
    written = write_analysis_cog(opened(path), path.with_name("analysis.tif"), progress=quiet)
    for band, found in zip(array, written.statistics, strict=True):
        assert (found.min, found.max) == (band.min(), band.max())
        assert found.mean == pytest.approx(band.mean())
        assert found.std == pytest.approx(band.std())
        assert found.p2 == pytest.approx(np.percentile(band, 2), abs=1)
        assert found.p98 == pytest.approx(np.percentile(band, 98), abs=1)
        assert sum(found.counts) == band.size


def test_an_unmarked_border_of_zeros_does_not_darken_the_stretch(make_raster: MakeRaster) -> None:
    array = np.zeros((1, 200, 200), np.uint16)
    array[0, 60:] = np.random.default_rng(4).integers(7000, 9000, (140, 200))
    path = make_raster(array)
    found = write_analysis_cog(opened(path), path.with_name("analysis.tif"), progress=quiet).statistics[0]
    assert found.min == 0
    assert found.p2 > 7000


@pytest.mark.parametrize(
    ("names", "dtype", "bands"),
    [
        (["red", "green", "blue"], "uint8", (1, 2, 3)),
        (["B2 blue", "B3 green", "B4 red"], "uint16", (3, 2, 1)),
        (["B01", "B02", "B03", "B04"], "uint16", (4, 3, 2)),
        ([f"Band {n}" for n in range(1, 13)], "int16", (4, 3, 2)),
        (["Band 1"], "float32", (1,)),
        (["Band 1", "Band 2"], "uint8", (1,)),
        (["Band 1", "Band 2", "Band 3", "Band 4"], "uint8", (1, 2, 3)),
    ],
)
def test_the_bands_shown_are_found_by_name_or_sensor(names: list[str], dtype: str, bands: tuple[int, ...]) -> None:
    assert default_bands(names, ["undefined"] * len(names), dtype) == bands


# --- the display file ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:32633", UTM),
        ("EPSG:4326", Affine(1e-4, 0, 2.79, 0, -1e-4, 42.36)),
        ("EPSG:32601", Affine(100, 0, 345_000, 0, -100, 7_000_000)),  # across the antimeridian
        ("EPSG:2056", Affine(0.5, 0, 2_680_000, 0, -0.5, 1_250_000)),
    ],
)
def test_a_display_grid_holds_the_raster_at_every_zoom(crs: str, transform: Affine) -> None:
    place = display_grid(
        crs_wkt=rasterio.crs.CRS.from_string(crs).to_wkt(), transform=transform, height=3000, width=4000
    )
    unit = 2 ** (place.levels - 1)
    assert (place.row % unit, place.col % unit, place.rows % unit, place.cols % unit) == (0, 0, 0, 0)
    corners = [transform @ corner for corner in ((0, 0), (4000, 0), (0, 3000), (4000, 3000))]
    xs, ys = transform_points(crs, "EPSG:3857", [x for x, _ in corners], [y for _, y in corners])
    for x, y in zip(xs, ys, strict=True):
        col, row = ~place.transform @ (x if x > place.transform.c - 1e6 else x + 2 * 20_037_508.342789244, y)
        assert -1 <= col <= place.cols * 256 + 1
        assert -1 <= row <= place.rows * 256 + 1


def test_a_display_tile_shows_what_gdal_would_warp_and_is_empty_outside(make_raster: MakeRaster) -> None:
    rows, cols = np.mgrid[0:900, 0:1200]
    smooth = np.stack([rows * 255 // 900, cols * 255 // 1200, (rows + cols) * 255 // 2100]).astype(np.uint8)
    analysis = analysed(make_raster(smooth))
    with displayed(analysis, Rendering((1, 2, 3))) as file:
        z = file.max_zoom
        found = np.array([(x, y) for x, y in _tiles(file, z) if file.tile(z, x, y)])
        assert len(found) >= 6
        seen = 0
        for x, y in found:
            rgb, mask = decode(file.tile(z, int(x), int(y)))
            expected, expected_mask = read_tile(analysis, z, int(x), int(y))
            both = mask & expected_mask
            seen += both.sum()
            # WebP at quality 80 and cubic against bilinear: a few grey levels.
            assert np.abs(rgb[both].astype(int) - expected[both]).mean() < 3
            assert (mask != expected_mask).mean() < 0.02
        assert seen > 900 * 1200 * 0.25
        assert file.tile(z, 0, 0) == b""


@pytest.mark.parametrize(("count", "dtype"), [(1, "uint8"), (3, "int16"), (4, "uint8"), (5, "float32"), (12, "int16")])
def test_ground_outside_a_raster_without_nodata_is_transparent_whatever_its_bands(
    make_raster: MakeRaster, count: int, dtype: str
) -> None:
    """GDAL knows an added alpha band as a mask beside one or three bands only."""
    array = np.full((count, 300, 300), 50, dtype)
    turned = UTM @ Affine.rotation(30)
    for transform in (UTM, turned):
        analysis = analysed(make_raster(array, transform=transform, photometric="MINISBLACK", alpha="UNSPECIFIED"))
        _, valid = pixels(analysis)
        assert valid.sum() == pytest.approx(300 * 300, rel=0.02)
        bands = (1, 2, 3) if count > 2 else (1, 1, 1)
        with displayed(analysis, Rendering(bands, ((0, 100),) * 3)) as file:
            shown = [
                decode(data)[1] for x, y in _tiles(file, file.max_zoom) if (data := file.tile(file.max_zoom, x, y))
            ]
        drawn_m2 = sum(int(mask.sum()) for mask in shown) * (2 * HALF_WORLD_M / TILE_PX / 2**file.max_zoom) ** 2
        corners = [transform @ corner for corner in ((0, 0), (300, 0), (300, 300), (0, 300))]
        assert drawn_m2 == pytest.approx(to_crs(Polygon(corners), 32633, 3857).area, rel=0.03)


def test_scale_and_offset_are_applied_once_and_shown(make_raster: MakeRaster) -> None:
    """R40. The file keeps its numbers and its tags; all who read, count or draw it have physical units."""
    stored = np.random.default_rng(3).integers(1000, 9000, (2, 90, 120)).astype(np.uint16)
    stored[:, :10] = 0
    path = make_raster(stored, nodata=0)
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = (0.0001, -0.5), (-0.1, 10.0)
    physical = stored * np.array([0.0001, -0.5])[:, None, None] + np.array([-0.1, 10.0])[:, None, None]
    source, out = opened(path), path.with_name("analysis.tif")
    assert source.notes == ["Values are shown in physical units: each band's scale and offset are applied."]
    written = write_analysis_cog(source, out, progress=quiet)
    with rasterio.open(out) as kept:
        assert (kept.dtypes[0], kept.scales, kept.offsets) == ("uint16", (0.0001, -0.5), (-0.1, 10.0))
        assert (kept.read()[:, 10:] == stored[:, 10:]).all()
    array, valid = pixels(out)
    assert (valid[:10].any(), valid[10:].all(), array.dtype) == (False, True, np.float32)
    np.testing.assert_allclose(array[:, 10:], physical[:, 10:], rtol=1e-5)  # float32
    lon, lat = transform_points("EPSG:32633", "EPSG:4326", [UTM.c + 30.2], [UTM.f - 20.2])
    assert values_at(out, lon[0], lat[0]) == pytest.approx(physical[:, 40, 60].tolist(), rel=1e-5)
    for found, band in zip(written.statistics, physical[:, 10:], strict=True):
        expected = (band.min(), band.max(), band.mean(), band.std())
        assert (found.min, found.max, found.mean, found.std) == pytest.approx(expected)
        # Counted percentiles are those of a stored number: one step of it is the tolerance.
        assert (found.p2, found.p98) == pytest.approx(np.percentile(band, [2, 98]), abs=0.5)
        assert found.edges == sorted(found.edges)
        counts, _ = np.histogram(band, found.edges)
        assert np.abs(counts - found.counts).sum() <= 0.02 * band.size  # values that lie on an edge
    low, high = written.statistics[0].min, written.statistics[0].max
    with displayed(out, Rendering((1,), ((low, high),))) as file, Reader(out) as reader:
        x, y = next((x, y) for x, y in _tiles(file, file.max_zoom) if file.tile(file.max_zoom, x, y))
        rgb, mask = decode(file.tile(file.max_zoom, x, y))
        expected = read_onto(reader, tile_canvas(file.max_zoom, x, y), (1,), resampling="cubic")
        both = mask & expected.valid
        grey = (expected.array[0][both] - low) / (high - low) * 255
        assert np.abs(rgb[both, 0] - grey).mean() < 20  # noise through WebP; unscaled numbers would be black or white


@pytest.mark.parametrize(
    ("west", "degree_px"),
    [(179.0, 0.01), (-181.0, 0.01), (0.0, 1.8)],  # the last from 0 to 360 degrees
)
def test_a_scene_in_degrees_is_whole_across_the_antimeridian(
    make_raster: MakeRaster, west: float, degree_px: float
) -> None:
    array = np.full((3, 200, 200), 90, np.uint8)
    array[0] = np.arange(200)
    mask = np.full((200, 200), 255, np.uint8)
    mask[:, 120:140] = 0
    profile = {"crs": "EPSG:4326", "transform": Affine(degree_px, 0, west, 0, -degree_px / 2, degree_px * 50)}
    path = make_raster(array, mask=mask, **profile)
    seen = set()
    with displayed(path, Rendering((1, 2, 3))) as file, Reader(path) as reader:
        z = file.max_zoom
        for x in (0, 2**z - 1):
            rgb, valid = decode(file.tile(z, x, 2**z // 2))
            expected = read_onto(reader, tile_canvas(z, x, 2**z // 2), (1, 2, 3))
            both = valid & expected.valid
            seen.add(both.any())
            assert (valid != expected.valid).mean() < 0.02  # cubic against nearest, at the edges
            # WebP at quality 80 and cubic against nearest: a few of 200 levels; another world is 100 off.
            assert np.abs(rgb[both, 0].astype(int) - expected.array[0][both]).mean() < 6
    assert seen == {True}


def _tiles(file: TileFile, z: int) -> list[tuple[int, int]]:
    step = z - file.min_zoom
    return [
        ((x << step) + dx, (y << step) + dy)
        for x, y in file.smallest()
        for dx in range(1 << step)
        for dy in range(1 << step)
    ]


def test_masked_pixels_are_transparent_at_every_zoom(make_raster: MakeRaster) -> None:
    mask = np.full((900, 1200), 255, np.uint8)
    mask[:, :600] = 0
    array = np.full((3, 900, 1200), 200, np.uint8)
    analysis = analysed(make_raster(array, mask=mask))
    with displayed(analysis, Rendering((1, 2, 3))) as file:
        for z in range(file.min_zoom - 2, file.max_zoom + 3):
            shown, colours = 0, []
            tiles = _tiles(file, min(max(z, file.min_zoom), file.max_zoom))
            if z < file.min_zoom:
                shift = file.min_zoom - z
                tiles = sorted({(x >> shift, y >> shift) for x, y in tiles})
            elif z > file.max_zoom:
                shift = z - file.max_zoom
                tiles = [((x << shift) + 1, (y << shift) + 1) for x, y in tiles]
            for x, y in tiles:
                rgb, valid = (
                    scaled_scene_tile(file, z, x, y)
                    if not file.min_zoom <= z <= file.max_zoom
                    else (decode(file.tile(z, x, y)) if file.tile(z, x, y) else (np.zeros((0, 3)), np.zeros(0, bool)))
                )
                shown += valid.sum()
                colours.append(rgb[valid])
            assert shown > 0
            assert np.concatenate(colours).mean() > 185  # nothing of the masked half bleeds in


def test_class_values_are_exact_and_lie_where_the_warp_puts_them(make_raster: MakeRaster) -> None:
    classes = np.random.default_rng(8).integers(0, 5, (1, 30, 40)).astype(np.uint8).repeat(20, 1).repeat(20, 2)
    path = make_raster(classes, nodata=255)
    with displayed(path) as file:
        z, seen = file.max_zoom, 0
        for x, y in _tiles(file, z):
            data = file.tile(z, x, y)
            if not data:
                continue
            found = classes_of(data)
            affine = tile_transform(z, x, y, 256)
            centres = [(row, col) for row in range(5, 256, 31) for col in range(5, 256, 31)]
            points = [affine @ (col + 0.5, row + 0.5) for row, col in centres]
            xs, ys = transform_points("EPSG:3857", "EPSG:32633", [x for x, _ in points], [y for _, y in points])
            for (row, col), east, north in zip(centres, xs, ys, strict=True):
                source_col, source_row = ~UTM @ (east, north)
                if 0 <= source_row < 600 and 0 <= source_col < 800:
                    near = min(source_row % 20, 20 - source_row % 20, source_col % 20, 20 - source_col % 20)
                    if near > 1:  # away from the edges of the 20 px squares
                        assert found[row, col] == classes[0, int(source_row), int(source_col)]
                        seen += 1
                else:
                    assert found[row, col] == 255
        assert seen > 200


def test_a_single_pixel_has_a_tile(make_raster: MakeRaster) -> None:
    analysis = analysed(make_raster(np.full((3, 1, 1), 90, np.uint8)))
    with displayed(analysis, Rendering((1, 2, 3))) as file:
        assert any(file.tile(file.max_zoom, x, y) for x, y in _tiles(file, file.max_zoom))


def test_sixteen_bits_are_stretched_between_their_percentiles(make_raster: MakeRaster) -> None:
    rows = np.linspace(1000, 3000, 600, dtype=np.uint16)
    analysis = analysed(make_raster(np.repeat(rows[None, :, None], 800, axis=2)))
    with displayed(analysis, Rendering((1,), ((1000.0, 3000.0),))) as file:
        shown = [
            decode(file.tile(file.max_zoom, x, y))
            for x, y in _tiles(file, file.max_zoom)
            if file.tile(file.max_zoom, x, y)
        ]
    values = np.concatenate([rgb[mask] for rgb, mask in shown])
    assert values.min() < 8
    assert values.max() > 247
    assert np.abs(values[:, 0].astype(int) - values[:, 1]).max() <= 12  # grey


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        "sentinel2_boadella/Boadella_2021-07-16.tif",
        "landsat8_iguacu/LC08_L1TP_224078_20200518_B2B3B4_uint16.tif",
        "neon_trees/TEAK_043.tif",
        "swissimage_trees/swissimage_strip.tif",
        "naip_prairie/m_4709963_se_14_1_20200831.tif",
        "oam_tcd/5dded5bc0140b80006d2e565_23.tif",
    ],
)
def test_real_scenes_keep_every_pixel(data: Path, tmp_path: Path, name: str) -> None:
    source, target = opened(data / name), tmp_path / "analysis.tif"
    write_analysis_cog(source, target, progress=quiet)
    with rasterio.open(data / name) as original:
        expected, mask = original.read(), original.dataset_mask() > 0
    array, valid = pixels(target)
    np.testing.assert_array_equal(array[:, mask], expected[:, mask])
    np.testing.assert_array_equal(valid, mask)
