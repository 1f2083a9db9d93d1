"""Locks that are waited for only so long: what others are storing may take minutes."""

from django.db import OperationalError, connection
from psycopg2.errors import LockNotAvailable

from webapp.errors import Unavailable


def wait_at_most(milliseconds: int) -> None:
    """Let every later wait for a lock in this transaction end after so long, with an error that `timed_out` knows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(milliseconds)])


def timed_out(error: BaseException) -> bool:
    """Return whether a database error means that somebody else held a lock for too long."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, LockNotAvailable)


def busy() -> Unavailable:
    """Return what is told to whoever waited in vain."""
    return Unavailable(
        "Somebody is storing a lot here just now. Nothing is lost, and nothing of this was stored.",
        fix="Try again in a moment.",
        code="busy",
    )
