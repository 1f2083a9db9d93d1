"""Labels as pixels: a thematic raster traced to polygons, and polygons burnt into one."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterioWindow
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from webapp.errors import BadRaster, TooLarge
from webapp.raster.blocks import colour_table
from webapp.raster.probe import sniff
from webapp.raster.read import OPEN_OPTIONS, Transform
from webapp.raster.saving import created
from webapp.raster.shapes import burn, trace
from webapp.raster.source import damaged
from webapp.raster.windows import Window

TILE_PX = 512
STRIP_PX = 2048
# Traced as a whole, so that no polygon is cut: 16 bytes a pixel at most.
MAX_TRACED_PIXELS = 150_000_000
INTEGERS = {"uint8", "int8", "uint16", "int16", "uint32", "int32"}
# Pixels that are no label.
BACKGROUND = 0


def traced(
    path: Path, name: str, *, size: tuple[int, int] | None
) -> tuple[str, Transform, Iterator[tuple[Polygon, int]]]:
    """Return (CRS as WKT, transform, polygons with their values) of a thematic raster; the polygons in its CRS.

    Zero and nodata are background. A raster without a position is taken where it has `size`; its CRS is "" and its
    polygons are in pixels.

    Args:
        path: a GeoTIFF or PNG from a stranger.
        name: of the file, for messages.
        size: (height, width) of the imagery that the labels belong to.

    Raises:
        BadRaster: not a raster of whole numbers, or without a position.
        TooLarge: more pixels than are traced.
    """  # fmt: skip
    driver = sniff(path, name)
    try:
        with rasterio.Env(**OPEN_OPTIONS), rasterio.open(path, driver=driver) as dataset:
            if dataset.height * dataset.width > MAX_TRACED_PIXELS:
                raise TooLarge(
                    f"'{name}' has {dataset.height * dataset.width:,} pixels.",
                    fix=f"Cut it into parts of at most {MAX_TRACED_PIXELS:,}.",
                )
            if dataset.dtypes[0] not in INTEGERS or dataset.count > 1:
                raise BadRaster(
                    f"'{name}' has {dataset.count} bands of {dataset.dtypes[0]}, no raster of classes.",
                    fix="Save one band of whole numbers, one for each class.",
                    code="not_thematic",
                )
            crs, transform, shape = dataset.crs, dataset.transform, dataset.shape
            values = dataset.read(1)
            mask = (values != BACKGROUND) & (dataset.read_masks(1) > 0)
    except RasterioError as error:
        raise damaged(name, error) from error
    placed = crs is not None and transform != Affine.identity()
    if not placed and shape != size:
        raise BadRaster(
            f"'{name}' says not where on Earth it lies, and has not the size of the imagery.",
            fix="Assign CRS and position (gdal_edit.py -a_srs EPSG:xxxx -a_ullr …).",
            code="crs_missing",
        )
    used: Transform = tuple(transform)[:6] if placed else (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    wide = values.astype(np.int32) if values.dtype not in (np.uint8, np.uint16, np.int16) else values
    return (crs.to_wkt() if placed else ""), used, trace(wide, transform=used, mask=mask)


def burnt(
    path: Path,
    shapes: Sequence[tuple[BaseGeometry, int]],
    *,
    height: int,
    width: int,
    transform: Transform,
    crs: str,
    classes: Mapping[int, tuple[str, str]],
) -> None:
    """Write polygons into a tiled GeoTIFF of uint8, strip by strip; later shapes lie over earlier ones.

    Args:
        path: of the new file.
        shapes: (geometry in the raster's CRS, value).
        height: rows.
        width: columns.
        transform: affine from pixel (col, row) to the CRS.
        crs: WKT or authority code.
        classes: value -> (name, colour "#rrggbb").

    Raises:
        StorageFull: the disk has no room for it.
    """
    tree = shapely.STRtree([geometry for geometry, _ in shapes])
    affine = Affine(*transform)
    profile = {
        "driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": "uint8", "nodata": BACKGROUND,
        "crs": crs, "transform": affine, "photometric": "PALETTE", "compress": "DEFLATE", "tiled": True,
        "blockxsize": TILE_PX, "blockysize": TILE_PX, "BIGTIFF": "IF_SAFER",
    }  # fmt: skip
    with created(path, **profile) as raster:
        raster.write_colormap(1, colour_table({value: colour for value, (_, colour) in classes.items()}))
        raster.update_tags(**{f"CLASS_{value}": name for value, (name, _) in classes.items()})
        for row in range(0, height, STRIP_PX):
            for col in range(0, width, STRIP_PX):
                window = Window(row, col, STRIP_PX, STRIP_PX).clip(height, width)
                corners = [affine @ (x, y) for x in (col, col + window.width) for y in (row, row + window.height)]
                frame = box(*shapely.MultiPoint(corners).bounds)
                inside = [shapes[number] for number in sorted(tree.query(frame))]
                if not inside:
                    continue
                moved = affine @ Affine.translation(col, row)
                pixels = burn(inside, height=window.height, width=window.width, transform=tuple(moved)[:6])
                raster.write(pixels, 1, window=RasterioWindow(col, row, window.width, window.height))
