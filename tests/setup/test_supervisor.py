"""The supervisor keeps real programs running."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _until(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s for: {what}"
        time.sleep(0.05)


def _supervise(folder: Path, *shell_lines: str, grace_s: float = 5.0) -> subprocess.Popen[str]:
    """Start a supervisor over shell programs p0, p1, … with its output in a file."""
    script = textwrap.dedent(f"""
        import os
        from webapp.supervisor import Program, Supervisor
        lines = {list(shell_lines)!r}
        programs = [Program(f"p{{n}}", ["sh", "-c", line], grace_s={grace_s}) for n, line in enumerate(lines)]
        Supervisor(programs, os.environ).run()
    """)
    with (folder / "out").open("w") as out:
        return subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=out, stderr=out, text=True)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_for_pid(path: Path) -> int:
    _until(lambda: path.exists() and path.read_text().strip() != "", f"{path.name} to be written")
    return int(path.read_text())


def test_lines_carry_the_name_of_their_program_and_a_crashed_one_starts_again(tmp_path: Path) -> None:
    supervisor = _supervise(tmp_path, "echo hello; echo x >> starts; exit 3".replace("starts", f"{tmp_path}/starts"))
    try:
        _until(lambda: (tmp_path / "starts").exists() and len((tmp_path / "starts").read_text()) >= 4, "a second start")
    finally:
        supervisor.terminate()
        assert supervisor.wait(20) == 0
    text = (tmp_path / "out").read_text()
    assert "p0     | hello" in text
    assert "p0 ended with status 3; starting it again in 1 s" in text
    assert "starting it again in 2 s" in text


def test_a_stop_signal_stops_all_and_ends_one_that_will_not(tmp_path: Path) -> None:
    stubborn = f"trap '' TERM; echo $$ > {tmp_path}/stubborn; while true; do sleep 0.1; done"
    gentle = f"trap 'echo bye; exit 0' TERM; echo $$ > {tmp_path}/gentle; while true; do sleep 0.1; done"
    supervisor = _supervise(tmp_path, stubborn, gentle, grace_s=1.0)
    pids = [_wait_for_pid(tmp_path / name) for name in ("stubborn", "gentle")]
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(20) == 0
    assert not any(_alive(pid) for pid in pids)
    text = (tmp_path / "out").read_text()
    assert "p1     | bye" in text
    assert "p0 did not stop in 1 s and is ended" in text


def test_a_killed_supervisor_leaves_no_program_behind(tmp_path: Path) -> None:
    supervisor = _supervise(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    pid = _wait_for_pid(tmp_path / "pid")
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait(10)
    _until(lambda: not _alive(pid), "the program to die with its supervisor")


def test_what_an_ended_program_left_running_is_ended_too(tmp_path: Path) -> None:
    supervisor = _supervise(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; wait")
    pid = _wait_for_pid(tmp_path / "pid")
    supervisor.terminate()
    assert supervisor.wait(20) == 0
    assert not _alive(pid)
