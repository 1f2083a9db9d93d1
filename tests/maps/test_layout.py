"""The layout of a map: written whole, styles checked, columns for styles."""

import json
from typing import Any

import pytest
from django.contrib.gis.geos import Point
from django.test import Client

from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from webapp.features.models import Feature, FeatureLayer
from webapp.imagery.models import NamedRendering
from webapp.maps import columns, services
from webapp.maps.models import Map

pytestmark = pytest.mark.django_db

BANDS = [{"name": name, "min": 0, "max": 1000, "mean": 400, "std": 100, "p2": 50, "p98": 900} for name in "rgbn"]


@pytest.fixture
def made() -> Map:
    ana = make_user("ana")
    project = make_project(ana, labeler=make_user("ben"), viewer=make_user("eve"))
    scene = make_imagery(project, name="Scene", dtype="uint16", bands=BANDS)
    trees = make_layer(project, name="Trees", fields=[{"name": "height", "type": "number"}])
    return services.create_map(project=project, name="Town", user=ana, layers=[scene, trees])


def put(client: Client, made: Map, layers: list[dict[str, Any]], version: int | None = None) -> tuple[int, Any]:
    made.refresh_from_db()
    body = {"version": made.version if version is None else version, "layers": layers}
    answer = client.put(f"/api/maps/{made.pk}/layout", json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def layout(made: Map) -> list[dict[str, Any]]:
    rows = made.layers.order_by("position")
    return [
        {"kind": "imagery" if row.imagery_id else "features", "source": str(row.imagery_id or row.features_id)}
        for row in rows
    ]


def test_a_layout_is_written_whole_and_the_one_of_before_undoes_it(made: Map) -> None:
    ben, before = client_for(make_user("ben")), layout(made)
    status, shown = put(ben, made, [{**before[1], "title": "Crowns", "opacity": 0.5, "group": " Woods "}])
    assert (status, [layer["title"] for layer in shown["layers"]]) == (200, ["Crowns"])
    assert shown["layers"][0]["group"] == "Woods"
    tree_row = shown["layers"][0]["id"]
    status, shown = put(ben, made, before)
    assert [layer["kind"] for layer in shown["layers"]] == ["imagery", "features"]
    assert (shown["layers"][1]["id"], shown["layers"][1]["title"]) == (tree_row, "")
    assert put(client_for(make_user("eve")), made, before)[0] == 403
    assert put(ben, made, before, version=1)[0] == 409
    assert put(ben, made, [before[0], before[0]])[0] == 400


def test_layers_of_a_group_are_brought_together_at_the_lowest_of_them(made: Map) -> None:
    roofs = make_layer(made.project, name="Roofs")
    first, second = layout(made)
    third = {"kind": "features", "source": str(roofs.pk), "group": "A"}
    _, shown = put(client_for(make_user("ben")), made, [{**first, "group": "A"}, second, third])
    assert [layer["group"] for layer in shown["layers"]] == ["A", "A", ""]


@pytest.mark.parametrize(
    "style",
    [
        {"by": "rainbow"},
        {"fill": 2},
        {"colour": "red"},
        {"unknown": 1},
        {"by": "graduated", "field": "height", "breaks": [1, 2], "colours": ["#000000"]},
        {"breaks": [2, 1]},
        {"filter": {"score": [1]}},
        {"filter": {"fields": [{"field": "height", "values": [{}]}]}},
    ],
)
def test_a_style_that_cannot_be_drawn_is_refused(made: Map, style: dict[str, Any]) -> None:
    status, answer = put(client_for(make_user("ben")), made, [{**layout(made)[1], "style": style}])
    assert (status, answer["fix"] != "") == (400, True)


def test_a_style_of_imagery_comes_back_as_complete_words_and_an_address(made: Map) -> None:
    ben, scene = client_for(make_user("ben")), layout(made)[0]
    words = {"bidx": [4], "stretch": "minmax", "colormap_name": "viridis"}
    _, shown = put(ben, made, [{**scene, "style": {"words": words}}])
    picture = shown["layers"][0]["picture"]
    assert picture["words"] == {"bidx": ["4"], "rescale": ["0,1000"], "colormap_name": ["viridis"]}
    assert picture["query"] == "bidx=4&stretch=minmax&colormap_name=viridis"
    assert (len(picture["ramp"]), picture["ramp"][0]) == (16, "#440154")
    assert put(ben, made, [{**scene, "style": {"words": {"bidx": [9]}}}])[0] == 400
    assert put(ben, made, [{**scene, "style": {"rendering": "gone"}}])[0] == 404


def test_a_rendering_that_was_deleted_leaves_the_layers_own_look_and_says_so(made: Map) -> None:
    ben, scene = client_for(make_user("ben")), layout(made)[0]
    saved = NamedRendering.objects.create(layer_id=scene["source"], name="nir", words={"bidx": ["4"]})
    _, shown = put(ben, made, [{**scene, "style": {"rendering": "nir"}}])
    assert shown["layers"][0]["picture"]["query"] == "rendering=nir"
    saved.delete()
    picture = ben.get(f"/api/maps/{made.pk}/").json()["layers"][0]["picture"]
    assert (picture["query"], "nir" in picture["problem"]) == ("", True)


def test_a_column_holds_one_field_of_all_features(made: Map) -> None:
    row = made.layers.get(features__isnull=False)
    for fid, values in enumerate(({"height": 4.5}, {}, {"height": None}, {"height": 9}), start=1):
        Feature.objects.create(layer=row.features, fid=fid, geometry=Point(85.52, 27.63), properties=values)
    eve, url = client_for(make_user("eve")), f"/api/maps/{made.pk}/layers/{row.pk}/column?field="
    found = eve.get(f"{url}height").json()
    assert (found["fids"], found["values"], found["type"]) == ([1, 4], [4.5, 9], "number")
    assert eve.get(f"{url}area_m2").json()["values"] == [0, 0, 0, 0]
    assert eve.get(f"{url}score").json()["values"] == []
    assert eve.get(f"{url}colour").status_code == 400
    FeatureLayer.objects.filter(pk=row.features_id).update(feature_count=300_001)
    assert eve.get(f"{url}height").status_code == 413


def test_a_summary_of_a_field_has_its_breaks_or_its_choices_whatever_the_size_of_the_layer(
    made: Map, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = made.layers.get(features__isnull=False)
    assert row.features is not None
    row.features.fields = [{"name": "height", "type": "number"}, {"name": "roof", "type": "string"}]
    row.features.save()
    for fid, height in enumerate((1, 1, 1, 1, 2, 3, 4, 100, None), start=1):
        values = {"height": height, "roof": "flat" if fid < 4 else "gable"} if height else {"roof": None}
        Feature.objects.create(layer=row.features, fid=fid, geometry=Point(85.52, 27.63), properties=values)
    eve, url = client_for(make_user("eve")), f"/api/maps/{made.pk}/layers/{row.pk}/column/summary?field="
    found = eve.get(f"{url}height").json()
    assert (found["type"], found["count"], found["min"], found["max"]) == ("number", 8, 1, 100)
    # The value at floor(share * count) of the sorted ones, which is what the browser's own split was.
    assert (found["quantiles"]["2"], found["quantiles"]["4"]) == ([2], [1, 2, 4])
    assert [len(edges) for edges in found["quantiles"].values()] == list(range(1, 9))
    roofs = eve.get(f"{url}roof").json()
    assert (roofs["count"], roofs["kinds"], roofs["choices"]) == (8, 2, [["gable", 5], ["flat", 3]])
    assert eve.get(f"{url}score").json()["quantiles"]["2"] == []
    # Of a layer too large to be read whole, every n-th feature.
    monkeypatch.setattr(columns, "SAMPLE", 100_000)
    FeatureLayer.objects.filter(pk=row.features_id).update(feature_count=400_000)
    found = eve.get(f"{url}height").json()
    assert (found["every"], found["count"], found["min"], found["max"]) == (4, 2, 1, 2)
    assert eve.get(f"{url}roof").json()["choices"] == [["flat", 1], ["gable", 1]]
    assert eve.get(f"{url}colour").status_code == 400
