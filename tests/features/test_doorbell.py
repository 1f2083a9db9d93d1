"""The doorbell: heard after the commit, never before; what is told arrives as it was; a cut line is mended."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from tests.browser.driver import wait_until
from webapp.doorbell import Listener, ring, tell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.stop()


def test_a_ring_comes_with_the_commit_and_not_after_a_rollback(listener: Listener) -> None:
    heard: list[int] = []
    listener.subscribe("layer:x", lambda topic, number: heard.append(number))
    wait_until(lambda: heard == [-1], what="the first look after listening began")
    with transaction.atomic():
        ring("layer:x", 1)
        transaction.set_rollback(True)
    with transaction.atomic():
        ring("layer:x", 2)
        ring("layer:y", 9)
        assert heard == [-1]
    wait_until(lambda: heard == [-1, 2], what="the ring")


def test_what_is_told_arrives_whole_and_too_much_is_not_sent(listener: Listener) -> None:
    heard: list[dict[str, object]] = []
    ready = threading.Event()
    listener.hear("room:x", heard.append)
    end = listener.subscribe("room:x", lambda topic, number: ready.set())
    assert ready.wait(10)
    assert tell("room:x", {"name": "Ána é ! 你", "place": [85.5, 27.6]})
    assert not tell("room:x", {"text": "x" * 8_000})
    wait_until(lambda: len(heard) == 1, what="the message")
    assert heard == [{"name": "Ána é ! 你", "place": [85.5, 27.6]}]
    end()


def test_after_a_cut_line_everybody_is_told_to_look_again(listener: Listener) -> None:
    heard: list[int] = []
    listener.subscribe("layer:x", lambda topic, number: heard.append(number))
    wait_until(lambda: heard == [-1], what="the first look")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
    wait_until(lambda: heard == [-1, -1], what="the look after the line was mended")
    ring("layer:x", 3)
    wait_until(lambda: heard[-1] == 3, what="the ring after that")
