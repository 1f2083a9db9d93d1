"""WMS: axis orders, stacking, values at a place, errors in the standard's shape."""

import io
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.test import Client
from PIL import Image
from rasterio.warp import transform_bounds

from tests.factories import make_imagery, make_project, make_token, make_user
from webapp.imagery.models import ImageryLayer, NamedRendering
from webapp.projects.models import Project

WMS = {"": "http://www.opengis.net/wms", "xlink": "http://www.w3.org/1999/xlink"}
OGC = "{http://www.opengis.net/ogc}"
SIDE = 64
UTM = Affine(10, 0, 353_000, 0, -10, 3_057_000)
# (red, green, blue) of the quarters: north-west, north-east, south-west, south-east.
QUARTERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
BOX = (353_000.0, 3_057_000.0 - 10 * SIDE, 353_000.0 + 10 * SIDE, 3_057_000.0)


@pytest.fixture
def project(db: None) -> Project:
    return make_project(make_user("ana"))


@pytest.fixture
def ana(project: Project) -> Client:
    """A program with ana's token."""
    return Client(headers={"Authorization": f"Bearer {make_token(make_user('ana'), ['read'])}"})


def write(path: Path, array: Any, **profile: Any) -> Path:
    shape = {"height": array.shape[1], "width": array.shape[2], "count": array.shape[0], "dtype": array.dtype}
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32645", transform=UTM, **shape, **profile) as file:
        file.write(array)
    return path


@pytest.fixture
def quarters(project: Project, tmp_path: Path) -> ImageryLayer:
    array = np.zeros((3, SIDE, SIDE), np.uint8)
    half = SIDE // 2
    for number, colour in enumerate(QUARTERS):
        row, col = number // 2 * half, number % 2 * half
        array[:, row : row + half, col : col + half] = np.array(colour, np.uint8)[:, None, None]
    return make_imagery(project, write(tmp_path / "quarters.tif", array), name="Quarters", attribution="© City")


def box_in(crs: str) -> tuple[float, float, float, float]:
    west, south, east, north = transform_bounds("EPSG:32645", crs, *BOX)
    return west, south, east, north


def get_map(client: Client, layers: str, box: Any, **words: str) -> Any:
    asked = {
        "service": "WMS", "version": "1.3.0", "request": "GetMap", "layers": layers, "styles": "", "crs": "EPSG:3857",
        "bbox": ",".join(map(repr, box)), "width": "40", "height": "40", "format": "image/png", "transparent": "TRUE",
    } | words  # fmt: skip
    return client.get("/ogc/wms", {name.upper(): value for name, value in asked.items()})


def pixels(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA")).astype(int)


def test_maps_are_the_right_way_round_in_every_crs(ana: Client, quarters: ImageryLayer) -> None:
    layer = str(quarters.pk)
    west, south, east, north = box_in("EPSG:4326")
    pictures = {
        "own": pixels(get_map(ana, layer, BOX, crs="EPSG:32645")),
        "mercator": pixels(get_map(ana, layer, box_in("EPSG:3857"))),
        "CRS:84": pixels(get_map(ana, layer, (west, south, east, north), crs="CRS:84")),
        "EPSG:4326": pixels(get_map(ana, layer, (south, west, north, east), crs="EPSG:4326")),
        "1.1.1": pixels(get_map(ana, layer, (west, south, east, north), version="1.1.1", srs="EPSG:4326")),
    }
    for name, picture in pictures.items():
        found = [tuple(int(value) for value in picture[row, col][:3]) for row in (10, 30) for col in (10, 30)]
        assert tuple(found) == QUARTERS, name
    assert (pictures["CRS:84"] == pictures["EPSG:4326"]).all()
    assert (pictures["CRS:84"] == pictures["1.1.1"]).all()


def test_layers_are_stacked_over_the_background(
    ana: Client, project: Project, quarters: ImageryLayer, tmp_path: Path
) -> None:
    classes = [{"value": 3, "name": "Tree", "colour": "#123456"}]
    array = np.zeros((1, SIDE, SIDE), np.uint8)
    array[:, : SIDE // 2] = 3
    path = write(tmp_path / "classes.tif", array, nodata=0)
    above = make_imagery(project, path, kind="class_raster", classes=classes, name="Classes")
    both, wide = f"{quarters.pk},{above.pk}", (BOX[0] - 640, BOX[1], BOX[2], BOX[3])
    picture = pixels(get_map(ana, both, BOX, crs="EPSG:32645"))
    assert tuple(picture[5, 5]) == (0x12, 0x34, 0x56, 255)
    assert tuple(picture[35, 5][:3]) == QUARTERS[2]
    assert pixels(get_map(ana, both, wide, crs="EPSG:32645"))[20, 5][3] == 0
    coloured = pixels(get_map(ana, both, wide, crs="EPSG:32645", transparent="FALSE", bgcolor="0x0A0B0C"))
    assert tuple(coloured[20, 5]) == (10, 11, 12, 255)
    jpeg = get_map(ana, both, wide, crs="EPSG:32645", format="image/jpeg", bgcolor="0x0A0B0C")
    assert jpeg["Content-Type"] == "image/jpeg"
    assert pixels(jpeg)[20, 5][:3] == pytest.approx((10, 11, 12), abs=6)
    assert pixels(get_map(ana, str(quarters.pk), BOX, crs="EPSG:32645", format="image/webp")).shape == (40, 40, 4)


def test_a_style_is_a_saved_rendering(ana: Client, quarters: ImageryLayer) -> None:
    NamedRendering.objects.create(layer=quarters, name="turned", title="Turned", words={"bidx": ["3", "2", "1"]})
    layer = str(quarters.pk)
    plain, turned = (get_map(ana, layer, BOX, crs="EPSG:32645", styles=style) for style in ("default", "turned"))
    assert tuple(pixels(plain)[5, 5][:3]) == (255, 0, 0)
    assert tuple(pixels(turned)[5, 5][:3]) == (0, 0, 255)
    assert plain["ETag"] != turned["ETag"]
    document = ET.fromstring(ana.get("/ogc/wms?service=WMS&request=GetCapabilities").content)
    assert [found.text for found in document.findall(".//Layer/Layer/Style/Name", WMS)] == ["default", "turned"]
    refused = get_map(ana, layer, BOX, crs="EPSG:32645", styles="none")
    assert (refused.status_code, code_of(refused)) == (400, "StyleNotDefined")


def test_a_map_that_did_not_change_is_304(ana: Client, quarters: ImageryLayer) -> None:
    answer = get_map(ana, str(quarters.pk), BOX, crs="EPSG:32645")
    asked = answer.request["QUERY_STRING"]
    again = ana.get(f"/ogc/wms?{asked}", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    ImageryLayer.objects.filter(pk=quarters.pk).update(version=2)
    assert ana.get(f"/ogc/wms?{asked}", headers={"If-None-Match": answer["ETag"]}).status_code == 200


def test_capabilities_name_boxes_that_hold_the_layer(ana: Client, quarters: ImageryLayer) -> None:
    make_imagery(make_project(make_user("ben")), name="hidden")
    answer = ana.get("/ogc/wms?SERVICE=WMS&REQUEST=GetCapabilities")
    document = ET.fromstring(answer.content)
    (layer,) = document.findall(".//Layer/Layer", WMS)
    assert layer.findtext("Name", namespaces=WMS) == str(quarters.pk)
    assert layer.findtext("Attribution/Title", namespaces=WMS) == "© City"
    boxes = {
        box.get("CRS"): tuple(float(box.get(name, "")) for name in ("minx", "miny", "maxx", "maxy"))
        for box in layer.findall("BoundingBox", WMS)
    }
    west, south, east, north = boxes["CRS:84"]
    assert boxes["EPSG:4326"] == (south, west, north, east)
    assert boxes["EPSG:32645"] == pytest.approx(BOX)
    assert boxes["EPSG:3857"] == pytest.approx(transform_bounds("EPSG:4326", "EPSG:3857", west, south, east, north))
    assert ana.get("/ogc/wms?service=WMS&request=GetCapabilities&project=x").status_code == 400
    other = ET.fromstring(ana.get(f"/ogc/wms?service=WMS&request=GetCapabilities&project={uuid4()}").content)
    assert other.findall(".//Layer/Layer", WMS) == []


def test_values_under_a_pixel_as_text_json_and_html(
    ana: Client, project: Project, quarters: ImageryLayer, tmp_path: Path
) -> None:
    classes = [{"value": 3, "name": "Tree & bush", "colour": "#123456"}]
    path = write(tmp_path / "classes.tif", np.full((1, SIDE, SIDE), 3, np.uint8))
    raster = make_imagery(project, path, kind="class_raster", classes=classes, name="Classes")

    def ask(kind: str, **words: str) -> Any:
        layers = f"{quarters.pk},{raster.pk}"
        asked = {"request": "GetFeatureInfo", "query_layers": layers, "info_format": kind, "i": "30", "j": "10"}
        return get_map(ana, layers, BOX, crs="EPSG:32645", **(asked | words))

    found = ask("application/json").json()["features"]
    assert list(found[0]["properties"]["bands"].values()) == [0, 255, 0]  # north-east
    assert found[1]["properties"]["class_name"] == "Tree & bush"
    assert ask("text/plain").content.decode().splitlines()[0] == "Quarters"
    assert "Tree &amp; bush" in ask("text/html").content.decode()
    outside = ask("application/json", i="40")
    assert (outside.status_code, code_of(outside)) == (400, "InvalidPoint")
    legend = ana.get(f"/ogc/wms?service=WMS&request=GetLegendGraphic&layer={raster.pk}&format=image/png")
    assert (0x12, 0x34, 0x56, 255) in {tuple(pixel) for pixel in pixels(legend).reshape(-1, 4)}


def code_of(answer: Any) -> str | None:
    told = ET.fromstring(answer.content).find(f"{OGC}ServiceException")
    assert told is not None
    return told.get("code")


def test_errors_are_service_exception_reports(ana: Client, project: Project, quarters: ImageryLayer) -> None:
    layer = str(quarters.pk)
    hidden = make_imagery(make_project(make_user("ben")))
    for change, code in (
        ({"layers": "x"}, "LayerNotDefined"), ({"layers": str(uuid4())}, "LayerNotDefined"),
        ({"layers": str(hidden.pk)}, "LayerNotDefined"), ({"layers": ",".join([layer] * 11)}, "InvalidParameterValue"),
        ({"layers": ""}, "MissingParameterValue"), ({"styles": "a,b"}, "StyleNotDefined"),
        ({"crs": "EPSG:999999"}, "InvalidCRS"), ({"crs": "+proj=merc"}, "InvalidCRS"),
        ({"crs": "EPSG:5773"}, "InvalidCRS"),
        ({"bbox": "1,2,3"}, "InvalidParameterValue"), ({"bbox": "1,1,0,0"}, "InvalidParameterValue"),
        ({"bbox": "nan,0,1,1"}, "InvalidParameterValue"), ({"width": "0"}, "InvalidParameterValue"),
        ({"width": "5000"}, "InvalidParameterValue"), ({"width": "4096", "height": "4096"}, "InvalidParameterValue"),
        ({"format": "image/gif"}, "InvalidFormat"), ({"bgcolor": "red"}, "InvalidParameterValue"),
        ({"request": "GetTile"}, "OperationNotSupported"), ({"service": "WFS"}, "InvalidParameterValue"),
    ):  # fmt: skip
        answer = get_map(ana, **({"layers": layer, "box": BOX, "crs": "EPSG:32645"} | change))  # type: ignore[arg-type]
        assert (answer.status_code, code_of(answer)) == (400, code), change
    stranger = get_map(Client(), layer, BOX)
    assert (stranger.status_code, stranger["WWW-Authenticate"][:5]) == (401, "Basic")
    assert code_of(stranger) is None
    bare = make_imagery(project)
    assert get_map(ana, str(bare.pk), box_in("EPSG:3857")).status_code == 503
