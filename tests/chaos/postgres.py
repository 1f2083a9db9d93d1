"""A PostGIS server of a chaos run's own, with the durability of the site's: it may be killed at any moment."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from webapp.setup.cluster import CONFIGURATION
from webapp.setup.machine import postgis_versions, server_programs

USER = "postgres"
START_S = 60.0


class OwnPostgres:
    """Made in a folder of its own, which is gone after `remove`. PostgreSQL refuses to run as root."""

    def __init__(self) -> None:
        self._programs = server_programs(postgis_versions()[-1])
        self._user = USER if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="quadrat-chaos-"))
        self._data = self._folder / "pg"
        if self._user is not None:
            shutil.chown(self._folder, self._user, self._user)
        self._run("initdb", "--data-checksums", "--username", "quadrat", "--auth", "trust", "--encoding", "UTF8")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION)
        self.start()
        psql = [str(self._programs / "psql"), "-q", "-h", str(self._folder), "-U", "quadrat", "-d", "postgres"]
        subprocess.run([*psql, "-c", "CREATE DATABASE chaos"], check=True)
        self.url = f"postgis://quadrat@{str(self._folder).replace('/', '%2F')}/chaos"

    def start(self) -> None:
        """Start the server and return when it takes connections, after it has read its log.

        Raises:
            TimeoutError: it does not.
        """
        deadline = time.monotonic() + START_S
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", self._folder], check=False).returncode:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the database does not start; see {self._folder / 'log'}")
            # The processes of a killed server hold its memory for a moment: it is asked again.
            options = ("-o", f"-k {self._folder}", "-l", str(self._folder / "log"))
            self._run("pg_ctl", "start", "--wait", "--timeout", "5", "--silent", *options, check=False)

    def kill(self) -> None:
        """Kill the server's first process; its others die when they notice."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def cpu_s(self) -> float:
        """Return the CPU-seconds of the server: of its living processes, and of those that have ended."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        parents = {pid: _stat(pid) for pid in _pids()}
        own = [fields for pid, fields in parents.items() if fields and (pid == first or int(fields[1]) == first)]
        ended = sum(int(number) for number in _stat(first)[13:15])
        return (sum(int(fields[11]) + int(fields[12]) for fields in own) + ended) / os.sysconf("SC_CLK_TCK")

    def remove(self) -> None:
        """Stop the server and remove all of it."""
        self._run("pg_ctl", "stop", "--mode", "immediate", "--wait", "--silent", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *words: str, check: bool = True) -> None:
        command = [str(self._programs / program), "--pgdata", str(self._data), *words]
        if program == "pg_ctl":
            command = [str(self._programs / program), *words[:1], "--pgdata", str(self._data), *words[1:]]
        env = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
        groups = None if self._user is None else []
        with (self._folder / "programs.log").open("ab") as log:
            subprocess.run(
                command,
                check=check,
                cwd="/",
                env=env,
                user=self._user,
                group=self._user,
                extra_groups=groups,
                stdout=log,
                stderr=log,
            )


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """Return the fields of proc(5) `stat` after the program's name; empty where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
