"""One web process on a listening socket that `manage.py up` opened: `python -m webapp.web <file descriptor>`.

All processes accept from the one socket, so a connection waits while a crashed process comes back.
"""

import socket
import sys

import uvicorn

# Our own frames are at most a batch of edits; uvicorn's default is 16 MiB a frame.
SOCKET_FRAME_MAX_BYTES = 262_144
GRACE_S = 15


def main(descriptor: int) -> None:
    """Serve until SIGTERM."""
    config = uvicorn.Config(
        "webapp.asgi:application",
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


if __name__ == "__main__":
    main(int(sys.argv[1]))
