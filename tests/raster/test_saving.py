"""A raster gets to the disk whole or its writer is told: GDAL alone is silent when the last blocks find no room."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from webapp.errors import StorageFull
from webapp.raster.saving import copy_to_cog, created
from webapp.raster.tiff import stored_bytes

# What a process may write to a file stands for what a disk has left: both cut the file where the room ends.
LIMITED = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from webapp.raster.chips import write_chip
from webapp.errors import StorageFull
from webapp.raster.saving import created

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
pixels = np.random.default_rng(7).integers(0, 255, (3, 256, 256)).astype(np.uint8)
target = Path(sys.argv[3])
try:
    if sys.argv[1] == "chip":
        write_chip(target, pixels, transform=(1, 0, 0, 0, -1, 0), crs_wkt="EPSG:3857")
    else:
        with created(target, driver="GTiff", count=3, height=256, width=256, dtype="uint8", tiled=True) as raster:
            raster.write(pixels)
except Exception as error:
    print(type(error).__name__)
else:
    print("stored")
"""


def _write(what: str, limit: int, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, what, str(limit), str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(("what", "error"), [("chip", "OSError"), ("raster", "TooLarge")])
def test_a_raster_that_finds_no_room_is_an_error(tmp_path: Path, what: str, error: str) -> None:
    assert _write(what, 100_000, tmp_path / "short.tif") == error
    assert _write(what, 4_000_000, tmp_path / "whole.tif") == "stored"


def test_the_index_of_a_tiff_tells_how_long_it_must_be(tmp_path: Path) -> None:
    pixels = np.random.default_rng(7).integers(0, 255, (3, 700, 700)).astype(np.uint8)
    draft, cog = tmp_path / "draft.tif", tmp_path / "cog.tif"
    for options in ({"tiled": True, "compress": "ZSTD", "bigtiff": "YES"}, {"compress": "deflate"}):
        with created(draft, driver="GTiff", count=3, height=700, width=700, dtype="uint8", **options) as raster:
            raster.write(pixels)
            raster.write_mask(pixels[0] > 7)
        copy_to_cog(draft, cog, COMPRESS="DEFLATE", BLOCKSIZE="256")
        for path in (draft, cog):
            needed = stored_bytes(path)
            assert 0.9 * path.stat().st_size < needed <= path.stat().st_size
            with rasterio.open(path) as source:
                assert np.array_equal(source.read(), pixels)


def test_a_file_cut_short_as_it_was_closed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(7).integers(0, 255, (1, 256, 256)).astype(np.uint8)
    draft = tmp_path / "draft.tif"
    with created(draft, driver="GTiff", count=1, height=256, width=256, dtype="uint8", compress="deflate") as raster:
        raster.write(pixels)

    def cut(source: Path, target: Path, **options: object) -> None:
        """Write the copy, and lose its last bytes as a full disk does."""
        target.write_bytes(source.read_bytes()[:-1000])

    monkeypatch.setattr("rasterio.shutil.copy", cut)
    with pytest.raises(StorageFull):
        copy_to_cog(draft, tmp_path / "cut.tif")


def test_a_raster_of_zeros_is_whole_though_none_of_its_blocks_is_stored(tmp_path: Path) -> None:
    draft, cog = tmp_path / "draft.tif", tmp_path / "cog.tif"
    with created(
        draft, driver="GTiff", count=1, height=600, width=600, dtype="uint8", tiled=True, sparse_ok=True
    ) as raster:
        raster.write(np.zeros((1, 600, 600), np.uint8))
    copy_to_cog(draft, cog, SPARSE_OK="TRUE")
    assert stored_bytes(draft) == 0
    with rasterio.open(cog) as source:
        assert not source.read().any()
