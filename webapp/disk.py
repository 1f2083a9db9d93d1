"""Room on the disk for what people send. All rooms that take files ask here before the first byte."""

import shutil
from pathlib import Path

from django.conf import settings

from webapp.errors import StorageFull

# Never fill the disk: the database needs it too.
FREE_SHARE = 0.1
# A tenth of a large disk would be left unused for nothing.
FREE_BYTES = 20 * 1024**3


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
