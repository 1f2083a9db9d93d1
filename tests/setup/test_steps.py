"""A start does again what changed since the last one, and nothing else."""

from pathlib import Path

import pytest

from webapp.setup import cluster, stamps, steps
from webapp.setup.place import environment


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one migration whose database was brought up to date."""
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    monkeypatch.setattr(stamps, "STAMPS", tmp_path / "stamps")
    monkeypatch.setattr(cluster, "is_prepared", lambda: True)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("QUADRAT_DEMO", "no")
    (tmp_path / "webapp" / "maps" / "migrations").mkdir(parents=True)
    (tmp_path / "webapp" / "maps" / "migrations" / "0001_initial.py").write_text("first")
    stamps.mark_done("migrate", steps.migrations())
    return tmp_path


def test_a_database_with_all_migrations_is_current(checkout: Path) -> None:
    assert steps.database_is_current()


def test_a_new_or_changed_migration_is_not(checkout: Path) -> None:
    folder = checkout / "webapp" / "maps" / "migrations"
    (folder / "0002_more.py").write_text("second")
    assert not steps.database_is_current()
    (folder / "0002_more.py").unlink()
    assert steps.database_is_current()
    (folder / "0001_initial.py").write_text("changed")
    assert not steps.database_is_current()


def test_an_unloaded_demo_is_not_unless_nobody_wants_it(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUADRAT_DEMO")
    assert not steps.database_is_current()
    stamps.mark_done("demo", steps.demo_stamp())
    assert steps.database_is_current()


def test_somebody_elses_database_is_looked_at_each_time(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgis://db.example/quadrat")
    stamps.mark_done("migrate", steps.migrations())
    assert not steps.database_is_current()


def test_a_cluster_that_has_to_be_made_first_is_not(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "is_prepared", lambda: False)
    assert not steps.database_is_current()


def test_programs_keep_their_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in environment()
