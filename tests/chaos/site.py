"""The site of a chaos run: web processes on one listening socket, a worker, and what can be done to them."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARMED = Path(__file__).with_name("armed")
START_S = 90.0
# A point is passed within so long, or the run has not met it.
POINT_S = 45.0


class ChaosSite:
    """The programs of the site; `armed`: they strike where `order` asks for it (`tests.chaos.armed`)."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, *, webs: int, port: int = 0, armed: bool = False
    ) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        # Where points strike; only programs that are started here look there.
        self.points = log.parent / "points"
        arms = {"PYTHONPATH": f"{ARMED}{os.pathsep}{ROOT}", "QUADRAT_CHAOS_POINTS": str(self.points)} if armed else {}
        if armed:
            self.points.mkdir(exist_ok=True)
        self._environment = {**os.environ, **environment, **arms}
        self._log = log
        self._webs: list[subprocess.Popen[bytes] | None] = [None] * webs
        self._worker: subprocess.Popen[bytes] | None = None

    def start(self, *, worker: bool) -> None:
        """Start all and return when a page answers.

        Raises:
            TimeoutError: none does.
        """
        for number in range(len(self._webs)):
            self.start_web(number)
        if worker:
            self.start_worker()
        deadline = time.monotonic() + START_S
        while not self.answers():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the site does not answer:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.2)

    def start_web(self, number: int) -> None:
        """Start one web process, as the site's own supervisor does."""
        descriptor = self._listener.fileno()
        self._webs[number] = self._start([sys.executable, "-m", "webapp.web", str(descriptor)], (descriptor,))

    def start_worker(self) -> None:
        """Start the worker."""
        self._worker = self._start([sys.executable, "manage.py", "worker"])

    def kill_web(self, number: int) -> None:
        """Kill one web process without a warning."""
        self._end(self._webs[number], signal.SIGKILL)

    def kill_worker(self) -> None:
        """Kill the worker without a warning; the job's process dies with it."""
        self._end(self._worker, signal.SIGKILL)

    def order(self, point: str, what: str) -> None:
        """Have the site strike at a point: "kill" once, "full 3" from the fourth time on until `withdraw`."""
        written = self.points / f"{point}.new"
        written.write_text(what)
        written.rename(self.points / point)

    def withdraw(self, point: str) -> None:
        """Take an order back."""
        (self.points / point).unlink(missing_ok=True)

    def await_death(self, point: str) -> None:
        """Return when a process has died at the point, and what died is started again; a job's is by its worker.

        Raises:
            TimeoutError: none passed it.
        """
        deadline = time.monotonic() + POINT_S
        while not (died := list(self.points.glob(f"*@{point}"))):
            if time.monotonic() > deadline:
                self.withdraw(point)
                raise TimeoutError(f"nothing passed {point} in {POINT_S:.0f} s")
            time.sleep(0.05)
        pid = int(died[0].name.partition("@")[0])
        died[0].unlink()
        for number, process in enumerate(self._webs):
            if process is not None and process.pid == pid:
                process.wait(timeout=20)
                self.start_web(number)
        if self._worker is not None and self._worker.pid == pid:
            self._worker.wait(timeout=20)
            self.start_worker()

    def freeze(self, number: int, *, thaw: bool = False) -> None:
        """Stop one web process where it stands, or let it go on."""
        process = self._webs[number]
        if process is not None:
            process.send_signal(signal.SIGCONT if thaw else signal.SIGSTOP)

    def answers(self) -> bool:
        """Return whether a page answers now."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def web_pids(self) -> list[int]:
        """Return the numbers of the web processes."""
        return [process.pid for process in self._webs if process is not None]

    def stop(self) -> None:
        """End all."""
        for process in (*self._webs, self._worker):
            self._end(process, signal.SIGTERM)
        self._listener.close()

    def _start(self, command: list[str], descriptors: tuple[int, ...] = ()) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, pass_fds=descriptors
            )

    def _end(self, process: "subprocess.Popen[bytes] | None", number: signal.Signals) -> None:
        if process is None or process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
