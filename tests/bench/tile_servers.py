"""The two servers of the tile benchmark, and what their tiles cost."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What TiTiler's own documentation recommends.
GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_CACHEMAX": "200",
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
    "GDAL_BAND_BLOCK_CACHE": "HASHSET",
    "VSI_CACHE": "TRUE",
    "VSI_CACHE_SIZE": "5000000",
    "MALLOC_ARENA_MAX": "2",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a series of tiles cost: CPU of the server process, waits of the client."""

    tiles: int
    cpu_s: float
    waits_ms: tuple[float, ...]
    size_bytes: int

    @property
    def cpu_per_1000(self) -> float:
        """CPU seconds of the server for 1,000 tiles."""
        return 1000 * self.cpu_s / self.tiles

    def wait_ms(self, percent: int) -> float:
        """Return a percentile of the waits."""
        ordered = sorted(self.waits_ms)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]

    def __add__(self, other: "Measured") -> "Measured":
        """Return both series as one."""
        return Measured(
            self.tiles + other.tiles,
            self.cpu_s + other.cpu_s,
            self.waits_ms + other.waits_ms,
            self.size_bytes + other.size_bytes,
        )


class Server:
    """One uvicorn process; closed with the `with` block."""

    def __init__(self, python: Path, application: str, environment: Mapping[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        command = [str(python), "-m", "uvicorn", application, "--port", str(self.port), "--log-level", "error"]
        self._process = subprocess.Popen(
            [*command, "--no-access-log"], cwd=ROOT, env={**os.environ, **environment}, start_new_session=True
        )
        for _ in range(1200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        self.close()
        raise SystemExit(f"{application} did not start")

    def __enter__(self) -> "Server":
        """Return the server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.close()

    def close(self) -> None:
        """Stop the process."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def cpu_s(self) -> float:
        """Return user and system seconds of the process and its threads (proc(5), fields 14 and 15)."""
        return cpu_s_of(self._process.pid)

    def pss_mb(self) -> float:
        """Return the memory of the process, shared pages shared out, in MB."""
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000

    def measure(self, paths: list[str], headers: Mapping[str, str] | None = None) -> Measured:
        """Ask for paths one after the other over one connection; a status other than 200, 204, 304 ends the run."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        waits, received = [], 0
        before = self.cpu_s()
        for path in paths:
            asked = time.perf_counter()
            connection.request("GET", path, headers=dict(headers or {}))
            reply = connection.getresponse()
            body = reply.read()
            waits.append(1000 * (time.perf_counter() - asked))
            received += len(body)
            # TiTiler answers 404 where a tile lies outside the file.
            if reply.status not in (200, 204, 304, 404):
                raise SystemExit(f"{reply.status} {path}: {body[:300]!r}")
        return Measured(len(paths), self.cpu_s() - before, tuple(waits), received)

    def status(self, path: str, held: str) -> int:
        """Return the status of an answer to a browser that holds a tile with this ETag."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers={"If-None-Match": held})
        return connection.getresponse().status

    def body(self, path: str) -> tuple[bytes, str]:
        """Return one answer's body and ETag."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.read(), reply.headers.get("ETag") or ""


def cpu_s_of(pid: int) -> float:
    """Return user and system seconds of a process and its threads (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peer_python(folder: Path, *packages: str) -> Path:
    """Return the Python of a peer's own environment, installed by uv where it is not there yet."""
    python = folder / "bin" / "python"
    if not (folder / "bin" / "uvicorn").exists():
        uv = shutil.which("uv")
        if uv is None:
            raise SystemExit(f"uv is not on the PATH: it installs {packages[0]} into an environment of its own.")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        subprocess.run(
            [uv, "pip", "install", "-q", "--python", str(python), *packages, "uvicorn", "uvloop"],
            check=True,
        )
    return python
