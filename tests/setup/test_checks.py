"""`make test` runs every part and names the failed ones at the end."""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from webapp.setup import checks
from webapp.setup.place import SetupError


def test_the_summary_names_each_part_and_ends_with_the_failed_ones(capsys: pytest.CaptureFixture[str]) -> None:
    passed = checks.report([checks.Outcome("ruff", True, 1.0), checks.Outcome("mypy", False, 22.5)])
    lines = capsys.readouterr().out.splitlines()
    assert passed is False
    assert lines[-1] == "FAILED: mypy"
    assert any(line.startswith("ok     ruff") for line in lines)
    assert any(line.startswith("FAILED mypy") and "22.5 s" in line for line in lines)


def test_a_part_that_is_not_there_fails_and_the_rest_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    missing = checks.run_part(checks.Part("gone", ["/no/such/program"]))
    there = checks.run_part(checks.Part("true", ["true"]))
    assert (missing.passed, there.passed) == (False, True)
    assert "== gone" in capfd.readouterr().out


def test_a_step_that_fails_is_a_failed_part_and_no_end(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise SetupError("Something failed while building.")

    assert checks.run_step("build", broken).passed is False
    assert checks.run_step("build", lambda: None).passed is True
    assert "Something failed while building." in capsys.readouterr().out


def test_a_part_beside_others_runs_at_the_same_time_and_is_shown_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meeting = tmp_path / "meeting"
    script = f"echo begun; while [ ! -e {meeting} ]; do sleep 0.01; done; echo met; exit 3"
    with checks.beside(checks.Part("beside", ["timeout", "20", "sh", "-c", script])) as outcomes:
        assert checks.run_part(checks.Part("touch", ["touch", str(meeting)])).passed is True
    assert [(outcome.name, outcome.passed) for outcome in outcomes] == [("beside", False)]
    assert capsys.readouterr().out.endswith("\nbegun\nmet\n\n")


def test_a_part_beside_others_ends_when_they_are_interrupted() -> None:
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), checks.beside(checks.Part("long", ["sleep", "30"])):
        raise KeyboardInterrupt
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("failing", "passed", "runs"), [(0, True, [3]), (1, True, [3, 1]), (3, True, [3, 3]), (4, False, [4])]
)
def test_a_few_tests_that_failed_run_once_more_and_are_named(
    failing: int,
    passed: bool,
    runs: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    outcome, ran = run_tests_twice(tmp_path, monkeypatch, capfd, failing=failing, mended=True)
    assert outcome.passed is passed
    assert ran == runs
    names = [f"test_it.py::test_{i}" for i in range(failing)] if passed and failing else []
    assert all(name in outcome.remark for name in names)
    assert bool(outcome.remark) is bool(names)
    checks.report([outcome])
    assert outcome.remark in capfd.readouterr().out


def test_what_fails_both_times_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    outcome, ran = run_tests_twice(tmp_path, monkeypatch, capfd, failing=1, mended=False)
    assert (outcome.passed, outcome.remark, ran) == (False, "", [3, 1])


def run_tests_twice(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    failing: int,
    mended: bool,
) -> tuple[checks.Outcome, list[int]]:
    """Run three tests or more, so many of which fail the first time; return the outcome and how many ran each time."""
    monkeypatch.setattr(checks, "VAR", folder / "var")
    (folder / "pytest.ini").write_text("[pytest]\n")
    for i in range(max(failing, 3)):
        mark = folder / f"seen-{i}"
        body = (
            f"first = not mark.exists()\n    mark.touch()\n    assert {mended} and not first"
            if i < failing
            else "mark.touch()"
        )
        (folder / "test_it.py").open("a").write(
            f"from pathlib import Path\ndef test_{i}():\n    mark = Path({str(mark)!r})\n    {body}\n"
        )
    command: list[str | Path] = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:django", "test_it.py"]
    part = checks.Part("tests", command, cwd=folder)
    outcome = checks.run_twice(part, checks.Part("tests again", [*command, "--last-failed"], cwd=folder))
    printed = capfd.readouterr().out
    ran = [
        sum(int(number) for number in re.findall(r"(\d+) (?:passed|failed)", line))
        for line in printed.splitlines()
        if re.search(r" in [\d.]+s", line)
    ]
    return outcome, ran


@pytest.mark.parametrize("versions", [[16], []])
def test_labeling_under_faults_is_a_part_alone_between_tests_and_browser_tests(
    versions: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[checks.Part] = []

    def run_part(part: checks.Part) -> checks.Outcome:
        ran.append(part)
        return checks.Outcome(part.name, not part.name.startswith("chaos"), 1.0)

    @contextmanager
    def beside(part: checks.Part) -> Iterator[list[checks.Outcome]]:
        yield []

    monkeypatch.setenv("DATABASE_URL", "postgis://elsewhere/quadrat")
    monkeypatch.setattr(checks, "run_part", run_part)
    monkeypatch.setattr(checks, "run_twice", lambda part, again: run_part(part))
    monkeypatch.setattr(checks, "beside", beside)
    monkeypatch.setattr(checks.steps, "prepare", lambda tests: None)
    monkeypatch.setattr(checks.tools, "ensure_build", lambda: None)
    monkeypatch.setattr(checks.machine, "postgis_versions", lambda: versions)
    passed = checks.test()
    printed = capsys.readouterr().out
    names = [part.name for part in ran]
    after = names[names.index("pytest") :]
    if versions:
        assert after == ["pytest", "chaos smoke", "pytest browser"]
        assert ran[-2].command[1:] == ["-m", "tests.chaos.run", "--profile", "smoke"]
        assert printed.splitlines()[-1] == "FAILED: chaos smoke"
        assert not passed
    else:
        assert after == ["pytest", "pytest browser"]
        assert "chaos smoke: left out" in printed
        assert passed
