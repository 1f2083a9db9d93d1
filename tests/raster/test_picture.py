"""Relief and other algorithms against gdaldem, and what is encoded."""

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from scipy import ndimage

from tests.raster.conftest import MakeRaster
from webapp.raster.algorithms import ALGORITHMS
from webapp.raster.canvas import Canvas
from webapp.raster.colours import colormap
from webapp.raster.picture import Picture, draw, encode, values
from webapp.raster.rendering import Rendering


@pytest.fixture
def hills(make_raster: MakeRaster) -> Path:
    noise = ndimage.gaussian_filter(np.random.default_rng(4).uniform(0, 1, (120, 120)), 6)
    return make_raster((noise * 400).astype(np.float32)[None])


def own_canvas(path: Path) -> Canvas:
    with rasterio.open(path) as source:
        return Canvas(source.crs.to_wkt(), tuple(source.bounds), source.height, source.width)


@pytest.mark.parametrize(
    ("algorithm", "params", "options", "tolerance"),
    [
        ("hillshade", (("azimuth", 300.0), ("angle_altitude", 30.0)), ["-az", "300", "-alt", "30"], 1.01),
        ("slope", (), [], 0.01),  # gdaldem takes a quick square root
    ],
)
def test_relief_is_what_gdaldem_computes(
    hills: Path,
    tmp_path: Path,
    algorithm: str,
    params: tuple[tuple[str, float], ...],
    options: list[str],
    tolerance: float,
) -> None:
    target = tmp_path / "gdal.tif"
    subprocess.run(["gdaldem", algorithm, "-q", *options, str(hills), str(target)], check=True, timeout=60)
    with rasterio.open(target) as source:
        expected = source.read(1).astype(float)[1:-1, 1:-1]
    found = values(hills, own_canvas(hills), Rendering(bidx=(1,), algorithm=algorithm, algorithm_params=params))
    assert np.abs(found.array[0].astype(float)[1:-1, 1:-1] - expected).max() <= tolerance


def test_heights_can_be_read_back_from_their_colours(hills: Path) -> None:
    canvas = own_canvas(hills)
    height = values(hills, canvas, Rendering(bidx=(1,))).array[0]
    red, green, blue = (
        draw(hills, canvas, Rendering(bidx=(1,), algorithm="terrarium")).pixels[..., n] for n in range(3)
    )
    assert np.abs(red * 256.0 + green + blue / 256.0 - 32768 - height).max() < 1 / 255
    red, green, blue = (
        draw(hills, canvas, Rendering(bidx=(1,), algorithm="terrainrgb")).pixels[..., n].astype(float) for n in range(3)
    )
    assert np.abs(-10000 + (red * 65536 + green * 256 + blue) * 0.1 - height).max() < 0.051


def test_contours_run_where_heights_pass_a_step(hills: Path) -> None:
    rendering = Rendering(bidx=(1,), algorithm="contours", algorithm_params=(("increment", 5.0),))
    picture = draw(hills, own_canvas(hills), rendering)
    line = (picture.pixels == (94, 54, 22)).all(axis=2)
    assert 0.02 < line.mean() < 0.6


def test_every_algorithm_gives_the_bands_it_says(hills: Path, make_raster: MakeRaster) -> None:
    two = make_raster(np.random.default_rng(1).integers(1, 9, (2, 40, 40)).astype(np.uint16), name="two.tif")
    for name, kind in ALGORITHMS.items():
        path = hills if kind.bands == 1 else two
        found = values(path, own_canvas(path), Rendering(bidx=tuple(range(1, kind.bands + 1)), algorithm=name))
        assert found.array.shape[0] == kind.outputs, name
        assert (found.array.dtype == np.uint8) == (kind.value_range is None), name


@pytest.mark.parametrize("full", [True, False])
def test_png_of_a_colour_table_is_paletted_and_exact(full: bool) -> None:
    index = np.arange(256, dtype=np.uint8).reshape(16, 16)
    mask = np.ones((16, 16), bool)
    mask[0, :4] = full
    for pixels in (index, index // 2):
        body = encode(Picture(pixels, mask, colormap("viridis")), "png")
        rgba = np.asarray(Image.open(io.BytesIO(body)).convert("RGBA"))
        np.testing.assert_array_equal(rgba[mask][:, :3], colormap("viridis")[pixels[mask]][:, :3])
        np.testing.assert_array_equal(rgba[..., 3] > 0, mask)


@pytest.mark.parametrize(("form", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP")])
def test_grey_and_colours_become_files_of_each_format(form: str, kind: str) -> None:
    mask = np.ones((8, 8), bool)
    for pixels in (np.full((8, 8), 90, np.uint8), np.full((8, 8, 3), 90, np.uint8)):
        picture = Image.open(io.BytesIO(encode(Picture(pixels, mask), form)))  # type: ignore[arg-type]
        assert picture.format == kind
        assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - 90).max() <= 2
