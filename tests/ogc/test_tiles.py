"""OGC API Tiles, TileJSON and WMTS: what is described is what is served, to whom it belongs."""

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.conf import settings
from django.contrib.gis.geos import Polygon
from django.test import Client
from PIL import Image

from tests.factories import make_imagery, make_layer, make_project, make_token, make_user
from webapp.features.models import Feature, FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.ogc.tiles.matrix import QUAD, definition, limits
from webapp.projects.models import Project
from webapp.raster.display import write_display_cog
from webapp.raster.render import Rendering
from webapp.raster.tiff import TileFile

WMTS = {"": "http://www.opengis.net/wmts/1.0", "ows": "http://www.opengis.net/ows/1.1"}


@pytest.fixture
def project(db: None) -> Project:
    return make_project(make_user("ana"))


@pytest.fixture
def token(project: Project) -> str:
    return make_token(make_user("ana"), ["read"])


@pytest.fixture
def ana(token: str) -> Client:
    """A program with ana's token."""
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def scene(project: Project, tmp_path: Path) -> ImageryLayer:
    """A red scene in UTM, 300 m wide, with its display file."""
    path = tmp_path / "scene.tif"
    profile = {"driver": "GTiff", "width": 600, "height": 600, "count": 3, "dtype": "uint8", "crs": "EPSG:32645"}
    with rasterio.open(path, "w", transform=Affine(0.5, 0, 353_000, 0, -0.5, 3_057_000), **profile) as file:
        file.write(np.stack([np.full((600, 600), value, np.uint8) for value in (200, 40, 10)]))
    display = Path(settings.MEDIA_DIR) / "display.tif"
    write_display_cog(path, display, Rendering((1, 2, 3)), progress=lambda *_: None)
    with TileFile(display) as file:
        zooms = {"min_zoom": file.min_zoom, "max_zoom": file.max_zoom}
    return make_imagery(project, path, display_path="display.tif", name="Red & <b>", attribution="© City", **zooms)


def colour(data: bytes, at: tuple[int, int] | None = None) -> tuple[int, ...]:
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    found: Any = image.getpixel(at or (image.width // 2, image.height // 2))
    return tuple(found)


def test_the_tile_matrix_set_is_that_of_ogc() -> None:
    zoom_0, zoom_1 = definition(QUAD)["tileMatrices"][:2]
    # 17-083r4, annex D.1.
    assert zoom_0["scaleDenominator"] == pytest.approx(559082264.028717, abs=1e-6)
    assert zoom_1["cellSize"] == pytest.approx(78271.5169640204, abs=1e-9)
    assert (zoom_1["matrixWidth"], zoom_1["tileWidth"]) == (2, 256)
    found = limits((85.5, 27.6, 85.6, 27.7), 12)
    assert (found.min_row, found.max_row, found.min_col, found.max_col) == (1719, 1721, 3020, 3021)


def test_a_tile_set_leads_to_its_tiles_and_they_hold_the_imagery(ana: Client, scene: ImageryLayer) -> None:
    place = f"/ogc/collections/{scene.pk}"
    rel = {link["rel"].rsplit("/", 1)[-1]: link["href"] for link in ana.get(place).json()["links"]}
    listed = ana.get(rel["tilesets-map"].removeprefix("http://testserver")).json()["tilesets"]
    assert [row["tileMatrixSetId"] for row in listed] == ["WebMercatorQuad", "WebMercatorQuad2x"]
    for row, size in zip(listed, (256, 512), strict=True):
        found = ana.get(row["links"][0]["href"].removeprefix("http://testserver")).json()
        limit = found["tileMatrixSetLimits"][-1]
        for item in [link for link in found["links"] if link["rel"] == "item"]:
            assert item["templated"]
            url = item["href"].format(
                tileMatrix=limit["tileMatrix"],
                tileRow=(limit["minTileRow"] + limit["maxTileRow"]) // 2,
                tileCol=(limit["minTileCol"] + limit["maxTileCol"]) // 2,
            )
            answer = ana.get(url.removeprefix("http://testserver"))
            assert answer["Content-Type"] == item["type"]
            assert Image.open(io.BytesIO(answer.content)).size == (size, size)
            # Lossy formats move a colour by a few steps.
            assert colour(answer.content) == pytest.approx((200, 40, 10, 255), abs=8), url
            again = ana.get(url.removeprefix("http://testserver"), headers={"If-None-Match": answer["ETag"]})
            assert again.status_code == 304


def test_beyond_the_layer_is_an_empty_tile_and_beyond_the_world_an_error(ana: Client, scene: ImageryLayer) -> None:
    tiles = f"/ogc/collections/{scene.pk}/map/tiles/WebMercatorQuad"
    assert colour(ana.get(f"{tiles}/3/0/0?f=png").content)[3] == 0
    for url, status in (
        (f"{tiles}/3/8/0", 400), (f"{tiles}/99/0/0", 400), (f"{tiles}/3/0/0?f=gif", 400), (f"{tiles}?f=x", 400),
        (f"{tiles.replace('Quad', 'Grid')}/3/0/0", 404), ("/ogc/tileMatrixSets/Other", 404),
    ):  # fmt: skip
        answer = ana.get(url)
        assert (answer.status_code, set(answer.json())) == (status, {"code", "description", "details"}), url


def test_tilejson_is_an_address_that_lasts(scene: ImageryLayer, token: str) -> None:
    place = f"/ogc/collections/{scene.pk}/map/tiles/WebMercatorQuad?f=tilejson&access_token={token}"
    found = Client().get(place).json()
    assert found["attribution"] == "© City"
    assert found["maxzoom"] == scene.max_zoom
    west, south, east, north = found["bounds"]
    here = limits((west, south, east, north), found["maxzoom"])
    url = found["tiles"][0].format(z=here.z, y=here.min_row + 1, x=here.min_col + 1)
    assert Client().get(url.removeprefix("http://testserver")).status_code == 200
    assert Client().get(url.removeprefix("http://testserver").partition("access_token")[0]).status_code == 401


@pytest.mark.django_db(transaction=True)  # vector tiles are read over a connection of their own
def test_vector_tiles_of_a_feature_layer(ana: Client, project: Project) -> None:
    layer = make_layer(project)
    place = f"/ogc/collections/{layer.pk}/tiles"
    assert [row["dataType"] for row in ana.get(place).json()["tilesets"]] == ["vector"]
    assert ana.get(f"{place}/WebMercatorQuad/0/0/0").status_code == 204
    Feature.objects.create(layer=layer, fid=1, geometry=Polygon.from_bbox((10, 50, 11, 51)), class_value=1)
    FeatureLayer.objects.filter(pk=layer.pk).update(seq=1)
    answer = ana.get(f"{place}/WebMercatorQuad/0/0/0")
    assert answer["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert b"features" in answer.content
    url = f"{place}/WebMercatorQuad/0/0/0"
    assert ana.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert ana.get(f"{place}/WebMercatorQuad?f=tilejson").json()["vector_layers"][0]["fields"]["score"] == "number"
    assert ana.get(f"{place}/WebMercatorQuad2x").status_code == 404
    assert ana.get(f"{place}/WebMercatorQuad/9/0/0?f=png").status_code == 400


def test_wmts_capabilities_name_each_layer_and_its_tiles(ana: Client, scene: ImageryLayer) -> None:
    make_imagery(make_project(make_user("ben")), name="hidden")
    for url in ("/ogc/wmts?SERVICE=WMTS&REQUEST=GetCapabilities", "/ogc/wmts/1.0.0/WMTSCapabilities.xml"):
        answer = ana.get(url)
        assert ana.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304
        document = ET.fromstring(answer.content)
        (layer,) = document.findall("Contents/Layer", WMTS)
        assert layer.findtext("ows:Title", namespaces=WMTS) == "Red & <b>"
        assert layer.findtext("ows:Identifier", namespaces=WMTS) == str(scene.pk)
        limit = layer.findall("TileMatrixSetLink", WMTS)[0].findall(".//TileMatrixLimits", WMTS)[-1]
        row, col = (int(limit.findtext(name, "", WMTS)) for name in ("MinTileRow", "MinTileCol"))
        template = layer.findall("ResourceURL", WMTS)[0].get("template", "")
        for name, value in (
            ("TileMatrixSet", QUAD.id),
            ("Style", "default"),
            ("TileMatrix", limit.findtext("TileMatrix", "", WMTS)),
        ):
            template = template.replace(f"{{{name}}}", value)
        rest = template.replace("{TileRow}", str(row + 1)).replace("{TileCol}", str(col + 1))
        by_address = ana.get(rest.removeprefix("http://testserver"))
        words = f"layer={scene.pk}&style=default&tilematrixset={QUAD.id}&tilematrix={scene.max_zoom}"
        by_words = ana.get(
            f"/ogc/wmts?service=WMTS&request=GetTile&version=1.0.0&{words}"
            f"&tilerow={row + 1}&tilecol={col + 1}&format=image/png"
        )
        assert by_address.status_code == by_words.status_code == 200
        assert by_address.content == by_words.content


def test_wmts_errors_are_exception_reports(ana: Client, scene: ImageryLayer) -> None:
    good = {
        "service": "WMTS", "request": "GetTile", "layer": str(scene.pk), "tilematrixset": QUAD.id, "tilematrix": "3",
        "tilerow": "1", "tilecol": "1", "format": "image/png",
    }  # fmt: skip
    assert ana.get("/ogc/wmts", good).status_code == 200
    for change, code, locator, status in (
        ({"tilerow": "8"}, "TileOutOfRange", "tilerow", 400),
        ({"tilerow": ""}, "MissingParameterValue", "tilerow", 400),
        ({"tilematrix": "x"}, "InvalidParameterValue", "tilematrix", 400),
        ({"tilematrixset": "x"}, "InvalidParameterValue", "tilematrixset", 400),
        ({"layer": "x"}, "InvalidParameterValue", "layer", 400),
        ({"layer": "00000000-0000-0000-0000-000000000000"}, "NoApplicableCode", None, 404),
        ({"format": "image/gif"}, "InvalidParameterValue", "format", 400),
        ({"style": "x"}, "InvalidParameterValue", "style", 400),
        ({"request": "GetMap"}, "OperationNotSupported", "request", 400),
        ({"service": "WMS"}, "InvalidParameterValue", "service", 400),
    ):
        answer = ana.get("/ogc/wmts", {**good, **change})
        told = ET.fromstring(answer.content).find("ows:Exception", WMTS)
        assert told is not None
        assert (answer.status_code, told.get("exceptionCode"), told.get("locator")) == (status, code, locator)
    stranger = Client().get("/ogc/wmts", good)
    assert (stranger.status_code, stranger["WWW-Authenticate"][:5]) == (401, "Basic")
    assert ET.fromstring(stranger.content).tag.endswith("ExceptionReport")


def test_the_conformance_declared_is_served(ana: Client, scene: ImageryLayer) -> None:
    declared = json.loads(ana.get("/ogc/conformance").content)["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets" in declared
    paths = json.loads(ana.get("/ogc/api").content)["paths"]
    assert "/collections/{collectionId}/map/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}" in paths
