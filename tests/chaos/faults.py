"""The faults of a run: what strikes, how it ends, and how long each labeler waits for the next answer after it."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg2

from tests.chaos.journal import Journal
from tests.chaos.postgres import OwnPostgres
from tests.chaos.site import ChaosSite

FROZEN_S = 4.0
# The same wait at a moment when nothing happened: what a fault's has to be read against.
QUIET = "nothing (for comparison)"


@dataclass
class Struck:
    """One fault that happened.

    Attributes:
        kind: of fault.
        at: when, in monotonic seconds.
        in_flight: edits that were sent and not answered at that moment.
    """

    kind: str
    at: float
    in_flight: int


@dataclass
class Faults:
    """What can be done to a site.

    Attributes:
        site: its programs.
        database: address of its database.
        postgres: its server, where that is ours to kill.
        cut: drops the sockets of all labelers.
        import_file: begins an import and returns when a worker runs it.
    """

    site: ChaosSite
    database: str
    cut: Callable[[], None]
    import_file: Callable[[], None]
    postgres: OwnPostgres | None = None
    struck: list[Struck] = field(default_factory=list)

    def strike(self, kind: str, journals: Sequence[Journal]) -> None:
        """Do one fault, and what brings the site back; blocks while it lasts."""
        kinds: dict[str, Callable[[], None]] = {
            QUIET: lambda: None,
            "a web process killed": self._kill_web,
            "all web processes killed": self._kill_webs,
            f"a web process frozen for {FROZEN_S:.0f} s": self._freeze,
            "all connections of the database ended": self._end_connections,
            "the database server killed": self._kill_postgres,
            "the worker killed in an import": self._kill_worker,
            "all sockets cut": self.cut,
        }
        in_flight = sum(len(journal.first_at.keys() - journal.answered_at.keys()) for journal in list(journals))
        self.struck.append(Struck(kind, time.monotonic(), in_flight))
        kinds[kind]()

    def _kill_web(self) -> None:
        self.site.kill_web(0)
        self.site.start_web(0)

    def _kill_webs(self) -> None:
        numbers = range(len(self.site.web_pids()))
        for number in numbers:
            self.site.kill_web(number)
        for number in numbers:
            self.site.start_web(number)

    def _freeze(self) -> None:
        self.site.freeze(0)
        time.sleep(FROZEN_S)
        self.site.freeze(0, thaw=True)

    def _end_connections(self) -> None:
        connection = psycopg2.connect(self.database.replace("postgis://", "postgresql://"))
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND application_name = 'chaos'"
            )
        connection.close()

    def _kill_postgres(self) -> None:
        assert self.postgres is not None
        self.postgres.kill()
        self.postgres.start()

    def _kill_worker(self) -> None:
        self.import_file()
        self.site.kill_worker()
        self.site.start_worker()


def schedule(kinds: Sequence[str], seconds: float, *, seed: int) -> list[tuple[float, str]]:
    """Return (seconds from the start, kind) of each fault: evenly spread, in an order that the seed alone decides."""
    order = list(kinds)
    random.Random(seed).shuffle(order)
    step = seconds / (len(order) + 1)
    return [(step * (number + 1), kind) for number, kind in enumerate(order)]


def waits(struck: Struck, journals: Sequence[Journal]) -> list[float]:
    """Return for each labeler the seconds from a fault to the next acknowledgement."""
    found = []
    for journal in journals:
        after = [at for at in journal.answered_at.values() if at > struck.at]
        if after:
            found.append(min(after) - struck.at)
    return found
