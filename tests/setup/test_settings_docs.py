"""docs/settings.md and the code name the same settings."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READ = re.compile(r'(?:env|env_bool|env_int|env_float|env_list|secret|stored|environ\.get)\(\s*"([A-Z_]+)"')
# Named on the page, read outside the product.
TESTS_ONLY = {"QUADRAT_TEST_DATA"}
# Made by the set-up and read by it; the demo's password is the one that a person may set.
OF_THE_SETUP = {"DATA", "CONFIRM", "PATH", "PROFILE"}


def _read_by_code() -> set[str]:
    sources = [ROOT / "webapp" / "settings.py", *(ROOT / "webapp" / "setup").glob("*.py")]
    return {name for source in sources for name in READ.findall(source.read_text())} - OF_THE_SETUP


def _documented() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    assert _documented() - TESTS_ONLY - {"QUADRAT_DEMO_PASSWORD"} == _read_by_code() - {"QUADRAT_DEMO_PASSWORD"}


def test_nothing_but_settings_and_setup_reads_the_environment() -> None:
    allowed = {ROOT / "webapp" / "settings.py", *(ROOT / "webapp" / "setup").glob("*.py")}
    rooms = [path for room in ("webapp", "labeling", "training", "inference") for path in (ROOT / room).rglob("*.py")]
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in rooms
        if path not in allowed and re.search(r"os\.environ\.get|getenv|os\.environ\[[^]]*\](?!\s*=)", path.read_text())
    }
    assert readers == set()
