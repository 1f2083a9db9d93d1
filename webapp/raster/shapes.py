"""Geometry and pixels: burn shapes in, trace them out, change CRS, measure."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError
from shapely import affinity
from shapely.geometry import MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from webapp.errors import Invalid
from webapp.raster.read import Info, Reader, Transform

WGS84 = Geod(ellps="WGS84")
# A footprint is read at this many pixels along its longer side: enough for a map, cheap for any raster.
FOOTPRINT_PX = 768
# Points put on each side of a ring before its CRS changes, since straight lines become curves.
EDGE_POINTS = 32


def burn(
    shapes: Iterable[tuple[BaseGeometry, int]],
    *,
    height: int,
    width: int,
    transform: Transform,
    dtype: str = "uint8",
    fill: int = 0,
) -> NDArray[Any]:
    """Return the shapes drawn as pixels: a pixel gets the value of the last shape that holds its centre.

    Args:
        shapes: (geometry in the CRS of `transform`, value), later ones over earlier ones; empty ones are left out.
        height: rows of the answer.
        width: columns of the answer.
        transform: affine a, b, c, d, e, f from pixel (col, row) to the CRS.
        dtype: uint8, uint16, int16, int32 or float32.
        fill: value where no shape is.

    Returns:
        (row, col) of `dtype`.
    """
    drawn = [(geometry, value) for geometry, value in shapes if not geometry.is_empty]
    if not drawn:
        return np.full((height, width), fill, dtype=dtype)
    burnt: NDArray[Any] = rasterio.features.rasterize(
        drawn, out_shape=(height, width), transform=Affine(*transform), fill=fill, dtype=dtype
    )
    return burnt


def trace(
    array: NDArray[Any], *, transform: Transform, mask: NDArray[np.bool_] | None = None
) -> Iterator[tuple[Polygon, int]]:
    """Yield (polygon, value) for each group of equal pixels joined by their sides.

    Args:
        array: (row, col), whole numbers.
        transform: affine a, b, c, d, e, f from pixel (col, row) to the CRS of the polygons.
        mask: bool (row, col); pixels that are False are left out.
    """
    source = array if array.dtype in (np.uint8, np.uint16, np.int16, np.int32) else array.astype(np.int32)
    for geometry, value in rasterio.features.shapes(source, mask=mask, transform=Affine(*transform)):
        yield Polygon(geometry["coordinates"][0], geometry["coordinates"][1:]), int(value)


@lru_cache(maxsize=256)
def _crs(crs: int | str) -> CRS:
    try:
        return CRS.from_user_input(crs)
    except CRSError as error:
        raise Invalid(
            f"The CRS '{str(crs)[:80]}' is not known.", fix="Give an EPSG code.", code="crs_unsupported"
        ) from error


@lru_cache(maxsize=256)
def transformer(src: int | str, dst: int | str) -> Transformer:
    """Return the transformer between two CRS (EPSG number or WKT), in (x, y) order whatever the CRS says.

    Raises:
        Invalid: a CRS is not known.
    """
    return Transformer.from_crs(_crs(src), _crs(dst), always_xy=True)


def to_crs(geometry: BaseGeometry, src: int | str, dst: int | str) -> BaseGeometry:
    """Return the geometry in another CRS.

    Args:
        geometry: in `src`, (x, y) order.
        src: EPSG number or WKT.
        dst: EPSG number or WKT.

    Raises:
        Invalid: a CRS is not known, or the geometry lies outside what the CRS can express.
    """
    if src == dst:
        return geometry
    change = transformer(src, dst)

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(change.transform(points[:, 0], points[:, 1]))

    moved = shapely.transform(geometry, move)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise Invalid(
            "The geometry lies outside the area of the CRS.",
            fix="Check its coordinates and CRS.",
            code="bounds_impossible",
        )
    return moved


def pixel_size_m(info: Info) -> float:
    """Return the ground size of a pixel in metres, at the raster's centre, on the WGS 84 ellipsoid.

    The side of the square with the pixel's area: degrees and Web Mercator are measured on the ground too.

    Raises:
        Invalid: the raster has no CRS.
    """
    if not info.crs_wkt:
        raise Invalid(
            f"'{info.path.name}' has no CRS.", fix="Assign one (gdal_edit.py -a_srs EPSG:xxxx).", code="crs_missing"
        )
    to_ground = transformer(info.crs_wkt, 4326)
    affine = Affine(*info.transform)
    col, row = info.width / 2, info.height / 2
    corners = [affine @ corner for corner in ((col, row), (col + 1, row), (col, row + 1))]
    (lon, lat), (lon_x, lat_x), (lon_y, lat_y) = (to_ground.transform(*corner) for corner in corners)
    across = WGS84.inv(lon, lat, lon_x, lat_x)[2]
    down = WGS84.inv(lon, lat, lon_y, lat_y)[2]
    return float(np.sqrt(across * down))


def footprint(path: Path | str) -> MultiPolygon:
    """Return where the raster has data, in EPSG:4326; two parts where it crosses the antimeridian.

    Raises:
        Invalid: no CRS, no valid pixel, or an impossible position.
    """
    with Reader(path) as reader:
        info = reader.info
        if not info.has_mask:
            return outline_of(info, None)
        scale = min(1.0, FOOTPRINT_PX / max(info.height, info.width))
        shape_px = (max(1, round(info.height * scale)), max(1, round(info.width * scale)))
        return outline_of(info, reader.read(reader.whole, out_shape=shape_px, resampling="nearest").valid)


def outline_of(info: Info, valid: NDArray[np.bool_] | None) -> MultiPolygon:
    """Return where a raster has data, in EPSG:4326; two parts where it crosses the antimeridian.

    Args:
        info: of the raster.
        valid: bool (row, col) of the whole raster at any resolution; None: it has data everywhere.

    Raises:
        Invalid: no CRS, no valid pixel, or an impossible position.
    """
    if valid is None:
        pixels: BaseGeometry = box(0, 0, info.width, info.height)
    else:
        across, down = info.width / valid.shape[1], info.height / valid.shape[0]
        pixels = _outline(valid, (across, 0.0, 0.0, 0.0, down, 0.0))
    if not info.crs_wkt:
        raise Invalid(
            f"'{info.path.name}' has no CRS.", fix="Assign one (gdal_edit.py -a_srs EPSG:xxxx).", code="crs_missing"
        )
    if pixels.is_empty:
        raise Invalid(f"'{info.path.name}' holds no valid pixel.", fix="Check its nodata value.", code="empty_image")
    a, b, c, d, e, f = info.transform
    ground = affinity.affine_transform(
        pixels.segmentize(max(info.height, info.width) / EDGE_POINTS), [a, b, d, e, c, f]
    )
    outline = to_crs(ground, info.crs_wkt, 4326)
    if not _crs(info.crs_wkt).is_geographic and (pole := _pole_inside(ground, info.crs_wkt)):
        # Its outline runs round the pole and encloses nothing on a map of lon and lat: all longitudes, then.
        south, north = outline.bounds[1], outline.bounds[3]
        return MultiPolygon([box(-180, -90, 180, north) if pole < 0 else box(-180, south, 180, 90)])
    return _lonlat(outline)


def _pole_inside(ground: BaseGeometry, crs_wkt: str) -> int:
    """Return 90 or -90 where that pole lies in the geometry, 0 where none does."""
    move = transformer(4326, crs_wkt).transform
    for lat in (90, -90):
        x, y = move(0, lat)
        # In Mercator and the like a pole is a line, or nowhere.
        there = np.isfinite([x, y]).all() and np.allclose(move(90, lat), (x, y), atol=1.0)
        if there and ground.contains(Point(x, y)):
            return lat
    return 0


def _outline(valid: NDArray[np.bool_], transform: Transform) -> BaseGeometry:
    """Return the valid pixels as polygons without specks, in pixels of the raster."""
    polygons = [polygon for polygon, _ in trace(valid.astype(np.uint8), transform=transform, mask=valid)]
    pixel = max(transform[0], transform[4])
    # Specks and pinholes of a few pixels are noise in a footprint (a white roof in a white-nodata scene).
    smallest = 16 * transform[0] * transform[4]
    kept = [polygon for polygon in polygons if polygon.area > smallest] or polygons
    filled = [Polygon(p.exterior, [hole for hole in p.interiors if Polygon(hole).area > smallest]) for p in kept]
    return shapely.make_valid(shapely.union_all(filled).simplify(pixel))


def _eastward(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return lon, lat with western longitudes counted on beyond 180."""
    lon, lat = points[:, 0], points[:, 1]
    return np.column_stack([np.where(lon < 0, lon + 360.0, lon), lat])


def _jumps(geometry: BaseGeometry) -> bool:
    """Return whether an outline of short edges steps over the antimeridian, from 180 to -180 or back."""
    rings = (shapely.get_coordinates(ring) for ring in shapely.get_rings(geometry))
    return any((np.abs(np.diff(ring[:, 0])) > 180.0).any() for ring in rings)


def _lonlat(geometry: BaseGeometry) -> MultiPolygon:
    """Return a valid multipolygon within [-180, 180], cut at the antimeridian where it crosses.

    Args:
        geometry: lon, lat. Longitudes may go on beyond 180 (0 to 360), or step over to -180.
    """
    if _jumps(geometry):
        geometry = shapely.transform(geometry, _eastward)
    geometry = shapely.make_valid(geometry)
    west, _, east, _ = geometry.bounds
    if west < -180.0 or east > 180.0:
        worlds = [(start, geometry.intersection(box(start, -90, start + 360, 90))) for start in (-540, -180, 180)]
        geometry = shapely.union_all([affinity.translate(part, xoff=-180 - start) for start, part in worlds])
    parts = [
        part
        for part in shapely.get_parts(shapely.make_valid(geometry))
        if part.geom_type in ("Polygon", "MultiPolygon")
    ]
    return MultiPolygon([polygon for part in parts for polygon in shapely.get_parts(part)])
