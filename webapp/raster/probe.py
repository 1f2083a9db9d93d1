"""What an uploaded raster is, and whether it may come in. Runs inside the sandbox only."""

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import RasterioError
from rasterio.transform import from_gcps

from webapp.errors import BadRaster, TooLarge
from webapp.raster.position import Position
from webapp.raster.read import MAGIC, OPEN_OPTIONS, Transform
from webapp.raster.scaling import Scaling, scaling_of
from webapp.raster.shapes import WGS84, transformer

MAX_BANDS = 64
# Pixels a byte of the file: deflate reaches 1,032 at most, and 8 of them in a 1-bit file.
MAX_EXPANSION = 10_000
MAX_IMPLAUSIBLE = 10_000_000
# Below this many bytes of pixels no expansion does harm.
SMALL_BYTES = 256 * 1024**2
DTYPES = {"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"}
# Pixels smaller than this on the ground are degrees taken for metres.
MIN_PIXEL_M = 0.0005
PNG_HEAD_BYTES, PNG_CHUNK_BYTES = 8, 12
# Control points further than this from one affine bend a picture.
MOST_GCP_ERROR_PX = 2.0
FIX_CRS = "Give its EPSG code with the upload, or assign one (gdal_edit.py -a_srs EPSG:xxxx) and upload it again."
FIX_AGAIN = "Export it again and upload the new file."
DESCRIPTIONS = (
    b"<VRTDataset",
    b"<GDAL_WMS",
    b"<WMS_Capabilities",
    b"<GDALTileIndexDataset",
    b"<WCS_GDAL",
    b"<Capabilities",
    b"stac_version",
)


@dataclass
class Source:
    """An accepted raster: open, and placed on Earth.

    Attributes:
        dataset: rasterio's open dataset.
        name: the file's name, for people.
        crs: CRS of `transform`.
        transform: affine from pixel (col, row) of the rewritten, north-up raster to the CRS.
        shape: (height, width) of the rewritten raster.
        flips: (rows, columns) are in the opposite order in the file.
        warp_from: the file's own affine where it is rotated, sheared or placed by control points, and so is warped.
        count: bands of the rewritten raster: no alpha, a palette spread to three.
        palette: uint8 (256, 4) colours of a palette picture.
        nodata: value of pixels without data, a finite number.
        declares_nodata: it says which pixels have no data, so that zeros are data.
        scaling: of the rewritten raster's bands; its pixels stay as they are stored.
        bits: bits a sample, where less than the data type's.
        notes: what people should know about how it was read.
    """

    dataset: Any
    name: str
    crs: CRS
    transform: Transform
    shape: tuple[int, int]
    count: int
    dtype: str
    flips: tuple[bool, bool] = (False, False)
    warp_from: Affine | None = None
    bands: list[int] = field(default_factory=list)
    palette: NDArray[np.uint8] | None = None
    nodata: float | None = None
    declares_nodata: bool = False
    stored_mask: bool = False
    scaling: Scaling | None = None
    bits: int | None = None
    names: list[str] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def sniff(path: Path, name: str) -> str:
    """Return the one driver that may open the file.

    Raises:
        BadRaster: it is empty, a description of other files, or no picture.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise BadRaster(f"'{name}' is empty.", fix=FIX_AGAIN, code="not_an_image")
    for magic, driver in MAGIC:
        if head.startswith(magic):
            if driver == "PNG":
                _check_png_end(path, name)
            return driver
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(DESCRIPTIONS) or any(word in text[:600] for word in DESCRIPTIONS):
        raise BadRaster(
            f"'{name}' is a description that points to other files, not a raster.",
            fix="Upload the pixels themselves: gdal_translate -of COG makes a GeoTIFF of it.",
            code="format_not_allowed",
        )
    raise BadRaster(
        f"'{name}' is not a GeoTIFF, PNG or JPEG.",
        fix="Convert it with gdal_translate -of COG and upload the result.",
        code="not_an_image",
    )


def _check_png_end(path: Path, name: str) -> None:
    """Refuse a PNG that is cut off: GDAL reads the rows that are missing as black, without an error."""
    size = path.stat().st_size
    at = PNG_HEAD_BYTES
    with path.open("rb") as file:
        # A chunk is its length, four letters, its bytes and a checksum; IEND is the last one (PNG specification).
        while at + PNG_CHUNK_BYTES <= size:
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(8))
            at += PNG_CHUNK_BYTES + length
            if kind == b"IEND" and at <= size:
                return
    raise damaged(name, EOFError("the end of the PNG is missing"))


def open_source(path: Path, *, name: str, position: Position, nodata: float | None, max_pixels: int) -> Source:
    """Return the raster, checked and placed, without having read its pixels.

    Args:
        path: the uploaded file.
        name: its name, for messages.
        position: what was given beside it; it goes before what the file says.
        nodata: value of pixels without data, instead of the file's.
        max_pixels: most rows x columns.

    Raises:
        BadRaster: not a raster we take; the message names the fix.
        TooLarge: more pixels or bands than allowed.
    """
    driver = sniff(path, name)
    try:
        with rasterio.Env(**OPEN_OPTIONS):
            dataset = rasterio.open(path, driver=driver)
    except (RasterioError, MemoryError) as error:
        raise damaged(name, error) from error
    _check_size(dataset, path, name, max_pixels)
    crs = _crs(dataset, driver, name, position)
    source = Source(dataset, name, crs, (1, 0, 0, 0, 1, 0), (dataset.height, dataset.width), 0, dataset.dtypes[0])
    _place(source, driver, position)
    _check_place(source)
    _choose_bands(source)
    _choose_nodata(source, nodata)
    return source


def damaged(name: str, error: BaseException) -> BadRaster:
    """Return the error for a file whose bytes cannot be decoded."""
    # Neither our folders nor the name that the file has inside the sandbox mean anything to people.
    # rasterio's own sentence often says only "See previous exception for details."
    told = str(error.__cause__ or error) or type(error).__name__
    reason = re.sub(r"(/[\w.-]+)+/|\bsource: ", "", told)[:200]
    return BadRaster(
        f"'{name}' is damaged or cut off: {reason}",
        fix=f"Check the copy against the original. {FIX_AGAIN}",
        code="file_damaged",
    )


def _check_size(dataset: Any, path: Path, name: str, max_pixels: int) -> None:
    if dataset.count == 0:
        raise BadRaster(f"'{name}' holds no band.", fix="Export one of its layers as GeoTIFF.", code="no_bands")
    if dataset.count > MAX_BANDS:
        raise TooLarge(
            f"'{name}' has {dataset.count} bands; at most {MAX_BANDS} are taken.",
            fix="Choose bands with gdal_translate -b.",
            code="too_many_bands",
        )
    dtypes = set(dataset.dtypes)
    if len(dtypes) > 1 or not dtypes <= DTYPES:
        raise BadRaster(
            f"'{name}' has pixels of type {', '.join(sorted(dtypes))}.",
            fix="Convert it with gdal_translate -ot Float32.",
            code="dtype_unsupported",
        )
    pixels = dataset.height * dataset.width
    size = path.stat().st_size
    raw_bytes = pixels * dataset.count * np.dtype(dataset.dtypes[0]).itemsize
    if raw_bytes / size > MAX_IMPLAUSIBLE:
        raise BadRaster(
            f"'{name}' claims {dataset.width} x {dataset.height} pixels in {size} bytes.",
            fix=FIX_AGAIN,
            code="dimensions_implausible",
        )
    if pixels > max_pixels:
        raise TooLarge(
            f"'{name}' has {dataset.width} x {dataset.height} pixels; at most {max_pixels:,} are taken.",
            fix="Cut it into parts, or ask the administrator to raise QUADRAT_RASTER_MAX_PIXELS.",
            code="too_many_pixels",
        )
    if raw_bytes > SMALL_BYTES and raw_bytes / size > MAX_EXPANSION:
        raise BadRaster(
            f"'{name}' would grow {raw_bytes // size:,} times when unpacked; at most {MAX_EXPANSION:,} is taken.",
            fix="Cut away the empty area, or save it without compression.",
            code="expansion_limit",
        )


def _crs(dataset: Any, driver: str, name: str, position: Position) -> CRS:
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


def _place(source: Source, driver: str, position: Position) -> None:
    """Set transform, shape and how the pixels get there."""
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


def _check_place(source: Source) -> None:
    """Refuse positions that cannot be: the commonest mistakes are degrees for metres and the other way round."""
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


def _choose_bands(source: Source) -> None:
    dataset = source.dataset
    interpretation = list(dataset.colorinterp)
    if ColorInterp.cyan in interpretation:
        raise BadRaster(f"'{source.name}' has print colours (CMYK).", fix="Save it as RGB.", code="colours_unsupported")
    bits = dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS")
    source.bits = int(bits) if bits and int(bits) < 8 * np.dtype(source.dtype).itemsize else None
    if interpretation == [ColorInterp.palette] and source.dtype == "uint8":
        table = dataset.colormap(1)
        source.palette = np.array([table.get(value, (0, 0, 0, 0)) for value in range(256)], np.uint8)
        source.bands, source.count, source.dtype, source.bits = [1], 3, "uint8", None
        source.names, source.colours = ["red", "green", "blue"], ["red", "green", "blue"]
        if dataset.nodata is not None and 0 <= dataset.nodata <= 255:
            source.palette[int(dataset.nodata), 3] = 0
        source.stored_mask = bool((source.palette[:, 3] == 0).any())
        source.notes.append("Its palette was spread to red, green and blue.")
        return
    alphas = [
        index for index, colour in zip(dataset.indexes, interpretation, strict=True) if colour == ColorInterp.alpha
    ]
    alpha = alphas[-1] if alphas and dataset.count > 1 else None
    source.bands = [index for index in dataset.indexes if index != alpha]
    source.count = len(source.bands)
    source.colours = [interpretation[index - 1].name for index in source.bands]
    source.names = [
        dataset.descriptions[index - 1] or (colour if colour in ("red", "green", "blue") else f"Band {index}")
        for index, colour in zip(source.bands, source.colours, strict=True)
    ]
    flags = dataset.mask_flag_enums[source.bands[0] - 1]
    source.stored_mask = MaskFlags.per_dataset in flags or MaskFlags.alpha in flags
    _choose_scaling(source)


def _choose_scaling(source: Source) -> None:
    found = scaling_of(source.dataset)
    if found is None:
        return
    at = [band - 1 for band in source.bands]
    source.scaling = Scaling(tuple(found.scales[i] for i in at), tuple(found.offsets[i] for i in at))
    source.notes.append(source.scaling.told())


def _choose_nodata(source: Source, given: float | None) -> None:
    value = source.dataset.nodata if given is None else given
    if value is None or source.palette is not None:
        return
    kind = np.dtype(source.dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        if not math.isfinite(value) or not limits.min <= value <= limits.max or value != int(value):
            source.notes.append(f"Its nodata value {value:g} cannot occur in {source.dtype} and was ignored.")
            return
    source.declares_nodata = True
    # NaN and infinities are never taken as data, with or without being named; neither JSON nor a mask holds them.
    if math.isfinite(value):
        source.nodata = float(value)


def default_bands(names: Sequence[str], colours: Sequence[str], dtype: str) -> tuple[int, ...]:
    """Return the 1-based bands shown as red, green, blue (or the one shown as grey).

    By the file's colours, else by band names, else by the order of well-known sensors (Sentinel-2 with 12 or 13
    bands, WorldView-2 and -3 with 8), else the first three.
    """
    for colour_names in (list(colours), [name.lower() for name in names]):
        found = [_band_named(colour_names, colour) for colour in ("red", "green", "blue")]
        if all(found):
            return tuple(found)
    lower = [name.lower() for name in names]
    if {"b02", "b03", "b04"} <= set(lower):
        return tuple(lower.index(name) + 1 for name in ("b04", "b03", "b02"))
    if len(names) in (12, 13) and dtype in ("int16", "uint16"):
        return (4, 3, 2)
    if len(names) == 8:
        return (5, 3, 2)
    return (1, 2, 3) if len(names) >= 3 else (1,)


def _band_named(names: Sequence[str], colour: str) -> int:
    """Return the 1-based band whose name holds the colour as a word; 0 where none does."""
    return next((index for index, name in enumerate(names, 1) if re.search(rf"\b{colour}\b", name)), 0)
