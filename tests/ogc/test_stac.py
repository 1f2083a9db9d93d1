"""The STAC API: what a client finds, page by page, and the files behind it."""

import base64
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.test import Client
from PIL import Image

from tests.factories import client_for, make_imagery, make_project, make_token, make_user
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import Project

BOX = (85.515, 27.625, 85.525, 27.635)


def area(*box: float) -> MultiPolygon:
    return MultiPolygon(Polygon.from_bbox(box), srid=4326)


@pytest.fixture
def project(db: None) -> Project:
    return make_project(make_user("ana"))


@pytest.fixture
def ana(project: Project) -> Client:
    """A program with ana's token."""
    return Client(headers={"Authorization": f"Bearer {make_token(make_user('ana'), ['read'])}"})


def in_address(value: Any) -> str:
    """Return a field of a POST search as a GET parameter."""
    if isinstance(value, dict):
        return quote(json.dumps(value))
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [feature["properties"]["title"] for feature in answer.json()["features"]]


def test_every_link_of_the_catalogue_answers(ana: Client, project: Project, tmp_path: Path) -> None:
    make_imagery(project)
    seen, waiting = set(), ["/stac"]
    while waiting:
        place = waiting.pop()
        answer = ana.get(place)
        assert answer.status_code == 200, place
        seen.add(place)
        found = json.loads(answer.content)
        rows = [found, *found.get("collections", []), *found.get("features", [])]
        for link in [item for row in rows for item in row.get("links", [])]:
            target = link["href"].removeprefix("http://testserver")
            if link["rel"] not in ("xyz", "wmts", "tilejson", "alternate", "service-doc") and target not in seen:
                waiting.append(target)
    assert any("/items/" in place for place in seen)
    assert {"/stac/search", "/stac/api", "/stac/conformance", "/stac/collections"} <= seen


def test_an_item_says_what_the_layer_is(ana: Client, project: Project) -> None:
    when = datetime(2020, 6, 1, 12, tzinfo=UTC)
    bands = [{"name": "Red", "min": 0, "max": 9, "mean": 4.5, "std": 1.0, "histogram": {}}, {"name": "B8A"}]
    layer = make_imagery(project, acquired_at=when, bands=bands, nodata=0, analysis_path="x.tif", name="Scene")
    found = ana.get(f"/stac/collections/{project.pk}/items/{layer.pk}").json()
    assert found["properties"]["datetime"] == "2020-06-01T12:00:00Z"
    assert found["properties"]["proj:code"] == "EPSG:32645"
    assert found["properties"]["proj:transform"] == layer.transform
    assert found["bbox"] == pytest.approx(BOX)
    red, other = found["assets"]["data"]["bands"]
    assert (red["eo:common_name"], red["statistics"]["stddev"], red["nodata"]) == ("red", 1.0, 0)
    assert "eo:common_name" not in other
    undated = make_imagery(project)
    properties = ana.get(f"/stac/collections/{project.pk}/items/{undated.pk}").json()["properties"]
    assert properties["datetime"] is None
    assert properties["start_datetime"] < properties["end_datetime"]


def test_a_layer_across_the_antimeridian_has_a_box_across_it(ana: Client, project: Project) -> None:
    parts = [Polygon.from_bbox((179.0, -17.0, 180.0, -16.0)), Polygon.from_bbox((-180.0, -17.0, -179.5, -16.0))]
    make_imagery(project, name="Fiji", footprint=MultiPolygon(*parts, srid=4326))
    for box, expected in (("179.5,-18,-179.9,-15", ["Fiji"]), ("-179.9,-18,-179.8,-15", ["Fiji"]), ("0,-18,9,-15", [])):
        answer = ana.get(f"/stac/search?bbox={box}")
        assert ids(answer) == expected, box
    assert ana.get("/stac/search").json()["features"][0]["bbox"] == [179.0, -17.0, -179.5, -16.0]


def test_searches_find_by_place_time_project_and_id_alike_in_get_and_post(ana: Client, project: Project) -> None:
    other = make_project(make_user("ana"))
    old = make_imagery(project, name="old", acquired_at=datetime(2010, 1, 1, tzinfo=UTC), footprint=area(0, 0, 1, 1))
    make_imagery(other, name="new", acquired_at=datetime(2020, 1, 1, tzinfo=UTC), footprint=area(10, 50, 11, 51))
    make_imagery(make_project(make_user("ben")), name="hidden", footprint=area(0, 0, 1, 1))
    polygon = {"type": "Polygon", "coordinates": [[[0.5, 0.5], [2, 0.5], [2, 2], [0.5, 0.5]]]}
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["new", "old"]),
        ({"bbox": [0.5, 0.5, 3, 3]}, ["old"]),
        ({"bbox": [0.5, 0.5, -10, 3, 3, 10]}, ["old"]),
        ({"intersects": polygon}, ["old"]),
        ({"datetime": "2010-01-01T00:00:00Z"}, ["old"]),
        ({"datetime": "2015-01-01T00:00:00Z/.."}, ["new"]),
        ({"datetime": "/2015-01-01T00:00:00Z"}, ["old"]),
        ({"collections": [str(other.pk)]}, ["new"]),
        ({"ids": [str(old.pk), "not-ours"]}, ["old"]),
        ({"ids": ["not-ours"]}, []),
        ({"ids": [str(old.pk)], "bbox": [10, 50, 12, 52]}, []),
    ]
    for wanted, expected in cases:
        query = "&".join(f"{key}={in_address(value)}" for key, value in wanted.items())
        assert ids(ana.get(f"/stac/search?{query}")) == expected, wanted
        assert ids(ana.post("/stac/search", wanted, content_type="application/json")) == expected, wanted


BAD = (
    "limit=0", "limit=x", "bbox=1,2,3", "bbox=a,b,c,d", "bbox=0,9,1,8", "bbox=0,0,9,1,1,1", "bbox=nan,0,1,1",
    "intersects=x", "intersects=[]", 'intersects={"type":"Point"}', 'intersects={"type":"Point","coordinates":[200,0]}',
    "datetime=2020-01-01", "datetime=../..", "datetime=/", "datetime=2020-01-01T00:00:00", "datetime=1/2/3",
    "datetime=2020-01-01T00:00:00Z/2010-01-01T00:00:00Z", "datetime=1985-12-01T00:06:61Z",
    "token=x", "unknown=1", 'bbox=0,0,1,1&intersects={"type":"Point","coordinates":[0,0]}',
)  # fmt: skip


def test_a_bad_parameter_is_400_with_code_and_description(ana: Client) -> None:
    for query in BAD:
        answer = ana.get(f"/stac/search?{query}")
        assert answer.status_code == 400, query
        assert {"code", "description"} <= set(answer.json())


def test_pages_hold_every_layer_once_and_end(ana: Client, project: Project) -> None:
    for number in range(5):
        make_imagery(project, name=str(number), acquired_at=datetime(2020, 1, 1 + number // 2, tzinfo=UTC))
    for begin in ("/stac/search?limit=2", f"/stac/collections/{project.pk}/items?limit=2"):
        place, found = begin, []
        while place:
            answer = ana.get(place)
            found += ids(answer)
            assert answer.json()["numberMatched"] == 5
            place = next((row["href"] for row in answer.json()["links"] if row["rel"] == "next"), "")
        assert sorted(found) == list("01234")
    body: dict[str, Any] | None = {"limit": 3}
    found = []
    while body:
        answer = ana.post("/stac/search", body, content_type="application/json")
        found += ids(answer)
        body = next((row["body"] for row in answer.json()["links"] if row["rel"] == "next"), None)
    assert sorted(found) == list("01234")


def test_a_catalogue_that_did_not_change_is_304(ana: Client, project: Project) -> None:
    first = ana.get("/stac/collections")
    again = ana.get("/stac/collections", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    make_imagery(project)
    assert ana.get("/stac/collections", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_gis_programs_send_the_token_as_basic_password_or_in_the_address(project: Project) -> None:
    make_imagery(project, name="Scene")
    token = make_token(make_user("ana"), ["read"])

    def basic(password: str) -> Client:
        sent = base64.b64encode(f"anything:{password}".encode()).decode()
        return Client(headers={"Authorization": f"Basic {sent}"})

    assert ids(basic(token).get("/stac/search")) == ["Scene"]
    assert ids(Client().get(f"/stac/search?access_token={token}")) == ["Scene"]
    make_user("ana", password="correct horse battery")
    for refused in (
        basic("correct horse battery").get("/stac/search"),
        basic("").get("/stac/search"),
        Client(headers={"Authorization": "Basic %%%"}).get("/stac/search"),
        Client().get("/stac/search?access_token=qdt_no"),
        Client().post(f"/stac/search?access_token={token}", {}, content_type="application/json"),
        Client().get("/stac/search"),
    ):
        assert refused.status_code == 401
        assert refused["WWW-Authenticate"].startswith("Basic ")
    assert Client().get(f"/api/imagery/?access_token={token}").status_code == 401
    assert client_for(make_user("ana")).get("/stac/search").status_code == 200


@pytest.fixture
def scene(project: Project, tmp_path: Path) -> ImageryLayer:
    path = tmp_path / "scene.tif"
    profile = {"driver": "GTiff", "width": 64, "height": 64, "count": 1, "dtype": "uint8", "crs": "EPSG:32645"}
    with rasterio.open(path, "w", transform=Affine(1, 0, 353_000, 0, -1, 3_057_000), **profile) as file:
        file.write(np.arange(64 * 64, dtype=np.uint8).reshape(1, 64, 64))
    return make_imagery(project, path)


def test_the_thumbnail_is_a_small_picture(ana: Client, scene: ImageryLayer) -> None:
    item = ana.get(f"/stac/collections/{scene.project_id}/items/{scene.pk}").json()
    answer = ana.get(item["assets"]["thumbnail"]["href"].removeprefix("http://testserver"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert max(Image.open(io.BytesIO(answer.content)).size) == 256


def test_the_file_comes_whole_or_in_ranges(ana: Client, scene: ImageryLayer, tmp_path: Path) -> None:
    whole = (tmp_path / "scene.tif").read_bytes()
    place = f"/stac/files/{scene.pk}.tif"

    def get(**headers: str) -> tuple[int, bytes]:
        answer = ana.get(place, headers=headers)
        return answer.status_code, b"".join(answer.streaming_content) if answer.streaming else answer.content

    assert get() == (200, whole)
    assert get(Range="bytes=10-19") == (206, whole[10:20])
    assert get(Range="bytes=-5") == (206, whole[-5:])
    assert get(Range=f"bytes={len(whole) - 3}-99999999") == (206, whole[-3:])
    assert get(Range=f"bytes={len(whole)}-") == (416, b"")
    assert get(Range="bytes=5-2") == (200, whole)
    assert get(Range="bytes=1-2,5-6") == (200, whole)
    answer = ana.get(place)
    assert get(**{"Range": "bytes=0-3", "If-Range": answer["ETag"]}) == (206, whole[:4])
    assert get(**{"Range": "bytes=0-3", "If-Range": '"old"'}) == (200, whole)
    assert get(**{"If-None-Match": answer["ETag"]}) == (304, b"")
    stranger = Client(headers={"Authorization": f"Bearer {make_token(make_user('mallory'))}"})
    assert stranger.get(place).status_code == 404
