"""`make test`, `make lint`, `make bench`: every part runs, whatever failed before it; the end says which did."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from webapp.setup import cluster, machine, steps, tools
from webapp.setup.place import FRONTEND, PYTHON, ROOT, SECRETS, VAR, VENV, SetupError, environment, own_database
from webapp.setup.shell import run, say

BIN = VENV / "bin"


@dataclass(frozen=True)
class Part:
    """One program of a check."""

    name: str
    command: list[str | Path]
    cwd: Path = ROOT
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How one part went."""

    name: str
    passed: bool
    seconds: float
    remark: str = ""


TYPES = Part("mypy", [BIN / "mypy"])
LINT = [
    Part("ruff", [BIN / "ruff", "check", "."]),
    Part("ruff format", [BIN / "ruff", "format", "--check", "."]),
    Part("import contracts", [BIN / "lint-imports"]),
    Part("settings documented", [PYTHON, "-m", "pytest", "-q", "tests/setup/test_settings_docs.py"]),
    Part("tsc", ["npx", "tsc", "--noEmit"], cwd=FRONTEND),
    Part("eslint", ["npx", "eslint", "src"], cwd=FRONTEND),
]
MIGRATIONS = Part("migrations", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"])
VITEST = Part("vitest", ["npx", "vitest", "run"], cwd=FRONTEND)
# A process per core, each with a test database of its own; more than four would only crowd the database.
PROCESSES = min(os.cpu_count() or 1, 4)
SPREAD: list[str | Path] = [PYTHON, "-m", "pytest", "--dist", "worksteal", "--numprocesses"]
PYTEST = Part("pytest", [*SPREAD, str(PROCESSES), "-m", "not browser"])
# Each has a site and a browser of its own beside its tests: two of them keep two cores busy.
BROWSER = Part("pytest browser", [*SPREAD, str(min(PROCESSES, 2)), "-m", "browser"])
BROWSER_AGAIN = Part("pytest browser, once more", [PYTHON, "-m", "pytest", "-m", "browser", "--last-failed"])
# More failures than these are no accident of timing: they are not tried again.
MOST_AGAIN = 3

MACHINES = ("tests/features/test_editing_model.py", "tests/labeling/test_task_model.py")
WHOLE_LOOP = (
    "The whole loop takes most of an hour and is measured beside a running site: "
    "python -m tests.bench.whole_loop --imagery scene.tif --labels buildings.geojson"
)


def lint() -> bool:
    """Run the linters and type checks; return whether all passed."""
    steps.prepare(tests=True)
    with beside(TYPES) as types:
        outcomes = [run_part(part) for part in LINT]
    return report([*outcomes, *types])


def test() -> bool:
    """Run every check and test, labeling under faults and browser tests last; return whether all passed."""
    steps.prepare(tests=True)
    with beside(TYPES) as types:
        outcomes = [run_part(part) for part in [*LINT, VITEST]]
        outcomes.append(run_step("front-end build", tools.ensure_build))
    outcomes += types
    use = cluster.enter() if own_database() else None
    try:
        outcomes += [run_part(part) for part in [MIGRATIONS, PYTEST, *under_faults()]]
        outcomes.append(run_twice(BROWSER, BROWSER_AGAIN))
    finally:
        if use is not None:
            cluster.leave(use)
    return report(outcomes)


def bench() -> bool:
    """Run the benchmarks of tests/bench one after the other; return whether all ended well."""
    return _measured(sorted(script.stem for script in (ROOT / "tests" / "bench").glob("bench_*.py")))


def bench_tiles() -> bool:
    """Measure imagery tiles beside TiTiler's; return whether it ended well."""
    return _measured(["bench_tiles", "bench_mosaic"])


def bench_vector() -> bool:
    """Measure vector tiles beside tipg's; return whether it ended well."""
    return _measured(["bench_vector"])


def chaos() -> bool:
    """Label under faults, on a database server of its own, and check every invariant; return whether all hold."""
    steps.prepare(tests=True)
    return report([run_part(chaos_part(os.environ.get("PROFILE") or "smoke"))])


def chaos_part(profile: str) -> Part:
    """Return the part that labels under faults; it starts a database server of its own and leaves ours alone."""
    return Part(f"chaos {profile}", [PYTHON, "-m", "tests.chaos.run", "--profile", profile])


def under_faults() -> list[Part]:
    """Return the chaos run of `make test`: none, and a line that says so, where only another machine has PostGIS."""
    if machine.postgis_versions():
        return [chaos_part("smoke")]
    say("\n== chaos smoke: left out. It needs a PostGIS server of its own, and this machine has none to start.")
    return []


def machines() -> bool:
    """Let the state machines of editing and tasks walk as far as QUADRAT_TEST_MACHINES says."""
    steps.prepare(tests=True)
    use = cluster.enter() if own_database() else None
    try:
        return report([run_part(Part("state machines", [PYTHON, "-m", "pytest", "-q", *MACHINES]))])
    finally:
        if use is not None:
            cluster.leave(use)


def _measured(names: list[str]) -> bool:
    steps.prepare(tests=True)
    tools.ensure_build()
    use = cluster.enter() if own_database() else None
    try:
        env = {} if use is None else {"DATABASE_URL": cluster.scratch_database("quadrat_bench")}
        migrate = Part("migrate", [PYTHON, "manage.py", "migrate", "--verbosity", "0"], env=env)
        parts = [Part(name, [PYTHON, "-m", f"tests.bench.{name}"], env=env) for name in names]
        passed = report([run_part(part) for part in [migrate, *parts]])
    finally:
        if use is not None:
            cluster.leave(use)
    say(f"The figures lie in {ROOT / 'var' / 'bench'}. {WHOLE_LOOP}")
    return passed


def test_environment() -> dict[str, str]:
    """Return the environment of the tests: the cluster's own address, but none of the running site's files."""
    return {
        **environment(),
        # The read-only role has no rights in a test database, whose tables are made anew each time.
        "QUADRAT_READ_DATABASE_URL": "",
        "QUADRAT_VAR_DIR": str(VAR / "test"),
        "QUADRAT_SECRETS_FILE": str(SECRETS),
        # The processes of the tests share the cores: threads that spin while they wait would take them from each other.
        **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "QUADRAT_COMPUTE_THREADS"), "1"),
        "OMP_WAIT_POLICY": "PASSIVE",
    }


def start_part(part: Part, output: IO[bytes] | None = None) -> "subprocess.Popen[bytes]":
    """Start one part's program; what it prints goes to the terminal, or to `output`."""
    (VAR / "test").mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in part.command]
    env = {**test_environment(), **part.env}
    return subprocess.Popen(words, cwd=part.cwd, env=env, stdout=output, stderr=output)


def heading(part: Part) -> str:
    """Return the line above what a part prints."""
    return f"\n== {part.name}: {' '.join(str(word) for word in part.command)}"


def run_part(part: Part) -> Outcome:
    """Run one part with its output in view."""
    say(heading(part))
    start = time.monotonic()
    try:
        process = start_part(part)
    except FileNotFoundError as error:
        say(str(error))
        return Outcome(part.name, False, 0.0)
    with _ended_with_us(process):
        process.wait()
    return Outcome(part.name, process.returncode == 0, time.monotonic() - start)


def run_twice(part: Part, again: Part) -> Outcome:
    """Run a part of pytest; the few tests of it that fail run once more, alone, by `again`.

    Two browsers, two sites and their database share the cores, and a page is as slow as they make it. What is broken
    fails both times. What passes only the second time is named in the summary: it is a finding, though not a red one.
    """
    cache = VAR / "test" / "pytest-cache"
    shutil.rmtree(cache, ignore_errors=True)
    kept = ["-o", f"cache_dir={cache}"]
    first = run_part(replace(part, command=[*part.command, *kept]))
    names = cache / "v" / "cache" / "lastfailed"
    failed = sorted(json.loads(names.read_text())) if not first.passed and names.exists() else []
    if not 0 < len(failed) <= MOST_AGAIN:
        return first
    second = run_part(replace(again, command=[*again.command, *kept]))
    remark = f"only the second time: {', '.join(failed)}" if second.passed else ""
    return replace(first, passed=second.passed, seconds=first.seconds + second.seconds, remark=remark)


@contextmanager
def beside(part: Part) -> Iterator[list[Outcome]]:
    """Run a part while the block runs; then what it printed is shown, and the list holds its outcome."""
    outcomes: list[Outcome] = []
    start = time.monotonic()
    with tempfile.TemporaryFile() as output, ThreadPoolExecutor(1) as pool:
        process = start_part(part, output)
        with _ended_with_us(process):
            ended = pool.submit(lambda: (process.wait(), time.monotonic()))
            yield outcomes
            status, end = ended.result()
        output.seek(0)
        say(f"{heading(part)}\n{output.read().decode(errors='replace')}")
    outcomes.append(Outcome(part.name, status == 0, end - start))


@contextmanager
def _ended_with_us(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """End the program when the block is left by an exception, Ctrl-C among them."""
    try:
        yield
    except BaseException:
        process.terminate()
        raise


def run_step(name: str, step: Callable[[], None]) -> Outcome:
    """Run one step of the set-up as a part: its failure is told and the rest goes on."""
    say(f"\n== {name}")
    start = time.monotonic()
    try:
        step()
    except SetupError as error:
        say(str(error))
        return Outcome(name, False, time.monotonic() - start)
    return Outcome(name, True, time.monotonic() - start)


def report(outcomes: list[Outcome]) -> bool:
    """Print one line per part, and name the failed ones last; return whether all passed."""
    say("\n== Summary")
    for outcome in outcomes:
        remark = f"  {outcome.remark}" if outcome.remark else ""
        say(f"{'ok    ' if outcome.passed else 'FAILED'} {outcome.name:<22} {outcome.seconds:7.1f} s{remark}")
    failed = [outcome.name for outcome in outcomes if not outcome.passed]
    say(f"FAILED: {', '.join(failed)}" if failed else "All parts passed.")
    return not failed


def lock() -> None:
    """Write requirements.txt anew from requirements.in."""
    run(
        [
            *(tools.uv(), "pip", "compile", "--generate-hashes", "--python-version", "3.11"),
            *("requirements.in", "-o", "requirements.txt"),
        ],
        doing="locking the Python packages",
    )
