"""`make test`, `make lint`, `make bench`: every part runs, whatever failed before it; the end says which did."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from webapp.setup import cluster, steps, tools
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


LINT = [
    Part("ruff", [BIN / "ruff", "check", "."]),
    Part("ruff format", [BIN / "ruff", "format", "--check", "."]),
    Part("mypy", [BIN / "mypy"]),
    Part("import contracts", [BIN / "lint-imports"]),
    Part("settings documented", [PYTHON, "-m", "pytest", "-q", "tests/setup/test_settings_docs.py"]),
    Part("tsc", ["npx", "tsc", "--noEmit"], cwd=FRONTEND),
    Part("eslint", ["npx", "eslint", "src"], cwd=FRONTEND),
]
MIGRATIONS = Part("migrations", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"])
VITEST = Part("vitest", ["npx", "vitest", "run"], cwd=FRONTEND)
PYTEST = Part("pytest", [PYTHON, "-m", "pytest", "-m", "not browser"])
BROWSER = Part("pytest browser", [PYTHON, "-m", "pytest", "-m", "browser"])


def lint() -> bool:
    """Run the linters and type checks; return whether all passed."""
    steps.prepare(tests=True)
    return report([run_part(part) for part in LINT])


def test() -> bool:
    """Run every check and test, browser tests last; return whether all passed."""
    steps.prepare(tests=True)
    outcomes = [run_part(part) for part in [*LINT, VITEST]]
    outcomes.append(run_step("front-end build", tools.ensure_build))
    use = cluster.enter() if own_database() else None
    try:
        outcomes += [run_part(part) for part in [MIGRATIONS, PYTEST, BROWSER]]
    finally:
        if use is not None:
            cluster.leave(use)
    return report(outcomes)


def bench() -> bool:
    """Run the benchmarks of tests/bench one after the other; return whether all ended well."""
    return _measured(sorted(script.stem for script in (ROOT / "tests" / "bench").glob("bench_*.py")))


def bench_tiles() -> bool:
    """Measure imagery tiles beside TiTiler's; return whether it ended well."""
    return _measured(["bench_tiles"])


def _measured(names: list[str]) -> bool:
    steps.prepare(tests=True)
    tools.ensure_build()
    use = cluster.enter() if own_database() else None
    try:
        return report([run_part(Part(name, [PYTHON, "-m", f"tests.bench.{name}"])) for name in names])
    finally:
        if use is not None:
            cluster.leave(use)


def test_environment() -> dict[str, str]:
    """Return the environment of the tests: the cluster's own address, but none of the running site's files."""
    return {
        **environment(),
        # The read-only role has no rights in a test database, whose tables are made anew each time.
        "QUADRAT_READ_DATABASE_URL": "",
        "QUADRAT_VAR_DIR": str(VAR / "test"),
        "QUADRAT_SECRETS_FILE": str(SECRETS),
    }


def run_part(part: Part) -> Outcome:
    """Run one part with its output in view."""
    say(f"\n== {part.name}: {' '.join(str(word) for word in part.command)}")
    (VAR / "test").mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    try:
        done = subprocess.run(
            [str(word) for word in part.command], cwd=part.cwd, env={**test_environment(), **part.env}, check=False
        )
        passed = done.returncode == 0
    except FileNotFoundError as error:
        say(str(error))
        passed = False
    return Outcome(part.name, passed, time.monotonic() - start)


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
        say(f"{'ok    ' if outcome.passed else 'FAILED'} {outcome.name:<22} {outcome.seconds:7.1f} s")
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
