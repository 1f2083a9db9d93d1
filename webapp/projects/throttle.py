"""Limits on guessing passwords: counters in the database, raised before a password is looked at.

Read, decide, write would let parallel guesses through; one statement that raises and returns does not.
"""

import hashlib

from django.db import connection

from webapp.errors import TooMany

# Guesses in one window.
PER_ACCOUNT = 5
PER_ADDRESS = 30
# Seconds of a window; it doubles each time the limit was passed in the window before.
WINDOW_S = 60
MOST_DOUBLINGS = 4

COUNT = """
INSERT INTO projects_signinattempts AS row (key, count, doublings, started_at)
VALUES (%(key)s, 1, 0, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET
    doublings = CASE WHEN {over} THEN
                    CASE WHEN row.count > %(limit)s THEN least(row.doublings + 1, %(most)s) ELSE 0 END
                ELSE row.doublings END,
    count = CASE WHEN {over} THEN 1 ELSE row.count + 1 END,
    started_at = CASE WHEN {over} THEN clock_timestamp() ELSE row.started_at END
RETURNING count, extract(epoch FROM row.started_at + {window} - clock_timestamp())
""".format(
    over="row.started_at + %(seconds)s * (1 << row.doublings) * interval '1 second' <= clock_timestamp()",
    window="%(seconds)s * (1 << row.doublings) * interval '1 second'",
)


def count_attempt(*, account: str, address: str) -> None:
    """Count one attempt to sign in, before it is tried.

    Raises:
        TooMany: the account or the address has had its attempts; `retry_after_s` is in the details.
    """
    waits = [_raise(_account(account), PER_ACCOUNT), _raise(f"address:{address}", PER_ADDRESS)]
    wait_s = max(waits)
    if wait_s > 0:
        raise TooMany(
            "There were too many attempts to sign in.",
            fix=f"Wait {wait_s} seconds, then try again.",
            details={"retry_after_s": wait_s},
        )


def count_guess(*, address: str) -> None:
    """Count one link that leads nowhere, or one attempt to make an account, of an address.

    Raises:
        TooMany: the address has had its attempts.
    """
    wait_s = _raise(f"link:{address}", PER_ADDRESS)
    if wait_s > 0:
        raise TooMany(
            "There were too many attempts from your address.",
            fix=f"Wait {wait_s} seconds, then try again.",
            details={"retry_after_s": wait_s},
        )


def forgive(*, account: str, address: str) -> None:
    """Take the attempt back: the password was right."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM projects_signinattempts WHERE key = %s", [_account(account)])
        cursor.execute(
            "UPDATE projects_signinattempts SET count = greatest(count - 1, 0) WHERE key = %s", [f"address:{address}"]
        )


def _account(name: str) -> str:
    # Hashed: people type passwords into the name field, and this table is in backups.
    return "account:" + hashlib.sha256(name.strip().lower().encode()).hexdigest()


def _raise(key: str, limit: int) -> int:
    """Raise the counter; return the whole seconds to wait, 0 where the attempt may go on."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"key": key, "limit": limit, "seconds": WINDOW_S, "most": MOST_DOUBLINGS})
        count, left_s = cursor.fetchone()
    return max(1, round(left_s)) if count > limit else 0
