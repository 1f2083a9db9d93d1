"""What an uploaded raster is, and whether it may come in. Runs inside the sandbox only."""

import math
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import RasterioError

from webapp.errors import BadRaster, TooLarge
from webapp.raster.placing import check_place, crs_of, place
from webapp.raster.position import Position
from webapp.raster.read import MAGIC, OPEN_OPTIONS
from webapp.raster.scaling import Scaling, scaling_of
from webapp.raster.source import FIX_AGAIN, Source, damaged

MAX_BANDS = 64
# Pixels a byte of the file: deflate reaches 1,032 at most, and 8 of them in a 1-bit file.
MAX_EXPANSION = 10_000
MAX_IMPLAUSIBLE = 10_000_000
# Below this many bytes of pixels no expansion does harm.
SMALL_BYTES = 256 * 1024**2
DTYPES = {"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"}
PNG_HEAD_BYTES, PNG_CHUNK_BYTES = 8, 12
DESCRIPTIONS = (
    b"<VRTDataset",
    b"<GDAL_WMS",
    b"<WMS_Capabilities",
    b"<GDALTileIndexDataset",
    b"<WCS_GDAL",
    b"<Capabilities",
    b"stac_version",
)


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
    crs = crs_of(dataset, driver, name, position)
    source = Source(dataset, name, crs, (1, 0, 0, 0, 1, 0), (dataset.height, dataset.width), 0, dataset.dtypes[0])
    place(source, driver, position)
    check_place(source)
    _choose_bands(source)
    _choose_nodata(source, nodata)
    return source


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
