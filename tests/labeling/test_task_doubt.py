"""Where a model is least sure: the order of tasks by its suggestions that wait in them."""

import json
from uuid import UUID

import pytest
from shapely.geometry import box

from labeling import task_selectors
from labeling.models import Task
from labeling.task_selectors import TaskFilter
from tests.labeling.tasks import Team, make_team
from tests.labeling.test_task_leases import take
from webapp.features.bulk import NewFeature, add_features
from webapp.features.models import Feature


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


def suggest(team: Team, number: int, *scores: float) -> list[UUID]:
    """Put a model's suggestions with these scores into a task's cell; return their ids."""
    centre = Task.objects.get(number=number).centre
    before = set(Feature.objects.values_list("pk", flat=True))
    add_features(
        layer=team.label_set.layer,
        features=[
            NewFeature(box(x, centre.y, x + 1e-6, centre.y + 1e-6), class_value=1, score=score)
            for x, score in ((centre.x + i * 1e-5, score) for i, score in enumerate(scores))
        ],
    )
    return list(Feature.objects.exclude(pk__in=before).values_list("pk", flat=True))


def uncertainties(team: Team) -> dict[int, float]:
    listed = task_selectors.tasks(team.label_set, TaskFilter(), me=team.ana.pk).tasks
    facts = [json.loads(task)["properties"] for task in listed]
    return {one["number"]: round(one["uncertainty"], 3) for one in facts if one["uncertainty"] is not None}


def test_the_least_sure_task_is_that_whose_waiting_suggestions_are(team: Team) -> None:
    suggest(team, 2, 0.97, 0.95)
    doubtful = suggest(team, 5, 0.5, 0.6)
    suggest(team, 8, 0.7, 0.7)
    Task.objects.filter(number=3).update(uncertainty=0.3)
    Task.objects.filter(number=8).update(uncertainty=1)
    assert uncertainties(team) == {2: 0.08, 3: 0.3, 5: 0.9, 8: 0.6}
    assert take(team, team.ben, order="uncertainty").number == 5
    assert take(team, team.cleo, order="uncertainty").number == 8
    assert take(team, team.rita, order="uncertainty").number == 3

    # Who looks at them takes the doubt away.
    Feature.objects.filter(pk__in=doubtful).update(verified=True)
    assert uncertainties(team) == {2: 0.08, 3: 0.3, 8: 0.6}
