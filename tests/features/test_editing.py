"""Edits: versions, numbers, repeated operations, conflicts, and 32 writers at once."""

import json
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.gis.geos import GEOSGeometry, Polygon
from django.db import connection

from tests.factories import make_layer, make_project, make_user
from webapp.features import selectors, services
from webapp.features.edits import EditRequest
from webapp.features.models import Edit, Feature, FeatureClass, FeatureLayer


def square(west: float = 85.52, south: float = 27.63, size: float = 0.0001) -> GEOSGeometry:
    box = Polygon.from_bbox((west, south, west + size, south + size))
    box.srid = 4326
    return box


def create(**values: Any) -> EditRequest:
    given = {"op_id": uuid4(), "action": "create", "feature_id": uuid4(), "geometry": square(), "class_value": 1}
    return EditRequest(**{**given, **values})


def update(feature_id: UUID, base: int, **values: Any) -> EditRequest:
    return EditRequest(
        **{"op_id": uuid4(), "action": "update", "feature_id": feature_id, "base_version": base, **values}
    )


def delete(feature_id: UUID, base: int) -> EditRequest:
    return EditRequest(uuid4(), "delete", feature_id, base)


@pytest.fixture
def layer(db: None) -> FeatureLayer:
    return make_layer(make_project(make_user("ana")))


def one(layer: FeatureLayer, edit: EditRequest) -> services.EditResult:
    [result] = services.apply_edits(layer=layer, edits=[edit], user=make_user("ana"))
    return result


def test_a_created_feature_has_version_one_and_the_next_number_and_fid(layer: FeatureLayer) -> None:
    first, second = create(), create()
    results = services.apply_edits(layer=layer, edits=[first, second], user=make_user("ana"))
    assert [(item.status, item.seq, item.version) for item in results] == [("ok", 1, 1), ("ok", 2, 1)]
    assert list(Feature.objects.order_by("fid").values_list("id", "fid")) == [
        (first.feature_id, 1),
        (second.feature_id, 2),
    ]
    feature = json.loads(results[0].feature or "")
    assert feature["meta"]["updated_by"]["name"] == "ana"
    assert feature["meta"]["verified"] is True
    layer.refresh_from_db()
    assert (layer.seq, layer.feature_count) == (2, 2)
    assert (layer.west, layer.north) == (85.52, pytest.approx(27.6301))


def test_a_repeated_op_id_gets_the_first_answer_and_is_stored_once(layer: FeatureLayer) -> None:
    edit = create()
    first = one(layer, edit)
    one(layer, update(edit.feature_id, 1, class_value=0))
    again = one(layer, edit)
    assert (again.status, again.seq, again.version, again.feature) == ("ok", first.seq, 1, first.feature)
    assert Edit.objects.filter(layer=layer).count() == 2


def test_an_op_id_cannot_carry_another_body(layer: FeatureLayer) -> None:
    edit = create()
    one(layer, edit)
    other = one(layer, create(op_id=edit.op_id))
    assert (other.status, other.error and other.error["code"]) == ("invalid", "op_id_reused")


def test_a_stale_base_is_a_conflict_that_holds_the_current_feature(layer: FeatureLayer) -> None:
    edit = create()
    one(layer, edit)
    one(layer, update(edit.feature_id, 1, properties={"by": "ben"}))
    late = one(layer, update(edit.feature_id, 1, properties={"by": "eve"}))
    assert (late.status, late.version, late.seq) == ("conflict", 2, None)
    assert json.loads(late.feature or "")["properties"] == {"by": "ben"}
    layer.refresh_from_db()
    assert layer.seq == 2


def test_one_bad_edit_of_a_batch_leaves_nothing_of_it(layer: FeatureLayer) -> None:
    good, bad, after = create(), create(class_value=9), create()
    results = services.apply_edits(layer=layer, edits=[good, bad, after], user=make_user("ana"))
    assert [item.status for item in results] == ["aborted", "invalid", "aborted"]
    assert (results[1].error or {})["code"] == "class_unknown"
    layer.refresh_from_db()
    assert (layer.seq, Feature.objects.count(), Edit.objects.count()) == (0, 0, 0)
    assert [item.status for item in services.apply_edits(layer=layer, edits=[good, after], user=None)] == ["ok", "ok"]


def test_one_batch_may_change_one_feature_several_times(layer: FeatureLayer) -> None:
    first = create()
    edits = [first, update(first.feature_id, 1, class_value=0), delete(first.feature_id, 2)]
    results = services.apply_edits(layer=layer, edits=edits, user=make_user("ana"))
    assert [(item.status, item.version, item.seq) for item in results] == [("ok", 1, 1), ("ok", 2, 2), ("ok", 3, 3)]
    assert Feature.objects.get().deleted is True


def test_a_deleted_feature_is_gone_for_updates_and_comes_back_as_it_was_by_create(layer: FeatureLayer) -> None:
    edit = create(properties={"height": 3})
    one(layer, edit)
    assert one(layer, delete(edit.feature_id, 1)).version == 2
    late = one(layer, update(edit.feature_id, 1, class_value=0))
    assert (late.status, late.version) == ("gone", 2)
    assert json.loads(late.feature or "")["meta"]["deleted"] is True
    back = one(layer, EditRequest(uuid4(), "create", edit.feature_id, 2))
    assert (back.status, back.version) == ("ok", 3)
    restored = json.loads(back.feature or "")
    assert (restored["properties"], restored["meta"]["class_value"], restored["meta"]["fid"]) == ({"height": 3}, 1, 1)
    layer.refresh_from_db()
    assert layer.feature_count == 1


def test_deleting_twice_is_fine_and_logged_once(layer: FeatureLayer) -> None:
    edit = create()
    one(layer, edit)
    first, second = one(layer, delete(edit.feature_id, 1)), one(layer, delete(edit.feature_id, 1))
    assert (second.status, second.seq, second.version) == ("ok", first.seq, 2)
    assert Edit.objects.filter(layer=layer).count() == 2


def test_an_id_of_another_layer_is_never_touched(layer: FeatureLayer) -> None:
    other = make_layer(layer.project)
    edit = create()
    one(other, edit)
    for foreign in (create(feature_id=edit.feature_id), update(edit.feature_id, 1, class_value=0)):
        assert (one(layer, foreign).error or {})["code"] == "id_taken"
    assert Feature.objects.get().layer_id == other.pk


def test_a_retired_class_is_refused_for_new_use_but_never_makes_a_waiting_edit_unsavable(layer: FeatureLayer) -> None:
    edit = create()
    one(layer, edit)
    services.save_classes(layer=layer, classes=[services.ClassSpec(2, "Road", "#000000")], user=None)
    assert FeatureClass.objects.get(layer=layer, value=1).retired is True
    assert (one(layer, create()).error or {})["code"] == "class_retired"
    assert one(layer, update(edit.feature_id, 1, class_value=1, geometry=square(size=0.0002))).status == "ok"
    waited = one(layer, create(allow_retired=True))
    assert (waited.status, waited.warning) == ("ok", "retired_class")


def test_geometry_that_crosses_itself_is_refused_with_the_place(layer: FeatureLayer) -> None:
    bow = GEOSGeometry("SRID=4326;POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))")
    result = one(layer, create(geometry=bow))
    assert (result.error or {})["code"] == "geometry_invalid"
    assert "Self-intersection[0.5 0.5]" in (result.error or {})["message"]


def test_the_fold_of_the_log_is_the_table(layer: FeatureLayer) -> None:
    edits = [create(properties={"n": n}) for n in range(6)]
    services.apply_edits(layer=layer, edits=edits, user=make_user("ana"))
    at = layer.seq
    before = [(row.id, row.version, row.geometry.wkb, row.properties) for row in selectors.features_at(layer, at)]
    one(layer, delete(edits[0].feature_id, 1))
    one(layer, update(edits[1].feature_id, 1, properties={"n": 99}))
    assert [(r.id, r.version, r.geometry.wkb, r.properties) for r in selectors.features_at(layer, at)] == before
    layer.refresh_from_db()
    now = [(row.id, row.fid, row.version, row.properties) for row in selectors.features_at(layer, layer.seq)]
    table = Feature.objects.filter(layer=layer, deleted=False).order_by("fid")
    assert now == list(table.values_list("id", "fid", "version", "properties"))


def run_together(count: int, work: Any) -> list[Any]:
    """Run `work(number)` in `count` threads that start at one moment; return what each returned."""
    barrier = threading.Barrier(count)
    found: list[Any] = [None] * count

    def thread(number: int) -> None:
        try:
            barrier.wait(timeout=30)
            found[number] = work(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=thread, args=(number,)) for number in range(count)]
    for item in threads:
        item.start()
    for item in threads:
        item.join(timeout=60)
    return found


@pytest.mark.django_db(transaction=True)
def test_of_32_writers_on_one_feature_exactly_one_wins_each_version() -> None:
    layer = make_layer(make_project(make_user("ana")))
    edit = create()
    services.apply_edits(layer=layer, edits=[edit], user=None)
    for base in (1, 2, 3):
        results = run_together(
            32,
            lambda number, base=base: services.apply_edits(
                layer=FeatureLayer.objects.get(pk=layer.pk),
                edits=[update(edit.feature_id, base, properties={"writer": number})],
                user=None,
            )[0],
        )
        assert sorted(item.status for item in results) == ["conflict"] * 31 + ["ok"]
        winner = next(item for item in results if item.status == "ok")
        losers = [item for item in results if item.status == "conflict"]
        assert {json.loads(item.feature)["meta"]["version"] for item in losers} == {winner.version} == {base + 1}
    assert list(Edit.objects.order_by("seq").values_list("seq", "version")) == [(1, 1), (2, 2), (3, 3), (4, 4)]


@pytest.mark.django_db(transaction=True)
def test_a_storm_of_retries_stores_each_edit_once() -> None:
    layer = make_layer(make_project(make_user("ana")))
    edits = [create() for _ in range(12)]
    results = run_together(
        24,
        lambda number: [
            services.apply_edits(layer=FeatureLayer.objects.get(pk=layer.pk), edits=[edit], user=None)[0]
            for edit in (edits if number % 2 else reversed(edits))
        ],
    )
    assert {item.status for answers in results for item in answers} == {"ok"}
    first_answers = {item.op_id: item.seq for item in results[0]}
    assert all(item.seq == first_answers[item.op_id] for answers in results for item in answers)
    assert sorted(first_answers.values()) == list(range(1, 13))
    assert Feature.objects.count() == Edit.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gap_while_many_layers_and_people_write() -> None:
    project = make_project(make_user("ana"))
    layers = [make_layer(project), make_layer(project)]

    def work(number: int) -> None:
        layer = FeatureLayer.objects.get(pk=layers[number % 2].pk)
        for size in (1, 3, 2):
            bad = [create(class_value=77)] if size == 3 else []
            services.apply_edits(layer=layer, edits=[create() for _ in range(size)] + bad, user=None)

    run_together(8, work)
    for layer in layers:
        numbers = list(Edit.objects.filter(layer=layer).order_by("seq").values_list("seq", flat=True))
        assert numbers == list(range(1, 13))
        layer.refresh_from_db()
        assert (layer.seq, layer.next_fid, layer.feature_count) == (12, 13, 12)
