"""One web process on a listening socket that `manage.py up` opened: `python -m webapp.web <file descriptor>`.

All processes accept from the one socket, so a connection waits while a crashed process comes back.
"""

import socket
import sys
import time
from importlib import import_module

import uvicorn
from django.conf import settings
from django.db import OperationalError, connection

from webapp.asgi import application

# Our own frames are at most a batch of edits; uvicorn's default is 16 MiB a frame.
SOCKET_FRAME_MAX_BYTES = 262_144
GRACE_S = 15
# A database that starts after a crash reads its log first; later than this, pages say themselves that it is away.
DATABASE_PATIENCE_S = 30.0


def main(descriptor: int) -> None:
    """Serve until SIGTERM."""
    # What the first request would load; by then the database, which starts at the same time, is there as well.
    import_module(settings.ROOT_URLCONF)
    wait_for_database()
    config = uvicorn.Config(
        application,
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        ws="websockets-sansio",
        ws_max_size=SOCKET_FRAME_MAX_BYTES,
        ws_max_queue=32,
        # A frame of 1 MB may unfold to 1 GB, and each compressed socket keeps 300 kB of state.
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


def wait_for_database() -> None:
    """Return when the database takes connections, or is too long about it."""
    deadline = time.monotonic() + DATABASE_PATIENCE_S
    while time.monotonic() < deadline:
        try:
            connection.ensure_connection()
        except OperationalError:
            time.sleep(0.05)
        else:
            connection.close()
            return


if __name__ == "__main__":
    main(int(sys.argv[1]))
