"""What every test shares: where the sample data lies, users with roles, a project."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker, Settings

from tests.emptying import empty
from tests.held_writes import watched
from webapp.projects.middleware import AccessMiddleware

# Two cores are all a test machine has.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "2")
# PyTorch's threads would wait for each other by spinning: beside other busy processes a forward pass takes ten times
# as long, and as much processor time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# How long an example takes says something about the machine, not about the code.
hypothesis.settings.register_profile("quadrat", deadline=None)
hypothesis.settings.load_profile("quadrat")

DATA = Path(os.environ.get("QUADRAT_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real sample imagery; tests that need it skip where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"sample data not found at {DATA}; set QUADRAT_TEST_DATA to its folder")
    return DATA


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> Path:
    """Every test writes into a folder of its own."""
    for name in ("MEDIA_DIR", "QUARANTINE_DIR", "SCRATCH_DIR"):
        folder = tmp_path / "site" / name.lower()
        folder.mkdir(parents=True)
        setattr(settings, name, folder)
    return tmp_path / "site"


class QuickArgon2(Argon2PasswordHasher):
    """The site's own algorithm at its least cost: a guess of a test costs no tenth of a second and no 100 MB."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Passwords of the tests are hashed quickly."""
    settings.PASSWORD_HASHERS = [f"{__name__}.{QuickArgon2.__name__}"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """As pytest-django's; at the end, connections of threads and processes that a test left behind are closed."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session", autouse=True)
def quick_emptying() -> Iterator[None]:
    """The tables are emptied quickly after each test that commits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty())
        yield


@pytest.fixture(scope="session", autouse=True)
def held_writes() -> Iterator[None]:
    """No request of any test writes to a project whose caller's role is not held."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AccessMiddleware, "__call__", watched(AccessMiddleware.__call__))
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded as `table`, whichever process ran them."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "table":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(str(text))
