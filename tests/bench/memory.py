"""The memory of a process and its children while something is measured."""

import threading
from pathlib import Path


class Memory:
    """The most memory (PSS) of a process and its children, looked at twice a second."""

    def __init__(self, pid: int) -> None:
        self.most_mb = 0.0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Stop looking; return MB."""
        self._ended.set()
        self._thread.join()
        return round(self.most_mb)

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self.most_mb = max(self.most_mb, sum(_pss_mb(pid) for pid in _family(self._pid)))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # ended while we looked
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:")), 0.0)
