"""A raster of another server reads as the same file on this disk."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from tests.remote.server import Site, allowed, hurried, serving
from webapp.errors import SourceChanged, SourceFailed
from webapp.raster import remote
from webapp.raster.door import DOOR
from webapp.raster.read import Raster, Reader
from webapp.raster.readers import info_of, kept_reader, open_raster
from webapp.raster.windows import Window
from webapp.remote import client, files


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found, allowed(found):
        yield found


@pytest.fixture
def pair(site: Site, data: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The same COG here, and as a file that names it there."""
    here = data / "naip_prairie" / "m_4709963_se_14_1_20090818.tif"
    site.files["naip.tif"] = here.read_bytes()
    there = tmp_path / "naip.remote"
    remote.write(files.look(site.url("naip.tif")), there)
    site.log.clear()
    return here, there


@pytest.mark.parametrize(
    ("window", "shape"),
    [(Window(100, 200, 64, 80), None), (Window(-20, -20, 100, 100), None), (Window(0, 0, 724, 934), (90, 116))],
)
def test_pixels_are_those_of_the_file(pair: tuple[Path, Path], window: Window, shape: tuple[int, int] | None) -> None:
    with Reader(pair[0]) as here, open_raster(pair[1]) as there:
        expected, found = here.read(window, out_shape=shape), there.read(window, out_shape=shape)
    assert np.array_equal(found.array, expected.array)
    assert np.array_equal(found.valid, expected.valid)
    assert (info_of(pair[1]).transform, info_of(pair[1]).crs_wkt) == (
        info_of(pair[0]).transform,
        info_of(pair[0]).crs_wkt,
    )


def test_a_window_costs_its_own_bytes(site: Site, data: Path, tmp_path: Path) -> None:
    here = (data / "banepa" / "banepa_full_cog.tif").read_bytes()
    site.files["banepa.tif"] = here
    remote.write(files.look(site.url("banepa.tif")), tmp_path / "banepa.remote")
    with open_raster(tmp_path / "banepa.remote") as reader:
        reader.read(Window(4100, 4100, 256, 256))
    assert site.sent < len(here) // 100


@pytest.mark.parametrize("manner", ["cut", "stall", "404"])
def test_a_server_that_fails_is_no_damaged_file(pair: tuple[Path, Path], site: Site, manner: str) -> None:
    reader = kept_reader(pair[1])
    site.manner = manner
    with hurried(0.4 if manner == "stall" else 20.0), pytest.raises(SourceFailed):
        reader.read(Window(400, 400, 64, 64))
    assert reader.broken
    site.manner = ""
    client.forget()
    # GDAL may have kept zeros for what it did not get: that reader is not used again.
    with Reader(pair[0]) as here:
        found = kept_reader(pair[1]).read(Window(400, 400, 64, 64))
        assert np.array_equal(found.array, here.read(Window(400, 400, 64, 64)).array)


def test_a_file_that_changes_is_told_even_where_its_header_is_in_memory(pair: tuple[Path, Path], site: Site) -> None:
    with open_raster(pair[1]) as reader:
        site.files["naip.tif"] += b"more"
        with pytest.raises(SourceChanged):
            reader.read(Window(400, 400, 64, 64))


def test_the_file_that_names_it_is_for_us_alone(pair: tuple[Path, Path]) -> None:
    """Its address may hold a signature."""
    assert pair[1].stat().st_mode & 0o077 == 0


def test_threads_that_end_hand_their_rasters_on(pair: tuple[Path, Path]) -> None:
    """What rasterio keeps for a thread goes with it; GDAL would point at nothing when another one reads or closes."""
    opened: list[Raster] = []

    def open_one() -> None:
        opened.append(open_raster(pair[1]))
        opened[-1].read(Window(0, 0, 8, 8))

    for _ in range(5):
        thread = Thread(target=open_one)
        thread.start()
        thread.join()
    gc.collect()
    with Reader(pair[0]) as here:
        expected = here.read(Window(400, 400, 64, 64)).array
    for reader in opened[:3]:
        assert np.array_equal(reader.read(Window(400, 400, 64, 64)).array, expected)
        reader.close()
    opened.clear()  # two are closed by the collector
    gc.collect()


def test_rasters_are_opened_and_closed_without_a_change_of_what_gdal_looks_through(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system installed or removed while another thread opens a path takes the process down."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("a file system is installed")

    monkeypatch.setattr("rasterio._opener_registration", refuse)
    kept = set(DOOR.names)
    readers = [open_raster(pair[1]) for _ in range(3)]
    with Reader(pair[0]) as here:
        expected = here.read(Window(0, 0, 64, 64)).array
    for reader in readers:
        assert np.array_equal(reader.read(Window(0, 0, 64, 64)).array, expected)
        reader.close()
    assert len(set(DOOR.names) - kept) == 0


def test_whatever_opens_rasters_has_given_gdal_its_file_system_first() -> None:
    """A process that does not open any (pages, API) does without GDAL: see tests/security/test_sandbox.py."""
    code = "import webapp.raster.read, sys; print('webapp.raster.door' in sys.modules)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.stderr) == ("True", "")
