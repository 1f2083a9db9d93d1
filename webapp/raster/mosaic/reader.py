"""Reading a mosaic: windows of its grid, any canvas, and single places. Members are opened where they are met."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webapp.raster.canvas import Canvas, Resampling, between
from webapp.raster.mosaic.document import Member, stored
from webapp.raster.mosaic.pile import Pile
from webapp.raster.read import Info, Raster, Resample
from webapp.raster.warp import Placed, mesh_of, read_onto, scale_of
from webapp.raster.windows import Span

# Pixels of the mosaic by which the way between two CRS may be off at a member's edge.
MARGIN_PX = 2.0
# The overview is taken for pictures up to this much finer than itself, as a display file's nearest zoom is.
BLUR = 1.42
Opened = Callable[[Path], Raster]


class MosaicReader(Raster):
    """An open mosaic. Use it on one thread.

    Args:
        path: of its file.
        opened: returns a member's raster, which the mosaic does not close.

    Raises:
        BadRaster: the file is gone, or none of ours.
    """

    def __init__(self, path: Path, opened: Opened) -> None:
        self._stored = stored(path)
        self._opened = opened
        self.mosaic = mosaic = self._stored.mosaic
        a, _, c, _, e, f = mosaic.transform
        self.info = Info(
            path=path,
            height=mosaic.height,
            width=mosaic.width,
            count=len(mosaic.bands),
            dtype=mosaic.dtype,
            crs_wkt=mosaic.crs_wkt,
            epsg=mosaic.epsg,
            transform=mosaic.transform,
            nodata=None,
            descriptions=mosaic.bands,
            bounds=(c, f + e * mosaic.height, c + a * mosaic.width, f),
            has_mask=True,
        )
        self._bands = list(range(1, len(mosaic.bands) + 1))

    def close(self) -> None:
        """Do nothing: members stay open for whoever opened them."""

    def onto(
        self, canvas: Canvas, bands: tuple[int, ...], *, resampling: Resampling, nodata: float | None = None
    ) -> Placed:
        """Return the mosaic on a canvas; see `webapp.raster.warp.read_onto`."""
        mesh = mesh_of(self, canvas)
        if mesh is None:
            return self._pile(canvas, bands).result()
        overview = self.mosaic.overview
        if overview is not None and scale_of(mesh, canvas) * BLUR >= overview.factor:
            raster = self._opened(self._stored.file(overview.path))
            return read_onto(raster, canvas, bands, resampling=resampling, nodata=nodata)
        pile = self._pile(canvas, bands)
        for member in self._met(mesh):
            raster = self._opened(self._stored.file(member.path))
            pile.add(read_onto(raster, canvas, bands, resampling=resampling, nodata=nodata))
            if pile.full:
                break
        return pile.result()

    def holding(self, lon: float, lat: float) -> Iterator[tuple[str, Raster]]:
        """Yield (key, raster) of the members that may have data at a place in degrees, the first on top."""
        for member in self._stored.at_place(lon, lat):
            yield member.key, self._opened(self._stored.file(member.path))

    def empty(self, rows: Span, cols: Span) -> bool:
        """Say whether no member meets a part of the grid."""
        end = cols.start + cols.length, rows.start + rows.length
        return not self._stored.within(cols.start, rows.start, *end)

    def _read_inside(
        self, bands: list[int], rows: Span, cols: Span, resampling: Resample
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        overview = self.mosaic.overview
        scale = min(rows.length / rows.out, cols.length / cols.out)
        canvas = self._canvas(rows, cols)
        if overview is not None and scale >= overview.factor:
            raster = self._opened(self._stored.file(overview.path))
            placed = read_onto(raster, canvas, tuple(bands), resampling=_how(raster, self.info, scale, resampling))
            return _as(placed.array, self.info.dtype), placed.valid
        pile = self._pile(canvas, tuple(bands))
        for member in self._stored.within(
            cols.start - MARGIN_PX,
            rows.start - MARGIN_PX,
            cols.start + cols.length + MARGIN_PX,
            rows.start + rows.length + MARGIN_PX,
        ):
            raster = self._opened(self._stored.file(member.path))
            pile.add(read_onto(raster, canvas, tuple(bands), resampling=_how(raster, self.info, scale, resampling)))
            if pile.full:
                break
        placed = pile.result()
        return _as(placed.array, self.info.dtype), placed.valid

    def _canvas(self, rows: Span, cols: Span) -> Canvas:
        a, _, c, _, e, f = self.info.transform
        west, north = c + a * cols.start, f + e * rows.start
        bounds = (west, north + e * rows.length, west + a * cols.length, north)
        return Canvas(self.info.crs_wkt, bounds, rows.out, cols.out)

    def _pile(self, canvas: Canvas, bands: tuple[int, ...]) -> Pile:
        shape = (len(bands), canvas.height, canvas.width)
        return Pile(self.mosaic.rule, shape, whole_bytes=self.info.dtype == "uint8")

    def _met(self, mesh: NDArray[np.float64]) -> list[Member]:
        corners = mesh.reshape(-1, 2)
        if not np.isfinite(corners).all():
            # Part of the canvas lies where the mosaic's CRS does not reach: each member finds out for itself.
            return list(self.mosaic.members)
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        # Between the mesh's corners a side may bulge a little.
        wide = MARGIN_PX + 0.02 * max(right - left, bottom - top)
        return self._stored.within(left - wide, top - wide, right + wide, bottom + wide)


def _how(raster: Raster, grid: Info, scale: float, asked: Resample) -> Resampling:
    """Return how a raster's pixels come onto the mosaic's: as they are wherever the two grids fit."""
    if asked == "nearest":
        return "nearest"
    if scale > 1.0:
        return "average"
    a, b, c, d, e, f = raster.info.transform
    here_a, _, here_c, _, here_e, here_f = grid.transform
    same = abs(a / here_a - 1) < 1e-9 and abs(e / here_e - 1) < 1e-9 and b == 0 and d == 0
    off = ((c - here_c) / here_a, (f - here_f) / here_e)
    fits = same and all(abs(pixels - round(pixels)) < 1e-3 for pixels in off)
    # At a finer scale, too, a file read by itself is interpolated.
    return "nearest" if fits and scale == 1.0 and between(grid.crs_wkt, raster.info.crs_wkt) is None else "bilinear"


def _as(array: NDArray[Any], dtype: str) -> NDArray[Any]:
    kind = np.dtype(dtype)
    if array.dtype == kind:
        return array
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        array = np.clip(np.rint(array), limits.min, limits.max)
    return array.astype(kind)
