"""Burning, tracing, CRS changes and footprints, against shapely and known figures."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from shapely.geometry import Point, box

from webapp.errors import Invalid
from webapp.raster.read import info
from webapp.raster.shapes import burn, footprint, pixel_size_m, to_crs, trace

from .conftest import UTM, MakeRaster

NORTH_UP = (0.5, 0.0, 100.0, 0.0, -0.5, 200.0)


def test_burn_gives_a_pixel_the_last_shape_that_holds_its_centre() -> None:
    shapes = [(box(101, 195, 106, 199), 3), (Point(104, 196).buffer(2), 7)]
    burnt = burn(shapes, height=20, width=20, transform=NORTH_UP)
    for row in range(20):
        for col in range(20):
            centre = Point(*(Affine(*NORTH_UP) @ (col + 0.5, row + 0.5)))
            inside = [value for geometry, value in shapes if geometry.contains(centre)]
            assert burnt[row, col] == (inside[-1] if inside else 0)


def test_burn_of_nothing_is_the_fill_value() -> None:
    assert (burn([], height=3, width=4, transform=NORTH_UP, dtype="uint16", fill=9) == np.full((3, 4), 9)).all()


def test_traced_polygons_burn_back_to_the_same_pixels() -> None:
    array = np.random.default_rng(0).integers(0, 4, (30, 40)).astype(np.uint8)
    traced = [(polygon, value) for polygon, value in trace(array, transform=NORTH_UP, mask=array > 0)]
    assert sum(polygon.area for polygon, _ in traced) == pytest.approx((array > 0).sum() * 0.25)
    np.testing.assert_array_equal(burn(traced, height=30, width=40, transform=NORTH_UP), array)


def test_to_crs_takes_lon_lat_order_and_goes_back() -> None:
    point = to_crs(Point(15, 0), 4326, 32633)
    assert (point.x, point.y) == pytest.approx((500_000, 0), abs=1e-3)
    back = to_crs(point, 32633, 4326)
    assert (back.x, back.y) == pytest.approx((15, 0), abs=1e-9)


def test_to_crs_refuses_an_unknown_crs() -> None:
    with pytest.raises(Invalid, match="not known"):
        to_crs(Point(0, 0), 4326, "nonsense")


@pytest.mark.parametrize(
    ("crs", "transform", "expected"),
    [
        ("EPSG:32633", UTM, 0.5),
        # At 60° north a Web Mercator metre is half a metre on the ground (and 0.3 % of flattening).
        ("EPSG:3857", Affine(2, 0, 0, 0, -2, 8_399_737), 1.0),
        # A degree is 111.32 km of longitude and 110.57 km of latitude at the equator.
        ("EPSG:4326", Affine(0.001, 0, 10, 0, -0.001, 0), 110.95),
    ],
)
def test_the_pixel_size_is_measured_on_the_ground(
    make_raster: MakeRaster, crs: str, transform: Affine, expected: float
) -> None:
    path = make_raster(np.zeros((1, 10, 10), np.uint8), crs=crs, transform=transform)
    assert pixel_size_m(info(path)) == pytest.approx(expected, rel=4e-3)


def test_a_footprint_follows_the_valid_pixels(make_raster: MakeRaster) -> None:
    mask = np.zeros((400, 400), np.uint8)
    mask[100:300, 50:350] = 255
    path = make_raster(np.ones((1, 400, 400), np.uint8), mask=mask)
    expected = to_crs(box(500_025, 4_648_850, 500_175, 4_648_950), 32633, 4326)
    found = footprint(path)
    assert shapely.symmetric_difference(found, expected).area / expected.area < 0.01
    assert found.is_valid


def test_a_footprint_across_the_antimeridian_has_two_parts(make_raster: MakeRaster) -> None:
    path = make_raster(
        np.ones((1, 100, 100), np.uint8), crs="EPSG:32601", transform=Affine(100, 0, 345_000, 0, -100, 7_000_000)
    )
    found = footprint(path)
    west, south, east, north = found.bounds
    assert len(found.geoms) == 2
    assert (west, east) == (-180.0, 180.0)
    assert all(part.bounds[2] - part.bounds[0] < 1 for part in found.geoms)
    assert 0.05 < north - south < 0.15


@pytest.mark.parametrize(
    ("crs", "transform", "bounds"),
    [
        ("EPSG:4326", Affine(3.6, 0, -180, 0, -1.8, 90), (-180, -90, 180, 90)),
        ("EPSG:4326", Affine(3.6, 0, 0, 0, -1.8, 90), (-180, -90, 180, 90)),
        ("EPSG:3857", Affine(400_750.16, 0, -20_037_508, 0, -400_750.16, 20_037_508), (-180, -85.05, 180, 85.05)),
        # A square of 6,000 km around the South Pole: its corners reach furthest north.
        ("EPSG:3031", Affine(60_000, 0, -3_000_000, 0, -60_000, 3_000_000), (-180, -90, 180, -52.3)),
    ],
)
def test_the_footprint_of_a_world_or_a_pole_holds_every_longitude(
    make_raster: MakeRaster, crs: str, transform: Affine, bounds: tuple[float, ...]
) -> None:
    found = footprint(make_raster(np.ones((1, 100, 100), np.uint8), crs=crs, transform=transform))
    assert found.is_valid
    assert found.bounds == pytest.approx(bounds, abs=0.05)
    assert found.area == pytest.approx(box(*bounds).area, rel=1e-2)


def test_degrees_that_go_on_beyond_180_are_cut_there(make_raster: MakeRaster) -> None:
    path = make_raster(np.ones((1, 10, 10), np.uint8), crs="EPSG:4326", transform=Affine(0.02, 0, 179.9, 0, -0.02, 10))
    west, east = sorted(footprint(path).geoms, key=lambda part: part.bounds[0])
    assert west.bounds == pytest.approx((-180, 9.8, -179.9, 10))
    assert east.bounds == pytest.approx((179.9, 9.8, 180, 10))


@pytest.mark.data
def test_the_footprint_of_banepa_is_its_bounds(data: Path) -> None:
    path = data / "banepa" / "banepa_train.tif"
    assert footprint(path).bounds == pytest.approx(to_crs(box(*info(path).bounds), 3857, 4326).bounds)
    assert pixel_size_m(info(path)) == pytest.approx(0.13, abs=0.005)
