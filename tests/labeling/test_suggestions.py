"""What a model found, brought into a label set as suggestions: beside what people drew, never over it, never twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from shapely.geometry import box

from labeling import offsets, omission_services, suggestions
from labeling.models import LabelSet
from labeling.omissions import Wanted
from tests.factories import client_for, make_project, make_user
from tests.labeling.tasks import Team
from tests.labeling.test_omissions import STEP, Box, detected, first, made_on, polygon, sample, show_east, team
from webapp.features import numbering
from webapp.features import services as features
from webapp.features.geometry import to_shape
from webapp.features.models import Feature, FeatureClass, FeatureLayer
from webapp.features.services import NewFeature
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Member, Role

__all__ = ["team"]


def waiting(label_set: LabelSet) -> list[Feature]:
    """Return the suggestions of a label set, the surest first."""
    return list(Feature.objects.filter(layer=label_set.layer, verified=False, deleted=False).order_by("-score"))


def brought(team: Team, layer: FeatureLayer, score: float = 0) -> suggestions.Brought:
    found = suggestions.find(team.label_set, layer, score)
    first_fid = numbering.reserve(team.label_set.layer, len(found))
    return suggestions.bring(label_set=team.label_set, layer=layer, found=found, first_fid=first_fid, user=team.ben)


def test_results_become_suggestions_beside_what_people_drew_and_never_twice(team: Team) -> None:
    boxes: list[tuple[Box, float]] = [
        ((x * 10, 0, x * 10 + 4, 4), score) for x, score in enumerate((0.9, 0.8, 0.7, 0.3))
    ]
    layer = detected(team, boxes)
    sample(team, (10, 0, 14, 3))
    missed = Wanted(layer, score=0.65, class_value=2)
    omission_services.dismiss(label_set=team.label_set, wanted=missed, feature_id=first(team, missed), user=team.ben)
    done = brought(team, layer, score=0.5)
    # One is drawn, one is no object, one less sure than wanted.
    assert (done.brought, done.left_out, done.refused) == (1, 3, {})
    [made] = waiting(team.label_set)
    assert (made.score, made.class_value, made.source, made.created_by) == (0.7, 1, "model", team.ben)
    assert made.geometry.equals(polygon((20, 0, 24, 4)))
    # A second model's results come beside those of the first; only checked samples cover any.
    assert brought(team, detected(team, boxes[2:3], name="Another")).brought == 1
    assert (brought(team, layer).brought, brought(team, layer).already) == (1, 2)
    features.delete_features(layer=team.label_set.layer, ids=[made.pk])
    again = brought(team, layer)
    assert (again.brought, again.already, again.deleted) == (0, 1, 1)
    assert Feature.objects.filter(layer=team.label_set.layer, verified=True, version=1).count() == 1


def test_classes_are_found_by_name_and_added_where_they_are_missing(team: Team) -> None:
    pond, tree, barn = (1, "Pond", "#0000ff"), (2, "TREE", "#00ff00"), (3, "Barn", "#ff0000")
    layer = features.create_layer(
        project=team.label_set.project, name="All", kind="polygons", classes=[pond, tree, barn], user=team.ana
    )
    new = [NewFeature(polygon((x * 10, 0, x * 10 + 4, 4)), class_value=x, properties={"model": "M"}) for x in (1, 2)]
    features.add_features(layer=layer, features=[*new, NewFeature(polygon((0, 90, 4, 94)), class_value=None)])
    done = brought(team, FeatureLayer.objects.get(pk=layer.pk))
    assert (done.brought, done.classes_added) == (3, ["Pond"])
    names = dict(FeatureClass.objects.filter(layer=team.label_set.layer).values_list("value", "name"))
    assert names == {1: "Tree", 2: "House", 3: "Pond"}
    made = waiting(team.label_set)
    assert [row.class_value for row in sorted(made, key=lambda row: row.fid)] == [3, 1, None]
    assert {row.properties.get("model") for row in made} == {"M", None}


def test_what_was_seen_on_moved_imagery_comes_where_it_is_shown_and_what_lies_beside_it_does_not(team: Team) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9)])
    features.add_features(layer=layer, features=[NewFeature(box(0, 0, STEP, STEP), class_value=2, score=0.9)])
    made_on(team.label_set.imagery, layer)
    show_east(team, 10, version=0)
    done = brought(team, layer)
    assert (done.brought, done.refused) == (1, {"It lies beside the imagery.": 1})
    there = offsets.shift(team.label_set).moved(to_shape(polygon((0, 0, 4, 4))))
    [made] = waiting(team.label_set)
    assert to_shape(made.geometry).hausdorff_distance(there) < 1e-9


@pytest.mark.django_db(transaction=True)
def test_who_presses_second_finds_what_the_first_has_brought(team: Team) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9), ((20, 0, 24, 4), 0.6)])
    found = suggestions.find(team.label_set, layer, 0)
    at_once = Barrier(2)

    def bring(first_fid: int) -> tuple[int, int]:
        try:
            at_once.wait(timeout=20)
            done = suggestions.bring(
                label_set=team.label_set, layer=layer, found=found, first_fid=first_fid, user=team.ben
            )
            return done.brought, done.already
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        done = pool.map(bring, [numbering.reserve(team.label_set.layer, 2) for _ in range(2)])
        assert sorted(done) == [(0, 2), (2, 0)]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_brought_for_who_was_removed_meanwhile(team: Team) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9)])
    job = suggestions.ask(label_set=team.label_set, layer=layer, score=0, user=team.ben)
    Member.objects.filter(user=team.ben).delete()
    assert run_now(job).state == Job.State.FAILED
    assert not waiting(team.label_set)


@pytest.mark.django_db(transaction=True)
def test_a_job_brings_them_for_who_may_label_and_knows_no_other_projects_layers(team: Team) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9), ((20, 0, 24, 4), 0.6)])
    found, ben = team.label_set, client_for(team.ben)
    url = f"/api/label-sets/{found.pk}/suggestions"
    assert [row["id"] for row in ben.get(url).json()["layers"]] == [str(layer.pk)]
    [there] = ben.get(f"/api/layers/{layer.pk}/label-sets").json()["label_sets"]
    assert (there["id"], there["url"]) == (str(found.pk), f"/label/{found.pk}/")

    def post(body: object, client: Client = ben) -> int:
        return client.post(url, json.dumps(body), "application/json").status_code

    viewer, elsewhere = make_user("vera"), make_project(make_user("eve"))
    Member.objects.create(project=found.project, user=viewer, role=Role.VIEWER)
    foreign = features.create_layer(project=elsewhere, name="x", kind="detections", classes=[], user=None)
    assert post({"layer": str(layer.pk)}, client_for(viewer)) == 403
    for layer_id, score, status in (
        (foreign.pk, 0, 404),
        (uuid4(), 0, 404),
        (found.layer_id, 0, 404),
        ("x", 0, 400),
        (layer.pk, 2, 400),
    ):
        assert post({"layer": str(layer_id), "score": score}) == status
    assert post({"layer": str(layer.pk), "score": 0.7}) == 202
    job = run_now(Job.objects.get())
    assert (job.state, job.result["brought"], job.result["left_out"]) == (Job.State.SUCCEEDED, 1, 1)
    assert job.result["url"] == f"/label/{found.pk}/?tab=review"
    assert [row.score for row in waiting(found)] == [0.9]
