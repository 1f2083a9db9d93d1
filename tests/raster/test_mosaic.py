"""Scenes read as one, against rasterio's own merge, numpy and GDAL's warper."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.merge import merge
from rasterio.vrt import WarpedVRT
from scipy import ndimage

from tests.raster.conftest import UTM, MakeRaster
from webapp.errors import BadRaster, Invalid
from webapp.raster.canvas import Canvas, box_canvas
from webapp.raster.mosaic.document import Mosaic, Overview, Rule
from webapp.raster.mosaic.overview import factor_of, write_overview
from webapp.raster.mosaic.plan import Scene, plan
from webapp.raster.mosaic.reader import MosaicReader
from webapp.raster.point import held_at
from webapp.raster.read import Raster, info
from webapp.raster.readers import kept_reader, open_raster
from webapp.raster.windows import Window

RNG = np.random.default_rng(3)
Build = Callable[..., Path]
NODATA = -9.0


def scene_of(path: Path) -> Scene:
    found = info(path)
    return Scene(
        key=path.stem,
        name=path.stem,
        path=path.name,
        display="",
        crs_wkt=found.crs_wkt,
        epsg=found.epsg,
        transform=found.transform,
        height=found.height,
        width=found.width,
        dtype=found.dtype,
        bands=found.descriptions,
    )


def save(folder: Path, mosaic: Mosaic, name: str = "m") -> Path:
    path = folder / "imagery" / "ab" / f"{name}.mosaic"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(mosaic.dumps())
    return path


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def build(paths: list[Path], rule: Rule = "first") -> Path:
        return save(tmp_path, plan([scene_of(path) for path in paths], rule), f"{rule}-{len(paths)}")

    return build


def shifted(rows: float, cols: float) -> Affine:
    return UTM @ Affine.translation(cols, rows)


@pytest.fixture
def three(make_raster: MakeRaster) -> list[Path]:
    """Three overlapping scenes on one grid, with nodata; one has a pixel of data where all others have none."""
    made = []
    for number, (rows, cols) in enumerate(((0, 0), (30, 40), (-20, 55))):
        array = RNG.uniform(1, 100, (2, 70, 80)).astype(np.float32)
        array[:, RNG.uniform(0, 1, (70, 80)) < 0.2] = NODATA
        made.append(make_raster(array, f"s{number}.tif", nodata=NODATA, transform=shifted(rows, cols)))
    return made


@pytest.mark.parametrize(("rule", "method"), [("first", "first"), ("highest", "max"), ("lowest", "min")])
def test_overlaps_are_as_rasterio_merges_them(three: list[Path], build: Build, rule: Rule, method: Any) -> None:
    expected, transform = merge(three, method=method, nodata=NODATA)
    with open_raster(build(three, rule)) as raster:
        chip = raster.read(raster.whole)
    assert chip.transform == tuple(transform)[:6]
    valid = (expected != NODATA).all(axis=0)
    assert (chip.valid == valid).all()
    assert not valid.all()
    assert (chip.array[:, valid] == expected[:, valid]).all()


def test_the_mean_is_of_those_with_data(three: list[Path], build: Build) -> None:
    total, transform = merge(three, method="sum", nodata=NODATA)
    count, _ = merge(three, method="count", nodata=0)
    with open_raster(build(three, "mean")) as raster:
        chip = raster.read(raster.whole)
    valid = count[0] > 0
    placed = np.zeros((3, *chip.valid.shape), bool)
    for index, path in enumerate(three):
        with rasterio.open(path) as source:
            row, col = (
                round(value)
                for value in ((transform.f - source.transform.f) * 2, (source.transform.c - transform.c) * 2)
            )
            placed[index, row : row + 70, col : col + 80] = source.read(1) != NODATA
    assert (chip.valid == placed.any(axis=0)).all()
    number = placed.sum(axis=0)
    several = number > 1
    assert several.any()
    np.testing.assert_allclose(chip.array[:, several], (total / np.maximum(number, 1))[:, several], rtol=1e-5)
    assert valid.any()


def test_windows_of_a_mosaic_are_cut_from_its_whole(three: list[Path], build: Build) -> None:
    with open_raster(build(three)) as raster:
        whole = raster.read(raster.whole)
        part = raster.read(Window(40, 30, 50, 60), bands=[2])
        outside = raster.read(Window(-5, -5, 20, 20), pad="reflect")
    assert (part.array[0] == whole.array[1, 40:90, 30:90]).all()
    assert (part.valid == whole.valid[40:90, 30:90]).all()
    assert not outside.valid[:5].any()
    assert (outside.array[:, 5:, 5:] == whole.array[:, :15, :15]).all()


def smooth(side: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 1, (1, side, side))
    soft = ndimage.gaussian_filter(noise, (0, 6, 6))
    return ((soft - soft.min()) / (soft.max() - soft.min()) * 9000 + 100).astype(np.uint16)


def test_scenes_of_other_crs_resolution_and_type_lie_where_gdal_puts_them(
    make_raster: MakeRaster, build: Build
) -> None:
    first = make_raster(smooth(120, 1), "utm.tif")
    mask = np.full((140, 140), 255, np.uint8)
    mask[:30] = 0
    other = make_raster(
        (smooth(140, 2) // 64).astype(np.uint8),
        "degrees.tif",
        mask=mask,
        crs="EPSG:4326",
        transform=Affine(7.5e-6, 0, 15.0003, 0, -5.5e-6, 41.99318),
    )
    with open_raster(build([first, other])) as raster:
        chip, found = raster.read(raster.whole), raster.info
    assert (found.epsg, found.dtype) == (32633, "uint16")
    a, b, c, d, e, f = found.transform
    with (
        rasterio.open(other) as source,
        WarpedVRT(
            source,
            crs="EPSG:32633",
            transform=Affine(a, b, c, d, e, f),
            height=found.height,
            width=found.width,
            resampling=Resampling.bilinear,
            add_alpha=True,
        ) as warped,
    ):
        below, below_valid = warped.read(1).astype(int), warped.read(2) > 127
    with rasterio.open(first) as source:
        row, col = round((source.transform.f - f) / e), round((source.transform.c - c) / a)
        above = source.read(1)
    at = slice(row, row + 120), slice(col, col + 120)
    assert (chip.array[0][at] == above).all()
    alone = np.ones(chip.valid.shape, bool)
    alone[at] = False
    # At the edge of the data the two agree but for a pixel's width.
    inner = alone & ndimage.binary_erosion(below_valid, iterations=3)
    outer = alone & ~ndimage.binary_dilation(below_valid, iterations=3)
    assert inner.sum() > 2000
    assert chip.valid[inner].all()
    assert not chip.valid[outer].any()
    assert np.abs(chip.array[0][inner].astype(int) - below[inner]).max() <= 2


def test_a_scene_whose_bands_do_not_fit_is_named(make_raster: MakeRaster) -> None:
    rgb = scene_of(make_raster(np.ones((3, 8, 8), np.uint8), "rgb.tif"))
    grey = scene_of(make_raster(np.ones((1, 8, 8), np.uint8), "grey.tif"))
    with pytest.raises(Invalid, match="'grey' has the bands") as caught:
        plan([rgb, grey], "first")
    assert (caught.value.code, caught.value.details["scene"]) == ("bands_differ", "grey")
    named = replace(rgb, bands=("red", "green", "blue"))
    assert plan([rgb, named], "first").bands == ("red", "green", "blue")
    with pytest.raises(Invalid, match="'rgb' has the bands"):
        plan([named, replace(rgb, bands=("nir", "red", "green"))], "first")


def test_far_scenes_of_several_zones_are_read_in_web_mercator_near_ones_in_one_zone(make_raster: MakeRaster) -> None:
    here = scene_of(make_raster(np.ones((1, 8, 8), np.uint8), "here.tif"))
    near = scene_of(make_raster(np.ones((1, 8, 8), np.uint8), "near.tif", crs="EPSG:32634"))
    far = scene_of(make_raster(np.ones((1, 8, 8), np.uint8), "far.tif", crs="EPSG:32645"))
    assert plan([here, near], "first").epsg == 32633
    assert plan([here, far], "first").epsg == 3857
    # Zones 60 and 1 meet at the antimeridian.
    west = replace(here, crs_wkt=rasterio.CRS.from_epsg(32660).to_wkt(), epsg=32660)
    east = replace(here, crs_wkt=rasterio.CRS.from_epsg(32601).to_wkt(), epsg=32601)
    assert plan([west, east], "first").epsg == 32660


class Counting:
    """Opens rasters and remembers which."""

    def __init__(self) -> None:
        self.paths: list[Path] = []

    def __call__(self, path: Path) -> Raster:
        self.paths.append(path)
        return kept_reader(path)


def test_far_out_the_overview_is_read_and_no_scene_is_opened(make_raster: MakeRaster, tmp_path: Path) -> None:
    paths = [
        make_raster(
            RNG.integers(0, 255, (3, 64, 64)).astype(np.uint8),
            f"t{n}.tif",
            transform=shifted(64 * (n // 4), 64 * (n % 4)),
        )
        for n in range(16)
    ]
    mosaic = plan([scene_of(path) for path in paths], "first")
    factor = factor_of(mosaic, most_pixels=64 * 64)
    assert (mosaic.height, mosaic.width, factor) == (256, 256, 4)
    with MosaicReader(save(tmp_path, mosaic), kept_reader) as reader:
        whole = reader.read(reader.whole).array
        write_overview(reader, tmp_path / "o.tif", factor, progress=lambda *_: None)
    opened = Counting()
    reader = MosaicReader(save(tmp_path, replace(mosaic, overview=Overview("o.tif", factor)), "seen"), opened)
    west, south, east, north = reader.info.bounds
    far = reader.onto(Canvas(reader.info.crs_wkt, reader.info.bounds, 64, 64), (1, 2, 3), resampling="nearest")
    assert {path.name for path in opened.paths} == {"o.tif"}
    means = whole.reshape(3, 64, 4, 64, 4).mean(axis=(2, 4))
    assert np.abs(far.array - means).max() <= 1
    opened.paths.clear()
    near = box_canvas((west, north - 20, west + 20, north), "EPSG:32633", height=40, width=40)
    assert (reader.onto(near, (1, 2, 3), resampling="nearest").array == whole[:, :40, :40]).all()
    assert {path.name for path in opened.paths} == {"t0.tif"}
    assert mosaic.overview is None and south < north and west < east  # noqa: PT018


def test_a_place_tells_whose_pixel_it_is(make_raster: MakeRaster, build: Build) -> None:
    low = make_raster(np.full((1, 20, 20), 10, np.uint8), "low.tif")
    high = make_raster(np.full((1, 20, 20), 30, np.uint8), "high.tif", transform=shifted(0, 10))
    lon, lat = 15.00009, 41.99295
    found = {rule: held_at(build([low, high], rule), lon, lat) for rule in ("first", "mean", "highest", "lowest")}
    assert {rule: held.values for rule, held in found.items()} == {
        "first": [10], "mean": [20.0], "highest": [30.0], "lowest": [10.0],
    }  # fmt: skip
    assert found["first"].members == (("low", [10]), ("high", [30]))
    assert held_at(build([low, high]), 16.0, 42.0).values == [None]


def test_a_mosaic_reads_back_as_it_was_written_and_other_files_are_refused(
    three: list[Path], build: Build, tmp_path: Path
) -> None:
    mosaic = plan([scene_of(path) for path in three], "first")
    assert Mosaic.loads(mosaic.dumps()) == mosaic
    other = tmp_path / "imagery" / "ab" / "x.mosaic"
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_text('{"mosaic": 2}')
    with pytest.raises(BadRaster, match="no mosaic of ours"):
        open_raster(other)
    with pytest.raises(BadRaster, match="cannot be read"):
        open_raster(other.with_name("gone.mosaic"))
