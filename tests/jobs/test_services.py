"""The life of a job."""

import ast
import inspect
import threading
import uuid
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from tests.factories import make_project, make_user
from webapp.errors import Conflict, Invalid, TooMany
from webapp.jobs import services
from webapp.jobs.context import JobContext, scratch_folder
from webapp.jobs.models import Job, JobEvent
from webapp.jobs.registry import KINDS
from webapp.jobs.runner import run_now

pytestmark = pytest.mark.django_db


def queued(kind: str = "count", **values: object) -> Job:
    spec = values.pop("spec", {"steps": 3})
    project = values.pop("project", None) or make_project()
    return services.enqueue(project=project, kind=kind, spec=spec, user=None, title="Test", **values)  # type: ignore[arg-type]


def claimed(job: Job) -> tuple[Job, uuid.UUID]:
    found = services.claim(worker="test", lanes=["heavy", "light"], job_id=job.pk)
    assert found is not None
    assert found.token is not None
    return found, found.token


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))


def test_a_job_runs_and_keeps_its_result_and_log() -> None:
    job = run_now(queued())
    assert (job.state, job.progress, job.result["steps"]) == ("succeeded", 1.0, 3)
    assert job.token is None
    assert job.finished_at is not None
    assert job.started_at is not None
    assert [event.seq for event in job.events.all()] == list(range(1, job.seq + 1))
    assert "counted 3" in [event.text for event in job.events.all()]
    assert not scratch_folder(job.pk).exists()


def test_an_unknown_kind_is_refused_when_it_is_queued() -> None:
    with pytest.raises(Invalid, match="no kind of job 'nonsense'"):
        queued("nonsense")


def test_a_project_cannot_flood_the_queue(settings: Settings) -> None:
    settings.JOB_MAX_UNFINISHED = 2
    project = make_project()
    first = queued(project=project)
    queued(project=project)
    with pytest.raises(TooMany):
        queued(project=project)
    services.cancel(job=first, user=None)
    queued(project=project)


def test_the_highest_priority_goes_first_then_the_oldest_and_only_in_lanes_with_room() -> None:
    plain, urgent, light = queued(), queued(priority=5), queued(lane="light", priority=9)
    order = [services.claim(worker="w", lanes=["heavy"]) for _ in range(3)]
    assert [job and job.pk for job in order] == [urgent.pk, plain.pk, None]
    last = services.claim(worker="w", lanes=["light"])
    assert last is not None
    assert last.pk == light.pk


def test_a_refused_job_fails_with_the_error_and_is_not_tried_again() -> None:
    job = run_now(queued("refuse"))
    assert (job.state, job.error_code, job.attempt) == ("failed", "no_bands", 1)
    assert (job.error_message, job.error_fix) == ("The scene has no bands.", "Take another scene.")


def test_a_broken_job_fails_with_its_traceback_in_the_log() -> None:
    job = run_now(queued("break"))
    assert (job.state, job.error_code) == ("failed", "internal")
    assert any("ZeroDivisionError" in event.text and "handlers.py" in event.text for event in job.events.all())


def test_a_stale_token_can_write_nothing() -> None:
    job, token = claimed(queued())
    zombie = JobContext(job)
    expire(job)
    assert services.reap() == 1
    second, _ = claimed(job)
    assert second.attempt == 2
    for act in (
        lambda: services.heartbeat(job_id=job.pk, token=token),
        lambda: services.check(job_id=job.pk, token=token),
        lambda: services.finish(job_id=job.pk, token=token, result={}),
        lambda: services.fail(job_id=job.pk, token=token, error=Invalid("x")),
        lambda: services.release(job_id=job.pk, token=token),
        lambda: services.lose(job_id=job.pk, token=token, reason="x"),
        lambda: services.acknowledge_cancel(job_id=job.pk, token=token),
        lambda: zombie.log("x"),
        lambda: zombie.progress(0.9, "x"),
        lambda: zombie.guard().__enter__(),
        lambda: zombie.publish().__enter__(),
    ):
        with pytest.raises(services.LeaseLost):
            act()
    second.refresh_from_db()
    assert (second.state, second.attempt) == ("running", 2)


def test_a_write_under_a_token_that_was_lost_is_rolled_back() -> None:
    job, _ = claimed(queued())
    context = JobContext(job)
    expire(job)
    services.reap()
    with pytest.raises(services.LeaseLost), context.guard():
        JobEvent.objects.create(job=job, seq=999, text="never")
    assert not JobEvent.objects.filter(seq=999).exists()


def test_a_lease_that_is_renewed_is_not_reaped() -> None:
    job, token = claimed(queued())
    expire(job)
    services.heartbeat(job_id=job.pk, token=token)
    assert services.reap() == 0


@pytest.mark.django_db(transaction=True)
def test_a_job_that_stores_for_longer_than_its_lease_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CANCEL_WAIT_MS", 100)
    running, token = claimed(queued())
    expire(running)
    storing, beaten = threading.Event(), threading.Event()

    def store() -> None:
        try:
            with services.publish(job_id=running.pk, token=token):
                storing.set()
                assert beaten.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=store)
    thread.start()
    assert storing.wait(10)
    # Neither waits for the lock: a worker whose beat hangs would kill the process that stores.
    assert services.heartbeat(job_id=running.pk, token=token) is False
    assert services.reap() == 0
    with pytest.raises(Conflict, match="publishing its result"):
        services.cancel(job=running, user=None)
    beaten.set()
    thread.join(10)
    assert services.reap() == 0, "its end renewed the lease"
    running.refresh_from_db()
    assert running.state == "publishing"


def test_a_job_lost_three_times_fails_and_says_where() -> None:
    job = queued()
    for _ in range(3):
        running, token = claimed(job)
        services.report(job_id=job.pk, token=token, fraction=0.42, message="block 17")
        expire(running)
        services.reap()
    job.refresh_from_db()
    assert (job.state, job.error_code, job.attempt) == ("failed", "worker_lost", 3)
    assert "block 17" in job.error_message
    assert "42 %" in job.error_message
    assert services.claim(worker="w", lanes=["heavy"]) is None


def test_a_released_job_does_not_count_the_attempt() -> None:
    job, token = claimed(queued())
    services.release(job_id=job.pk, token=token)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.token) == ("queued", 0, None)


def test_an_attempt_under_which_the_database_went_away_does_not_count_until_it_looks_like_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "MOST_INTERRUPTIONS", 2)
    job = queued()
    for attempt, interruptions in ((0, 1), (0, 2), (1, 2)):
        running, token = claimed(job)
        services.interrupt(job_id=running.pk, token=token)
        job.refresh_from_db()
        assert (job.state, job.attempt, job.interruptions) == ("queued", attempt, interruptions)


def test_a_lease_that_ended_while_the_database_was_down_is_not_reaped_at_once(settings: Settings) -> None:
    running, _ = claimed(queued())
    expire(running)
    settings.JOB_LEASE_S = 10 * 86400.0  # longer than the database of a test is up
    assert services.reap() == 0
    settings.JOB_LEASE_S = 1.0
    assert services.reap() == 1


def test_cancel_ends_a_queued_job_at_once_and_a_running_one_at_its_next_look() -> None:
    waiting = services.cancel(job=queued(), user=make_user())
    assert waiting.state == "cancelled"
    running, token = claimed(queued())
    assert services.cancel(job=running, user=make_user()).state == "running"
    assert services.heartbeat(job_id=running.pk, token=token) is True
    with pytest.raises(services.JobCancelled):
        JobContext(running).check()
    with pytest.raises(services.JobCancelled):
        JobContext(running).progress(0.5)
    with pytest.raises(services.JobCancelled):
        JobContext(running).publish().__enter__()


def test_cancel_twice_is_one_cancel_and_a_finished_job_stays_finished() -> None:
    job = queued()
    services.cancel(job=job, user=None)
    assert services.cancel(job=job, user=None).state == "cancelled"
    done = run_now(queued())
    assert services.cancel(job=done, user=None).state == "succeeded"


def test_a_job_that_publishes_can_no_longer_be_cancelled() -> None:
    job, _ = claimed(queued())
    with JobContext(job).publish():
        pass
    with pytest.raises(Conflict):
        services.cancel(job=job, user=None)


def test_a_job_that_has_published_neither_fails_nor_is_cancelled_however_often_its_process_dies() -> None:
    job = queued()
    for number in range(4):
        running, _ = claimed(job)
        if number == 0:
            with JobContext(running).publish():
                pass
        expire(running)
        services.reap()
        with pytest.raises(Conflict):
            services.cancel(job=job, user=None)
    running, token = claimed(job)
    services.finish(job_id=job.pk, token=token, result={})
    running.refresh_from_db()
    assert (running.state, running.attempt) == ("succeeded", 1)


def test_what_has_published_is_not_run_again_and_ends_with_the_result_that_it_published() -> None:
    job = queued()
    running, token = claimed(job)
    with JobContext(running).publish() as row:
        row.result = {"package": "one"}
    services.release(job_id=job.pk, token=token)  # a worker that shuts down right then
    done = run_now(Job.objects.get(pk=job.pk))
    # Its function would have counted three steps.
    assert (done.state, done.result) == ("succeeded", {"package": "one"})


def test_what_has_published_and_then_dies_has_succeeded() -> None:
    running, _ = claimed(queued())
    with JobContext(running).publish() as row:
        row.result = {"package": "one"}
    expire(running)
    services.reap()
    running.refresh_from_db()
    assert (running.state, running.result, running.progress) == ("succeeded", {"package": "one"}, 1.0)


def test_what_has_published_and_then_breaks_has_succeeded_and_its_log_says_what_broke() -> None:
    running, token = claimed(queued())
    with JobContext(running).publish() as row:
        row.result = {"package": "one"}
    services.fail(job_id=running.pk, token=token, error=Invalid("The disk is full.", code="storage_full"))
    running.refresh_from_db()
    assert (running.state, running.result, running.error_code) == ("succeeded", {"package": "one"}, "")
    assert [(e.level, e.text) for e in running.events.filter(level="warning")] == [
        ("warning", "The result was stored; then: The disk is full.")
    ]


def test_what_was_rolled_back_was_not_published() -> None:
    running, token = claimed(queued())

    def break_while_publishing() -> None:
        with JobContext(running).publish() as row:
            row.result = {"package": "one"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_while_publishing()
    services.fail(job_id=running.pk, token=token, error=Invalid("It broke.", code="internal"))
    running.refresh_from_db()
    assert (running.state, running.result) == ("failed", {})


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_job_publishes_its_result_with_what_it_made(kind: str) -> None:
    """By its source: what it publishes without its result would be made once more by an attempt after it."""
    module = KINDS[kind].partition(":")[0]
    tree = ast.parse(inspect.getsource(import_module(module)))
    for block in [node for node in ast.walk(tree) if isinstance(node, ast.With)]:
        published = [ast.unparse(item.context_expr) for item in block.items]
        if "context.publish()" in published:
            assert "job.result" in ast.unparse(block), f"{module}, line {block.lineno}"


def test_a_cancelled_job_whose_worker_died_is_cancelled_not_retried() -> None:
    job, _ = claimed(queued())
    services.cancel(job=job, user=None)
    expire(job)
    services.reap()
    job.refresh_from_db()
    assert job.state == "cancelled"


@pytest.mark.parametrize("values", [{"state": "queued"}, {"result": {"other": 1}}, {"error_code": "x"}, {"attempt": 9}])
def test_the_database_refuses_to_change_a_finished_job(values: dict[str, object]) -> None:
    job = run_now(queued())
    with pytest.raises(DatabaseError, match="finished"), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**values)


def test_the_database_refuses_to_change_a_line_of_a_log() -> None:
    job = run_now(queued())
    with pytest.raises(DatabaseError, match="only ever inserted"), transaction.atomic():
        job.events.update(text="it never happened")


def test_a_long_log_is_cut(settings: Settings) -> None:
    settings.JOB_LOG_MAX_LINES = 5
    job, _ = claimed(queued())
    for number in range(10):
        JobContext(job).log(str(number))
    assert job.events.count() == 5
