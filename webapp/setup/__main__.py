"""The program behind the Makefile: `python3 -m webapp.setup run`, or another of its words."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (this file must run on an old Python to say so)
    sys.exit("Quadrat needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11 run")

import errno
import signal
from types import FrameType

from webapp.setup import checks, steps
from webapp.setup.place import SetupError


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(words: list[str]) -> int:
    """Run one command; return its exit status."""
    checked = {
        "test": checks.test,
        "lint": checks.lint,
        "bench": checks.bench,
        "bench-tiles": checks.bench_tiles,
        "bench-vector": checks.bench_vector,
        "chaos": checks.chaos,
        "machines": checks.machines,
    }
    done = {"run": steps.start_site, "stop": steps.stop_site, "clean": steps.clean, "lock": checks.lock}
    if len(words) != 1 or words[0] not in {**checked, **done}:
        words_known = "|".join([*checked, *done])
        sys.stderr.write(f"usage: python3 -m webapp.setup {words_known}\n")
        return 2
    signal.signal(signal.SIGTERM, _stop)
    try:
        if words[0] in checked:
            return 0 if checked[words[0]]() else 1
        done[words[0]]()
    except SetupError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sys.stderr.write("\nThe disk is full; free some room and try again.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
