"""Imagery as real programs find and read it: GDAL (through rasterio), OWSLib and pystac-client."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from owslib.wms import WebMapService
from owslib.wmts import WebMapTileService
from PIL import Image
from pystac_client import Client as StacClient

from tests.browser.driver import Site
from tests.clients.server import make_site
from tests.factories import make_imagery, make_project, make_token, make_user
from webapp.imagery.models import ImageryLayer
from webapp.raster.display import write_display_cog
from webapp.raster.render import Rendering
from webapp.raster.tiff import TileFile

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore::Warning")]
SIDE = 600
COLOUR = (200, 40, 10)
# Lossy tiles move a colour by a few steps.
STEPS = 8


@pytest.fixture
def scene(own_folders: Path, tmp_path: Path) -> ImageryLayer:
    """A red square of 300 m in UTM, as the site keeps one."""
    path, media = tmp_path / "scene.tif", own_folders / "media_dir"
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 3, "dtype": "uint8", "crs": "EPSG:32645"}
    with rasterio.open(path, "w", transform=Affine(0.5, 0, 353_000, 0, -0.5, 3_057_000), **profile) as file:
        file.write(np.stack([np.full((SIDE, SIDE), value, np.uint8) for value in COLOUR]))
    write_display_cog(path, media / "display.tif", Rendering((1, 2, 3)), progress=lambda *_: None)
    with TileFile(media / "display.tif") as display:
        zooms = {"min_zoom": display.min_zoom, "max_zoom": display.max_zoom}
    project = make_project(make_user("ana"))
    return make_imagery(project, path, display_path="display.tif", name="Red square", **zooms)


@pytest.fixture
def site(scene: ImageryLayer, own_folders: Path, tmp_path: Path) -> Iterator[Site]:
    folders = {"QUADRAT_MEDIA_DIR": own_folders / "media_dir", "QUADRAT_SCRATCH_DIR": own_folders / "scratch_dir"}
    site = make_site(tmp_path / "web", **{name: str(folder) for name, folder in folders.items()})
    site.start()
    yield site
    site.stop(kill=True)


def test_programs_find_the_imagery_and_read_its_pixels(site: Site, scene: ImageryLayer) -> None:
    # One test: the start of a web process costs more than all of it.
    token = make_token(make_user("ana"), ["read"])
    by_owslib_wms(site, scene, token)
    by_owslib_wmts(site, scene, token)
    by_pystac_client(site, scene, token)
    by_gdal(site, scene, token)


def middle(picture: bytes) -> Any:
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    return image.getpixel((image.width // 2, image.height // 2))


def centre(source: Any) -> list[int]:
    found: list[int] = source.read(out_shape=(source.count, 32, 32))[:3, 16, 16].tolist()
    return found


def by_owslib_wms(site: Site, scene: ImageryLayer, token: str) -> None:
    service = WebMapService(f"{site.url}/ogc/wms", version="1.3.0", username="any", password=token)
    layer = service[str(scene.pk)]
    assert layer.title == "Red square"
    west, south, east, north = layer.boundingBoxWGS84
    # OWSLib turns the box of EPSG:4326 round itself, as 1.3.0 has it.
    asked = {"layers": [str(scene.pk)], "srs": "EPSG:4326", "bbox": (west, south, east, north), "size": (64, 64)}
    picture = service.getmap(**asked, format="image/png", transparent=True).read()
    assert middle(picture) == pytest.approx(COLOUR, abs=STEPS)
    info = service.getfeatureinfo(
        **asked, query_layers=[str(scene.pk)], format="image/png", info_format="text/plain", xy=(32, 32)
    )
    assert b"200" in info.read()


def by_owslib_wmts(site: Site, scene: ImageryLayer, token: str) -> None:
    service = WebMapTileService(f"{site.url}/ogc/wmts", username="any", password=token)
    limits = service[str(scene.pk)].tilematrixsetlinks["WebMercatorQuad"].tilematrixlimits
    last = limits[max(limits, key=int)]
    tile = service.gettile(
        layer=str(scene.pk),
        tilematrixset="WebMercatorQuad",
        tilematrix=last.tilematrix,
        row=(last.mintilerow + last.maxtilerow) // 2,
        column=(last.mintilecol + last.maxtilecol) // 2,
        format="image/png",
    )
    assert middle(tile.read()) == pytest.approx(COLOUR, abs=STEPS)


def by_pystac_client(site: Site, scene: ImageryLayer, token: str) -> None:
    catalogue = StacClient.open(f"{site.url}/stac", headers={"Authorization": f"Bearer {token}"})
    assert scene.footprint is not None
    (found,) = catalogue.search(bbox=list(scene.footprint.extent), limit=1).items()
    assert (found.id, found.properties["proj:code"]) == (str(scene.pk), "EPSG:32645")
    assert found.assets["data"].href == f"{site.url}/stac/files/{scene.pk}.tif"
    assert list(catalogue.search(bbox=[0, 0, 1, 1]).items()) == []


def by_gdal(site: Site, scene: ImageryLayer, token: str) -> None:
    basic = {"GDAL_HTTP_USERPWD": f"any:{token}", "GDAL_HTTP_AUTH": "BASIC", "GDAL_ENABLE_WMS_CACHE": "NO"}
    document = f"{site.url}/ogc/wmts/1.0.0/WMTSCapabilities.xml?layer={scene.pk}"
    wmts = f"WMTS:{document},layer={scene.pk},tilematrixset=WebMercatorQuad"
    with rasterio.Env(**basic):
        with rasterio.open(wmts) as source:
            # The set ends at the layer's own resolution: 0.5 m on the ground, at 27.6 degrees north.
            assert source.res[0] == pytest.approx(156543.03392804097 / 2**scene.max_zoom)
            assert centre(source) == pytest.approx(COLOUR, abs=STEPS)
        with rasterio.open(f"WMS:{site.url}/ogc/wms?SERVICE=WMS&REQUEST=GetCapabilities") as service:
            (first, *_) = service.subdatasets
        with rasterio.open(first) as source:
            assert centre(source) == pytest.approx(COLOUR, abs=STEPS)
        with rasterio.open(f"/vsicurl/{site.url}/stac/files/{scene.pk}.tif") as source:
            assert (source.shape, source.crs.to_epsg()) == ((SIDE, SIDE), 32645)
            assert tuple(source.read(window=((300, 301), (300, 301)))[:, 0, 0]) == COLOUR
