"""Where an uploaded raster lies: by what it says and what was given with it, refused where that cannot be."""

import math
from collections.abc import Sequence
from typing import Any

from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.transform import from_gcps

from webapp.errors import BadRaster
from webapp.raster.position import Position
from webapp.raster.shapes import WGS84, transformer
from webapp.raster.source import Source

# Pixels smaller than this on the ground are degrees taken for metres.
MIN_PIXEL_M = 0.0005
# Control points further than this from one affine bend a picture.
MOST_GCP_ERROR_PX = 2.0
FIX_CRS = "Give its EPSG code with the upload, or assign one (gdal_edit.py -a_srs EPSG:xxxx) and upload it again."


def crs_of(dataset: Any, driver: str, name: str, position: Position) -> CRS:
    """Return the CRS that was given, or the file's own, or that of its control points.

    Raises:
        BadRaster: there is none, or none that we can use.
    """
    given = position.crs
    if given is None and dataset.crs is None:
        gcps_crs = dataset.gcps[1]
        if dataset.gcps[0] and gcps_crs:
            return CRS.from_user_input(gcps_crs.to_wkt())
        if driver != "GTiff":
            aslant = " A photo that looks aslant is added as a photo." if driver == "JPEG" else ""
            raise BadRaster(
                f"'{name}' is a {driver} picture and does not say where on Earth it lies.",
                fix=f"Give a world file with its EPSG code, or its bounds, or its centre and pixel size.{aslant}",
                code="georeference_missing",
            )
        if dataset.rpcs is not None:
            raise _rpc(name)
        raise BadRaster(f"Scene '{name}' has no CRS.", fix=FIX_CRS, code="crs_missing")
    try:
        crs = CRS.from_user_input(given if given is not None else dataset.crs.to_wkt())
    except CRSError as error:
        raise _unsupported(name, "cannot be read") from error
    if not (crs.is_geographic or crs.is_projected):
        raise _unsupported(name, f"({crs.name[:60]}) is neither geographic nor projected")
    return crs


def _unsupported(name: str, why: str) -> BadRaster:
    return BadRaster(f"The CRS of '{name}' {why}.", fix=FIX_CRS, code="crs_unsupported")


def _rpc(name: str) -> BadRaster:
    return BadRaster(
        f"'{name}' is placed by a camera model (RPC) only.",
        fix="Orthorectify it first: gdalwarp -rpc -t_srs EPSG:xxxx.",
        code="rpc_unsupported",
    )


def place(source: Source, driver: str, position: Position) -> None:
    """Set transform, shape and how the pixels get there.

    Raises:
        BadRaster: it does not say where it lies, or by numbers that cannot be.
    """
    dataset, name = source.dataset, source.name
    given = position.transform(dataset.height, dataset.width)
    affine = Affine(*given) if given is not None else dataset.transform
    if given is None and (affine == Affine.identity() or affine == Affine(1, 0, 0, 0, -1, 0)):
        gcps, _ = dataset.gcps
        if gcps:
            _place_by_points(source, gcps)
            return
        if dataset.rpcs is not None:
            raise _rpc(name)
        raise BadRaster(
            f"'{name}' does not say where on Earth it lies.",
            fix="Give a world file with its EPSG code, or its bounds, or its centre and pixel size.",
            code="georeference_missing",
        )
    if not all(math.isfinite(number) for number in affine[:6]) or affine.determinant == 0:
        raise BadRaster(
            f"'{name}' has an impossible geotransform: {tuple(affine)[:6]}.",
            fix="Georeference it again, or give its bounds.",
            code="georeference_invalid",
        )
    if affine.b == 0 and affine.d == 0:
        source.flips = (affine.e > 0, affine.a < 0)
        a, e = abs(affine.a), -abs(affine.e)
        west = affine.c + (affine.a * dataset.width if affine.a < 0 else 0)
        north = affine.f + (affine.e * dataset.height if affine.e > 0 else 0)
        source.transform = (a, 0.0, west, 0.0, e, north)
        if any(source.flips):
            source.notes.append("Turned north-up: the file stores it mirrored.")
        return
    _place_turned(source, affine)
    source.notes.append("Turned north-up: the file stores it rotated or sheared.")


def _place_turned(source: Source, affine: Affine) -> None:
    """Place a raster whose rows do not run east: it is warped onto a north-up grid of pixels of the same area."""
    width, height = source.dataset.width, source.dataset.height
    corners = [affine @ corner for corner in ((0, 0), (width, 0), (0, height), (width, height))]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    pixel = math.sqrt(abs(affine.determinant))
    source.transform = (pixel, 0.0, min(xs), 0.0, -pixel, max(ys))
    source.shape = (math.ceil((max(ys) - min(ys)) / pixel), math.ceil((max(xs) - min(xs)) / pixel))
    source.warp_from = affine


def _place_by_points(source: Source, gcps: Sequence[Any]) -> None:
    affine = from_gcps(gcps)
    errors_px = [math.dist(~affine @ (point.x, point.y), (point.col, point.row)) for point in gcps]
    if not math.isfinite(sum(errors_px)) or max(errors_px) > MOST_GCP_ERROR_PX:
        raise BadRaster(
            f"The {len(gcps)} control points of '{source.name}' bend it by up to {max(errors_px):.1f} px.",
            fix="Warp it first: gdalwarp -tps -t_srs EPSG:xxxx.",
            code="georeference_invalid",
        )
    source.notes.append(f"Placed by its {len(gcps)} control points.")
    _place_turned(source, affine)


def check_place(source: Source) -> None:
    """Refuse positions that cannot be: the commonest mistakes are degrees for metres and the other way round.

    Raises:
        BadRaster: it would lie outside the Earth or its CRS, or be of no size.
    """
    height, width = source.shape
    affine = Affine(*source.transform)
    corners = [affine @ corner for corner in ((0, 0), (width, 0), (0, height), (width, height))]
    if source.crs.is_geographic:
        lons, lats = [x for x, _ in corners], [y for _, y in corners]
        if (
            max(map(abs, lats)) > 90.001
            or min(lons) < -360.001
            or max(lons) > 360.001
            or max(lons) - min(lons) > 360.01
        ):
            metres = max(map(abs, lats)) > 1000 or max(map(abs, lons)) > 1000
            raise BadRaster(
                f"'{source.name}' would reach from {min(lons):.6g}, {min(lats):.6g} "
                f"to {max(lons):.6g}, {max(lats):.6g} degrees.",
                fix="The numbers look like metres: give the EPSG code of the projected CRS they belong to."
                if metres
                else "Check its georeference, or give its bounds.",
                code="bounds_impossible",
            )
        return
    to_ground = transformer(source.crs.to_wkt(), 4326)
    ground = [to_ground.transform(x, y) for x, y in [*corners, affine @ (width / 2, height / 2)]]
    if not all(math.isfinite(lon) and math.isfinite(lat) for lon, lat in ground[4:]):
        raise BadRaster(
            f"'{source.name}' lies outside what its CRS ({source.crs.name[:60]}) can express.",
            fix="Check the EPSG code against the coordinates.",
            code="bounds_impossible",
        )
    if not all(math.isfinite(lon) and math.isfinite(lat) for lon, lat in ground):
        return  # a corner beyond the horizon of a polar or global projection: the display shows what it can
    diagonal = WGS84.inv(*ground[0], *ground[3])[2]
    if diagonal / math.hypot(height, width) < MIN_PIXEL_M:
        raise BadRaster(
            f"'{source.name}' would be {diagonal:.2g} m across.",
            fix="Its coordinates look like degrees: give EPSG:4326 as its CRS.",
            code="bounds_suspicious",
        )
