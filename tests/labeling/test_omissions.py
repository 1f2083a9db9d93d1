"""Omissions: what a model sees and nobody has drawn, until somebody decides; against shapely on random boxes."""

import json
import random
from uuid import UUID, uuid4

import pytest
from django.contrib.gis.geos import Point, Polygon
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from inference.models import Inference
from labeling import blind_services, offset_services, offsets, omission_services, omissions
from labeling.models import NoObject, Task
from labeling.omissions import Wanted
from tests.factories import client_for, make_project, make_user
from tests.labeling.tasks import Team, make_team
from tests.labeling.test_task_leases import together
from training.models import ModelPackage
from webapp.errors import Conflict
from webapp.features import services as features
from webapp.features.geometry import to_shape
from webapp.features.models import Feature, FeatureLayer
from webapp.features.services import NewFeature
from webapp.imagery.models import ImageryLayer

STEP = 1e-5
Box = tuple[float, float, float, float]


@pytest.fixture
def team(db: None) -> Team:
    return make_team(tasks_m=0)


def detected(team: Team, boxes: list[tuple[Box, float]], name: str = "Crowns seen") -> FeatureLayer:
    """Return a layer of detections, boxes in steps from the corner of the imagery, with their scores."""
    classes = [(1, "House", "#000000"), (2, "TREE", "#00ff00")]
    layer = features.create_layer(
        project=team.label_set.project, name=name, kind="detections", classes=classes, user=team.ana
    )
    new = [NewFeature(polygon(one), class_value=2, score=score) for one, score in boxes]
    features.add_features(layer=layer, features=new)
    return FeatureLayer.objects.get(pk=layer.pk)


def polygon(one: Box) -> Polygon:
    west, south = 85.523, 27.63
    return Polygon.from_bbox((west + one[0] * STEP, south + one[1] * STEP, west + one[2] * STEP, south + one[3] * STEP))


def sample(team: Team, one: Box) -> None:
    features.add_features(
        layer=team.label_set.layer, features=[NewFeature(polygon(one), class_value=1, source=Feature.Source.HUMAN)]
    )


def listed(team: Team, layer: FeatureLayer, **more: float) -> list[float]:
    page = omissions.page(team.label_set, Wanted(layer, **more))
    assert page.count == len(page.features)
    return [json.loads(text)["meta"]["score"] for text in page.features]


def test_the_one_that_was_left_out_comes_first(team: Team) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9), ((10, 0, 14, 4), 0.8), ((20, 0, 24, 4), 0.6), ((30, 0, 34, 4), 0.2)])
    sample(team, (10, 0, 14, 4))
    assert listed(team, layer) == [0.9, 0.6]
    assert listed(team, layer, score=0.1) == [0.9, 0.6, 0.2]
    assert listed(team, layer, score=0.7) == [0.9]
    assert omissions.matching_classes(team.label_set, layer) == {1: 2, 2: 1}
    assert [row["name"] for row in omissions.layers(team.label_set)] == ["Crowns seen"]


def test_what_is_covered_is_what_shapely_says(team: Team) -> None:
    chance = random.Random(7)

    def some(count: int) -> list[Box]:
        corners = [(chance.randint(0, 40), chance.randint(0, 40)) for _ in range(count)]
        return [(x, y, x + chance.randint(2, 8), y + chance.randint(2, 8)) for x, y in corners]

    # Samples on a grid do not lie over each other, so the sum of the overlaps is the overlap with all.
    samples: list[Box] = [(x * 9, y * 9, x * 9 + 6, y * 9 + 6) for x in range(5) for y in range(5) if (x + y) % 2]
    boxes = some(40)
    for one in samples:
        sample(team, one)
    layer = detected(team, [(one, 1 - i / 100) for i, one in enumerate(boxes)])
    ground = unary_union([box(*one) for one in samples])
    for cover in (0.1, 0.3, 0.75):
        expected = [
            round(1 - i / 100, 2)
            for i, one in enumerate(boxes)
            if box(*one).intersection(ground).area < cover * box(*one).area - 1e-9
        ]
        assert [round(score, 2) for score in listed(team, layer, cover=cover)] == expected


def test_pages_follow_each_other_through_equal_scores(team: Team) -> None:
    layer = detected(team, [((i * 5, 0, i * 5 + 4, 4), 0.7) for i in range(5)])
    seen: list[str] = []
    counts: list[int | None] = []
    after = None
    while True:
        page = omissions.page(team.label_set, Wanted(layer, after=after), limit=2)
        seen += [json.loads(text)["id"] for text in page.features]
        counts.append(page.count)
        if page.after is None:
            break
        score, _, fid = page.after.partition(",")
        after = (float(score), int(fid))
    assert len(seen) == len(set(seen)) == 5
    assert counts == [5, None, None], "it is counted once"


def test_looking_that_takes_too_long_is_broken_off(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9)])
    monkeypatch.setattr(omissions, "_OMITTED", f"pg_sleep(2) IS NOT NULL AND {omissions._OMITTED}")
    monkeypatch.setattr(omissions, "SEARCH_MS", 100)
    with pytest.raises(Conflict, match="too long"):
        omissions.page(team.label_set, Wanted(layer))


def first(team: Team, wanted: Wanted) -> UUID:
    return UUID(json.loads(omissions.page(team.label_set, wanted).features[0])["id"])


def test_added_it_is_a_sample_by_who_decided_and_no_omission_any_more(team: Team) -> None:
    wanted = Wanted(detected(team, [((0, 0, 4, 4), 0.9)]))
    found, op_id = first(team, wanted), uuid4()
    order = {"label_set": team.label_set, "wanted": wanted, "feature_id": found, "user": team.ben}
    made = omission_services.add(**order, class_value=1, op_id=op_id)
    row = Feature.objects.get(pk=made)
    assert (row.layer, row.class_value, row.updated_by, row.verified) == (team.label_set.layer, 1, team.ben, True)
    assert row.geometry.equals(polygon((0, 0, 4, 4)))
    assert omission_services.add(**order, class_value=1, op_id=op_id) == made, "sent again it is the same"
    with pytest.raises(Conflict):
        omission_services.add(**order, class_value=1, op_id=uuid4())
    assert listed(team, wanted.layer) == []


def test_no_object_never_comes_again_from_any_model(team: Team) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9), ((20, 0, 24, 4), 0.6)])
    wanted = Wanted(layer)
    found = first(team, wanted)
    omission_services.dismiss(label_set=team.label_set, wanted=wanted, feature_id=found, user=team.ben)
    assert listed(team, layer) == [0.6]
    # Another model sees the same, a little moved, and something new beside it.
    later = detected(team, [((0.5, 0, 4.5, 4), 0.95), ((4, 0, 8, 4), 0.7)], name="A better model")
    assert listed(team, later) == [0.7]
    omission_services.bring_back(label_set=team.label_set, feature_id=found)
    assert listed(team, layer) == [0.9, 0.6]


def test_points_are_covered_within_two_metres(team: Team) -> None:
    layer = detected(team, [])
    places = [Point(85.523 + x * STEP, 27.63, srid=4326) for x in (0, 10)]
    features.add_features(layer=layer, features=[NewFeature(one, class_value=2, score=0.9) for one in places])
    sample(team, (1, -1, 3, 1))
    assert listed(team, layer) == [0.9]


def test_tasks_that_are_labelled_blindly_are_left_alone(team: Team) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9)])
    west, south, east, north = polygon((-5, -5, 50, 50)).extent
    cell = Polygon.from_bbox((west, south, east, north))
    task = Task.objects.create(label_set=team.label_set, number=1, geometry=cell, centre=cell.centroid)
    blind_services.mark(label_set=team.label_set, kind="double", tasks=[task.pk], user=team.ana)
    assert listed(team, layer) == []


@pytest.mark.django_db(transaction=True)
def test_two_who_add_it_at_once_make_one_sample() -> None:
    team = make_team(tasks_m=0)
    wanted = Wanted(detected(team, [((0, 0, 4, 4), 0.9)]))
    found = first(team, wanted)

    def add() -> UUID:
        return omission_services.add(
            label_set=team.label_set, wanted=wanted, feature_id=found, class_value=1, op_id=uuid4(), user=team.ben
        )

    answers = together([add] * 4)
    assert sum(isinstance(one, UUID) for one in answers) == 1
    assert {one.code for one in answers if isinstance(one, Conflict)} == {"not_omitted"}
    assert Feature.objects.filter(layer=team.label_set.layer).count() == 1


def test_the_api_lists_decides_and_knows_no_other_projects_layers(team: Team) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9), ((20, 0, 24, 4), 0.6)])
    url, ben = f"/api/label-sets/{team.label_set.pk}/omissions", client_for(team.ben)
    assert [row["id"] for row in ben.get(url).json()["layers"]] == [str(layer.pk)]
    told = ben.get(f"{url}?layer={layer.pk}&score=0.5").json()
    assert (told["count"], told["next"], told["classes"]) == (2, None, {"1": 2, "2": 1})
    one, two = (feature["id"] for feature in told["features"])
    order = {"layer": str(layer.pk), "score": 0.5, "cover": 0.3}
    for body in (
        {**order, "action": "add", "id": one, "class_value": 1, "op_id": str(uuid4())},
        {**order, "action": "dismiss", "id": two},
    ):
        assert ben.post(url, json.dumps(body), "application/json").status_code == 200
        assert ben.post(url, json.dumps({**body, "op_id": str(uuid4())}), "application/json").status_code in (200, 409)
    assert ben.get(f"{url}?layer={layer.pk}").json()["count"] == 0
    elsewhere = make_project(make_user("eve"))
    foreign = features.create_layer(project=elsewhere, name="x", kind="detections", classes=[], user=None)
    for query, status in ((foreign.pk, 404), (uuid4(), 404), ("x", 400), (f"{layer.pk}&score=2", 400)):
        assert ben.get(f"{url}?layer={query}").status_code == status
    for body in ({"action": "add", "id": one}, {**order, "action": "x", "id": one}, {**order, "action": "dismiss"}):
        assert ben.post(url, json.dumps(body), "application/json").status_code == 400


def made_on(imagery: ImageryLayer, layer: FeatureLayer) -> None:
    """Say that a model made these detections on this imagery."""
    project = imagery.project
    package, _ = ModelPackage.objects.get_or_create(
        project=project, name="M", task="detect_objects", network="retinanet", path="packages/m.dlpk", sha256="",
        size_bytes=1, dtype="uint8", resolution_m=1, chip_px=64,
    )  # fmt: skip
    Inference.objects.create(
        project=project, name=layer.name, task="detect_objects", package=package, imagery=imagery, imagery_version=1,
        result_features=layer,
    )  # fmt: skip


def show_east(team: Team, east_m: float, version: int) -> None:
    put = offset_services.Wanted(east_m=east_m, north_m=0, note="", version=version, take_along=False)
    imagery = team.label_set.imagery
    offset_services.put(label_set=team.label_set, imagery=imagery, wanted=put, user=team.rita)


def test_detections_lie_where_the_imagery_they_were_made_on_is_shown(team: Team) -> None:
    """The imagery is shown ten metres east of its file: so is what a model saw on it, and nothing else."""
    found = team.label_set
    layer, elsewhere = detected(team, [((0, 0, 4, 4), 0.9)]), detected(team, [((0, 0, 4, 4), 0.9)], "By another")
    made_on(found.imagery, layer)
    show_east(team, 10, version=0)
    stored = to_shape(polygon((0, 0, 4, 4)))
    there = offsets.shift(found).moved(stored)

    def shown(of: FeatureLayer) -> BaseGeometry:
        return shape(json.loads(omissions.page(found, Wanted(of)).features[0])["geometry"])

    assert shown(layer).hausdorff_distance(there) < 1e-9
    assert shown(elsewhere).hausdorff_distance(stored) < 1e-9
    pk = first(team, Wanted(layer))
    omission_services.dismiss(label_set=found, wanted=Wanted(layer), feature_id=pk, user=team.ben)
    assert to_shape(NoObject.objects.get().geometry).hausdorff_distance(stored) < 1e-9
    omission_services.bring_back(label_set=found, feature_id=pk)
    made = omission_services.add(
        label_set=found, wanted=Wanted(layer), feature_id=pk, class_value=1, op_id=uuid4(), user=team.ben
    )
    assert to_shape(Feature.objects.get(pk=made).geometry).hausdorff_distance(there) < 1e-9
    # What is drawn where it is shown covers it; where the file says it covers nothing.
    assert (listed(team, layer), listed(team, elsewhere)) == ([], [0.9])


def test_no_object_is_none_wherever_the_imagery_is_shown_later(team: Team) -> None:
    """Decided at 10 m on the set's own pixels; what another model sees on them stays decided at any offset."""
    found, box_there = team.label_set, (0, 0, 4, 4)
    layer, again = detected(team, [(box_there, 0.9)]), detected(team, [(box_there, 0.8)], "A later model")
    made_on(found.imagery, layer)
    made_on(found.imagery, again)
    show_east(team, 10, version=0)
    place = offsets.shift(found).moved(to_shape(polygon(box_there))).bounds
    world = features.create_layer(
        project=found.project, name="By others", kind="detections", classes=[(2, "Tree", "#000000")], user=team.ana
    )
    features.add_features(layer=world, features=[NewFeature(Polygon.from_bbox(place), class_value=2, score=0.7)])
    world = FeatureLayer.objects.get(pk=world.pk)
    omission_services.dismiss(
        label_set=found, wanted=Wanted(layer), feature_id=first(team, Wanted(layer)), user=team.ben
    )
    assert (listed(team, layer), listed(team, again), listed(team, world)) == ([], [], [])
    # The pixels that were looked at are shown elsewhere now; what others see at the old place is on other pixels.
    for version, east_m in enumerate((60, -40, 0), start=1):
        show_east(team, east_m, version)
        assert (listed(team, layer), listed(team, again), listed(team, world)) == ([], [], [0.7]), east_m
    # And a decision on what lies in the world stays there.
    omission_services.bring_back(label_set=found, feature_id=NoObject.objects.get().feature_id)
    omission_services.dismiss(
        label_set=found, wanted=Wanted(world), feature_id=first(team, Wanted(world)), user=team.ben
    )
    assert (listed(team, world), listed(team, layer)) == ([], [0.9])
    show_east(team, 10, version=4)
    assert (listed(team, world), listed(team, layer)) == ([], [])
