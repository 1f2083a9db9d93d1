"""Room on the disk for what people send, and removing what nobody needs without a race.

A file named by its bytes may be taken up again by a job at any moment: the job refreshes its time and names it in a
row later. Whoever removes one therefore notes its stamp first, then asks whether it is needed, moves it aside, and
compares: another stamp means that somebody took it up, and it is put back. Who comes after the move finds no file and
writes its own.
"""

import shutil
import uuid
from pathlib import Path
from typing import Protocol

from django.conf import settings

from webapp import points
from webapp.errors import Invalid, StorageFull

# Never fill the disk: the database needs it too.
FREE_SHARE = 0.1
# A tenth of a large disk would be left unused for nothing.
FREE_BYTES = 20 * 1024**3
# What of a body is held in memory at once.
PIECE_BYTES = 1 << 20
# What is being removed carries this name for a moment.
ASIDE = ".collect-"


def check_room(size_bytes: int) -> None:
    """Refuse what would fill the disk.

    Raises:
        StorageFull: less than a tenth of the disk would stay free, or less than 20 GB of a large one.
    """
    folder = Path(settings.QUARANTINE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(folder)
    if usage.free - size_bytes < min(FREE_SHARE * usage.total, FREE_BYTES):
        raise StorageFull(
            f"The server has no room for {size_bytes:,} bytes more.",
            fix="Ask the administrator to free disk space.",
        )


class Body(Protocol):
    """What a request's body is read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes, none at the end."""


def take_body(stream: Body, path: Path, *, length: int) -> None:
    """Write a request's body into a file; whoever calls removes the file where this fails.

    Args:
        stream: the request.
        path: a file of ours in a folder that there is.
        length: bytes that were announced.

    Raises:
        Invalid: it broke off.
    """
    with path.open("wb") as kept:
        left = length
        while left > 0 and (piece := stream.read(min(PIECE_BYTES, left))):
            points.reach("disk.body")
            kept.write(piece)
            left -= len(piece)
    if left:
        raise Invalid("The upload broke off.", fix="Send it again.", code="upload_incomplete")


def stamp_of(path: Path) -> tuple[int, int]:
    """Return what changes when a file or folder is taken up or written anew.

    Raises:
        FileNotFoundError: it is gone.
    """
    found = path.lstat()
    return found.st_ino, found.st_mtime_ns


def set_aside(path: Path) -> Path:
    """Move a file or folder out of its name; return where it is.

    Raises:
        FileNotFoundError: it is gone.
    """
    aside = path.with_name(f"{ASIDE}{uuid.uuid4().hex[:8]}-{path.name}")
    path.rename(aside)
    return aside


def put_back(aside: Path) -> None:
    """Move what was set aside back to its name, unless it was written there anew meanwhile."""
    path = aside.with_name(aside.name.removeprefix(ASIDE).partition("-")[2])
    if path.exists():
        discard(aside)
    else:
        aside.rename(path)


def discard(path: Path) -> None:
    """Remove a file, a folder with all in it, or a link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
