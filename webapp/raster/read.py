"""Reading pixels: the one way map, training and inference look at a raster."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterioWindow

from webapp.errors import BadRaster, Invalid
from webapp.raster import door  # noqa: F401  (GDAL may be given its file system only before threads open rasters)
from webapp.raster.scaling import scaling_of
from webapp.raster.windows import Span, Window, inside_span

Transform = tuple[float, float, float, float, float, float]
Resample = Literal["nearest", "bilinear", "average"]
Pad = Literal["reflect", "zero"]

# A file is opened by the one driver that its first bytes name: a VRT or WMS description under another name
# is never parsed, so it cannot read other files or the network.
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", "GTiff"),
    (b"MM\x00*", "GTiff"),
    (b"II+\x00", "GTiff"),
    (b"MM\x00+", "GTiff"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
)
# EMPTY_DIR and PAM off: side-car files (.aux.xml, .ovr, .msk, .tfw) beside a raster change nothing.
OPEN_OPTIONS: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": 128,  # MB, per process: GDAL's own default is 5 % of the memory
    "GTIFF_VIRTUAL_MEM_IO": "NO",
}
_RESAMPLING = {"nearest": Resampling.nearest, "bilinear": Resampling.bilinear, "average": Resampling.average}


@dataclass(frozen=True, slots=True)
class Info:
    """What a raster is, without its pixels.

    Attributes:
        count: bands, an alpha band not counted.
        dtype: of chips: float32 where the file declares a scale or an offset, else as it is stored.
        transform: affine a, b, c, d, e, f from pixel (col, row) to the CRS.
        crs_wkt: empty where the raster has none.
        nodata: as stored; None where values are scaled, as no chip then holds it.
        bounds: (west, south, east, north) in the raster's CRS.
        has_mask: some pixels may be invalid (nodata value, mask or alpha band).
    """

    path: Path
    height: int
    width: int
    count: int
    dtype: str
    crs_wkt: str
    epsg: int | None
    transform: Transform
    nodata: float | None
    descriptions: tuple[str, ...]
    bounds: tuple[float, float, float, float]
    has_mask: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """The array cut at a window.

    Attributes:
        array: (band, row, col) in the raster's dtype; float32 in physical units where it declares a scale or offset.
        valid: bool (row, col); False outside the raster and where it has no data.
        window: the pixels of the raster it covers.
        transform: affine from the chip's pixel (col, row) to the CRS.
    """

    array: NDArray[Any]
    valid: NDArray[np.bool_]
    window: Window
    transform: Transform


def driver_of(path: Path) -> str:
    """Return the GDAL driver that the file's first bytes name: GTiff, PNG or JPEG.

    Raises:
        BadRaster: it is none of the three, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise BadRaster(f"'{path}' cannot be read: {error.strerror}.", fix="Check the path.") from error
    for magic, driver in MAGIC:
        if head.startswith(magic):
            return driver
    raise BadRaster(
        f"'{path.name}' is not a GeoTIFF, PNG or JPEG.",
        fix="Convert it with gdal_translate -of COG.",
        code="not_an_image",
    )


def _alpha_band(source: Any) -> int | None:
    """Return the 1-based alpha band, or None."""
    found = [
        index for index, colour in zip(source.indexes, source.colorinterp, strict=True) if colour == ColorInterp.alpha
    ]
    return found[-1] if found and source.count > 1 else None


def _info(path: Path, source: Any) -> Info:
    alpha = _alpha_band(source)
    bands = [index for index in source.indexes if index != alpha]
    corners = [
        source.transform @ corner
        for corner in ((0, 0), (source.width, 0), (0, source.height), (source.width, source.height))
    ]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    has_mask = np.issubdtype(np.dtype(source.dtypes[0]), np.floating) or any(
        MaskFlags.all_valid not in source.mask_flag_enums[index - 1] for index in bands
    )
    scaled = scaling_of(source) is not None
    return Info(
        path=path,
        height=source.height,
        width=source.width,
        count=len(bands),
        dtype="float32" if scaled else source.dtypes[0],
        crs_wkt=source.crs.to_wkt() if source.crs else "",
        epsg=source.crs.to_epsg() if source.crs else None,
        transform=tuple(source.transform)[:6],
        nodata=None if scaled else source.nodata,
        descriptions=tuple(source.descriptions[index - 1] or f"Band {index}" for index in bands),
        bounds=(min(xs), min(ys), max(xs), max(ys)),
        has_mask=bool(has_mask),
    )


def info(path: Path | str) -> Info:
    """Return what the raster at `path` is.

    Raises:
        BadRaster: no GeoTIFF, PNG or JPEG, or a damaged one.
    """
    with Reader(path) as reader:
        return reader.info


class Raster(ABC):
    """Pixels on a grid, read by windows: a file, or a mosaic of many. Use it on one thread.

    Attributes:
        info: what it is.
    """

    info: Info
    _bands: list[int]

    @property
    def broken(self) -> bool:
        """True where it must be opened anew before it is read again."""
        return False

    def __enter__(self) -> Self:
        """Return the reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close its files; it is of no use afterwards."""

    @property
    def whole(self) -> Window:
        """The window of the whole raster."""
        return Window(0, 0, self.info.height, self.info.width)

    def read(
        self,
        window: Window,
        *,
        bands: list[int] | None = None,
        out_shape: tuple[int, int] | None = None,
        resampling: Resample = "bilinear",
        pad: Pad | None = "zero",
    ) -> Chip:
        """Return the pixels of a window.

        Args:
            window: may reach outside the raster.
            bands: 1-based; all but an alpha band where not given.
            out_shape: (height, width) of the answer, in pixels, for another resolution; overviews are used.
            resampling: how pixels are made where `out_shape` differs from the window.
            pad: what stands outside the raster: the pixels mirrored at its edge, or zeros. None: the window is
                clipped to the raster instead, and the chip is smaller.

        Returns:
            A chip of (band, out height, out width); where a resampled window reaches outside, the edge of the
            raster is placed to the nearest pixel of the answer.

        Raises:
            Invalid: a band that is not there, or an empty window.
            BadRaster: the file's bytes cannot be decoded.
            SourceFailed: another server does not give them, or gives others by now.
        """
        chosen = self._bands if bands is None else bands
        if not chosen or any(band not in self._bands for band in chosen):
            raise Invalid(
                f"'{self.info.path.name}' has bands {self._bands}, not {chosen}.", fix="Choose from its bands."
            )
        if pad is None:
            window = window.clip(self.info.height, self.info.width)
        if window.empty or (out_shape is not None and min(out_shape) < 1):
            raise Invalid(f"The window {window} holds no pixel.", fix="Choose one that meets the raster.")
        height, width = out_shape or (window.height, window.width)
        rows = inside_span(window.row, window.height, self.info.height, height)
        cols = inside_span(window.col, window.width, self.info.width, width)
        shape = (len(chosen), height, width)
        if rows is None or cols is None:
            array = np.zeros(shape, dtype=self.info.dtype)
            valid = np.zeros(shape[1:], dtype=bool)
        else:
            array, valid = self._read_spans(chosen, rows.spans, cols.spans, resampling)
            if array.shape != shape:
                around = ((rows.before, rows.after), (cols.before, cols.after))
                mode: Any = "reflect" if pad == "reflect" else "constant"
                array = np.pad(array, ((0, 0), *around), mode=mode)
                valid = np.pad(valid, around)
        return Chip(array, valid, window, self._transform(window, height, width))

    def _read_spans(
        self, bands: list[int], rows: Sequence[Span], cols: Sequence[Span], resampling: Resample
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        if len(rows) == len(cols) == 1:
            return self._read_inside(bands, rows[0], cols[0], resampling)
        parts = [[self._read_inside(bands, row, col, resampling) for col in cols] for row in rows]
        arrays, masks = ([[part[which] for part in line] for line in parts] for which in (0, 1))
        return np.block(arrays), np.block(masks)

    def _transform(self, window: Window, height: int, width: int) -> Transform:
        a, b, c, d, e, f = self.info.transform
        across, down = window.width / width, window.height / height
        return (
            a * across,
            b * down,
            c + a * window.col + b * window.row,
            d * across,
            e * down,
            f + d * window.col + e * window.row,
        )

    @abstractmethod
    def _read_inside(
        self, bands: list[int], rows: Span, cols: Span, resampling: Resample
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return (array (band, row, col), valid (row, col)) of a part that lies wholly inside."""


class Reader(Raster):
    """An open raster file. Use it on one thread: GDAL datasets are not thread-safe.

    Raises:
        BadRaster: no GeoTIFF, PNG or JPEG, or a damaged one.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.name = self.path.name
        try:
            with rasterio.Env(**OPEN_OPTIONS):
                self._source: Any = self._open()
        except RasterioError as error:
            raise BadRaster(
                f"'{self.name}' is damaged: {error}.", fix="Export or upload it again.", code="file_damaged"
            ) from error
        self.info = _info(self.path, self._source)
        alpha = _alpha_band(self._source)
        self._bands = [index for index in self._source.indexes if index != alpha]
        flags = self._source.mask_flag_enums[self._bands[0] - 1]
        self._mask_is_nodata = MaskFlags.nodata in flags
        self._mask_is_stored = not self._mask_is_nodata and MaskFlags.all_valid not in flags
        self._scaling = scaling_of(self._source)
        self._owner = threading.get_ident()

    def _open(self) -> Any:
        # sharing=False: a shared handle would be used by several threads at once.
        return rasterio.open(self.path, driver=driver_of(self.path), sharing=False)

    def close(self) -> None:
        """Close the file; the reader is of no use afterwards."""
        self._source.close()

    def _read_inside(
        self, bands: list[int], rows: Span, cols: Span, resampling: Resample
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        window = RasterioWindow(cols.start, rows.start, cols.length, rows.length)
        shape = (rows.out, cols.out)
        try:
            array = self._source.read(
                bands, window=window, out_shape=(len(bands), *shape), resampling=_RESAMPLING[resampling]
            )
            stored = self._source.dataset_mask(window=window, out_shape=shape) if self._mask_is_stored else None
        except RasterioError as error:
            raise BadRaster(
                f"'{self.name}' cannot be decoded at row {rows.start:.0f}, column {cols.start:.0f}: {error}.",
                fix="The file is damaged: export or upload it again.",
                code="file_damaged",
            ) from error
        valid = np.ones(shape, dtype=bool) if stored is None else stored != 0
        if self._mask_is_nodata and not np.isnan(self._source.nodata or 0.0):
            # One band with data makes a pixel valid, as in GDAL's dataset mask.
            valid &= (array != self._source.nodata).any(axis=0)
        if np.issubdtype(array.dtype, np.floating):
            valid &= np.isfinite(array).all(axis=0)
        return (array if self._scaling is None else self._scaling.apply(array, bands)), valid
