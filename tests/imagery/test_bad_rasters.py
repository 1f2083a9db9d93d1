"""The catalogue of rasters that go wrong elsewhere: each goes the whole way of an upload and gets its one answer.

The numbers are those of the catalogue. An empty file (R25), R28 and R41 to R44 are about uploads, not pixels: see
test_ingest.py and test_api.py. What becomes of the pixels of those that are accepted: tests/raster/test_write.py.
"""

import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC

from tests.imagery.conftest import Ingest, left_behind
from webapp.imagery.models import ImageryLayer, Upload

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]
UTM = Affine(0.5, 0, 500_000, 0, -0.5, 4_649_000)
RGB = np.random.default_rng(3).integers(1, 255, (3, 60, 80)).astype(np.uint8)
TURNED = Affine.translation(500_000, 4_649_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5)
CORNERS = [(0, 0), (0, 80), (60, 0), (60, 80)]
ONE = [1.0] + [0.0] * 19
RPC_MODEL = RPC(
    height_off=100,
    height_scale=50,
    lat_off=46,
    lat_scale=0.1,
    line_den_coeff=ONE,
    line_num_coeff=ONE,
    line_off=30,
    line_scale=30,
    long_off=15,
    long_scale=0.1,
    samp_den_coeff=ONE,
    samp_num_coeff=ONE,
    samp_off=40,
    samp_scale=40,
)
VRT = (
    '<VRTDataset rasterXSize="4" rasterYSize="4"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
    "<SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
)
WMS = '<GDAL_WMS><Service name="WMS"><ServerUrl>http://127.0.0.1:9/?</ServerUrl></Service></GDAL_WMS>'
Make = Callable[[Path], Any]


def tif(array: np.ndarray = RGB, **profile: Any) -> Make:
    """Return what writes an array (band, row, col) as a GeoTIFF in UTM, or as the profile says."""

    def make(path: Path) -> None:
        count, height, width = array.shape
        shape = {"count": count, "height": height, "width": width, "dtype": array.dtype}
        with rasterio.open(
            path, "w", **{"driver": "GTiff", "crs": "EPSG:32633", "transform": UTM, **shape, **profile}
        ) as t:
            t.write(array)

    return make


def cut(make: Make, keep: float) -> Make:
    return lambda path: (make(path), path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)]))


def noise_inside(path: Path) -> None:
    tif(np.random.default_rng(5).integers(1, 255, (3, 200, 300)).astype(np.uint8), compress="deflate")(path)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 5000] = np.random.default_rng(1).bytes(5000)
    path.write_bytes(whole)


def overview_cut(path: Path) -> None:
    array = np.random.default_rng(5).integers(1, 255, (1, 600, 600)).astype(np.uint8)
    tif(array, tiled=True, blockxsize=128, blockysize=128)(path)
    size = path.stat().st_size
    with rasterio.open(path, "r+") as target:
        target.build_overviews([2], rasterio.enums.Resampling.nearest)
    whole = bytearray(path.read_bytes())
    # The overview's blocks follow the full picture; its directory is at the end.
    whole[size + 2000 : size + 4000] = b"\xff" * 2000
    path.write_bytes(whole)


def claims(width: int, height: int) -> Make:
    """Return what writes a TIFF of 122 bytes that claims any size."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    tags += [(278, 4, height), (279, 4, 8)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    return lambda path: path.write_bytes(head + entries + b"\0\0\0\0")


def sparse(side: int, block: int, **profile: Any) -> Make:
    def make(path: Path) -> None:
        shape = {"count": 1, "width": side, "height": side, "blockxsize": block, "blockysize": block, "tiled": True}
        shape |= {"crs": "EPSG:32633", "transform": UTM, "driver": "GTiff", "sparse_ok": True}
        with rasterio.open(path, "w", **shape, **profile):
            pass

    return make


def png(path: Path) -> None:
    tif(driver="PNG", crs=None, transform=Affine.identity())(path.with_suffix(".png"))
    path.with_suffix(".png").rename(path)


def by_points(path: Path) -> None:
    points = [GroundControlPoint(row, col, *(UTM @ (col, row))) for row, col in CORNERS]
    with rasterio.open(
        path, "w", driver="GTiff", count=3, dtype="uint8", height=60, width=80, gcps=points, crs="EPSG:32633"
    ) as target:
        target.write(RGB)


def palette(path: Path) -> None:
    tif(RGB[:1] % 3, photometric="PALETTE")(path)
    with rasterio.open(path, "r+") as target:
        target.write_colormap(1, {0: (0, 0, 0, 255), 1: (27, 158, 119, 255), 2: (217, 95, 2, 255)})


def alpha_and_mask(path: Path) -> None:
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        tif(np.concatenate([RGB, RGB[:1]]))(path)
        with rasterio.open(path, "r+") as target:
            target.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)
            target.write_mask(np.where(np.arange(80) < 40, 255, 0).astype(np.uint8)[None].repeat(60, 0))


def scaled(path: Path) -> None:
    tif(RGB.astype(np.uint16))(path)
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = (0.1,) * 3, (5.0,) * 3


def nodata_outside(path: Path) -> None:
    """Three digits of the tag are changed: no writer would let the number in."""
    tif(nodata=200)(path)
    path.write_bytes(path.read_bytes().replace(b"200\0", b"999\0"))


def unreal() -> np.ndarray:
    array = RGB[:1].astype(np.float64)
    array[0, 0, :3] = (math.inf, -math.inf, math.nan)
    return array


REFUSED: dict[str, tuple[Make, str]] = {
    "R01 no CRS": (tif(crs=None), "crs_missing"),
    "R02 no geotransform": (tif(transform=Affine.identity()), "georeference_missing"),
    "R06 NaN in the geotransform": (tif(transform=Affine(0.5, 0, math.nan, 0, -0.5, 0)), "georeference_invalid"),
    "R07 a pixel of no height": (tif(transform=Affine(0.5, 0, 0, 0, 0.0, 0)), "georeference_invalid"),
    "R08 metres called degrees": (tif(crs="EPSG:4326"), "bounds_impossible"),
    "R09 longitude 400": (tif(crs="EPSG:4326", transform=Affine(0.1, 0, 400, 0, -0.1, 95)), "bounds_impossible"),
    "R10 degrees called metres": (tif(transform=Affine(1e-6, 0, 15.1, 0, -1e-6, 46.2)), "bounds_suspicious"),
    "R13 an engineering CRS": (tif(crs='LOCAL_CS["site",UNIT["metre",1]]'), "crs_unsupported"),
    "R15 a camera model only": (tif(crs=None, transform=Affine.identity(), rpcs=RPC_MODEL), "rpc_unsupported"),
    "R18 122 bytes that claim 2^31": (claims(2**31 - 1, 2**31 - 1), "dimensions_implausible"),
    "R19 more pixels than allowed": (sparse(145_000, 1024, dtype="float64"), "too_many_pixels"),
    "R21 a bomb of zeros": (sparse(60_000, 8192, dtype="uint8", compress="ZSTD"), "expansion_limit"),
    "R22 cut off": (cut(tif(), 0.6), "file_damaged"),
    "R24 random bytes after the header": (noise_inside, "file_damaged"),
    "R25 text": (lambda path: path.write_text("hello"), "not_an_image"),
    "R25 a web page": (lambda path: path.write_text("<!doctype html><p>404"), "not_an_image"),
    "R26 a PNG called .tif": (png, "georeference_missing"),
    "R27 a VRT": (lambda path: path.write_text(VRT), "format_not_allowed"),
    "R27 a description of a WMS": (lambda path: path.write_text(WMS), "format_not_allowed"),
    "R27 a STACTA": (lambda path: path.write_text('{"stac_version": "1.0.0"}'), "format_not_allowed"),
    "R30 a container": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 400), "not_an_image"),
    "R31 65 bands": (tif(np.ones((65, 4, 4), np.uint8)), "too_many_bands"),
    "R37 nothing but nodata": (tif(np.full((1, 9, 9), 7, np.uint8), nodata=7), "empty_image"),
    "R38 complex": (tif(np.ones((1, 9, 9), np.complex64)), "dtype_unsupported"),
    "R38 64 bits": (tif(np.ones((1, 9, 9), np.int64)), "dtype_unsupported"),
}

ACCEPTED: dict[str, Make] = {
    "R03 rotated": tif(transform=TURNED),
    "R04 south-up": tif(transform=Affine(0.5, 0, 500_000, 0, 0.5, 4_649_000)),
    "R05 sheared": tif(transform=Affine(0.5, 0.2, 500_000, 0, -0.5, 4_649_000)),
    "R11 across the antimeridian": tif(crs="EPSG:4326", transform=Affine(0.01, 0, 179.7, 0, -0.01, -17)),
    "R12 polar": tif(crs="EPSG:3031", transform=Affine(1000, 0, -40_000, 0, -1000, 2_000_000)),
    "R14 latitude first in its CRS": tif(crs="EPSG:4326", transform=Affine(1e-4, 0, 2.8, 0, -1e-4, 42.3)),
    "R15 control points only": by_points,
    "R16 one pixel": tif(RGB[:, :1, :1]),
    "R17 a strip": tif(np.full((1, 1, 100_000), 9, np.uint8)),
    "R20 one strip of many rows": tif(np.full((1, 3000, 900), 9, np.uint8), compress="deflate", blockysize=3000),
    "R23 cut off in an overview": overview_cut,
    "R29 BigTIFF, planar": tif(bigtiff="YES", interleave="band", compress="lzw"),
    "R32 a palette": palette,
    "R33 one bit": tif(RGB[:1] % 2, nbits=1),
    "R34 negative numbers": tif(RGB.astype(np.int16) - 120),
    "R35 infinite and NaN": tif(unreal()),
    "R36 nodata NaN": tif(unreal(), nodata=math.nan),
    "R36 nodata outside the type": nodata_outside,
    "R39 alpha and mask disagree": alpha_and_mask,
    "R40 scale and offset": scaled,
}


@pytest.mark.parametrize("row", REFUSED)
def test_refused_with_its_code_and_a_fix_and_nothing_stays(ingest: Ingest, tmp_path: Path, row: str) -> None:
    make, code = REFUSED[row]
    path = tmp_path / "site.tif"
    make(path)
    job = ingest(path)
    assert (job.state, job.error_code) == ("failed", code)
    assert "site.tif" in job.error_message
    assert str(tmp_path) not in job.error_message
    assert job.error_fix
    assert left_behind() == []
    assert not Upload.objects.exists()
    assert not ImageryLayer.objects.exists()


@pytest.mark.parametrize("row", ACCEPTED)
def test_accepted_as_two_files_of_ours_and_no_upload_stays(ingest: Ingest, tmp_path: Path, row: str) -> None:
    path = tmp_path / "site.tif"
    ACCEPTED[row](path)
    job = ingest(path)
    assert (job.state, job.error_message) == ("succeeded", "")
    layer = ImageryLayer.objects.get()
    names = {Path(layer.analysis_path).name, Path(layer.display_path).name}
    assert {found.name for found in left_behind()} == names
    assert layer.footprint is not None
    assert -180 <= layer.footprint.extent[0] <= layer.footprint.extent[2] <= 180
