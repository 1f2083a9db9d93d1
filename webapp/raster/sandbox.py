"""Running the one process that may parse an uploaded file.

Bubblewrap gives it no network, no home, a read-only system, the one input file and one output folder. Where
bubblewrap is missing or not allowed, the same process runs with its own limits only, and a warning is logged.
"""

import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from webapp import errors

logger = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
ROOT = Path(__file__).resolve().parents[2]
# All of our code that the child needs; settings and secrets are not among it.
CODE = ("webapp/__init__.py", "webapp/errors.py", "webapp/raster", "webapp/vectors")
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache")
MOST_OUTPUT_BYTES = 8 * 1024**2
GIBIBYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may take.

    Attributes:
        memory_bytes: of address space.
        wall_s: seconds until it is killed.
        file_bytes: size of one written file.
        processes: processes and threads, inside bubblewrap.
    """

    memory_bytes: int = 4 * GIBIBYTE
    wall_s: float = 3600.0
    file_bytes: int = 256 * GIBIBYTE
    processes: int = 256


@dataclass(frozen=True, slots=True)
class Program:
    """What runs inside, and what to advise where it breaks down.

    Attributes:
        module: serves one request, as `webapp.raster.child` does.
        error: type of the error where the file is at fault.
        smaller: what to do where it takes too much memory or time.
        again: what to do where its decoder broke down.
    """

    module: str
    error: type[errors.QuadratError]
    smaller: str
    again: str


RASTERS = Program(
    "webapp.raster.child",
    errors.BadRaster,
    "Save it tiled (gdal_translate -co TILED=YES) and upload it again.",
    "Convert it with gdal_translate -of COG and upload the result.",
)


@lru_cache(maxsize=1)
def bubblewrap() -> str | None:
    """Return bubblewrap's path where it works on this machine, else None; asked once per process."""
    found = shutil.which("bwrap")
    if found is None:
        logger.warning("bubblewrap is not installed: uploads are read in a resource-limited child only")
        return None
    with tempfile.TemporaryDirectory() as folder:
        trial = subprocess.run(
            [*wrapped(found, source=None, out=Path(folder)), *python("-c", "pass")],
            capture_output=True,
            timeout=60,
            check=False,
        )
    if trial.returncode:
        why = trial.stderr.decode(errors="replace").strip()[:200]
        logger.warning("bubblewrap does not work here (%s): uploads are read in a resource-limited child only", why)
        return None
    return found


def wrapped(program: str, *, source: Path | None, out: Path) -> list[str]:
    """Return bubblewrap's command line up to the program that it starts.

    Inside, the input is /in/source (read-only) and the only folder that can be written is /out.
    """
    command = [program, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--uid", "65534", "--gid", "65534", "--hostname", "sandbox"]
    # First, so that a checkout below /tmp is bound over it and not hidden by it.
    command += ["--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev"]
    interpreter = {sys.base_prefix, os.path.realpath(sys.base_prefix), *_packages()}
    for path in (*SYSTEM, *sorted(path for path in interpreter if not path.startswith("/usr/"))):
        command += ["--ro-bind-try", path, path]
    for part in CODE:
        command += ["--ro-bind", str(ROOT / part), f"/app/{part}"]
    for name, value in _environment("/app").items():
        command += ["--setenv", name, value]
    if source is not None:
        command += ["--ro-bind", str(source), "/in/source"]
    command += ["--bind", str(out), "/out", "--chdir", "/tmp"]
    return [*command, "--"]


def python(*arguments: str) -> list[str]:
    """Return the command that runs Python: the real interpreter, which finds our packages by PYTHONPATH.

    And no others: of those installed beside the interpreter itself, rasterio would load an AWS client where there is
    one, which is as much work as the rest of the start.
    """
    return [os.path.realpath(sys.executable), "-S", *arguments]


def run(
    command: str,
    request: dict[str, Any],
    *,
    source: Path,
    out: Path,
    limits: Limits,
    on_progress: Progress | None = None,
    program: Program = RASTERS,
) -> dict[str, Any]:
    """Return the answer of a program inside the sandbox to one request.

    Args:
        command: one of the program's; of the default one `probe` or `rewrite`.
        request: what the command needs, its file's `name` among it.
        source: the uploaded file.
        out: an empty folder for what it writes.
        limits: what it may take; past them it is killed.
        on_progress: called with (0 to 1, message); what it raises ends the child.
        program: what runs inside.

    Raises:
        BadRaster, BadVectors: the file cannot be taken; the message names the fix.
        TooLarge: it is over a limit.
        Invalid: the position cannot be used.
        StorageFull: the disk has no room for what it writes.
    """
    bwrap = bubblewrap()
    inside = bwrap is not None
    full = request | {
        "command": command,
        "smaller": program.smaller,
        "input": "/in/source" if inside else str(source),
        "out": "/out" if inside else str(out),
        "limits": {
            "memory_bytes": limits.memory_bytes,
            "cpu_s": int(limits.wall_s * 2) + 1,
            "file_bytes": limits.file_bytes,
            # Outside a namespace the number is shared with all that the user runs.
            "processes": limits.processes if inside else 0,
        },
    }
    prefix = wrapped(bwrap, source=source, out=out) if bwrap is not None else []
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(
            [*prefix, *python("-m", program.module)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd=ROOT if not inside else None,
            env=_environment(str(ROOT)) if not inside else {},
            start_new_session=True,
        )
        try:
            answer = _converse(child, full, limits.wall_s, on_progress, program)
        finally:
            _end(child)
        if answer is None:
            raise _died(child.returncode, full["name"], complaints, program)
    if "error" in answer:
        raise _typed(answer["error"])
    result: dict[str, Any] = answer["result"]
    return result


def _converse(
    child: subprocess.Popen[bytes],
    request: dict[str, Any],
    wall_s: float,
    on_progress: Progress | None,
    program: Program,
) -> dict[str, Any] | None:
    """Return the child's last word, or None where it ended without one."""
    assert child.stdin is not None and child.stdout is not None  # noqa: PT018  (both are pipes)
    try:
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.close()
    except BrokenPipeError:
        return None
    end = time.monotonic() + wall_s
    buffer, received = b"", 0
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise _too_slow(request["name"], wall_s, program)
            if not selector.select(min(left, 1.0)):
                if on_progress is not None:
                    on_progress(-1.0, "")
                continue
            data = os.read(child.stdout.fileno(), 65536)
            received += len(data)
            if not data or received > MOST_OUTPUT_BYTES:
                return None
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                word = json.loads(line)
                if "progress" not in word:
                    return dict(word)
                if on_progress is not None:
                    on_progress(float(word["progress"]), str(word["message"]))


def _end(child: subprocess.Popen[bytes]) -> None:
    """Wait for a child that said its last word; kill one that did not, with all it started."""
    try:
        child.wait(timeout=2 if child.stdout is not None and sys.exc_info()[0] is None else 0)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _died(code: int | None, name: str, complaints: IO[bytes], program: Program) -> errors.QuadratError:
    complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, complaints.tell() - 2000))
    text = complaints.read().decode(errors="replace").strip()
    logger.error("the sandbox ended with %s on '%s': %s", code, name, text)
    if "MemoryError" in text or "bad_alloc" in text or "Cannot allocate" in text:
        return program.error(
            f"'{name}' needs more memory than a file may take.", fix=program.smaller, code="too_much_memory"
        )
    return program.error(f"'{name}' could not be read: its decoder broke down.", fix=program.again, code="file_damaged")


def _too_slow(name: str, wall_s: float, program: Program) -> errors.QuadratError:
    return program.error(
        f"'{name}' was not read within {wall_s:g} s.",
        fix=f"{program.smaller} Or ask the administrator to raise the time limit.",
        code="too_slow",
    )


def _typed(error: dict[str, str]) -> errors.QuadratError:
    kinds: dict[str, type[errors.QuadratError]] = {
        "TooLarge": errors.TooLarge,
        "Invalid": errors.Invalid,
        "StorageFull": errors.StorageFull,
        "BadVectors": errors.BadVectors,
    }
    kind = kinds.get(error["kind"], errors.BadRaster)
    return kind(error["message"], fix=error["fix"], code=error["code"])


def _packages() -> set[str]:
    return {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}


def _environment(root: str) -> dict[str, str]:
    """Return the child's whole environment: nothing of ours, no secrets."""
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join([root, *sorted(_packages())]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # Its own pools reserve more address space than a child has.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "CPL_DEBUG": "OFF",
    }
