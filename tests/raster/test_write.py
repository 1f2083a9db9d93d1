"""Rewriting: bombs and damage are found, and the pixels of what goes right are the same."""

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image
from rasterio.control import GroundControlPoint

from tests.raster.conftest import UTM, MakeRaster
from tests.raster.scenes import analysed, opened, pixels, quiet
from webapp.errors import BadRaster, QuadratError, TooLarge
from webapp.raster.probe import default_bands
from webapp.raster.read import info
from webapp.raster.write import write_analysis_cog

RGB = np.random.default_rng(5).integers(1, 255, (3, 200, 300)).astype(np.uint8)


def tiny_tiff(width: int, height: int) -> bytes:
    """Return a TIFF header of a few bytes that claims any size."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    tags += [(278, 4, height), (279, 4, 8)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"


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
