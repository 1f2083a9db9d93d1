"""Samples copied to another date: once, unverified, where they are on Earth, whoever copies and whichever way."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.gis.geos import LineString, MultiPolygon, Polygon

from labeling import offset_services, offsets, sheets
from labeling.files_api import grid_of
from labeling.models import CopiedSample, LabelSet, Task
from labeling.offset_services import Wanted
from labeling.review_selectors import Wanted as WantedSamples
from labeling.review_selectors import stream
from labeling.services import consequences
from tests.factories import EAST, NORTH, SOUTH, WEST, client_for, make_imagery, make_project, make_user
from tests.labeling.tasks import Team, make_team
from tests.labeling.test_task_leases import together
from webapp.features import services as features
from webapp.features.geometry import to_shape
from webapp.features.models import Feature
from webapp.features.schema import ClassSpec
from webapp.features.services import EditRequest
from webapp.imagery.models import ImageryLayer

STEP = 1e-5


@pytest.fixture
def team(db: None) -> Team:
    return make_team(tasks_m=0)


@pytest.fixture
def spring(team: Team) -> ImageryLayer:
    return make_imagery(team.label_set.project, name="Spring", acquired_at=datetime(2018, 4, 2, tzinfo=UTC))


def square(x: float, y: float = 0, side: float = 4) -> Polygon:
    west, south = WEST + 0.004 + x * STEP, SOUTH + 0.004 + y * STEP
    return Polygon.from_bbox((west, south, west + side * STEP, south + side * STEP))


def drawn(team: Team, *shapes: Any, label_set: LabelSet | None = None, class_value: int = 1, **more: Any) -> list[UUID]:
    """Return the ids of samples that Ben draws."""
    edits = [EditRequest(uuid4(), "create", uuid4(), geometry=one, class_value=class_value, **more) for one in shapes]
    results = features.apply_edits(layer=(label_set or team.label_set).layer, edits=edits, user=team.ben)
    assert {result.status for result in results} == {"ok"}
    return [edit.feature_id for edit in edits]


def copy(
    team: Team, imagery: ImageryLayer, status: int = 200, *, source: str = "", user: str = "ben", **body: Any
) -> Any:
    url = f"/api/label-sets/{source or team.label_set.pk}/copies"
    asked = {"imagery": str(imagery.pk)} | body
    answer = client_for(getattr(team, user)).post(url, asked, content_type="application/json")
    assert answer.status_code == status, answer.json()
    return answer.json()


def counts(done: dict[str, Any]) -> tuple[int, int, int]:
    return done["copied"], done["already"], done["deleted"]


def reasons(done: dict[str, Any]) -> dict[str, int]:
    return {item["code"]: item["count"] for item in done["refused"]}


def test_a_copy_is_like_its_sample_waits_for_review_and_is_made_once(team: Team, spring: ImageryLayer) -> None:
    ids = drawn(team, square(0), square(10), properties={"crown": 3})
    done = copy(team, spring, ids=ids)
    assert counts(done) == (2, 0, 0)
    assert (done["name"], done["refused"]) == ("Crowns, Spring, 2 Apr 2018", [])
    other = LabelSet.objects.select_related("layer", "imagery").get(pk=done["label_set"])
    assert sheets.class_specs(other.layer) == sheets.class_specs(team.label_set.layer)
    made = list(Feature.objects.filter(layer=other.layer))
    for source, one in zip(Feature.objects.filter(pk__in=ids).order_by("fid"), made, strict=True):
        assert one.geometry.equals_exact(source.geometry)
        assert (one.class_value, one.properties, one.source) == (1, {"crown": 3}, "human")
        assert (one.verified, one.created_by, one.version) == (False, team.ben, 1)
    assert len(stream(other, WantedSamples(), me=team.ben.pk).features) == 2

    # Each set says of which date it is, and whence its samples came.
    seen = client_for(team.ben).get(f"/api/label-sets/{other.pk}/").json()
    assert (seen["imagery_date"], seen["copied_from"]["name"]) == ("2018-04-02T00:00:00+00:00", "Crowns")
    assert grid_of(offsets.shown(other)).taken == "2018-04-02T00:00:00+00:00"
    assert client_for(team.ben).get(f"/api/label-sets/{team.label_set.pk}/").json()["imagery_date"] is None

    # Again: what was mended there stays mended, what was deleted stays deleted, and only what is new is added.
    moved = EditRequest(uuid4(), "update", made[0].pk, 1, geometry=square(1))
    features.apply_edits(layer=other.layer, edits=[moved], user=team.cleo)
    features.delete_features(layer=other.layer, ids=[made[1].pk], user=team.cleo)
    again = copy(team, spring, user="cleo", ids=[*ids, *drawn(team, square(20)), uuid4()])
    assert (again["label_set"], counts(again), reasons(again)) == (done["label_set"], (1, 1, 1), {"gone": 1})
    living = Feature.objects.filter(layer=other.layer, deleted=False)
    assert living.count() == 2
    assert living.get(pk=made[0].pk).geometry.extent == pytest.approx(square(1).extent, abs=1e-9)
    # The links go with the set, and are nothing that somebody has to be asked about.
    assert all("copied" not in line for line in consequences(other).goes)


def test_copies_are_known_on_every_date_and_on_the_way_back(team: Team, spring: ImageryLayer) -> None:
    autumn = make_imagery(team.label_set.project, name="Autumn")
    done = copy(team, spring, ids=drawn(team, square(0)))
    there = LabelSet.objects.select_related("layer").get(pk=done["label_set"])
    drawn(team, square(30), label_set=there)
    box = [WEST, SOUTH, EAST, NORTH]
    back = copy(team, team.label_set.imagery, source=done["label_set"], bbox=box)
    assert (back["label_set"], counts(back)) == (str(team.label_set.pk), (1, 1, 0))
    assert counts(copy(team, spring, bbox=box)) == (0, 2, 0)
    on = copy(team, autumn, source=done["label_set"], bbox=box)
    assert (counts(on), on["name"]) == ((2, 0, 0), "Crowns, Autumn")
    assert counts(copy(team, autumn, bbox=box)) == (0, 2, 0)
    assert Feature.objects.count() == 6
    assert CopiedSample.objects.values("origin_id").distinct().count() == 2


def test_who_may_copy_what(team: Team, spring: ImageryLayer) -> None:
    ids = drawn(team, square(0))
    elsewhere = make_imagery(make_project(team.ana))
    copy(team, elsewhere, 404, ids=ids)
    assert copy(team, team.label_set.imagery, 400, ids=ids)["code"] == "imagery"
    assert copy(team, spring, 400)["code"] == "ids"
    assert copy(team, spring, 400, ids=ids, bbox=[0, 0, 1, 1])["code"] == "ids"
    assert copy(team, spring, 400, ids=["no"])["code"] == "ids"
    assert copy(team, spring, 400, bbox=[1, "x"])["code"] == "bbox_invalid"
    assert copy(team, spring, 400, ids=[uuid4()])["code"] == "nothing_to_copy"
    assert copy(team, spring, 413, ids=[uuid4() for _ in range(5001)])["code"] == "too_large"
    sheet = sheets.sheet_of(team.label_set, team.ben)
    assert copy(team, spring, 409, source=str(sheet.pk), ids=ids)["code"] == "sheet"
    url = f"/api/label-sets/{team.label_set.pk}/copies"
    body = {"imagery": str(spring.pk), "ids": ids}
    team.label_set.project.members.filter(user=team.cleo).update(role=10)
    for user, status in ((make_user("stranger"), 404), (team.cleo, 403)):
        assert client_for(user).post(url, body, content_type="application/json").status_code == status
    # Nothing that could be copied: no empty set is left behind.
    ImageryLayer.objects.filter(pk=spring.pk).update(footprint=MultiPolygon(square(90), srid=4326))
    assert copy(team, spring, 400, ids=ids)["code"] == "off_imagery"
    assert LabelSet.objects.filter(sheet_of=None).count() == 1


def test_what_the_other_set_does_not_take_is_told_and_the_rest_is_copied(team: Team, spring: ImageryLayer) -> None:
    source = team.label_set.layer
    other = copy(team, spring, ids=drawn(team, square(0)))["label_set"]
    there = LabelSet.objects.select_related("layer").get(pk=other)
    # There: trees are called otherwise, houses are retired, fences are lines; here: a class came since.
    old = sheets.class_specs(source)
    features.save_classes(
        layer=source, classes=[*old, ClassSpec(3, "Fence", "#000000"), ClassSpec(9, "Pond", "#0000ff")], user=None
    )
    features.save_classes(
        layer=there.layer,
        classes=[
            ClassSpec(1, "Palm", "#1b9e77"),
            ClassSpec(2, "House", "#e7298a", retired=True),
            ClassSpec(3, "Fence", "#000000", shapes=("line",)),
        ],
        user=None,
    )
    Task.objects.create(
        label_set=there, number=1, geometry=square(60, side=20), centre=square(60).centroid, on_sheets=True
    )
    ImageryLayer.objects.filter(pk=spring.pk).update(footprint=MultiPolygon(square(-50, -50, 300), srid=4326))
    fence = LineString((WEST + 0.0041, SOUTH + 0.0041), (WEST + 0.0042, SOUTH + 0.0042))
    ids = [
        *drawn(team, square(10)),
        *drawn(team, square(20), class_value=2),
        *drawn(team, square(30), fence, class_value=3),
        *drawn(team, square(40), square(62), square(400), class_value=9),
    ]
    done = copy(team, spring, ids=ids)
    wanted = {"class_unknown": 1, "class_retired": 1, "shape_not_allowed": 1, "task_blind": 1, "off_imagery": 1}
    assert (counts(done), reasons(done)) == ((2, 0, 0), wanted)
    assert set(
        Feature.objects.filter(layer=there.layer, pk__in=CopiedSample.objects.values("pk")).values_list(
            "class_value", flat=True
        )
    ) == {1, 3, 9}
    assert there.layer.classes.get(value=9).name == "Pond"
    assert CopiedSample.objects.count() == 3


def test_a_copy_lies_on_the_same_ground_where_either_imagery_is_moved(team: Team, spring: ImageryLayer) -> None:
    own = team.label_set.imagery
    for imagery, east, north in ((own, 3.0, 0.0), (spring, 6.0, -4.0)):
        wanted = Wanted(east, north, "", 0, take_along=False)
        offset_services.put(label_set=team.label_set, imagery=imagery, wanted=wanted, user=team.rita)
    done = copy(team, spring, ids=drawn(team, square(0)))
    other = LabelSet.objects.select_related("layer", "imagery", "project").get(pk=done["label_set"])
    # Spring is shown there where it was seen here, so the copy lies on the pixels that were seen under the sample.
    seen = next(row for row in offsets.rows(team.label_set) if row["imagery"] == str(spring.pk))
    there = offsets.rows(other)[0]
    assert (there["imagery"], there["east_m"], there["north_m"]) == (str(spring.pk), seen["east_m"], seen["north_m"])
    [sample] = Feature.objects.filter(layer=other.layer)
    corner = grid_of(offsets.shown(other)).to_pixels(to_shape(sample.geometry)).exterior.coords[0]
    unmoved = (-offsets.shift(other)).moved(to_shape(square(0)))
    assert corner == pytest.approx(grid_of(spring).to_pixels(unmoved).exterior.coords[0], abs=0.02)
    # Moved anew there, a later copy is still true on Earth.
    wanted = Wanted(-20.0, 0.0, "", 1, take_along=False)
    offset_services.put(label_set=other, imagery=spring, wanted=wanted, user=team.rita)
    copy(team, spring, ids=drawn(team, square(8)))
    assert Feature.objects.filter(layer=other.layer).latest("fid").geometry.extent == pytest.approx(
        square(8).extent, abs=1e-9
    )


@pytest.mark.django_db(transaction=True)
def test_two_who_copy_at_once_make_one_set_and_each_copy_once() -> None:
    team = make_team(tasks_m=0)
    spring = make_imagery(team.label_set.project, name="Spring")
    ids = drawn(team, *(square(10 * step) for step in range(12)))
    done = together([lambda: copy(team, spring, ids=ids[:8]), lambda: copy(team, spring, user="cleo", ids=ids[4:])] * 2)
    assert {item["label_set"] for item in done} == {str(LabelSet.objects.get(copied_from=team.label_set).pk)}
    assert (sum(item["copied"] for item in done), sum(item["already"] for item in done)) == (12, 20)
    layer = LabelSet.objects.get(copied_from=team.label_set).layer
    assert (layer.feature_count, layer.seq) == (12, 12)
