"""The display file: its grid, its tiles, its masks, and what they show."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.warp import transform as transform_points
from shapely.geometry import Polygon

from tests.raster.conftest import UTM, MakeRaster
from tests.raster.scenes import analysed, displayed, opened, pixels, quiet
from webapp.raster.canvas import tile_canvas
from webapp.raster.display import display_grid
from webapp.raster.point import values_at
from webapp.raster.read import Reader
from webapp.raster.render import Rendering, decode
from webapp.raster.shapes import to_crs
from webapp.raster.tiff import HALF_WORLD_M, TILE_PX, TileFile
from webapp.raster.tiles import classes_of, read_tile, scaled_scene_tile, tile_transform
from webapp.raster.warp import read_onto
from webapp.raster.write import write_analysis_cog


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
