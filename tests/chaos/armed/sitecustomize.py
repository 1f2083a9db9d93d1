"""Python loads this before any program of a chaos site: the points of `webapp.points` strike where a file asks for it.

The site's programs find it by their PYTHONPATH alone, which `tests.chaos.site` sets; without `QUADRAT_CHAOS_POINTS`, a
folder, it does nothing either. A file there with the name of a point holds "kill", or "full 3": from the fourth time
on, in each process.
"""

import errno
import os
import signal
from collections import Counter
from pathlib import Path

FOLDER = os.environ.get("QUADRAT_CHAOS_POINTS", "")
passed: Counter[str] = Counter()


def strike(name: str) -> None:
    """Die at this point, once over all processes, or find the disk full for as long as the order lies there."""
    order = Path(FOLDER) / name
    try:
        what, _, times = order.read_text().partition(" ")
        if what == "full":
            passed[name] += 1
            if passed[name] > int(times):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return
        order.rename(Path(FOLDER) / f"{os.getpid()}@{name}")
    except FileNotFoundError:
        return  # nobody asked, or another process has just died of it
    os.kill(os.getpid(), signal.SIGKILL)


if FOLDER:
    from webapp import points

    points.reach = strike
