"""Passes bytes between programs, and can stop passing them: the network between two of them, which breaks and heals."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PIECE_BYTES = 1 << 16


class Proxy:
    """Connections from one listening socket to a target, on a thread of its own.

    While it is cut, bytes of both directions are held, new connections too, and neither end is told: no FIN, no RST.
    Healed, the connections go on as TCP's do, with nothing missing, or all of them are reset and what was held is gone.
    """

    def __init__(self, listener: socket.socket, connect: Callable[[], Awaitable[Ends]]) -> None:
        self._listener, self._connect = listener, connect
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._whole.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Pass nothing more on."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def heal(self, *, reset: bool) -> None:
        """Go on; with `reset`, every connection is broken first."""
        self._loop.call_soon_threadsafe(self._heal, reset)

    def stop(self) -> None:
        """Break all connections and end."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(timeout=10)

    def _heal(self, reset: bool) -> None:
        if reset:
            for writer in list(self._writers):
                writer.transport.abort()
        self._whole.set()

    async def _serve(self) -> None:
        start = asyncio.start_unix_server if self._listener.family == socket.AF_UNIX else asyncio.start_server
        server = await start(self._join, sock=self._listener)
        await self._stopping.wait()
        server.close()
        self._heal(reset=True)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            await self._whole.wait()
            far_reader, far = await self._connect()
            self._writers.add(far)
            ways = [asyncio.create_task(self._pass(*way)) for way in ((reader, far), (far_reader, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # the target is away: its client hears that its connection ended
        finally:
            for end in (writer, far):
                if end is not None:
                    self._writers.discard(end)
                    end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                await self._whole.wait()
                writer.write(piece)
                await writer.drain()
            # The end of one side is held as its bytes are.
            await self._whole.wait()
