"""The secrets file."""

from pathlib import Path

import pytest

from webapp.setup import vault


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(vault, "SECRETS", tmp_path / "var" / "secrets.json")
    return tmp_path / "var" / "secrets.json"


def test_only_the_owner_may_read_the_secrets(own_file: Path) -> None:
    vault.ensure("QUADRAT_SECRET_KEY")
    assert own_file.stat().st_mode & 0o777 == 0o600


def test_a_secret_stays_what_it_was() -> None:
    first = vault.ensure("QUADRAT_SECRET_KEY")
    again = vault.ensure("QUADRAT_SECRET_KEY", "QUADRAT_DEMO_PASSWORD")
    assert again["QUADRAT_SECRET_KEY"] == first["QUADRAT_SECRET_KEY"]
    assert len(again["QUADRAT_SECRET_KEY"]) >= 40
    assert vault.load() == again
