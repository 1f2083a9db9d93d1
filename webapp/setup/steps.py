"""What the commands of the Makefile do, step by step."""

import fcntl
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from webapp.setup import cluster, machine, stamps, tools, vault
from webapp.setup.place import (
    FRONTEND,
    PYTHON,
    ROOT,
    SITE_LOCK,
    VAR,
    VENV,
    SetupError,
    environment,
    own_database,
)
from webapp.setup.shell import run, say, step

STOP_TIMEOUT_S = 40.0
ROOMS = ("webapp", "labeling", "training", "inference")


def prepare(*, tests: bool) -> None:
    """Install what is missing and build what is out of date; a set-up machine passes in a moment."""
    machine.check_room()
    vault.ensure("QUADRAT_SECRET_KEY", "QUADRAT_DEMO_PASSWORD")
    machine.install_packages(tests=tests)
    tools.ensure_python()
    tools.ensure_node_modules()


def start_site() -> None:
    """Set up, then become `manage.py up` (without Django's start)."""
    if running_site() is not None:
        raise SetupError(machine.say_running())
    machine.check_port()
    machine.check_database_address()
    prepare(tests=False)
    machine.check_settings()
    tools.ensure_build()
    if not database_is_current():
        prepare_database()
    os.chdir(ROOT)
    # `up` takes its own lock on the cluster; ours goes with this program's memory.
    os.execve(PYTHON, [str(PYTHON), "-m", "webapp.up"], environment())


def database_is_current() -> bool:
    """Return True where an earlier start left nothing to do in our own database: then `up` alone starts it."""
    # Somebody else's database may have been restored since: there the look costs two seconds.
    if not own_database() or not cluster.is_prepared():
        return False
    return stamps.is_done("migrate", migrations()) and (not demo_wanted() or stamps.is_done("demo", demo_stamp()))


def prepare_database() -> None:
    """Have the database answer, with today's tables and the demo."""
    use = cluster.enter() if own_database() else None
    try:
        if use is None:
            run([PYTHON, "-m", "webapp.setup.outside"], doing="looking at the database of DATABASE_URL")
        migrate()
        load_demo()
    except BaseException:
        if use is not None:
            cluster.leave(use)
        raise


def migrations() -> str:
    """Return the stamp of all migrations on this database, and of what its reader may see."""
    # Not a search of the whole checkout: `.venv` and `node_modules` alone take seconds to walk.
    files = [path for room in ROOMS for path in (ROOT / room).rglob("migrations/*.py")]
    return stamps.digest(files, os.environ.get("DATABASE_URL", ""), cluster.reader_grants("quadrat_read"))


def migrate() -> None:
    """Bring the database's tables up to date, once per set of migrations."""
    stamp = migrations()
    if own_database() and stamps.is_done("migrate", stamp):
        return
    with step("Bringing the database up to date"):
        run([PYTHON, "manage.py", "migrate", "--noinput"], doing="bringing the database up to date")
        if own_database():
            cluster.grant_reader()
    stamps.mark_done("migrate", stamp)


def load_demo() -> None:
    """Load the demo's imagery and labels, once."""
    if not demo_wanted() or stamps.is_done("demo", demo_stamp()):
        return
    with step("Loading the demo: real imagery with hundreds of real labels"):
        run([PYTHON, "manage.py", "demo", "--load"], doing="loading the demo")
    stamps.mark_done("demo", demo_stamp())


def demo_wanted() -> bool:
    """Return False where QUADRAT_DEMO says no."""
    return os.environ.get("QUADRAT_DEMO", "yes").lower() in {"1", "true", "yes", "on"}


def demo_stamp() -> str:
    """Return the stamp of a demo loaded into this database."""
    return stamps.digest([], os.environ.get("DATABASE_URL", ""))


def running_site() -> int | None:
    """Return the process number of this checkout's running supervisor; None where there is none."""
    if not SITE_LOCK.exists():
        return None
    with SITE_LOCK.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read().strip() or 0)
    return None


def stop_site() -> None:
    """Stop the running site, and a cluster that a killed one left behind.

    Raises:
        SetupError: the site does not stop in time.
    """
    process = running_site()
    if process:
        say(f"Stopping Quadrat (process {process}) ...")
        os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while running_site() is not None:
            if time.monotonic() > deadline:
                raise SetupError(
                    f"Process {process} has not stopped after {STOP_TIMEOUT_S:.0f} s; end it with kill -9 {process}."
                )
            time.sleep(0.1)
    stopped = cluster.stop_unused()
    say("Quadrat is stopped." if stopped else "The site is stopped; its database is still used by another program.")


def clean() -> None:
    """Remove what can be made again. User data goes only with DATA=yes and a confirmation."""
    if running_site() is not None:
        raise SetupError("Quadrat is running; stop it with `make stop` first.")
    made = [
        VENV,
        FRONTEND / "node_modules",
        FRONTEND / "dist",
        VAR / "tools",
        VAR / "static",
        VAR / "log",
        VAR / "test",
    ]
    caches = [
        ROOT / name for name in (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache")
    ]
    for folder in [*made, *caches]:
        _remove(folder)
    for name in ("python", "node_modules", "build"):
        stamps.forget(name)
    if os.environ.get("DATA") != "yes":
        say(f"Removed what can be made again. Your data in {VAR} is kept; `make clean DATA=yes` removes it too.")
        return
    _clean_data()


def _clean_data() -> None:
    if os.environ.get("CONFIRM") != "yes":
        if not sys.stdin.isatty():
            raise SetupError(f"This would delete all data in {VAR}; say CONFIRM=yes to do so.")
        say(f"This deletes every project, image, label and model in {VAR}. Type 'delete' to go on:")
        if sys.stdin.readline().strip() != "delete":
            raise SetupError("Nothing was deleted.")
    if not cluster.stop_unused():
        raise SetupError("The database is still used by another program; end that first.")
    if cluster.NOTE.exists():
        found = cluster.locate()
        _remove(found.data)
        _remove(found.socket)
        if found.data.parent != VAR:
            _remove(found.data.parent)
    for path in VAR.iterdir():
        _remove(path)
    say("All data is deleted.")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
