"""Imagery that lies beside its place: shown moved, and everything that meets its pixels moved back. PURE.

A shift is one translation in Web Mercator (EPSG:3857), the plane of the map on which people see and draw. It is the
same for the whole picture, so that display, pixels and labels agree to the last digit wherever they are moved and back.
"""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

# WGS 84: major half axis in metres (also the sphere of Web Mercator), square of the eccentricity.
AXIS_M = 6_378_137.0
E2 = 0.00669437999014
# Further from the equator a step to the north has no finite length in Mercator.
MOST_LAT = 89.0

Transform = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Shift:
    """How far imagery is shown from where its file says: Web Mercator metres, x to the east, y to the north."""

    x: float = 0.0
    y: float = 0.0

    def __bool__(self) -> bool:
        """Return whether anything moves."""
        return self.x != 0 or self.y != 0

    def __neg__(self) -> "Shift":
        """Return the way back."""
        return Shift(-self.x, -self.y)

    def moved(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return a geometry (EPSG:4326) moved: from where the file says to where it is shown."""
        return shapely.transform(geometry, self._points) if self else geometry

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Return a place (degrees) moved."""
        ((lon, lat),) = self._points(np.array([[lon, lat]])).tolist()
        return lon, lat

    def georeference(self, transform: Transform, crs: str, centre: tuple[float, float]) -> Transform:
        """Return the affine with which a raster lies where it is shown.

        A translation in the CRS of the raster, exact at `centre` (lon, lat): elsewhere it differs by the change of the
        CRS's scale and bearing over the picture, under a centimetre for a shift of metres.

        Args:
            transform: a, b, c, d, e, f of the file.
            crs: of the file, as WKT or "EPSG:n".
            centre: lon, lat, inside the raster.
        """
        if not self:
            return transform
        there = Transformer.from_crs(4326, crs, always_xy=True)
        before, after = there.transform(*centre), there.transform(*self.place(*centre))
        a, b, c, d, e, f = transform
        return a, b, c + after[0] - before[0], d, e, f + after[1] - before[1]

    def _points(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        lat = np.radians(lonlat[:, 1])
        north = np.arctan(np.sinh(np.arcsinh(np.tan(lat)) + self.y / AXIS_M))
        return np.column_stack([lonlat[:, 0] + math.degrees(self.x / AXIS_M), np.degrees(north)])


def per_metre(lat: float) -> tuple[float, float]:
    """Return how many Web Mercator metres a metre to the east and one to the north are, on the ellipsoid at a latitude.

    Snyder 1987, "Map Projections", equations 4-20 and 4-21 (radii of curvature), with Mercator on a sphere.
    """
    phi = math.radians(max(-MOST_LAT, min(MOST_LAT, lat)))
    root = 1 - E2 * math.sin(phi) ** 2
    across, along = AXIS_M / math.sqrt(root), AXIS_M * (1 - E2) / root**1.5
    return AXIS_M / (across * math.cos(phi)), AXIS_M / (along * math.cos(phi))


def shift_of(lat: float, east_m: float, north_m: float) -> Shift:
    """Return the shift of so many metres on the ground at a latitude."""
    x, y = per_metre(lat)
    return Shift(east_m * x, north_m * y)
