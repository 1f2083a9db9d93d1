"""OGC API Features: what the CITE suite asks of core and CRS, and writing with If-Match."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.factories import client_for, make_layer, make_project, make_token, make_user
from webapp.features import services
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.ogc.crs import CRS84, MERCATOR, WGS84
from webapp.ogc.selectors import MAX_LIMIT

BOX = {"type": "Polygon", "coordinates": [[[10, 50], [11, 50], [11, 51], [10, 51], [10, 50]]]}


def point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


@pytest.fixture
def layer(db: None) -> FeatureLayer:
    return make_layer(make_project(make_user("ana"), labeler=make_user("ben"), viewer=make_user("eve")))


@pytest.fixture
def ben(layer: FeatureLayer) -> Client:
    """A program with ben's token."""
    return Client(headers={"Authorization": f"Bearer {make_token(make_user('ben'))}"})


def items_of(layer: FeatureLayer) -> str:
    return f"/ogc/collections/{layer.pk}/items"


def post(client: Client, layer: FeatureLayer, geometry: Any = None, **headers: str) -> Any:
    body = {"type": "Feature", "geometry": geometry or BOX, "properties": {"class_value": 1, "roof": "tin"}}
    return client.post(items_of(layer), body, content_type="application/geo+json", headers=headers)


def test_the_landing_page_leads_to_everything_and_every_link_answers(ben: Client, layer: FeatureLayer) -> None:
    seen, waiting = set(), ["/ogc/"]
    while waiting:
        place = waiting.pop()
        answer = ben.get(place, headers={"accept": "text/html,*/*;q=0.1"})
        assert answer.status_code == 200, place
        seen.add(place.split("?")[0])
        found = json.loads(answer.content)
        links = found.get("links", []) + [item for row in found.get("collections", []) for item in row["links"]]
        for link in links:
            if link.get("templated"):
                continue
            target = link["href"].removeprefix("http://testserver")
            if target.split("?")[0] not in seen:
                waiting.append(target)
    collection = f"/ogc/collections/{layer.pk}"
    assert {"/ogc/api", "/ogc/conformance", "/ogc/collections", collection, f"{collection}/items"} <= seen
    rels = {link["rel"] for link in ben.get("/ogc/").json()["links"]}
    assert {"self", "service-desc", "conformance", "data"} <= rels


def test_the_description_names_the_largest_page(ben: Client) -> None:
    document = json.loads(ben.get("/ogc/api").content)
    assert document["components"]["parameters"]["limit"]["schema"]["maximum"] == MAX_LIMIT
    refs = {ref["$ref"] for ref in document["paths"]["/collections/{collectionId}/items"]["get"]["parameters"]}
    assert "#/components/parameters/limit" in refs
    text = json.dumps(document)
    for kind in ("parameters", "schemas"):
        for name in document["components"][kind]:
            assert f"#/components/{kind}/{name}" in text


def test_pages_hold_every_feature_once_and_end(ben: Client, layer: FeatureLayer) -> None:
    for number in range(7):
        post(ben, layer, point(10 + number / 10, 50))
    place, pages = f"{items_of(layer)}?limit=3", []
    while place:
        found = ben.get(place).json()
        pages.append([item["properties"]["fid"] for item in found["features"]])
        assert found["numberReturned"] == len(found["features"])
        assert found["numberMatched"] == 7
        if len(pages) == 1:
            # One that goes and one that comes while somebody reads: no row twice, none missed.
            services.delete_features(layer=layer, ids=[Feature.objects.get(fid=2).pk])
            post(ben, layer, point(10, 50))
            FeatureLayer.objects.filter(pk=layer.pk).update(feature_count=7)
        place = next((link["href"] for link in found["links"] if link["rel"] == "next"), "")
    assert pages == [[1, 2, 3], [4, 5, 6], [7, 8]]


def test_boxes_in_every_crs_find_the_same(ben: Client, layer: FeatureLayer) -> None:
    post(ben, layer)
    post(ben, layer, point(-100, 10))
    boxes = {
        "bbox=9,49,12,52": 1,
        f"bbox=49,9,52,12&bbox-crs={WGS84}": 1,
        f"bbox=1000000,6300000,1300000,6800000&bbox-crs={MERCATOR}": 1,
        "bbox=9,49,-5,12,52,5": 1,
        "bbox=170,0,-90,20": 1,
        "bbox=0,0,1,1": 0,
    }
    assert {box: len(ben.get(f"{items_of(layer)}?{box}").json()["features"]) for box in boxes} == boxes


def test_a_crs_changes_numbers_and_is_named(ben: Client, layer: FeatureLayer) -> None:
    post(ben, layer, point(10, 50))
    found = {}
    for crs in (CRS84, WGS84, MERCATOR):
        answer = ben.get(f"{items_of(layer)}?crs={crs}")
        assert answer["Content-Crs"] == f"<{crs}>"
        found[crs] = answer.json()["features"][0]["geometry"]["coordinates"]
    assert found[CRS84] == [10, 50]
    assert found[WGS84] == [50, 10]
    assert found[MERCATOR] == pytest.approx([1113194.9079327357, 6446275.841017158], abs=1e-6)


def test_datetime_selects_by_the_last_change(ben: Client, layer: FeatureLayer) -> None:
    post(ben, layer)
    cases = {"../2000-01-01T00:00:00Z": 0, "2000-01-01T00:00:00Z/..": 1, "2000-01-01T00:00:00Z": 0}
    assert {text: len(ben.get(f"{items_of(layer)}?datetime={text}").json()["features"]) for text in cases} == cases


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=abc", "limit=%EF%BC%91",
        "bbox=1,2,3", "bbox=a,b,c,d", "bbox=nan,0,1,1", "bbox=1,9,2,8",
        "bbox-crs=x", "crs=http://x", "datetime=x", "datetime=2020-01-01/2010-01-01", "datetime=1/2/3", "unknown=1",
        "after=x", "f=exe",
    ],
)  # fmt: skip
def test_a_bad_parameter_is_400_with_code_and_description(ben: Client, layer: FeatureLayer, query: str) -> None:
    answer = ben.get(f"{items_of(layer)}?{query}")
    assert answer.status_code == 400
    assert {"code", "description"} <= set(answer.json())


def test_a_limit_over_the_maximum_is_cut(ben: Client, layer: FeatureLayer) -> None:
    post(ben, layer)
    assert ben.get(f"{items_of(layer)}?limit=999999999").json()["numberReturned"] == 1


def test_create_read_replace_change_delete_by_tag(ben: Client, layer: FeatureLayer) -> None:
    created = post(ben, layer)
    assert (created.status_code, created["ETag"]) == (201, '"1.1"')
    place = created["Location"].removeprefix("http://testserver")
    shown = ben.get(place)
    assert shown["ETag"] == '"1.1"'
    assert shown.json()["properties"]["class_name"] == "Tree"
    assert ben.get(place, headers={"If-None-Match": '"1.1"'}).status_code == 304

    body = {"type": "Feature", "geometry": point(1, 2), "properties": {"roof": "clay"}}
    replaced = ben.put(place, body, content_type="application/geo+json", headers={"If-Match": '"1.1"'})
    assert (replaced.status_code, replaced["ETag"]) == (200, '"2.1"')
    assert replaced.json()["properties"]["class_value"] is None
    changed = ben.patch(
        place,
        {"properties": {"class_value": 1, "roof": None, "height": 3}},
        content_type="application/merge-patch+json",
        headers={"If-Match": '"2.1"'},
    )
    assert changed.status_code == 200
    stored = Feature.objects.get()
    assert (stored.class_value, stored.properties, stored.version) == (1, {"height": 3}, 3)
    assert ben.delete(place, headers={"If-Match": '"3.1"'}).status_code == 204
    assert ben.get(place).status_code == 404
    assert list(Edit.objects.order_by("seq").values_list("action", "version")) == [
        ("create", 1), ("update", 2), ("update", 3), ("delete", 4)
    ]  # fmt: skip


def test_writing_needs_a_current_tag(ben: Client, layer: FeatureLayer) -> None:
    place = post(ben, layer)["Location"].removeprefix("http://testserver")
    body = json.dumps({"type": "Feature", "geometry": BOX, "properties": {}})

    def put(**headers: str) -> int:
        return ben.put(place, body, content_type="application/geo+json", headers=headers).status_code

    assert put() == 428
    assert [put(**{"If-Match": tag}) for tag in ('"7.1"', "x", 'W/"1.1"', '""')] == [412, 412, 412, 412]
    assert put(**{"If-Match": '"9.9", "1.1"'}) == 200
    assert put(**{"If-Match": '"1.1"'}) == 412
    assert put(**{"If-Match": "*"}) == 200
    assert ben.delete(place).status_code == 428
    assert Feature.objects.get().version == 3


def test_a_body_in_another_crs_is_refused_and_not_stored_with_its_axes_swapped(
    ben: Client, layer: FeatureLayer
) -> None:
    latitude_first = {"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/4326>"}
    answer = post(ben, layer, **latitude_first)
    assert (answer.status_code, answer.json()["code"]) == (400, "crs_unsupported")
    named = {"Content-Crs": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"}
    assert post(ben, layer, **named).status_code == 201


def test_the_same_idempotency_key_creates_once(ben: Client, layer: FeatureLayer) -> None:
    first, again = (post(ben, layer, **{"Idempotency-Key": "one"}) for _ in range(2))
    assert first["Location"] == again["Location"]
    assert Feature.objects.count() == 1
    assert post(ben, layer, point(1, 1), **{"Idempotency-Key": "one"}).status_code == 400


def test_a_session_reads_and_only_a_token_writes(layer: FeatureLayer) -> None:
    ana = client_for(make_user("ana"))
    assert ana.get(items_of(layer)).status_code == 200
    assert post(ana, layer).status_code == 401
    viewer = Client(headers={"Authorization": f"Bearer {make_token(make_user('eve'))}"})
    assert post(viewer, layer).status_code == 403
    reader = Client(headers={"Authorization": f"Bearer {make_token(make_user('ben'), ['read'])}"})
    assert (reader.get(items_of(layer)).status_code, post(reader, layer).status_code) == (200, 403)
    stranger = Client(headers={"Authorization": f"Bearer {make_token(make_user('mallory'))}"})
    assert stranger.get(items_of(layer)).json() == stranger.get(f"/ogc/collections/{uuid4()}/items").json()
    assert stranger.get("/ogc/collections").json()["collections"] == []
    assert Client().get(items_of(layer)).status_code == 401
    assert Client().get("/ogc/").status_code == 200
    assert Feature.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("x", "application/geo+json"),
        ("{}", "application/geo+json"),
        ('{"type": "Feature"}', "application/geo+json"),
        ('{"type": "Feature", "geometry": null}', "application/geo+json"),
        ('{"type": "Feature", "geometry": {"type": "Point", "coordinates": [NaN, 1]}}', "application/geo+json"),
        (json.dumps({"type": "Feature", "geometry": BOX, "properties": {"class_value": 9}}), "application/json"),
        (json.dumps({"type": "Feature", "geometry": BOX}), "text/plain"),
    ],
)
def test_a_bad_body_is_400(ben: Client, layer: FeatureLayer, body: str, kind: str) -> None:
    answer = ben.post(items_of(layer), body, content_type=kind)
    assert (answer.status_code, Feature.objects.count()) == (400, 0)


def test_options_says_that_items_can_be_posted(ben: Client, layer: FeatureLayer) -> None:
    answer = ben.options(items_of(layer))
    assert (answer.status_code, "POST" in answer["Allow"]) == (204, True)
