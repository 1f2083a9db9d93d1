"""A shift is one translation on the map: metres at its latitude, the same way back, and an affine that agrees."""

import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import Geod
from shapely.geometry import Point, box

from webapp.raster.shapes import to_crs
from webapp.raster.shift import Shift, shift_of

GEOD = Geod(ellps="WGS84")


@pytest.mark.parametrize("lat", [-55.0, 0.0, 27.63, 69.7])
def test_metres_are_metres_on_the_ground(lat: float) -> None:
    lon, moved_lat = shift_of(lat, 3.0, -4.0).place(85.5, lat)
    _, _, far = GEOD.inv(85.5, lat, lon, moved_lat)
    _, _, east = GEOD.inv(85.5, lat, lon, lat)
    _, _, north = GEOD.inv(lon, lat, lon, moved_lat)
    assert (far, east, north) == pytest.approx((5.0, 3.0, 4.0), abs=2e-5)  # a tenth of a millimetre is not seen


def test_there_and_back_is_where_it_was() -> None:
    shape = box(85.52, 27.63, 85.53, 27.64)
    shift = shift_of(27.635, 12.3, -4.5)
    there = shift.moved(shape)
    assert (-shift).moved(there).equals_exact(shape, 1e-13)
    # The plane of the map: everything by the same amount, and by no other.
    gone = shapely.get_coordinates(to_crs(there, 4326, 3857)) - shapely.get_coordinates(to_crs(shape, 4326, 3857))
    assert np.allclose(gone, (shift.x, shift.y), rtol=0, atol=1e-6)
    assert Shift().moved(shape) is shape


def test_a_moved_affine_counts_the_same_pixels() -> None:
    transform = (0.5, 0.0, 353_000.0, 0.0, -0.5, 3_057_000.0)
    centre = to_crs(Point(354_000, 3_056_000), 32645, 4326)
    shift = shift_of(centre.y, 6.0, -4.0)
    there = Affine(*shift.georeference(transform, "EPSG:32645", (centre.x, centre.y)))
    for x, y in ((354_000, 3_056_000), (353_100, 3_056_900), (354_900, 3_055_100)):
        seen = to_crs(shift.moved(to_crs(Point(x, y), 32645, 4326)), 4326, 32645)
        pixel = ~there @ (seen.x, seen.y)
        assert pixel == pytest.approx(~Affine(*transform) @ (x, y), abs=0.01)  # pixels of 0.5 m, 2 km across
