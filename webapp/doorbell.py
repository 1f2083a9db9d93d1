"""The doorbell: «look again» hints between processes over PostgreSQL LISTEN/NOTIFY.

A ring carries a topic (`layer:<id>`, `job:<id>`, `project:<id>`, `imagery:<id>`) and a number. It may be
lost or doubled: whoever hears it reads the log after the last number it knows.
"""

import json
import logging
import select
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg2
from django.db import connection, connections
from django.db.backends.utils import CursorWrapper

logger = logging.getLogger(__name__)

CHANNEL = "quadrat"
Subscriber = Callable[[str, int], None]
# Gets what was told, as JSON gave it.
Hearer = Callable[[dict[str, Any]], None]
# PostgreSQL refuses payloads of 8,000 bytes and more.
MAX_TOLD_BYTES = 7_900
Called = TypeVar("Called", Subscriber, Hearer)


def ring(topic: str, number: int, *, cursor: CursorWrapper | None = None) -> None:
    """Ring for `topic` when the current transaction commits (at once outside one)."""
    payload = f"{topic} {number}"
    if cursor is not None:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
        return
    with connection.cursor() as own:
        own.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


def tell(topic: str, message: dict[str, Any]) -> bool:
    """Say something fleeting (who is here, where a pointer is) to every process; return False where it is too long.

    Nothing that is told is kept anywhere: what must not be lost belongs into a log, with a ring.
    """
    payload = f"!{topic} {json.dumps(message, separators=(',', ':'), ensure_ascii=False)}"
    if len(payload.encode()) > MAX_TOLD_BYTES:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
    return True


class Listener:
    """One thread per process that hears every ring and calls subscribers of the topic.

    Subscribers are called on the listener's thread and must return at once. After a lost connection each
    subscriber is called with number -1: something may have been missed.
    """

    def __init__(self) -> None:
        self._subscribers: dict[str, set[Subscriber]] = {}
        self._hearers: dict[str, set[Hearer]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def subscribe(self, topic: str, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber(topic, number)` at each ring; return what ends that. Starts the thread when first used."""
        with self._lock:
            self._subscribers.setdefault(topic, set()).add(subscriber)
            self._start()
        return lambda: self._remove(self._subscribers, topic, subscriber)

    def hear(self, topic: str, hearer: Hearer) -> Callable[[], None]:
        """Call `hearer(message)` at each `tell` of the topic, our own included; return what ends that."""
        with self._lock:
            self._hearers.setdefault(topic, set()).add(hearer)
            self._start()
        return lambda: self._remove(self._hearers, topic, hearer)

    def stop(self) -> None:
        """End the thread; subscribers stay and are heard again after the next `subscribe`."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
            self._thread.start()

    def _remove(self, table: dict[str, set[Called]], topic: str, called: Called) -> None:
        with self._lock:
            found = table.get(topic, set())
            found.discard(called)
            if not found:
                table.pop(topic, None)

    def _call(self, topic: str | None, number: int) -> None:
        with self._lock:
            topics = list(self._subscribers) if topic is None else [topic]
            calls = [(name, subscriber) for name in topics for subscriber in self._subscribers.get(name, ())]
        for name, subscriber in calls:
            subscriber(name, number)

    def _pass_on(self, payloads: list[str]) -> None:
        latest: dict[str, int] = {}
        for payload in payloads:
            if payload.startswith("!"):
                topic, _, text = payload[1:].partition(" ")
                with self._lock:
                    hearers = list(self._hearers.get(topic, ()))
                message = json.loads(text) if hearers else {}
                for hearer in hearers:
                    hearer(message)
            else:
                topic, _, text = payload.rpartition(" ")
                latest[topic] = max(latest.get(topic, -1), int(text))
        for topic, number in latest.items():
            self._call(topic, number)

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
                payloads = [item.payload for item in conn.notifies]
                conn.notifies.clear()
                self._pass_on(payloads)
        finally:
            conn.close()


listener = Listener()
