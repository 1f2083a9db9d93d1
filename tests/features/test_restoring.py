"""A layer taken back to a number of its log: what comes back, what the log says, who may."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.gis.geos import Polygon
from django.test import Client
from django.utils import timezone

from tests.factories import client_for, make_layer, make_project, make_user
from webapp.errors import Conflict, Invalid
from webapp.features import restoring, selectors, timeline
from webapp.features.editing import apply_edits
from webapp.features.edits import Action, EditRequest
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.jobs.models import Job


@pytest.fixture
def layer(db: None) -> FeatureLayer:
    return make_layer(
        make_project(make_user("ana"), labeler=make_user("ben"), reviewer=make_user("rita")),
        classes=((1, "Tree", "#1b9e77"), (2, "Roof", "#d95f02")),
    )


def square(x: float) -> Polygon:
    return Polygon.from_bbox((85.52 + x, 27.63, 85.5201 + x, 27.6301))


def edit(layer: FeatureLayer, action: Action, pk: UUID, base: int, user: str = "ben", **values: Any) -> None:
    [answer] = apply_edits(layer=layer, edits=[EditRequest(uuid4(), action, pk, base, **values)], user=make_user(user))
    assert answer.status == "ok", answer


def state(layer: FeatureLayer, seq: int) -> list[tuple[Any, ...]]:
    rows = selectors.features_at(layer, seq)
    return [(row.id, row.geometry.wkt, row.class_value, row.properties, row.verified) for row in rows]


@pytest.fixture
def worked(layer: FeatureLayer) -> tuple[UUID, UUID, UUID]:
    """Kept, changed and deleted since number 3; a fourth feature is new."""
    kept, changed, deleted = uuid4(), uuid4(), uuid4()
    for i, pk in enumerate((kept, changed, deleted)):
        edit(layer, "create", pk, 0, geometry=square(i * 0.001), class_value=1, properties={"n": i})
    edit(layer, "update", changed, 1, user="rita", geometry=square(0.01), class_value=2)
    edit(layer, "delete", deleted, 1)
    edit(layer, "create", uuid4(), 0, geometry=square(0.02), class_value=2)
    return kept, changed, deleted


def test_a_layer_goes_back_as_a_new_step_and_forward_again(
    layer: FeatureLayer, worked: tuple[UUID, UUID, UUID]
) -> None:
    before, now = state(layer, 3), state(layer, 6)
    told = restoring.preview(layer=layer, seq=3)
    assert told is not None
    assert (told.brought_back, told.changed_back, told.removed, told.seq) == (1, 1, 1, 6)
    done = restoring.restore(layer=layer, seq=3, user=make_user("ana"))
    assert done == told
    assert state(layer, 9) == before
    assert list(Edit.objects.filter(layer=layer).order_by("seq").values_list("seq", flat=True)) == list(range(1, 10))
    layer.refresh_from_db()
    assert (layer.seq, layer.feature_count) == (9, 3)
    # The rows are what the log says, and versions go on.
    living = Feature.objects.filter(layer=layer, deleted=False).order_by("fid")
    assert [(row.pk, row.geometry.wkt, row.class_value, row.properties, row.verified) for row in living] == before
    assert dict(living.values_list("pk", "version")) == dict(zip(worked, (1, 3, 3), strict=True))
    assert set(Edit.objects.filter(seq__gt=6).values_list("actor__username", flat=True)) == {"ana"}
    # Nothing is wiped: the restoration is taken back in the same way.
    restoring.restore(layer=layer, seq=6, user=make_user("ana"))
    assert state(layer, 12) == now
    assert restoring.restore(layer=layer, seq=12, user=None).changes == 0
    # Who brings back what was imported did not import it.
    Edit.objects.filter(layer=layer).update(source="import")
    steps = timeline.timeline(layer)[0]
    assert sum(step.imported for step in steps) == 4 < sum(step.created for step in steps)


def test_the_log_has_no_number_after_its_last(layer: FeatureLayer, worked: tuple[UUID, UUID, UUID]) -> None:
    with pytest.raises(Invalid):
        restoring.preview(layer=layer, seq=7)
    told = restoring.preview(layer=layer, seq=0)
    assert told is not None
    assert told.removed == 3


def test_the_timeline_joins_what_one_person_did_at_once(layer: FeatureLayer, worked: tuple[UUID, UUID, UUID]) -> None:
    began = timezone.now()
    for seq, after_s in enumerate((0, 0.01, 0.02, 5, 9, 9.01), start=1):
        Edit.objects.filter(layer=layer, seq=seq).update(at=began + timedelta(seconds=after_s))
    for seq, source in ((1, "import"), (2, "model")):
        Edit.objects.filter(layer=layer, seq=seq).update(source=source)
    steps, following = timeline.timeline(layer)
    assert following is None
    assert [(step.seq, step.created, step.updated, step.removed) for step in steps] == [
        (6, 1, 0, 1),
        (4, 0, 1, 0),
        (3, 3, 0, 0),
    ]
    assert [(step.imported, step.suggested) for step in steps] == [(0, 0), (0, 0), (1, 1)]
    assert steps[0].as_json()["actor"]["name"] == "ben"
    assert steps[0].deleted == [str(worked[2])]
    assert [step.seq for step in timeline.timeline(layer, before=4)[0]] == [3]


def test_managers_restore_by_number_and_by_moment(layer: FeatureLayer, worked: tuple[UUID, UUID, UUID]) -> None:
    url = f"/api/layers/{layer.pk}/restore"
    ana: Client = client_for(make_user("ana"))
    third = Edit.objects.get(layer=layer, seq=3)
    found = ana.get(url, {"at": third.at.isoformat()}).json()
    assert (found["target"], found["changes"]) == (3, 3)
    assert ana.get(url, {"at": "yesterday"}).status_code == 400
    for name in ("ben", "rita"):
        assert client_for(make_user(name)).get(url, {"seq": "3"}).status_code == 200
        refused = client_for(make_user(name)).post(url, {"seq": 3, "base": 6}, content_type="application/json")
        assert refused.status_code == 403
    assert ana.post(url, {"seq": "3"}, content_type="application/json").json()["code"] == "seq"
    assert ana.post(url, {"seq": 3}, content_type="application/json").json()["code"] == "base"
    body = {"seq": found["target"], "base": found["seq"]}
    edit(layer, "create", uuid4(), 0, geometry=square(0.03))
    late = ana.post(url, body, content_type="application/json")
    assert (late.status_code, late.json()["code"], late.json()["details"]["seq"]) == (409, "changed_since", 7)
    assert Edit.objects.filter(layer=layer).count() == 7
    anew = ana.get(url, {"seq": "3"}).json()
    body["base"] = anew["seq"]
    assert ana.post(url, body, content_type="application/json").json()["changes"] == anew["changes"] == 4
    listed = ana.get(f"/api/layers/{layer.pk}/timeline").json()
    assert (listed["results"][0]["seq"], listed["results"][0]["actor"]["name"]) == (11, "ana")


def test_much_is_restored_by_a_job(
    layer: FeatureLayer, worked: tuple[UUID, UUID, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "DIRECT_CHANGES", 2)
    answer = client_for(make_user("ana")).post(
        f"/api/layers/{layer.pk}/restore", {"seq": 3, "base": 6}, content_type="application/json"
    )
    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["job"])
    assert (job.kind, job.spec["seq"], job.spec["base"]) == ("restore_features", 3, 6)


def test_what_takes_too_long_to_compare_is_left_to_a_job(
    layer: FeatureLayer, worked: tuple[UUID, UUID, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "COMPARE_MS", 20)
    slow = "CREATE TEMPORARY TABLE restored ON COMMIT DROP AS SELECT pg_sleep(5)::text, 'delete' AS action"
    monkeypatch.setattr(restoring, "_DIFFERENCES", slow)
    url = f"/api/layers/{layer.pk}/restore"
    ana = client_for(make_user("ana"))
    told = ana.get(url, {"seq": "3"}).json()
    assert (told["target"], told["seq"], told["changes"]) == (3, 6, None)
    assert ana.post(url, {"seq": 3, "base": 5}, content_type="application/json").status_code == 409
    assert ana.post(url, {"seq": 3, "base": 6}, content_type="application/json").status_code == 202


def test_a_job_that_runs_again_after_its_commit_is_no_conflict(
    layer: FeatureLayer, worked: tuple[UUID, UUID, UUID]
) -> None:
    assert restoring.restore(layer=layer, seq=3, user=None, base=6).changes == 3
    assert restoring.restore(layer=layer, seq=3, user=None, base=6).changes == 0
    with pytest.raises(Conflict):
        restoring.restore(layer=layer, seq=6, user=None, base=6)
