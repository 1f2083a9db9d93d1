"""Reading windows, against numpy on the whole array."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webapp.errors import BadRaster, Invalid
from webapp.raster.read import Reader, info
from webapp.raster.windows import Window

from .conftest import MakeRaster

RAMP = np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50)
VRT = """<VRTDataset rasterXSize="4" rasterYSize="4">
<VRTRasterBand dataType="Byte" band="1" subClass="VRTRawRasterBand"><SourceFilename>/etc/passwd</SourceFilename>
<PixelOffset>1</PixelOffset><LineOffset>4</LineOffset></VRTRasterBand></VRTDataset>"""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(row=st.integers(-30, 60), col=st.integers(-30, 70), height=st.integers(1, 45), width=st.integers(1, 45))
def test_a_window_that_reaches_outside_is_padded(
    make_raster: MakeRaster, row: int, col: int, height: int, width: int
) -> None:
    path = make_raster(RAMP)
    padded = np.pad(RAMP, ((0, 0), (100, 100), (100, 100)))
    inside = np.pad(np.ones((40, 50), bool), 100)
    cut = np.s_[row + 100 : row + 100 + height, col + 100 : col + 100 + width]
    with Reader(path) as reader:
        chip = reader.read(Window(row, col, height, width), pad="zero")
    np.testing.assert_array_equal(chip.array, padded[:, *cut])
    np.testing.assert_array_equal(chip.valid, inside[cut])


def test_reflect_padding_mirrors_at_the_edge(make_raster: MakeRaster) -> None:
    with Reader(make_raster(RAMP)) as reader:
        chip = reader.read(Window(-8, -8, 56, 66), pad="reflect")
    np.testing.assert_array_equal(chip.array, np.pad(RAMP, ((0, 0), (8, 8), (8, 8)), mode="reflect"))
    assert chip.valid.sum() == 40 * 50


def test_without_padding_the_window_is_clipped_and_the_chip_says_where_it_lies(make_raster: MakeRaster) -> None:
    with Reader(make_raster(RAMP)) as reader:
        chip = reader.read(Window(30, 45, 20, 20), pad=None)
    assert chip.window == Window(30, 45, 10, 5)
    assert chip.transform == (0.5, 0.0, 500_000 + 22.5, 0.0, -0.5, 4_649_000 - 15.0)
    np.testing.assert_array_equal(chip.array, RAMP[:, 30:, 45:])


def test_averaging_to_half_size_is_the_mean_of_four_pixels_and_doubles_the_pixel(make_raster: MakeRaster) -> None:
    with Reader(make_raster(RAMP.astype(np.float32))) as reader:
        chip = reader.read(Window(0, 0, 40, 50), out_shape=(20, 25), resampling="average")
    expected = RAMP.reshape(3, 20, 2, 25, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(chip.array, expected)
    assert chip.transform == (1.0, 0.0, 500_000.0, 0.0, -1.0, 4_649_000.0)


def test_a_halved_window_with_halo_has_the_same_inner_pixels_as_one_without(make_raster: MakeRaster) -> None:
    with Reader(make_raster(RAMP.astype(np.float32))) as reader:
        plain = reader.read(Window(0, 0, 40, 50), out_shape=(20, 25), resampling="average")
        haloed = reader.read(Window(-4, -4, 48, 58), out_shape=(24, 29), resampling="average", pad="reflect")
    np.testing.assert_allclose(haloed.array[:, 2:-2, 2:-2], plain.array)


def test_nodata_masks_and_non_finite_pixels_are_not_valid(make_raster: MakeRaster) -> None:
    array = np.ones((2, 6, 6), np.float32)
    array[:, 0, 0], array[0, 1, 1], array[0, 2, 2] = -9.0, -9.0, np.inf
    with Reader(make_raster(array, nodata=-9.0)) as reader:
        valid = reader.read(reader.whole).valid
    expected = np.ones((6, 6), bool)
    expected[0, 0] = expected[2, 2] = False  # one band with data is enough at (1, 1)
    np.testing.assert_array_equal(valid, expected)


def test_a_stored_mask_is_obeyed(make_raster: MakeRaster) -> None:
    mask = np.full((40, 50), 255, np.uint8)
    mask[:, :20] = 0
    path = make_raster(RAMP, mask=mask)
    assert info(path).has_mask
    with Reader(path) as reader:
        np.testing.assert_array_equal(reader.read(reader.whole).valid, mask != 0)


def test_an_alpha_band_is_a_mask_and_no_band(make_raster: MakeRaster) -> None:
    array = np.full((4, 8, 8), 200, np.uint8)
    array[3, :4] = 0
    path = make_raster(array, photometric="RGB", alpha="YES")
    with Reader(path) as reader:
        chip = reader.read(reader.whole)
    assert (info(path).count, chip.array.shape[0]) == (3, 3)
    assert chip.valid.sum() == 32


def test_a_vrt_under_the_name_of_a_tiff_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "evil.tif"
    path.write_text(VRT)
    with rasterio.open(path) as opened:  # what would happen without our own check
        assert opened.driver == "VRT"
    with pytest.raises(BadRaster) as raised:
        Reader(path)
    assert raised.value.code == "not_an_image"


def test_side_car_files_change_nothing(make_raster: MakeRaster) -> None:
    path = make_raster(RAMP, crs=None, transform=Affine.identity())
    path.with_suffix(".tfw").write_text("1\n0\n0\n-1\n7\n8\n")
    Path(f"{path}.aux.xml").write_text("<PAMDataset><SRS>EPSG:4326</SRS></PAMDataset>")
    assert info(path).crs_wkt == ""
    assert info(path).transform == (1, 0, 0, 0, 1, 0)


def test_a_truncated_file_says_that_it_is_damaged(make_raster: MakeRaster) -> None:
    path = make_raster(np.random.default_rng(1).integers(0, 255, (1, 300, 300), dtype=np.uint8), compress="deflate")
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(BadRaster) as raised, Reader(path) as reader:
        reader.read(reader.whole)
    assert raised.value.code == "file_damaged"


def test_an_unknown_band_is_refused(make_raster: MakeRaster) -> None:
    with Reader(make_raster(RAMP)) as reader, pytest.raises(Invalid):
        reader.read(reader.whole, bands=[4])


@pytest.mark.data
def test_the_sample_scenes_read_as_gdal_reads_them(data: Path) -> None:
    path = data / "sentinel2_boadella" / "Boadella_2020-02-02.tif"
    found = info(path)
    assert (found.count, found.dtype, found.epsg) == (12, "int16", 4326)
    with rasterio.open(path) as source, Reader(path) as reader:
        chip = reader.read(Window(100, 50, 64, 80), bands=[4, 3, 2])
        expected = source.read([4, 3, 2], window=((100, 164), (50, 130)))
        np.testing.assert_array_equal(chip.array, expected)
        assert found.bounds == tuple(source.bounds)
