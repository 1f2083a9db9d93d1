"""No road into a label set leads into a cell that is labelled on sheets; what settles the cell still goes there."""

import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling import blind_services, task_edits
from labeling.models import Proposal, Task
from tests.factories import client_for, make_layer, make_token
from tests.labeling.blind import answer, draw, ring, take
from tests.labeling.tasks import Team, let_expire, make_team
from tests.labeling.test_task_leases import together
from webapp.errors import Conflict, QuadratError
from webapp.features import bulk, numbering, restoring
from webapp.features import services as features
from webapp.features.importing import Options, import_now
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.features.services import EditRequest, NewFeature
from webapp.projects.models import Role

IN, OTHER = (0.3, 0.3, 0.2), (0.6, 0.6, 0.2)


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


def cell(team: Team, number: int) -> Task:
    return Task.objects.get(label_set=team.label_set, number=number)


def shape(task: Task, square: tuple[float, float, float] = IN) -> GEOSGeometry:
    return GEOSGeometry(json.dumps(ring(task, square)), srid=4326)


def make_blind(team: Team, *numbers: int) -> None:
    ids = [cell(team, number).pk for number in numbers]
    blind_services.mark(label_set=team.label_set, kind="double", tasks=ids, user=team.ana)


def sample(team: Team, number: int) -> UUID:
    """Store a sample in a cell that is open; return its id."""
    edit = EditRequest(uuid4(), "create", uuid4(), geometry=shape(cell(team, number)), class_value=1)
    [result] = features.apply_edits(layer=team.label_set.layer, edits=[edit], user=team.ben)
    assert result.status == "ok"
    return edit.feature_id


def living(team: Team, number: int) -> int:
    rows = Feature.objects.filter(layer=team.label_set.layer, deleted=False)
    return rows.filter(geometry__intersects=cell(team, number).geometry).count()


Road = Callable[[Team, UUID, dict[str, Any]], str]


def by_label_set(team: Team, pk: UUID, geometry: dict[str, Any]) -> str:
    return _edit(team, f"/api/label-sets/{team.label_set.pk}/edits", {"action": "create", "geometry": geometry})


def by_layer(team: Team, pk: UUID, geometry: dict[str, Any]) -> str:
    return _edit(team, f"/api/layers/{team.label_set.layer_id}/edits", {"action": "create", "geometry": geometry})


def by_layer_moved(team: Team, pk: UUID, geometry: dict[str, Any]) -> str:
    moved = {"action": "update", "id": str(pk), "base_version": 1, "geometry": geometry}
    return _edit(team, f"/api/layers/{team.label_set.layer_id}/edits", moved)


def by_ogc_post(team: Team, pk: UUID, geometry: dict[str, Any]) -> str:
    return _ogc(team, "post", "", geometry)


def by_ogc_put(team: Team, pk: UUID, geometry: dict[str, Any]) -> str:
    return _ogc(team, "put", f"/{pk}", geometry)


def by_ogc_patch(team: Team, pk: UUID, geometry: dict[str, Any]) -> str:
    return _ogc(team, "patch", f"/{pk}", geometry)


def by_file(team: Team, pk: UUID, geometry: dict[str, Any]) -> str:
    told = client_for(team.ana).post(
        f"/api/layers/{team.label_set.layer_id}/import?class_value=1",
        json.dumps(_file(geometry)),
        "application/geo+json",
    )
    body = told.json()
    assert body["added"] + sum(body["skipped"].values()) == 1
    return "ok" if body["added"] else str(next(iter(body["skipped"])))


def by_bulk(team: Team, pk: UUID, geometry: dict[str, Any]) -> str:
    new = NewFeature(GEOSGeometry(json.dumps(geometry), srid=4326), class_value=1)
    try:
        bulk.add_features(layer=team.label_set.layer, features=[new], user=team.ana)
    except QuadratError as error:
        return error.code
    return "ok"


def _edit(team: Team, url: str, edit: dict[str, Any]) -> str:
    body = {"edits": [{"op_id": str(uuid4()), "id": str(uuid4()), "class_value": 1, **edit}]}
    [told] = client_for(team.ben).post(url, body, content_type="application/json").json()["results"]
    return str((told["error"] or {}).get("code", told["status"]))


def _ogc(team: Team, method: str, item: str, geometry: dict[str, Any]) -> str:
    body = json.dumps({"type": "Feature", "geometry": geometry, "properties": {"class_value": 1}})
    send = getattr(Client(headers={"Authorization": f"Bearer {make_token(team.ben)}"}), method)
    url = f"/ogc/collections/{team.label_set.layer_id}/items{item}"
    told = send(url, body, content_type="application/geo+json", headers={"If-Match": "*"})
    return str(told.json()["code"]) if told.status_code >= 400 else "ok"


def _file(*geometries: dict[str, Any]) -> dict[str, Any]:
    found = [{"type": "Feature", "properties": {}, "geometry": one} for one in geometries]
    return {"type": "FeatureCollection", "features": found}


ROADS: list[Road] = [
    by_label_set,
    by_layer,
    by_layer_moved,
    by_ogc_post,
    by_ogc_put,
    by_ogc_patch,
    by_file,
    by_bulk,
]


@pytest.mark.parametrize("road", ROADS)
def test_no_road_leads_into_a_blind_cell_and_each_into_an_open_one(team: Team, road: Road) -> None:
    pk = sample(team, 1)
    make_blind(team, 5)
    assert road(team, pk, ring(cell(team, 5), IN)) == "task_blind"
    assert living(team, 5) == 0
    assert road(team, pk, ring(cell(team, 1), OTHER)) == "ok"


def test_a_file_goes_in_but_for_what_lies_in_blind_cells_and_the_report_says_which(team: Team) -> None:
    make_blind(team, 5, 6)
    places = [ring(cell(team, number), IN) for number in (1, 5, 2, 6, 3)]
    body = json.dumps(_file(*places)).encode()
    report = import_now(layer=team.label_set.layer, stream=io.BytesIO(body), options=Options(), user=team.ana)
    assert (report.added, dict(report.skipped)) == (3, {"task_blind": 2})
    assert [(one["index"], one["code"]) for one in report.examples] == [(1, "task_blind"), (3, "task_blind")]
    assert [living(team, number) for number in (1, 2, 3, 5, 6)] == [1, 1, 1, 0, 0]
    layer = team.label_set.layer
    layer.refresh_from_db()
    assert (layer.seq, layer.feature_count, layer.next_fid) == (3, 3, 4), "its numbers have no gap"
    assert list(Edit.objects.filter(layer=layer).values_list("seq", flat=True)) == [1, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_a_cell_that_becomes_blind_while_a_file_waits_for_the_lock_takes_nothing_of_it(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_blind(team, 5)
    layer, told = team.label_set.layer, list[set[UUID]]()
    shapes = {number: shape(cell(team, number), IN) for number in (4, 5, 6)}
    ids = {number: uuid4() for number in shapes}
    take_lock = bulk.lock

    def lock(locked: FeatureLayer) -> FeatureLayer:
        # On a connection of its own: it does not see what is written here already.
        assert together([lambda: make_blind(team, 6)]) == [None]
        return take_lock(locked)

    monkeypatch.setattr(bulk, "lock", lock)
    features = [bulk.NewFeature(shapes[number], 1, id=ids[number]) for number in shapes]
    lines = (bulk.copy_line(item, {1}) for item in features)
    first_fid = numbering.reserve(layer, len(shapes))
    added = bulk.add_lines(
        layer=layer,
        lines=lines,
        user=team.ana,
        leave_out=lambda refused: told.append(set(refused)),
        first_fid=first_fid,
    )
    assert (added, told) == (1, [{ids[5]}, {ids[6]}])
    assert Feature.objects.get(layer=layer).pk == Edit.objects.get(layer=layer, seq=1).feature_id == ids[4]
    layer.refresh_from_db()
    assert (layer.seq, layer.feature_count) == (1, 1)


def test_what_was_deleted_before_a_cell_became_blind_comes_back_by_no_road(team: Team) -> None:
    layer = team.label_set.layer
    inside, outside = sample(team, 5), sample(team, 1)
    features.delete_features(layer=layer, ids=[inside, outside], user=team.ana)
    make_blind(team, 5)
    # One by one: the tombstone's own place counts where no other is given.
    back = {"action": "create", "id": str(inside), "base_version": 2}
    assert _edit(team, f"/api/layers/{layer.pk}/edits", back) == "task_blind"
    # All at once: what lies there is left as it is, and counted before and after.
    told = restoring.preview(layer=layer, seq=2)
    assert told is not None
    assert (told.brought_back, told.left_out) == (1, 1)
    done = restoring.restore(layer=layer, seq=2, user=team.ana, base=told.seq)
    assert (done.brought_back, done.left_out) == (1, 1)
    assert (living(team, 5), living(team, 1)) == (0, 1)
    # Settled, it is a cell like any other.
    blind_services.lift(task=cell(team, 5), user=team.ana)
    assert restoring.restore(layer=layer, seq=2, user=team.ana).as_json()["left_out"] == 0
    assert living(team, 5) == 1


def test_a_late_change_into_a_blind_cell_is_no_proposal_and_an_open_one_is_not_accepted(team: Team) -> None:
    held = take(team, team.ben, 1)
    let_expire(held)
    take(team, team.cleo, 1)
    assert draw(held, team.ben, IN)["status"] == "proposed"
    [proposal] = Proposal.objects.all()
    make_blind(team, 5)
    Proposal.objects.update(geometry=shape(cell(team, 5)))
    with pytest.raises(QuadratError) as caught:
        task_edits.decide(proposal=proposal, accept=True, user=team.ana, role=Role.OWNER)
    assert caught.value.code == "task_blind"
    edit = {"op_id": str(uuid4()), "id": str(uuid4()), "action": "create", "geometry": ring(cell(team, 5), IN)}
    body = task_edits.parse_leased({"edits": [{**edit, "task": {"id": str(held.pk), "token": held.token}}]})
    [told] = task_edits.apply_leased(layer=team.label_set.layer, edits=body, user=team.ben)
    assert (told["status"], told["error"]["code"]) == ("invalid", "task_blind")


def test_on_a_sheet_other_roads_draw_nothing_and_what_was_there_may_come_back(team: Team) -> None:
    make_blind(team, 5)
    held = take(team, team.ben, 5)
    assert draw(held, team.ben, IN)["status"] == "ok"
    sheet = Team(held.label_set, team.ana, team.ben, team.cleo, team.rita)
    [mine] = Feature.objects.filter(layer=held.label_set.layer).values_list("pk", flat=True)
    for road in (by_label_set, by_layer, by_layer_moved, by_ogc_post, by_ogc_put, by_ogc_patch, by_bulk):
        assert road(sheet, mine, ring(held, OTHER)) == "no_task", road
    features.delete_features(layer=held.label_set.layer, ids=[mine], user=team.ben)
    assert restoring.restore(layer=held.label_set.layer, seq=1, user=team.ben).brought_back == 1


def test_settling_and_the_truth_write_where_nobody_else_may(team: Team) -> None:
    make_blind(team, 5)
    answer(team, team.ben, 5, [(IN, 1)])
    blind_services.lift(task=cell(team, 5), user=team.ana)
    assert living(team, 5) == 1, "the answer of one went into the set"
    blind_services.mark(label_set=team.label_set, kind="truth", tasks=[cell(team, 5).pk], user=team.ana)
    assert living(team, 5) == 0
    blind_services.lift(task=cell(team, 5), user=team.ana)
    assert living(team, 5) == 1, "the truth came back"


def test_asking_costs_one_statement_for_a_place_and_none_without(team: Team) -> None:
    pk = sample(team, 1)
    plain = make_layer(team.label_set.project, [(1, "Tree", "#1b9e77")])

    def asked(edit: EditRequest, layer: Any) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            [result] = features.apply_edits(layer=layer, edits=[edit], user=team.ben)
        assert result.status == "ok"
        return sum("labeling_" in one["sql"] for one in queries.captured_queries)

    layer = team.label_set.layer
    moved = EditRequest(uuid4(), "update", pk, 1, geometry=shape(cell(team, 1), OTHER))
    assert asked(moved, layer) == 1
    assert asked(EditRequest(uuid4(), "update", pk, 2, class_value=2), layer) == 0
    assert asked(EditRequest(uuid4(), "delete", pk, 3), layer) == 0
    assert (
        plain.kind != layer.kind
        or asked(EditRequest(uuid4(), "create", uuid4(), geometry=shape(cell(team, 1))), plain) == 1
    )


@pytest.mark.django_db(transaction=True)
def test_drawn_and_made_blind_at_once_never_both() -> None:
    team = make_team(250)
    tasks = list(Task.objects.filter(label_set=team.label_set).order_by("number"))[:6]

    def write(task: Task) -> Any:
        edit = EditRequest(uuid4(), "create", uuid4(), geometry=shape(task), class_value=1)
        [result] = features.apply_edits(layer=team.label_set.layer, edits=[edit], user=team.ben)
        return result.status

    def mark(task: Task) -> Any:
        return blind_services.mark(label_set=team.label_set, kind="double", tasks=[task.pk], user=team.ana)

    found = together([partial(act, task) for task in tasks for act in (write, mark)])
    for task, drawn, marked in zip(tasks, found[::2], found[1::2], strict=True):
        task.refresh_from_db()
        assert (drawn == "ok", isinstance(marked, Conflict)) in ((True, True), (False, False)), (drawn, marked)
        assert (task.on_sheets, living(team, task.number)) in ((True, 0), (False, 1))
