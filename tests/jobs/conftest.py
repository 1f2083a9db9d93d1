"""Real worker processes for the tests of the jobs room."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import Settings

from tests.jobs.handlers import KINDS
from webapp.jobs.models import Job

LEASE_S = 3.0


def until(true: Callable[[], bool], *, within_s: float = 90.0) -> None:
    """Return as soon as `true()`; fail after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.05)


def state_of(job: Job) -> str:
    """Return the state as stored."""
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


@pytest.fixture(autouse=True)
def extra_kinds(settings: Settings) -> None:
    """The kinds of the tests, in this process."""
    settings.EXTRA_JOB_KINDS = KINDS
    settings.JOB_LEASE_S = LEASE_S


StartWorker = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(transactional_db: None, own_folders: Path, settings: Settings) -> Iterator[StartWorker]:
    """Start real workers on the test database; all of them are gone after the test."""
    started: list[subprocess.Popen[bytes]] = []
    base = os.environ.get("DATABASE_URL") or django_settings.DATABASE_URL
    environment = {
        **os.environ,
        "DATABASE_URL": base.rsplit("/", 1)[0] + "/" + str(connection.settings_dict["NAME"]),
        "QUADRAT_SECRET_KEY": settings.SECRET_KEY,
        "QUADRAT_SCRATCH_DIR": str(settings.SCRATCH_DIR),
        "QUADRAT_EXTRA_JOB_KINDS": ",".join(f"{kind}={path}" for kind, path in KINDS.items()),
        "QUADRAT_JOB_LEASE_S": str(LEASE_S),
        "QUADRAT_JOB_GRACE_S": "3",
    }

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(django_settings.BASE_DIR / "manage.py"), "worker", *arguments]
        process = subprocess.Popen(command, env=environment, cwd=django_settings.BASE_DIR)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
    for process in started:
        process.wait(timeout=30)
