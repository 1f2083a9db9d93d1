"""`make test` runs every part and names the failed ones at the end."""

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
