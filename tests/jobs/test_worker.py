"""Real workers: killed, frozen, stopped, in twos."""

import os
import signal
from pathlib import Path

import psycopg2
import pytest

from tests.factories import make_project
from tests.jobs.conftest import LEASE_S, StartWorker, state_of, until
from webapp.jobs import services
from webapp.jobs.context import scratch_folder
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


def queued(kind: str, **spec: object) -> Job:
    return services.enqueue(project=make_project(), kind=kind, spec=spec, user=None, title="Test")


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def pid_in(file: Path) -> int:
    until(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


def texts(job: Job) -> str:
    return "\n".join(job.events.values_list("text", flat=True))


def test_a_worker_runs_what_is_queued_each_in_a_process_of_its_own_and_ends_when_asked(
    start_worker: StartWorker,
) -> None:
    jobs = [queued("count", steps=2), queued("refuse"), queued("break")]
    worker = start_worker("--once", "--heavy", "2")
    assert worker.wait(timeout=180) == 0
    assert [state_of(job) for job in jobs] == ["succeeded", "failed", "failed"]
    assert "ZeroDivisionError" in texts(jobs[2])
    assert not scratch_folder(jobs[0].pk).exists()


def test_a_job_whose_process_is_killed_is_tried_again_at_once(start_worker: StartWorker) -> None:
    job = queued("die", deaths=1)
    assert start_worker("--once").wait(timeout=180) == 0
    job.refresh_from_db()
    assert (job.state, job.attempt, job.result) == ("succeeded", 2, {"attempt": 2})
    assert "SIGKILL" in texts(job)


def test_a_job_whose_process_is_killed_three_times_fails_as_lost(start_worker: StartWorker) -> None:
    job = queued("die", deaths=9)
    assert start_worker("--once").wait(timeout=180) == 0
    job.refresh_from_db()
    assert (job.state, job.error_code, job.attempt) == ("failed", "worker_lost", 3)
    assert "died 3 times" in job.error_message
    assert job.error_fix
    assert not scratch_folder(job.pk).exists()


def test_a_killed_worker_takes_its_child_along_and_another_worker_goes_on(start_worker: StartWorker) -> None:
    job = queued("count", steps=40, seconds=0.1)
    first = start_worker()
    until(lambda: Job.objects.filter(pk=job.pk, progress__gt=0.1).exists())
    children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
    first.kill()
    first.wait()
    until(lambda: not any(alive(int(pid)) for pid in children), within_s=30)
    assert state_of(job) == "running"
    start_worker()
    until(lambda: state_of(job) == "succeeded", within_s=90 + LEASE_S)
    job.refresh_from_db()
    assert job.attempt == 2
    assert job.result["steps"] == 40
    assert job.result["started_at"] > 0, "the second attempt went on from what the first had stored"


def test_a_worker_frozen_beyond_its_lease_publishes_nothing(start_worker: StartWorker) -> None:
    job = queued("count", steps=30, seconds=0.1)
    first = start_worker()
    until(lambda: Job.objects.filter(pk=job.pk, progress__gt=0.1).exists())
    children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
    for pid in (first.pid, *map(int, children)):
        os.kill(pid, signal.SIGSTOP)
    start_worker()
    until(lambda: state_of(job) == "succeeded", within_s=90 + 3 * LEASE_S)
    job.refresh_from_db()
    seq, result = job.seq, job.result
    for pid in (*map(int, children), first.pid):
        os.kill(pid, signal.SIGCONT)
    until(lambda: not any(alive(int(pid)) for pid in children), within_s=30)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.seq, job.result) == ("succeeded", 2, seq, result)


def test_a_worker_frozen_while_it_locks_the_job_cannot_keep_it(start_worker: StartWorker, tmp_path: Path) -> None:
    job = queued("freeze", pid_file=str(tmp_path / "pid"))
    first = start_worker()
    pid = pid_in(tmp_path / "pid")
    start_worker()
    until(lambda: state_of(job) == "succeeded", within_s=90 + 5 * LEASE_S)
    os.kill(pid, signal.SIGCONT)
    os.kill(first.pid, signal.SIGCONT)
    until(lambda: not alive(pid), within_s=30)
    job.refresh_from_db()
    assert (job.state, job.result) == ("succeeded", {"attempt": 2})


def test_a_running_job_stops_within_seconds_of_a_cancel(start_worker: StartWorker, tmp_path: Path) -> None:
    job = queued("wait", pid_file=str(tmp_path / "pid"))
    start_worker()
    pid = pid_in(tmp_path / "pid")
    services.cancel(job=job, user=None)
    # Two seconds on an idle machine; the tests' other processes are on this one too.
    until(lambda: state_of(job) == "cancelled", within_s=5)
    until(lambda: not alive(pid), within_s=5)


def test_a_job_that_ignores_a_cancel_is_killed_after_the_grace(start_worker: StartWorker, tmp_path: Path) -> None:
    job = queued("deaf", pid_file=str(tmp_path / "pid"))
    start_worker()
    pid = pid_in(tmp_path / "pid")
    services.cancel(job=job, user=None)
    until(lambda: state_of(job) == "cancelled", within_s=45)
    assert not alive(pid)


def test_a_worker_that_is_asked_to_stop_gives_its_job_back_uncounted(start_worker: StartWorker, tmp_path: Path) -> None:
    job = queued("wait", pid_file=str(tmp_path / "pid"))
    worker = start_worker()
    pid = pid_in(tmp_path / "pid")
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("queued", 0)
    assert not alive(pid)


def test_two_workers_never_run_one_job_twice(start_worker: StartWorker) -> None:
    jobs = [queued("count", steps=1) for _ in range(8)]
    workers = [start_worker("--once", "--heavy", "2") for _ in range(2)]
    assert [worker.wait(timeout=240) for worker in workers] == [0, 0]
    for job in jobs:
        job.refresh_from_db()
        assert (job.state, job.attempt) == ("succeeded", 1)
        assert texts(job).count("started on") == 1
        assert texts(job).count("counted") == 1


def test_a_worker_outlives_a_database_that_drops_its_connections(start_worker: StartWorker, settings: object) -> None:
    worker = start_worker()
    first = queued("count", steps=1)
    until(lambda: state_of(first) == "succeeded")
    _drop_other_connections()
    second = queued("count", steps=1)
    until(lambda: state_of(second) == "succeeded")
    assert worker.poll() is None


def test_a_job_under_which_the_database_goes_away_keeps_its_attempts(start_worker: StartWorker, tmp_path: Path) -> None:
    start_worker()
    job = queued("wait", pid_file=str(tmp_path / "pid"))
    first = pid_in(tmp_path / "pid")
    (tmp_path / "pid").unlink()
    _drop_other_connections()
    second = pid_in(tmp_path / "pid")
    job.refresh_from_db()
    assert (first != second, job.state, job.attempt, job.interruptions) == (True, "running", 1, 1)
    assert "The database went away" in texts(job)


def _drop_other_connections() -> None:
    from django.db import connections

    parameters = connections["default"].get_connection_params()
    parameters.pop("cursor_factory", None)
    own = psycopg2.connect(**parameters)
    with own.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
    own.close()
    connections["default"].close()
