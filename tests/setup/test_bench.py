"""Every measurement keeps its figures with the command that made them."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from tests.bench.report import report

ROOT = Path(__file__).resolve().parents[2]


def test_a_report_is_printed_and_kept_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bench_tiles.py", "scenes/banepa.tif", "--threads", "1"])
    kept = report({"seconds": 1.5}, tmp_path)
    assert kept.name == "bench_tiles-banepa-threads-1.json"
    told = json.loads(kept.read_text())
    assert told == json.loads(capsys.readouterr().out)
    assert told["command"] == "python -m tests.bench.bench_tiles scenes/banepa.tif --threads 1"
    assert told["figures"] == {"seconds": 1.5}
    assert {"at", "cores", "load"} < set(told)


def test_every_benchmark_reports() -> None:
    scripts = [path for path in (ROOT / "tests" / "bench").glob("*.py") if "def main(" in path.read_text()]
    assert scripts
    for path in scripts:
        imported = [node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        assert "tests.bench.report" in imported, path.name


def test_every_command_on_the_page_of_figures_exists() -> None:
    page = (ROOT / "docs" / "measured.md").read_text()
    named = re.findall(r"python -m (tests\.bench\.\w+)", page)
    assert {"tests.bench.whole_loop", "tests.bench.bench_inference", "tests.bench.bench_training"} <= set(named)
    for module in named:
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists(), module
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make ([\w-]+)`", page)) <= set(targets)
