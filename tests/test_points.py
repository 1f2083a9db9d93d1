"""The points at which a chaos run strikes do nothing in a normal run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.disk import take_body
from webapp.points import POINTS

ROOT = Path(__file__).resolve().parents[1]


def test_each_named_point_lies_on_a_road_and_no_other_does() -> None:
    sources = [path for room in ("webapp", "labeling", "training", "inference") for path in (ROOT / room).rglob("*.py")]
    reached = {name for path in sources for name in re.findall(r'points\.reach\("([^"]+)"\)', path.read_text())}
    assert reached == set(POINTS)


def test_the_environment_alone_arms_no_point(tmp_path: Path) -> None:
    orders = tmp_path / "orders"
    orders.mkdir()
    (orders / "edit.stored").write_text("kill")
    asked = {**os.environ, "QUADRAT_CHAOS_POINTS": str(orders)}
    program = [sys.executable, "-c", "from webapp import points; points.reach('edit.stored'); print('alive')"]
    done = subprocess.run(program, cwd=ROOT, env=asked, capture_output=True, check=True)
    assert done.stdout == b"alive\n"
    armed = {**asked, "PYTHONPATH": f"{ROOT / 'tests/chaos/armed'}{os.pathsep}{ROOT}"}
    died = subprocess.run(program, cwd=ROOT, env=armed, capture_output=True, check=False)
    assert died.returncode == -9
    assert [path.name.partition("@")[2] for path in orders.iterdir()] == ["edit.stored"]


def test_a_body_that_meets_a_full_disk_is_an_error_that_names_it(tmp_path: Path) -> None:
    full = tmp_path / "upload"
    full.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught, (ROOT / "README.md").open("rb") as stream:
        take_body(stream, full, length=100)
    from webapp.api import exception_handler

    answer = exception_handler(caught.value, {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"]) == (507, "storage_full")
