"""The doorbell: «look again» hints between processes over PostgreSQL LISTEN/NOTIFY.

A ring carries a topic (`layer:<id>`, `job:<id>`, `project:<id>`, `imagery:<id>`) and a number. It may be
lost or doubled: whoever hears it reads the log after the last number it knows.
"""

import logging
import select
import threading
import time
from collections.abc import Callable

import psycopg2
from django.db import connection, connections
from django.db.backends.utils import CursorWrapper

logger = logging.getLogger(__name__)

CHANNEL = "quadrat"
Subscriber = Callable[[str, int], None]


def ring(topic: str, number: int, *, cursor: CursorWrapper | None = None) -> None:
    """Ring for `topic` when the current transaction commits (at once outside one)."""
    payload = f"{topic} {number}"
    if cursor is not None:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
        return
    with connection.cursor() as own:
        own.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


class Listener:
    """One thread per process that hears every ring and calls subscribers of the topic.

    Subscribers are called on the listener's thread and must return at once. After a lost connection each
    subscriber is called with number -1: something may have been missed.
    """

    def __init__(self) -> None:
        self._subscribers: dict[str, set[Subscriber]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def subscribe(self, topic: str, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber(topic, number)` at each ring; return what ends that. Starts the thread when first used."""
        with self._lock:
            self._subscribers.setdefault(topic, set()).add(subscriber)
            if self._thread is None or not self._thread.is_alive():
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
        return lambda: self._unsubscribe(topic, subscriber)

    def stop(self) -> None:
        """End the thread; subscribers stay and are heard again after the next `subscribe`."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _unsubscribe(self, topic: str, subscriber: Subscriber) -> None:
        with self._lock:
            found = self._subscribers.get(topic, set())
            found.discard(subscriber)
            if not found:
                self._subscribers.pop(topic, None)

    def _call(self, topic: str | None, number: int) -> None:
        with self._lock:
            topics = list(self._subscribers) if topic is None else [topic]
            calls = [(name, subscriber) for name in topics for subscriber in self._subscribers.get(name, ())]
        for name, subscriber in calls:
            subscriber(name, number)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg2.Error as error:
                logger.warning("doorbell lost its connection (%s), trying again", str(error).strip())
                time.sleep(1.0)

    def _listen(self) -> None:
        parameters = connections["default"].get_connection_params()
        parameters.pop("cursor_factory", None)
        conn = psycopg2.connect(**parameters)
        try:
            conn.autocommit = True
            with conn.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._call(None, -1)
            while not self._stop.is_set():
                if not select.select([conn], [], [], 1.0)[0]:
                    continue
                conn.poll()
                latest: dict[str, int] = {}
                while conn.notifies:
                    topic, _, number = conn.notifies.pop(0).payload.rpartition(" ")
                    latest[topic] = max(latest.get(topic, -1), int(number))
                for topic, number in latest.items():
                    self._call(topic, number)
        finally:
            conn.close()


listener = Listener()
