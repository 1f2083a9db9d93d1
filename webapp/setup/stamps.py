"""Stamps: what was done from which inputs, so that a second start does no work."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from webapp.setup.place import STAMPS


def digest(paths: Iterable[Path], *words: str) -> str:
    """Return the SHA-256 over the names and bytes of files, and over `words`."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    for word in words:
        total.update(word.encode() + b"\0")
    return total.hexdigest()


def is_done(name: str, value: str) -> bool:
    """Return True where the step was finished with exactly these inputs."""
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_text() == value


def mark_done(name: str, value: str) -> None:
    """Record that the step is finished."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(value)


def forget(name: str) -> None:
    """Have the step done again at the next start."""
    (STAMPS / name).unlink(missing_ok=True)
