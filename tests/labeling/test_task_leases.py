"""Leases: one task for one person, fencing tokens, and 32 people at once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.gis.geos import Point
from django.db import connection

from labeling import task_leases, task_services
from labeling.models import Task, TaskEvent
from labeling.task_choice import Place
from labeling.task_states import LeaseLost, NoteUnread
from tests.factories import make_user
from tests.labeling.tasks import Team, let_expire, make_team
from webapp.errors import Conflict, Denied, Invalid
from webapp.projects.models import Member, Role, User


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


def take(team: Team, user: User, role: Role = Role.LABELER, **options: Any) -> Task:
    found = task_leases.next_task(label_set=team.label_set, user=user, role=role, **options)
    assert found is not None
    return found


def finish(team: Team, user: User) -> Task:
    held = take(team, user)
    return task_leases.finish(task=held, user=user, role=Role.LABELER, token=held.token)


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    """Return what the calls return or raise, all begun at once on threads with connections of their own."""
    barrier, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(at: int, call: Callable[[], Any]) -> None:
        barrier.wait(timeout=30)
        try:
            answers[at] = call()
        except Conflict as error:
            answers[at] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


def test_next_gives_the_nearest_and_holds_it(team: Team) -> None:
    target = Task.objects.get(number=5)
    held = take(team, team.ben, place=Place(target.centre.x, target.centre.y))
    assert (held.number, held.state, held.holder, held.token) == (5, "in_progress", team.ben, 1)
    assert held.lease_until is not None
    again = take(team, team.ben)
    assert (again.pk, again.token) == (held.pk, 1), "a page that is loaded again goes on with its task"
    other = take(team, team.cleo, place=Place(target.centre.x, target.centre.y))
    assert other.pk != held.pk


def test_next_by_priority_and_by_uncertainty(team: Team) -> None:
    Task.objects.filter(number=7).update(priority=5)
    Task.objects.filter(number=3).update(uncertainty=0.9)
    Task.objects.filter(number=4).update(uncertainty=0.2)
    assert take(team, team.ben, order="priority").number == 7
    assert take(team, team.cleo, order="uncertainty").number == 3


def test_assigned_tasks_come_first_and_are_nobody_elses(team: Team) -> None:
    for task in Task.objects.exclude(number=9):
        task_services.assign(task=task, user=team.rita, role=Role.REVIEWER, to=team.cleo)
    assert take(team, team.ben).number == 9
    assert take(team, team.cleo).assigned_to == team.cleo
    with pytest.raises(Denied, match="somebody else"):
        task_leases.claim(task=Task.objects.get(number=8), user=make_user("ben"), role=Role.LABELER)


def test_what_one_skips_goes_to_others_last(team: Team) -> None:
    held = take(team, team.ben)
    task_leases.skip(task=held, user=team.ben, role=Role.LABELER, token=held.token, note="clouds")
    Task.objects.exclude(pk=held.pk).update(assigned_to=team.rita)
    assert task_leases.next_task(label_set=team.label_set, user=team.ben, role=Role.LABELER) is None
    assert take(team, team.cleo).pk == held.pk


def test_an_ended_lease_is_reissued_and_the_old_token_refused(team: Team) -> None:
    held = take(team, team.ben)
    let_expire(held)
    new = task_leases.claim(task=held, user=team.cleo, role=Role.LABELER)
    assert (new.holder, new.token) == (team.cleo, held.token + 1)
    for call in (task_leases.finish, task_leases.skip, task_leases.release, task_leases.acknowledge):
        with pytest.raises(LeaseLost) as caught:
            call(task=held, user=team.ben, role=Role.LABELER, token=held.token)
        assert caught.value.code == "lease_lost"
    with pytest.raises(LeaseLost):
        task_leases.heartbeat(task=held, user=team.ben, token=held.token)
    # Not by a token that is right but somebody else's, either.
    with pytest.raises(LeaseLost):
        task_leases.heartbeat(task=held, user=team.ben, token=new.token)
    actions = TaskEvent.objects.filter(task=held).order_by("seq").values_list("action", "actor__username")
    assert list(actions) == [("create", "ana"), ("claim", "ben"), ("expire", "ben"), ("claim", "cleo")]


def test_an_ended_lease_that_nobody_took_goes_on(team: Team) -> None:
    held = take(team, team.ben)
    let_expire(held)
    task_leases.heartbeat(task=held, user=team.ben, token=held.token)
    with pytest.raises(Conflict, match="working on this task"):
        task_leases.claim(task=held, user=team.cleo, role=Role.LABELER)


def test_one_person_holds_one_task(team: Team) -> None:
    held = take(team, team.ben)
    other = Task.objects.exclude(pk=held.pk).first()
    assert other is not None
    with pytest.raises(Conflict) as caught:
        task_leases.claim(task=other, user=team.ben, role=Role.LABELER)
    assert caught.value.code == "holds_another"
    let_expire(held)
    task_leases.claim(task=other, user=team.ben, role=Role.LABELER)
    held.refresh_from_db()
    assert (held.state, held.holder) == ("todo", None)


def test_review_returns_with_a_note_that_must_be_read(team: Team) -> None:
    done = finish(team, team.ben)
    assert (done.state, done.done_by, done.holder) == ("done", team.ben, None)
    seen = take(team, team.rita, Role.REVIEWER, purpose="review")
    assert (seen.pk, seen.state, seen.holder) == (done.pk, "done", team.rita)
    with pytest.raises(Invalid, match="no note"):
        task_services.return_task(task=seen, user=team.rita, role=Role.REVIEWER, note=" ")
    task_services.return_task(task=seen, user=team.rita, role=Role.REVIEWER, note="The roofs in the north are missing")
    # It comes back to who did it, before anything else, also what is kept for the same person and nearer.
    near = Task.objects.exclude(pk=done.pk).order_by("number").last()
    assert near is not None
    task_services.assign(task=near, user=team.ana, role=Role.OWNER, to=team.ben)
    again = take(team, team.ben, place=Place(near.centre.x, near.centre.y))
    assert (again.pk, again.must_read, again.note) == (done.pk, True, "The roofs in the north are missing")
    with pytest.raises(NoteUnread):
        task_leases.finish(task=again, user=team.ben, role=Role.LABELER, token=again.token)
    task_leases.acknowledge(task=again, user=team.ben, role=Role.LABELER, token=again.token)
    given_back = task_leases.release(task=again, user=team.ben, role=Role.LABELER, token=again.token)
    assert given_back.state == "returned"
    again = take(team, team.ben)
    assert again.must_read, "who takes it next reads it too"
    task_leases.acknowledge(task=again, user=team.ben, role=Role.LABELER, token=again.token)
    done = task_leases.finish(task=again, user=team.ben, role=Role.LABELER, token=again.token)
    approved = task_services.approve(task=done, user=team.rita, role=Role.REVIEWER)
    assert (approved.state, approved.reviewed_by, approved.note) == ("approved", team.rita, "")


def test_own_work_is_approved_by_others_or_a_manager(team: Team) -> None:
    done = finish(team, team.rita)
    with pytest.raises(Denied, match="own work"):
        task_services.approve(task=done, user=team.rita, role=Role.REVIEWER)
    other = finish(team, team.ben)
    assert take(team, team.rita, Role.REVIEWER, purpose="review").pk == other.pk
    done = finish(team, team.ana)
    assert task_services.approve(task=done, user=team.ana, role=Role.OWNER).state == "approved"


def test_a_task_can_be_taken_away_and_given_to_somebody_else(team: Team) -> None:
    held = take(team, team.ben)
    task_services.assign(task=held, user=team.rita, role=Role.REVIEWER, to=team.cleo)
    with pytest.raises(LeaseLost):
        task_leases.heartbeat(task=held, user=team.ben, token=held.token)
    assert take(team, team.cleo).pk == held.pk
    with pytest.raises(Invalid, match="cannot label"):
        task_services.assign(task=held, user=team.rita, role=Role.REVIEWER, to=make_user("mallory"))
    task_services.take_away(task=held, user=team.rita, role=Role.REVIEWER)
    held.refresh_from_db()
    assert (held.state, held.holder) == ("todo", None)


def test_a_split_leaves_four_parts_and_ends_the_lease(team: Team) -> None:
    held = take(team, team.ben)
    with pytest.raises(LeaseLost):
        task_services.split(task=held, user=team.cleo, role=Role.LABELER, token=held.token)
    with pytest.raises(Denied):
        task_services.split(task=held, user=team.cleo, role=Role.LABELER, token=None)
    with pytest.raises(Conflict, match="working on"):
        task_services.split(task=held, user=team.rita, role=Role.REVIEWER, token=None)
    parts = task_services.split(task=held, user=team.ben, role=Role.LABELER, token=held.token)
    assert sorted(part.number for part in parts) == [10, 11, 12, 13]
    assert sum(part.geometry.area for part in parts) == pytest.approx(held.geometry.area)
    with pytest.raises(LeaseLost):
        task_leases.heartbeat(task=held, user=team.ben, token=held.token)
    numbers = []
    Task.objects.filter(number__lte=9).update(assigned_to=team.rita)
    for name in ("ben", "cleo"):
        numbers.append(take(team, make_user(name)).number)
    assert set(numbers) <= {10, 11, 12, 13}


@pytest.mark.django_db(transaction=True)
def test_thirty_two_people_get_thirty_two_tasks() -> None:
    team = make_team(160)
    assert Task.objects.count() >= 32
    people = [make_user(f"worker{n}") for n in range(32)]
    Member.objects.bulk_create(Member(project=team.label_set.project, user=user, role=Role.LABELER) for user in people)
    place = Place(*Task.objects.get(number=20).centre.coords)
    answers = together([lambda user=user: take(team, user, place=place) for user in people])  # type: ignore[misc]
    assert len({task.pk for task in answers}) == 32
    assert sorted(task.holder_id for task in answers) == sorted(user.pk for user in people)
    numbers = list(TaskEvent.objects.order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(1, len(numbers) + 1)), "gapless"


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_who_want_one_task_one_gets_it_and_a_double_click_takes_one() -> None:
    team = make_team()
    [task] = Task.objects.filter(number=1)
    people = [make_user(f"worker{n}") for n in range(16)]
    answers = together(
        [lambda user=user: task_leases.claim(task=task, user=user, role=Role.LABELER) for user in people]  # type: ignore[misc]
    )
    won = [answer for answer in answers if isinstance(answer, Task)]
    assert len(won) == 1
    assert {answer.code for answer in answers if isinstance(answer, Conflict)} == {"task_held"}
    let_expire(task)
    both = together([lambda: take(team, team.ben)] * 4)
    assert len({answer.pk for answer in both}) == 1
    assert Task.objects.filter(holder=team.ben).count() == 1


def test_nearness_is_on_the_ground(team: Team) -> None:
    # At 60 degrees north a degree of longitude is half as far as one of latitude.
    Task.objects.exclude(number__in=[1, 2]).delete()
    Task.objects.filter(number=1).update(centre=Point(10, 60.3, srid=4326))
    Task.objects.filter(number=2).update(centre=Point(10.5, 60, srid=4326))
    assert take(team, team.ben, place=Place(10, 60)).number == 2
