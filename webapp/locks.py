"""Locks that are waited for only so long: what others are storing may take minutes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection
from psycopg2.errors import DeadlockDetected, LockNotAvailable

from webapp.errors import Unavailable


@contextmanager
def waiting_at_most(milliseconds: int) -> Iterator[None]:
    """Let every wait for a lock in the block end after so long, with an error that `timed_out` knows.

    Within a transaction. Afterwards waits are bounded as before; where the block fails, with the savepoint around it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        [before] = cursor.fetchone()
        _bound(cursor, str(milliseconds))
        yield
        _bound(cursor, before)


def _bound(cursor: Any, value: str) -> None:
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [value])


def lock_name(name: str) -> None:
    """Wait until no other transaction has locked this name, and lock it until the end of this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def timed_out(error: BaseException) -> bool:
    """Return whether a database error means that somebody else held a lock for too long, or waits for one of ours."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, LockNotAvailable | DeadlockDetected)


def busy() -> Unavailable:
    """Return what is told to whoever waited in vain."""
    return Unavailable(
        "Somebody is storing a lot here just now. Nothing is lost, and nothing of this was stored.",
        fix="Try again in a moment.",
        code="busy",
    )
