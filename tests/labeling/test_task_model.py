"""Random walks over tasks: states, leases and history always fit together."""

import contextlib
from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from labeling import task_leases, task_services
from labeling.models import Task, TaskEvent
from labeling.task_states import TRANSITIONS
from tests.labeling.tasks import Team, let_expire, make_team
from tests.machines import walks
from webapp.errors import QuadratError
from webapp.projects.models import Role, User

PEOPLE = st.sampled_from(["ben", "cleo", "rita"])
ROLES = {"ben": Role.LABELER, "cleo": Role.LABELER, "rita": Role.REVIEWER}
NUMBERS = st.integers(1, 8)


class Walk(RuleBasedStateMachine):
    """What two labelers and a reviewer may do in any order, with old tokens too."""

    team: Team

    def __init__(self) -> None:
        super().__init__()
        TaskEvent.objects.all().delete()
        Task.objects.all().delete()
        self.team.label_set.task_seq = 0
        self.team.label_set.save(update_fields=["task_seq"])
        make = task_services.create_grid
        make(label_set=self.team.label_set, request=task_services.GridRequest("metres", 700), user=self.team.ana)
        self.tokens: dict[object, int] = {}

    def user(self, name: str) -> User:
        found: User = getattr(self.team, name)
        return found

    def do(self, call: object, **values: object) -> None:
        # Refusals are typed; anything else is a bug.
        with contextlib.suppress(QuadratError):
            call(**values)  # type: ignore[operator]

    def task(self, number: int) -> Task | None:
        return Task.objects.filter(number=number).first()

    @rule(name=PEOPLE, purpose=st.sampled_from(["label", "review"]))
    def next(self, name: str, purpose: str) -> None:
        user = self.user(name)
        self.do(task_leases.next_task, label_set=self.team.label_set, user=user, role=ROLES[name], purpose=purpose)

    @rule(name=PEOPLE, number=NUMBERS, purpose=st.sampled_from(["label", "review"]))
    def claim(self, name: str, number: int, purpose: str) -> None:
        if task := self.task(number):
            self.do(task_leases.claim, task=task, user=self.user(name), role=ROLES[name], purpose=purpose)

    @rule(
        name=PEOPLE,
        number=NUMBERS,
        behind=st.integers(0, 1),
        what=st.sampled_from(["finish", "skip", "release", "acknowledge"]),
    )
    def hold(self, name: str, number: int, behind: int, what: str) -> None:
        if task := self.task(number):
            values = {"task": task, "user": self.user(name), "role": ROLES[name], "token": task.token - behind}
            self.do(getattr(task_leases, what), **values)

    @rule(name=PEOPLE, number=NUMBERS, what=st.sampled_from(["approve", "return_task", "reopen", "take_away"]))
    def review(self, name: str, number: int, what: str) -> None:
        if task := self.task(number):
            note = {"note": "more"} if what == "return_task" else {}
            self.do(getattr(task_services, what), task=task, user=self.user(name), role=ROLES[name], **note)

    @rule(number=NUMBERS, to=st.sampled_from(["ben", "cleo", None]))
    def assign(self, number: int, to: str | None) -> None:
        if task := self.task(number):
            person = None if to is None else self.user(to)
            self.do(task_services.assign, task=task, user=self.team.rita, role=Role.REVIEWER, to=person)

    @rule(name=PEOPLE, number=NUMBERS)
    def split(self, name: str, number: int) -> None:
        if (task := self.task(number)) and Task.objects.count() < 12:
            token = task.token if task.holder_id == self.user(name).pk else None
            self.do(task_services.split, task=task, user=self.user(name), role=ROLES[name], token=token)

    @rule(number=NUMBERS)
    def expire(self, number: int) -> None:
        if (task := self.task(number)) and task.lease_until:
            let_expire(task)

    @invariant()
    def history_tells_the_state(self) -> None:
        events = list(TaskEvent.objects.order_by("seq"))
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        states: dict[object, str] = {}
        for event in events:
            assert event.from_state == states.get(event.task_id, ""), event
            states[event.task_id] = event.to_state
            row = TRANSITIONS.get(event.action)
            if row is not None and event.from_state != event.to_state and event.to_state != "split":
                assert event.from_state in row.sources
                assert row.target in (None, event.to_state)
        for task in Task.objects.all():
            assert states[task.pk] == ("split" if task.split else task.state)

    @invariant()
    def leases_are_sound(self) -> None:
        held: Counter[int] = Counter()
        for task in Task.objects.all():
            assert task.token >= self.tokens.get(task.pk, 0), "tokens only rise"
            self.tokens[task.pk] = task.token
            assert (task.holder_id is None) == (task.lease_until is None)
            assert (task.holder_id is not None) == (task.state == "in_progress") or task.state == "done"
            assert not (task.split and task.holder_id)
            if task.holder_id:
                held[task.holder_id] += 1
        assert all(count == 1 for count in held.values()), "one task a person"


@pytest.mark.django_db
def test_random_walks_keep_tasks_whole() -> None:
    Walk.team = make_team(0)
    run_state_machine_as_test(
        Walk,
        settings=walks(6, 25),
    )
