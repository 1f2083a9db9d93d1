"""Keeps the programs of one machine running: starts, restarts with back-off, prefixes their output, stops them.

One thread, no Django. The children of a supervisor that was killed are killed by the kernel (PR_SET_PDEATHSIG),
so that nothing of it stands in the way of the next start.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

PR_SET_PDEATHSIG = 1
TICK_S = 0.2
BACKOFF_FIRST_S = 1.0
BACKOFF_LONGEST_S = 30.0
# Who ran this long crashed for a new reason: the back-off starts over.
STEADY_S = 60.0
NAME_WIDTH = 6
COLOURS = (36, 35, 34, 33, 32)

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Program:
    """One program to keep running.

    Attributes:
        name: prefix of its lines.
        command: the program and its arguments.
        pass_fds: file descriptors that it inherits.
        grace_s: seconds from SIGTERM to SIGKILL at a stop.
        death_signal: what it gets when the supervisor dies.
    """

    name: str
    command: list[str]
    pass_fds: tuple[int, ...] = ()
    grace_s: float = 20.0
    death_signal: signal.Signals = signal.SIGKILL


@dataclass
class _Child:
    program: Program
    colour: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    backoff_s: float = BACKOFF_FIRST_S
    rest: bytes = b""


@dataclass
class Supervisor:
    """Runs programs until SIGINT or SIGTERM.

    Attributes:
        programs: what to keep running.
        environment: their environment.
        out: where their lines go.
        on_tick: called a few times a second; must return at once.
    """

    programs: list[Program]
    environment: Mapping[str, str]
    out: IO[str] = field(default_factory=lambda: sys.stdout)
    on_tick: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._children: list[_Child] = []
        for program in self.programs:
            self.add(program)
        self._selector = selectors.DefaultSelector()
        self._stopping = False

    def add(self, program: Program) -> None:
        """Have one more program started and kept running."""
        self._children.append(_Child(program, COLOURS[len(self._children) % len(COLOURS)]))

    def start(self) -> None:
        """Start the programs before `run`; should we end before it, the kernel ends them too."""
        self._start_due()

    def run(self) -> None:
        """Keep the programs running until a stop signal, then stop them all."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not self._stopping:
                self._start_due()
                self._read(TICK_S)
                self._bury()
                self.on_tick()
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def say(self, text: str, *, name: str = "up", colour: int = 37) -> None:
        """Write one prefixed line."""
        prefix = f"{name:<{NAME_WIDTH}} |"
        if self.out.isatty():
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        try:
            self.out.write(f"{prefix} {text}\n")
            self.out.flush()
        except (BrokenPipeError, OSError):
            # The terminal is gone; the site goes on serving.
            self.out = open(os.devnull, "w")  # noqa: SIM115, PTH123

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None and now >= child.start_at:
                self._start(child)

    def _start(self, child: _Child) -> None:
        program = child.program
        parent = os.getpid()

        def tie_to_parent() -> None:
            _libc.prctl(PR_SET_PDEATHSIG, program.death_signal)
            if os.getppid() != parent:
                os._exit(1)

        # An own process group: Ctrl-C reaches the supervisor alone, which stops them in order.
        child.process = subprocess.Popen(
            program.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=program.pass_fds,
            process_group=0,
            preexec_fn=tie_to_parent,
        )
        child.started_at = time.monotonic()
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _read(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            child: _Child = key.data
            data = os.read(key.fd, 65536)
            if not data:
                self._selector.unregister(key.fileobj)
                continue
            *lines, child.rest = (child.rest + data).split(b"\n")
            for line in lines:
                self._line(child, line)

    def _line(self, child: _Child, line: bytes) -> None:
        self.say(line.decode(errors="replace").rstrip(), name=child.program.name, colour=child.colour)

    def _bury(self) -> None:
        """Plan the restart of every program that has ended."""
        for child in self._children:
            if child.process is None or child.process.poll() is None:
                continue
            status = child.process.returncode
            self._close(child)
            if time.monotonic() - child.started_at > STEADY_S:
                child.backoff_s = BACKOFF_FIRST_S
            self.say(f"{child.program.name} ended with status {status}; starting it again in {child.backoff_s:.0f} s")
            child.start_at = time.monotonic() + child.backoff_s
            child.backoff_s = min(child.backoff_s * 2, BACKOFF_LONGEST_S)

    def _close(self, child: _Child) -> None:
        """Print what an ended program still had to say, end what it left running, and let go of it."""
        assert child.process is not None
        assert child.process.stdout is not None
        self._kill(child, signal.SIGKILL)
        rest = b""
        try:
            while data := os.read(child.process.stdout.fileno(), 65536):
                rest += data
        except BlockingIOError:
            pass
        for line in (child.rest + rest).splitlines():
            self._line(child, line)
        child.rest = b""
        if child.process.stdout.fileno() in self._selector.get_map():
            self._selector.unregister(child.process.stdout)
        child.process.stdout.close()
        child.process = None

    def _kill(self, child: _Child, number: signal.Signals) -> None:
        assert child.process is not None
        try:
            os.killpg(child.process.pid, number)
        except ProcessLookupError:
            return

    def _stop_all(self) -> None:
        """Ask all to stop, wait for each one's grace, then end what is left."""
        alive = [child for child in self._children if child.process is not None]
        for child in alive:
            assert child.process is not None
            child.process.terminate()
        start = time.monotonic()
        while any(child.process is not None for child in alive):
            self._read(TICK_S)
            for child in alive:
                if child.process is None:
                    continue
                if child.process.poll() is not None:
                    self._close(child)
                elif time.monotonic() - start > child.program.grace_s:
                    self.say(f"{child.program.name} did not stop in {child.program.grace_s:.0f} s and is ended")
                    self._kill(child, signal.SIGKILL)
                    child.process.wait()
