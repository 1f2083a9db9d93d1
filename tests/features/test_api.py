"""The REST edge: who may, what comes back, and what bad input gets."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.factories import client_for, make_layer, make_project, make_token, make_user
from webapp.features.models import Edit, Feature, FeatureLayer

BOX = {"type": "Polygon", "coordinates": [[[85.52, 27.63], [85.521, 27.63], [85.521, 27.631], [85.52, 27.63]]]}


def edit(**values: Any) -> dict[str, Any]:
    given = {"op_id": str(uuid4()), "action": "create", "id": str(uuid4()), "geometry": BOX, "class_value": 1}
    return {**given, **values}


@pytest.fixture
def layer(db: None) -> FeatureLayer:
    return make_layer(make_project(make_user("ana"), labeler=make_user("ben"), viewer=make_user("eve")))


@pytest.fixture
def client(layer: FeatureLayer) -> Client:
    return client_for(make_user("ben"))


def send(client: Client, layer: FeatureLayer, *edits: dict[str, Any]) -> Any:
    return client.post(f"/api/layers/{layer.pk}/edits", {"edits": list(edits)}, content_type="application/json")


def test_an_edit_comes_back_in_the_answer_the_features_the_log_and_the_history(
    client: Client, layer: FeatureLayer
) -> None:
    made = edit(properties={"roof": "tin"})
    answer = send(client, layer, made).json()
    assert answer["seq"] == 1
    assert answer["results"][0]["status"] == "ok"
    assert answer["results"][0]["feature"]["properties"] == {"roof": "tin"}
    found = client.get(f"/api/layers/{layer.pk}/features?bbox=85,27,86,28").json()
    assert (found["seq"], found["truncated"], [item["id"] for item in found["features"]]) == (1, False, [made["id"]])
    # Rings run counter-clockwise, as RFC 7946 wants; positions are as they were sent.
    assert sorted(found["features"][0]["geometry"]["coordinates"][0]) == sorted(BOX["coordinates"][0])
    log = client.get(f"/api/layers/{layer.pk}/edits?after=0").json()
    assert [(row["seq"], row["op_id"], row["actor"]["name"]) for row in log["edits"]] == [(1, made["op_id"], "ben")]
    assert log["edits"][0]["feature"]["meta"]["fid"] == 1
    history = client.get(f"/api/layers/{layer.pk}/features/{made['id']}/history").json()
    assert [row["version"] for row in history["results"]] == [1]


def test_a_box_that_misses_or_crosses_the_antimeridian_finds_what_lies_in_it(
    client: Client, layer: FeatureLayer
) -> None:
    point = {"type": "Point", "coordinates": [179.9, 10.0]}
    send(client, layer, edit(), edit(geometry=point), edit(geometry={**point, "coordinates": [-179.9, 10.0]}))
    counts = {
        box: len(client.get(f"/api/layers/{layer.pk}/features?bbox={box}").json()["features"])
        for box in ("0,0,10,10", "85.5,27,86,28", "179,9,-179,11", "-180,-90,180,90")
    }
    assert counts == {"0,0,10,10": 0, "85.5,27,86,28": 1, "179,9,-179,11": 2, "-180,-90,180,90": 3}


def test_a_limit_says_that_there_are_more(client: Client, layer: FeatureLayer) -> None:
    send(client, layer, *[edit() for _ in range(3)])
    found = client.get(f"/api/layers/{layer.pk}/features?limit=2").json()
    assert (len(found["features"]), found["truncated"]) == (2, True)


def test_roles_are_kept_strangers_learn_nothing(client: Client, layer: FeatureLayer) -> None:
    assert send(client_for(make_user("eve")), layer, edit()).status_code == 403
    assert client_for(make_user("eve")).get(f"/api/layers/{layer.pk}/features").status_code == 200
    stranger = client_for(make_user("mallory"))
    assert send(stranger, layer, edit()).json() == stranger.get(f"/api/layers/{uuid4()}/").json()
    assert client_for(None).get(f"/api/layers/{layer.pk}/").status_code == 401
    assert stranger.get("/api/layers/").json()["results"] == []
    read_only = make_token(make_user("ben"), ["read"])
    answer = Client().post(
        f"/api/layers/{layer.pk}/edits",
        {"edits": [edit()]},
        content_type="application/json",
        headers={"Authorization": f"Bearer {read_only}"},
    )
    assert answer.status_code == 403
    assert Edit.objects.count() == 0


BAD_GEOMETRY = [
    (None, "geometry_missing"),
    ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "geometry_invalid"),
    ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0]]]}, "ring_not_closed"),
    ({"type": "Polygon", "coordinates": [[[0, 0], [0, 0], [0, 0], [0, 0]]]}, "geometry_degenerate"),
    ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}, "geometry_invalid"),
    ({"type": "Polygon", "coordinates": []}, "geometry_empty"),
    ({"type": "Polygon", "coordinates": "x"}, "coordinate_invalid"),
    ({"type": "Point", "coordinates": ["1", "2"]}, "coordinate_invalid"),
    ({"type": "Point", "coordinates": [True, 2]}, "coordinate_invalid"),
    ({"type": "Point", "coordinates": [181, 2]}, "coordinate_out_of_range"),
    ({"type": "Point", "coordinates": [27.6, 185.5]}, "coordinate_out_of_range"),
    ({"type": "Point", "coordinates": [10**400, 2]}, "coordinate_out_of_range"),
    ({"type": "Polygon", "coordinates": [[[-90, 10], [90, -10], [90, 30], [-90, 10]]]}, "edge_ambiguous"),
    ({"type": "Polygon", "coordinates": [[[0, -90], [180, -90], [180, 90], [0, 90], [0, -90]]]}, "edge_ambiguous"),
    ({"type": "GeometryCollection", "geometries": []}, "geometry_type"),
    ({"type": ["Point"]}, "geometry_type"),
    ({"type": "LineString", "coordinates": [[n / 1000, 0] for n in range(10_001)]}, "too_many_vertices"),
]


@pytest.mark.parametrize(("geometry", "code"), BAD_GEOMETRY)
def test_bad_geometry_is_refused_by_its_name(client: Client, layer: FeatureLayer, geometry: Any, code: str) -> None:
    [result] = send(client, layer, edit(geometry=geometry)).json()["results"]
    assert (result["status"], result["error"]["code"]) == ("invalid", code)
    assert result["error"]["fix"]


BAD_PROPERTIES = [
    ([1], "properties"),
    ({"a\x00": 1}, "property_name"),
    ({"a": "b\x00"}, "encoding"),
    ({"a": "\ud800"}, "encoding"),
    ({"a": {"b": 1}}, "invalid"),
    ({"a": "x" * 20_000}, "too_large"),
    ({f"p{n}": n for n in range(101)}, "too_large"),
]


@pytest.mark.parametrize(("properties", "code"), BAD_PROPERTIES)
def test_bad_properties_are_refused(client: Client, layer: FeatureLayer, properties: Any, code: str) -> None:
    [result] = send(client, layer, edit(properties=properties)).json()["results"]
    assert (result["status"], result["error"]["code"]) == ("invalid", code)


def test_properties_must_fit_the_fields_of_the_layer(client: Client, layer: FeatureLayer) -> None:
    FeatureLayer.objects.update(fields=[{"name": "storeys", "type": "integer"}])
    cases = {"4": "property_value", "x": "property_value"}
    for value in (4.5, True, "4"):
        [result] = send(client, layer, edit(properties={"storeys": value})).json()["results"]
        assert result["error"]["code"] == cases["4"]
    [unknown] = send(client, layer, edit(properties={"colour": 1})).json()["results"]
    assert unknown["error"]["code"] == "property_unknown"
    [fine] = send(client, layer, edit(properties={"storeys": 4})).json()["results"]
    assert fine["status"] == "ok"


BAD_BODIES = [
    "",
    "[1",
    "[]",
    '{"edits": 3}',
    '{"edits": [3]}',
    '{"edits": [{}]}',
    '{"edits": [{"op_id": "x"}]}',
    '{"edits": [{"op_id": NaN}]}',
    "[" * 100_000,
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_body_that_is_no_batch_is_400(client: Client, layer: FeatureLayer, body: str) -> None:
    answer = client.post(f"/api/layers/{layer.pk}/edits", body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "fix", "details"}


@pytest.mark.parametrize(
    "change", [{"base_version": -1}, {"base_version": "1"}, {"action": "update"}, {"action": "drop"}, {"id": 7}]
)
def test_an_edit_with_a_wrong_head_is_answered_by_its_op_id(
    client: Client, layer: FeatureLayer, change: dict[str, Any]
) -> None:
    sent = edit(**change)
    [result] = send(client, layer, sent).json()["results"]
    assert (result["op_id"], result["status"]) == (sent["op_id"], "invalid")


def test_501_edits_are_too_many(client: Client, layer: FeatureLayer) -> None:
    assert send(client, layer, *[edit() for _ in range(501)]).status_code == 413


def test_the_log_of_a_number_ahead_or_far_behind_says_resync(client: Client, layer: FeatureLayer) -> None:
    send(client, layer, edit())
    assert client.get(f"/api/layers/{layer.pk}/edits?after=7").json() == {"seq": 1, "resync": True, "edits": []}
    FeatureLayer.objects.update(seq=10_000)
    assert client.get(f"/api/layers/{layer.pk}/edits?after=1").json()["resync"] is True
    assert client.get(f"/api/layers/{layer.pk}/edits?after=-1").status_code == 400


@pytest.mark.parametrize("bbox", ["1,2,3", "a,b,c,d", "nan,0,1,1", "0,5,1,4", "0,0,1,91", "1e999,0,1,1"])
def test_a_bad_box_is_400(client: Client, layer: FeatureLayer, bbox: str) -> None:
    answer = client.get(f"/api/layers/{layer.pk}/features?bbox={bbox}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bbox_invalid")


def test_classes_are_renamed_added_and_retired_never_deleted(layer: FeatureLayer) -> None:
    client = client_for(make_user("ana"))

    def put(*classes: dict[str, Any]) -> Any:
        return client.put(f"/api/layers/{layer.pk}/classes", {"classes": classes}, content_type="application/json")

    road = {"value": 2, "name": "Road", "colour": "#000000"}
    found = put(road, {"value": 1, "name": "Crown", "colour": "#FFFFFF"}).json()["classes"]
    assert [(item["value"], item["name"], item["colour"], item["retired"]) for item in found] == [
        (2, "Road", "#000000", False),
        (1, "Crown", "#ffffff", False),
    ]
    found = put(road).json()["classes"]
    assert [(item["value"], item["retired"]) for item in found] == [(2, False), (1, True)]
    assert client_for(make_user("ben")).put(f"/api/layers/{layer.pk}/classes").status_code == 403


@pytest.mark.parametrize(
    ("classes", "status"),
    [
        ([{"value": 0, "name": "a", "colour": "#000000"}], 400),
        ([{"value": 256, "name": "a", "colour": "#000000"}], 400),
        ([{"value": 1, "name": " \u200b", "colour": "#000000"}], 400),
        ([{"value": 1, "name": "a", "colour": "red;}"}], 400),
        ([{"value": 1, "name": "a", "colour": "#000000"}, {"value": 2, "name": "\u200bA ", "colour": "#000000"}], 409),
        ([{"value": 1, "name": "a", "colour": "#000000"}, {"value": 1, "name": "b", "colour": "#000000"}], 409),
        ("x", 400),
    ],
)  # fmt: skip
def test_a_bad_class_schema_is_refused(layer: FeatureLayer, classes: Any, status: int) -> None:
    answer = client_for(make_user("ana")).put(
        f"/api/layers/{layer.pk}/classes", {"classes": classes}, content_type="application/json"
    )
    assert answer.status_code == status


def test_statistics_count_and_measure_each_class(client: Client, layer: FeatureLayer) -> None:
    send(client, layer, edit(), edit(class_value=0))
    rows = client.get(f"/api/layers/{layer.pk}/statistics").json()["classes"]
    assert [(row["value"], row["count"], row["verified"]) for row in rows] == [(1, 1, 1), (None, 1, 1)]
    # Half of 0.001 x 0.001 degrees at 27.63 N: 98.6 m by 110.8 m, on the ellipsoid.
    assert rows[0]["area_m2"] == pytest.approx(98.6 * 110.8 / 2, rel=2e-3)


def test_export_is_the_same_bytes_twice_and_reads_back_the_same(client: Client, layer: FeatureLayer) -> None:
    point = {"type": "Point", "coordinates": [85 + 1 / 3, 27 + 2 / 3]}
    send(client, layer, edit(properties={"name": "स्कूल"}), edit(class_value=0, geometry=point))

    def export(pk: object) -> bytes:
        return b"".join(client.get(f"/api/layers/{pk}/export.geojson").streaming_content)  # type: ignore[arg-type]

    first = export(layer.pk)
    assert export(layer.pk) == first
    found = json.loads(first)
    assert [item["properties"].get("class_name") for item in found["features"]] == ["Tree", None]
    other = make_layer(layer.project)
    report = client.post(f"/api/layers/{other.pk}/import", first, content_type="application/geo+json").json()
    assert (report["added"], report["skipped"]) == (2, {})

    def shapes(pk: object) -> list[bytes]:
        return [bytes(item.geometry.wkb) for item in Feature.objects.filter(layer=pk).order_by("fid")]

    assert shapes(layer.pk) == shapes(other.pk)


@pytest.mark.parametrize(
    "deep", ['{"a":' * 65 + "1" + "}" * 65, "[" * 950 + "]" * 950, '{"a":' * 950 + "1" + "}" * 950]
)
def test_what_is_nested_too_deep_is_refused(client: Client, layer: FeatureLayer, deep: str) -> None:
    body = '{"edits":[{"op_id":' + deep + "}]}"
    answer = client.post(f"/api/layers/{layer.pk}/edits", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")


def test_a_large_float_is_taken_back_as_json_gives_it(client: Client, layer: FeatureLayer) -> None:
    one = edit(properties={"n": 1e30})
    sent = send(client, layer, one).json()["results"][0]["feature"]["properties"]
    again = {**edit(properties=sent), "id": one["id"], "action": "update", "base_version": 1}
    answer = send(client, layer, again).json()["results"][0]
    assert (type(sent["n"]), answer["status"], answer["feature"]["properties"]) == (int, "ok", sent)
