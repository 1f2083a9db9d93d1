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
START_S = 90.0


class ChaosSite:
    """The programs of the site; what was killed is started again by `mend`."""

    def __init__(self, environment: Mapping[str, str], log: Path, *, webs: int, port: int = 0) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._environment = {**os.environ, **environment}
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
