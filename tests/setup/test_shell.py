"""Failures of other programs become one sentence."""

from pathlib import Path

import pytest

from webapp.setup import shell
from webapp.setup.place import SetupError


@pytest.fixture(autouse=True)
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shell, "LOG", tmp_path / "log" / "setup.log")
    return tmp_path / "log" / "setup.log"


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("Err:1 http://deb.debian.org Temporary failure resolving 'deb.debian.org'", "network did not answer"),
        ("npm error code EAI_AGAIN", "network did not answer"),
        ("error: Failed to fetch: x\n cause: invalid peer certificate: UnknownIssuer", "certificate is not trusted"),
        ("tar: write error: No space left on device", "disk is full"),
        ("line\nerror: hash mismatch of numpy\nbye", "hash mismatch of numpy"),
        ("ModuleNotFoundError: No module named 'x'", "ModuleNotFoundError: No module named 'x'"),
        ("", "it printed nothing"),
    ],
)
def test_a_failure_is_one_sentence_that_names_the_cause(output: str, says: str) -> None:
    text = shell.sentence("installing", output)
    assert says in text
    assert "\n" not in text


def test_a_failed_program_raises_and_its_output_is_in_the_log(own_log: Path) -> None:
    with pytest.raises(SetupError, match="while trying: error: odd"):
        shell.run(["sh", "-c", "echo 'error: odd'; exit 3"], doing="trying")
    assert "[exit 3]" in own_log.read_text()


def test_a_missing_program_is_named() -> None:
    with pytest.raises(SetupError, match="no-such-program was not found"):
        shell.run(["no-such-program"], doing="trying")
