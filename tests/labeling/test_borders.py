"""Samples on the border of two cells that are labelled on sheets: they count in both, and are stored once."""

from functools import partial

import pytest

from labeling import blind_selectors, blind_services, offset_services
from labeling.adjudication import Decision, Take, adjudicate, differences
from labeling.blind_models import Answer, BlindTask, Labelling
from labeling.blind_services import Settings
from labeling.comparing import Tally
from labeling.models import Task
from labeling.offset_services import Wanted
from tests.labeling.blind import Square, draw, finish, take
from tests.labeling.tasks import Team, make_team
from tests.labeling.test_task_leases import together
from webapp.features.geometry import to_shape
from webapp.features.models import Feature
from webapp.projects.models import Role, User

# Of the cell in the west: three fifths lie in it, two fifths in its neighbour in the east.
ACROSS = (0.7, 0.4, 0.5)


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


def neighbours(team: Team) -> tuple[Task, Task]:
    """Return a task and its neighbour in the east."""
    tasks = list(Task.objects.filter(label_set=team.label_set))
    west = min(tasks, key=lambda task: (task.centre.x, task.centre.y))
    found = [task for task in tasks if task.pk != west.pk and to_shape(task.geometry).touches(to_shape(west.geometry))]
    return west, max(found, key=lambda task: task.centre.x - abs(task.centre.y - west.centre.y))


def label(team: Team, user: User, first: Task, second: Task, square: Square, *, west: Task) -> None:
    """Draw one sample over the border in the task that is taken first; then do the other."""
    for task in (first, second):
        held = take(team, user, task.number)
        assert held.number == task.number
        if task is first:
            x, y, side = square
            # Seen from the eastern cell the western one lies to the left.
            assert draw(held, user, (x if task.pk == west.pk else x - 1, y, side))["status"] == "ok"
        finish(held, user)


def tally_of(task: Task) -> Tally:
    result = BlindTask.objects.get(pk=task.pk).result
    assert result is not None
    return Tally.from_json(result["tally"])


def both_label(team: Team) -> tuple[Task, Task]:
    """Ben does the west first, Cleo the east; both draw the same object over the border."""
    west, east = neighbours(team)
    blind_services.mark(label_set=team.label_set, kind="double", tasks=[west.pk, east.pk], user=team.ana)
    label(team, team.ben, west, east, ACROSS, west=west)
    label(team, team.cleo, east, west, (0.72, 0.4, 0.5), west=west)
    return west, east


def test_it_is_an_object_of_one_cell_and_covers_ground_in_both_whoever_did_which_first(team: Team) -> None:
    west, east = both_label(team)
    assert Answer.objects.count() == 4
    here, there = tally_of(west), tally_of(east)
    assert (here.a, here.b, here.both) == ({1: 1}, {1: 1}, {1: 1})
    assert (there.a, there.b, there.both) == ({}, {}, {})
    assert min(here.areas[1, 1], there.areas[1, 1]) > 0
    # Both said nearly the same on either side: kept in one cell only, the other's ground would be held against it.
    for task in (west, east):
        assert (tally_of(task).figures()["kappa"] or 0) > 0.9


TAKEN: list[tuple[Take, int]] = [("a", 1), ("none", 0)]


@pytest.mark.parametrize(("taken", "stored"), TAKEN)
def test_the_task_settled_first_decides_for_both(team: Team, taken: Take, stored: int) -> None:
    west, east = both_label(team)
    [one] = differences(BlindTask.objects.get(pk=east.pk))
    adjudicate(task=east, user=team.rita, role=Role.REVIEWER, decisions={one.key: Decision(taken)})
    assert differences(BlindTask.objects.get(pk=west.pk)) == []
    assert [blind_selectors.detail(task)["decided_elsewhere"] for task in (west, east)] == [1, 0]
    assert len(differences(BlindTask.objects.get(pk=east.pk))) == 1, "where it was decided it is still seen"
    adjudicate(task=west, user=team.rita, role=Role.REVIEWER, decisions={})
    assert Feature.objects.filter(layer=team.label_set.layer, deleted=False).count() == stored


def test_what_was_decided_on_a_border_goes_along_when_the_imagery_is_moved(team: Team) -> None:
    west, east = neighbours(team)
    blind_services.mark(label_set=team.label_set, kind="double", tasks=[west.pk, east.pk], user=team.ana)
    # Each draws the object anew on the other side of the border: only its place says that it is one.
    for task, x in ((west, ACROSS[0]), (east, ACROSS[0] - 1)):
        for user in (team.ben, team.cleo) if task is west else (team.rita, team.ana):
            held = take(team, user, task.number)
            assert draw(held, user, (x, *ACROSS[1:]))["status"] == "ok"
            finish(held, user)
    [one] = differences(BlindTask.objects.get(pk=west.pk))
    adjudicate(task=west, user=team.ana, role=Role.MANAGER, decisions={one.key: Decision("a")})
    assert differences(BlindTask.objects.get(pk=east.pk)) == []
    wanted = Wanted(east_m=25, north_m=10, note="", version=0, take_along=True)
    offset_services.put(label_set=team.label_set, imagery=team.label_set.imagery, wanted=wanted, user=team.ana)
    assert differences(BlindTask.objects.get(pk=east.pk)) == []
    [first, *others] = [row.geometry.centroid for row in Answer.objects.all()]
    # They were drawn within 6 m of each other, and were moved by 27.
    assert max(first.distance(other) for other in others) < 1e-4


@pytest.mark.django_db(transaction=True)
def test_two_neighbours_settled_at_once_store_it_once() -> None:
    team = make_team()
    tasks = both_label(team)

    def settle(task: Task) -> BlindTask:
        return adjudicate(task=task, user=team.rita, role=Role.REVIEWER, decisions={})

    found = together([partial(settle, task) for task in tasks])
    assert [type(one) for one in found] == [BlindTask, BlindTask], found
    assert Feature.objects.filter(layer=team.label_set.layer, deleted=False).count() == 1


def test_ordinary_tasks_on_sheets_publish_it_once(team: Team) -> None:
    west, east = neighbours(team)
    blind_services.change_settings(label_set=team.label_set, settings=Settings(all_on_sheets=True))
    label(team, team.ben, west, east, ACROSS, west=west)
    assert {task.state for task in Task.objects.filter(pk__in=[west.pk, east.pk])} == {"done"}
    assert Feature.objects.filter(layer=team.label_set.layer, deleted=False).count() == 1


ALIKE = [((0.72, 0.4, 0.5), 1), ((0.8, 0.05, 0.3), 2)]


@pytest.mark.parametrize(("second", "stored"), ALIKE)
def test_two_people_who_draw_the_same_over_a_border_store_it_once(team: Team, second: Square, stored: int) -> None:
    west, east = neighbours(team)
    blind_services.change_settings(label_set=team.label_set, settings=Settings(all_on_sheets=True))
    for user, task, (x, y, side) in ((team.ben, west, ACROSS), (team.cleo, east, second)):
        held = take(team, user, task.number)
        assert draw(held, user, (x if task is west else x - 1, y, side))["status"] == "ok"
        finish(held, user)
    assert Feature.objects.filter(layer=team.label_set.layer, deleted=False).count() == stored


def test_what_one_was_decided_to_be_is_decided_for_the_people_next_door(team: Team) -> None:
    west, east = neighbours(team)
    blind_services.mark(label_set=team.label_set, kind="double", tasks=[west.pk], user=team.ana)
    for user in (team.ben, team.cleo):
        held = take(team, user, west.number)
        assert draw(held, user, ACROSS)["status"] == "ok"
        finish(held, user)
    [one] = differences(BlindTask.objects.get(pk=west.pk))
    adjudicate(task=west, user=team.rita, role=Role.REVIEWER, decisions={one.key: Decision("none")})
    blind_services.mark(label_set=team.label_set, kind="double", tasks=[east.pk], user=team.ana)
    for user in (team.rita, team.ben):
        held = take(team, user, east.number)
        assert draw(held, user, (ACROSS[0] - 1, *ACROSS[1:]))["status"] == "ok"
        finish(held, user)
    # Ben, who drew it there and draws it again, means it; Rita was answered. Of a pair both must be open.
    assert differences(BlindTask.objects.get(pk=east.pk)) == []


def test_the_truth_on_a_border_is_the_truth_of_both_until_the_last_is_lifted(team: Team) -> None:
    west, east = neighbours(team)
    held = take(team, team.rita, west.number)
    assert draw(held, team.rita, ACROSS)["status"] == "ok"
    finish(held, team.rita)
    for task in (west, east):
        blind_services.mark(label_set=team.label_set, kind="truth", tasks=[task.pk], user=team.ana)
    assert Answer.objects.filter(labelling=None).count() == 2
    assert team.rita.pk in BlindTask.objects.get(pk=east.pk).passed, "who drew it does neither"
    label(team, team.ben, west, east, ACROSS, west=west)
    results = {row.blind_id: Tally.from_json((row.result or {})["tally"]) for row in Labelling.objects.all()}
    assert [results[task.pk].figures()["kappa"] for task in (west, east)] == [pytest.approx(1)] * 2
    assert (results[west.pk].both, results[east.pk].both) == ({1: 1}, {})
    living = Feature.objects.filter(layer=team.label_set.layer, deleted=False)
    blind_services.lift(task=west, user=team.ana)
    assert living.count() == 0, "it is still the truth of the other"
    blind_services.lift(task=east, user=team.ana)
    assert living.count() == 1
