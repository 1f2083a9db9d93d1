"""The samples manager: the table, advice, what is wrong and its mending, merging and splitting classes."""

from typing import Any

import pytest
import shapely
from django.test import Client

from labeling import duplicates, samples
from labeling.models import LabelSet
from labeling.services import create_label_set
from tests.factories import client_for, make_imagery, make_project, make_user
from webapp.features import selectors
from webapp.features.models import Edit, Feature, FeatureClass
from webapp.features.services import NewFeature, add_features
from webapp.projects.models import User

CLASSES = [(1, "Tree", "#1b9e77"), (2, "Roof", "#d95f02"), (3, "Water", "#7570b3")]
WEST, SOUTH = 85.515, 27.625


def square(x: float, y: float, size: float) -> Any:
    """Return a square whose corner is some ten thousandths of a degree into the imagery."""
    step = 1e-4
    return shapely.box(WEST + x * step, SOUTH + y * step, WEST + (x + size) * step, SOUTH + (y + size) * step)


@pytest.fixture
def label_set(db: None) -> LabelSet:
    project = make_project(
        make_user("ana"), labeler=make_user("ben"), viewer=make_user("eve"), reviewer=make_user("rui")
    )
    imagery = make_imagery(project, name="Scene")
    return create_label_set(project=project, name="Crowns", imagery=imagery, classes=CLASSES, user=None)


def draw(label_set: LabelSet, *features: tuple[Any, int | None], **values: Any) -> list[Feature]:
    rows = [NewFeature(shape, value, source="human", **values) for shape, value in features]
    add_features(layer=label_set.layer, features=rows)
    return list(Feature.objects.filter(layer=label_set.layer).order_by("fid"))


def problems(client: Client, label_set: LabelSet) -> dict[str, dict[str, Any]]:
    answer = client.get(f"/api/label-sets/{label_set.pk}/problems").json()
    return {item["kind"]: item for item in answer["problems"]}


def test_many_samples_at_one_place_are_each_found_once(label_set: LabelSet, monkeypatch: pytest.MonkeyPatch) -> None:
    place = square(50, 50, 3)
    draw(label_set, *[(place.centroid, 1)] * 40, *[(place, 1)] * 40, (square(50.01, 50, 3), 1))
    found = duplicates.candidates(label_set.layer_id, samples.SAME_IOU)
    assert found is not None
    # Each is paired with the first of its kind; the last area lies a little apart, and is paired with the first too.
    assert len(found[0]) == 39 + 39 + 1
    assert set(found[1]) == {1, 41}
    monkeypatch.setattr(samples, "MANY", 0)
    assert problems(client_for(User.objects.get(username="ben")), label_set)["duplicate"]["count"] == 79
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 0)
    assert duplicates.candidates(label_set.layer_id, samples.SAME_IOU) is None


def mend(client: Client, label_set: LabelSet, kind: str, action: str, rows: list[Any], **values: Any) -> Any:
    chosen = [{"id": str(row["id"]), "version": row["version"]} for row in rows]
    body = {"kind": kind, "action": action, "samples": chosen, **values}
    return client.post(f"/api/label-sets/{label_set.pk}/problems", body, content_type="application/json")


def test_the_table_counts_pixels_whose_shares_sum_to_one(label_set: LabelSet) -> None:
    draw(label_set, (square(0, 0, 3), 1), (square(10, 10, 1), 2), (square(20, 20, 1), None))
    told = client_for(make_user("eve")).get(f"/api/label-sets/{label_set.pk}/samples").json()
    by_name = {row["name"]: row for row in told["classes"]}
    assert {name: row["count"] for name, row in by_name.items()} == {"Tree": 1, "Roof": 1, "Water": 0, "No class": 1}
    assert sum(row["share"] for row in told["classes"]) == pytest.approx(1)
    assert by_name["Tree"]["share"] == pytest.approx(9 / 11, rel=1e-3)
    # A ten thousandth of a degree is 11.08 m by 9.87 m here; a pixel 0.6 m.
    assert by_name["Roof"]["pixels"] == pytest.approx(11.08 * 9.87 / 0.36, rel=0.01)
    assert (told["cells"]["with_samples"], told["cells"]["all"]) == (2, 64)
    assert {item["code"] for item in told["advice"]} == {"few", "spread", "unclassified"}


def test_advice_follows_the_numbers() -> None:
    def row(value: int | None, count: int, area: float) -> dict[str, Any]:
        return {"value": value, "name": f"class {value}", "count": count, "area_m2": area, "retired": False}

    def codes(*rows: dict[str, Any], covered: int = 60) -> list[str]:
        return [item["code"] for item in samples.advice(list(rows), covered=covered, cells=64)]

    assert codes(row(1, 0, 0)) == ["empty"]
    assert codes(row(1, 19, 10)) == ["few"]
    assert codes(row(1, 20, 10)) == []
    assert codes(row(1, 50, 10), row(2, 50, 10)) == ["enough"]
    assert codes(row(1, 50, 10), row(2, 50, 201), covered=15) == ["unbalanced", "spread", "enough"]
    assert codes(row(1, 50, 10), row(None, 1, 1)) == ["unclassified", "enough"]


@pytest.mark.parametrize("many", [samples.MANY, 0])
def test_what_is_wrong_is_found_and_mended(label_set: LabelSet, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr(samples, "MANY", many)
    ben = client_for(make_user("ben"))
    good, tiny, first, twin, outside, crossing, nameless, old = draw(
        label_set,
        (square(50, 50, 5), 1),
        (square(5, 5, 0.01), 1),
        (square(10, 10, 3), 1),
        (square(10.05, 10, 3), 2),
        (square(-50, 10, 3), 1),
        (square(-2, 30, 4), 1),
        (square(40, 40, 3), None),
        (square(70, 70, 3), 3),
    )
    FeatureClass.objects.filter(layer=label_set.layer, value=3).update(retired=True)
    bow = "POLYGON((85.5201 27.6301,85.5205 27.6305,85.5205 27.6301,85.5201 27.6302,85.5201 27.6301))"
    Feature.objects.filter(pk=good.pk).update(geometry=f"SRID=4326;{bow}")
    found = problems(ben, label_set)
    listed = {kind: [sample["id"] for sample in item["samples"]] for kind, item in found.items()}
    assert listed == {
        "invalid": [str(good.pk)],
        "tiny": [str(tiny.pk)],
        "duplicate": [str(twin.pk)],
        "outside": [str(outside.pk)],
        "crossing": [str(crossing.pk)],
        "unclassified": [str(nameless.pk)],
        "retired": [str(old.pk)],
    }
    assert found["duplicate"]["samples"][0]["other"]["id"] == str(first.pk)

    assert mend(ben, label_set, "invalid", "repair", found["invalid"]["samples"]).json() == {"done": 1, "failed": []}
    assert mend(ben, label_set, "crossing", "cut", found["crossing"]["samples"]).json()["done"] == 1
    assert (
        mend(ben, label_set, "unclassified", "class", found["unclassified"]["samples"], class_value=2).json()["done"]
        == 1
    )
    for kind in ("duplicate", "outside", "tiny"):
        assert mend(ben, label_set, kind, "delete", found[kind]["samples"]).json()["failed"] == [], kind
    left = {kind: item["count"] for kind, item in problems(ben, label_set).items()}
    assert left == {**dict.fromkeys(left, 0), "retired": 1}
    cut = Feature.objects.get(pk=crossing.pk)
    assert cut.geometry.extent[0] == pytest.approx(WEST)
    assert Edit.objects.filter(feature_id=crossing.pk).count() == 2


def test_a_colleague_s_change_is_never_overwritten_and_others_go_on(label_set: LabelSet) -> None:
    ben = client_for(make_user("ben"))
    one, two = draw(label_set, (square(40, 40, 3), None), (square(50, 40, 3), None))
    stale = [{"id": one.pk, "version": 9}, {"id": two.pk, "version": 1}]
    told = mend(ben, label_set, "unclassified", "class", stale, class_value=1).json()
    assert (told["done"], [item["id"] for item in told["failed"]]) == (1, [str(one.pk)])
    assert mend(ben, label_set, "tiny", "cut", stale).status_code == 400
    assert mend(ben, label_set, "what", "delete", stale).status_code == 400
    assert mend(client_for(make_user("eve")), label_set, "tiny", "delete", stale).status_code == 403


def test_merging_moves_every_sample_with_its_history_and_retires_the_class(label_set: LabelSet) -> None:
    draw(label_set, (square(0, 0, 3), 1), (square(10, 10, 3), 1), (square(20, 20, 3), 2))
    url = f"/api/label-sets/{label_set.pk}/classes/merge"
    body = {"source": 1, "target": 2}
    assert client_for(make_user("ben")).post(url, body, content_type="application/json").status_code == 403
    rui = client_for(make_user("rui"))
    assert rui.post(url, body, content_type="application/json").json() == {"moved": 2}
    label_set.layer.refresh_from_db()
    assert set(Feature.objects.values_list("class_value", "version")) == {(2, 2), (2, 1)}
    assert FeatureClass.objects.get(layer=label_set.layer, value=1).retired
    assert label_set.layer.seq == 5
    # The log alone gives the samples as they were before and as they are now.
    assert [row.class_value for row in selectors.features_at(label_set.layer, 3)] == [1, 1, 2]
    assert [row.class_value for row in selectors.features_at(label_set.layer, 5)] == [2, 2, 2]
    for wrong in ({"source": 2, "target": 2}, {"source": 2, "target": 9}, {"source": 2, "target": 1}, {}):
        assert rui.post(url, wrong, content_type="application/json").status_code == 400


def test_merging_refuses_shapes_that_the_other_class_does_not_take(label_set: LabelSet) -> None:
    draw(label_set, (square(0, 0, 3), 1), (square(10, 10, 3), 2))
    FeatureClass.objects.filter(layer=label_set.layer, value=2).update(shapes=["point"])
    url = f"/api/label-sets/{label_set.pk}/classes/merge"
    rui = client_for(make_user("rui"))
    told = rui.post(url, {"source": 1, "target": 2}, content_type="application/json")
    assert (told.status_code, told.json()["code"]) == (400, "shape_not_allowed")
    assert set(Feature.objects.values_list("class_value", "version")) == {(1, 1), (2, 1)}
    assert not FeatureClass.objects.get(layer=label_set.layer, value=1).retired


def test_splitting_makes_a_class_of_a_field_s_values_or_of_small_areas(label_set: LabelSet) -> None:
    draw(label_set, (square(0, 0, 3), 2), properties={"kind": "shed"})
    draw(label_set, (square(10, 0, 3), 2), (square(20, 0, 1), 2), properties={"kind": "house"})
    rui = client_for(make_user("rui"))
    fields = rui.get(f"/api/label-sets/{label_set.pk}/classes/parts?class_value=2").json()["fields"]
    assert fields == [{"name": "kind", "values": [["house", 2], ["shed", 1]]}]
    url = f"/api/label-sets/{label_set.pk}/classes/split"

    def split(**body: Any) -> Any:
        return rui.post(url, {"source": 2, **body}, content_type="application/json")

    shed = {"value": 4, "name": "Shed", "colour": "#123456"}
    assert split(**{"class": shed}, field="kind", values=["shed"]).json() == {"moved": 1}
    assert split(**{"class": shed}, field="kind", values=["shed"]).status_code == 409
    small = {"value": 5, "name": "Small", "colour": "#123456"}
    assert split(**{"class": small}, field="kind", values=["castle"]).status_code == 409
    assert not FeatureClass.objects.filter(value=5).exists()
    assert split(**{"class": small}).status_code == 400
    assert split(**{"class": small}, smaller_m2=300).json() == {"moved": 1}
    assert sorted(Feature.objects.values_list("class_value", flat=True)) == [2, 4, 5]
