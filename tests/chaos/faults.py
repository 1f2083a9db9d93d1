"""The faults of a run: what strikes, how it ends, and how long each labeler waits for the next answer after it."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import psycopg2

from tests.chaos.journal import Journal
from tests.chaos.postgres import OwnPostgres
from tests.chaos.proxy import Proxy
from tests.chaos.site import ChaosSite
from webapp.points import POINTS

FROZEN_S = CUT_S = 4.0
# The same wait at a moment when nothing happened: what a fault's has to be read against.
QUIET = "nothing (for comparison)"
WEB_KILLED, WEBS_KILLED = "a web process killed", "all web processes killed"
FROZEN = f"a web process frozen for {FROZEN_S:.0f} s"
ENDED, DATABASE_KILLED = "all connections of the database ended", "the database server killed"
WORKER_KILLED, SOCKETS_CUT = "the worker killed in an import", "all sockets cut"
WITHOUT_A_WORD, RESET = f"for {CUT_S:.0f} s, without a word", f"for {CUT_S:.0f} s, then reset"
PEOPLE_CUT_OFF = tuple(f"people and site parted {how}" for how in (WITHOUT_A_WORD, RESET))
DATABASE_CUT_OFF = tuple(f"site and database parted {how}" for how in (WITHOUT_A_WORD, RESET))
REMOVED = "a member removed"
FULL_FOR_BODY, FULL_FOR_ROWS = "the disk full in an upload", "the disk full in an import"


def killed_at(point: str) -> str:
    """Return the kind of fault that is a death at a point of `webapp.points`."""
    return f"killed at {point}: {POINTS[point]}"


EDIT_POINTS = tuple(killed_at(point) for point in POINTS if point.startswith(("edit.", "room.", "task.")))
JOB_POINTS = tuple(killed_at(point) for point in POINTS if point.startswith("job."))


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


@dataclass(frozen=True)
class Networks:
    """What can be parted."""

    people: Proxy
    database: Proxy


@dataclass(frozen=True)
class Owner:
    """What the owner of the project does while people work.

    Attributes:
        send_file: begins an import.
        import_file: the same, and returns when a worker runs it.
        remove_member: ends a membership and returns when nobody may hear of it any more.
        fill: sends a file; what it meets is noted. "body": the disk is full while it comes; "rows": while it is read.
    """

    send_file: Callable[[], object]
    import_file: Callable[[], None]
    remove_member: Callable[[], None]
    fill: Callable[[str], None]


@dataclass
class Faults:
    """What can be done to a site.

    Attributes:
        site: its programs.
        database: address of its database.
        cut: drops the sockets of all labelers.
        networks: around it.
        owner: of the project.
        postgres: its server, where that is ours to kill.
    """

    site: ChaosSite
    database: str
    cut: Callable[[], None]
    networks: Networks
    owner: Owner
    postgres: OwnPostgres | None = None
    struck: list[Struck] = field(default_factory=list)

    def strike(self, kind: str, journals: Sequence[Journal]) -> None:
        """Do one fault, and what brings the site back; blocks while it lasts."""
        people, database = self.networks.people, self.networks.database
        kinds: dict[str, Callable[[], None]] = {
            QUIET: lambda: None,
            WEB_KILLED: self._kill_web,
            WEBS_KILLED: self._kill_webs,
            FROZEN: self._freeze,
            ENDED: self._end_connections,
            DATABASE_KILLED: self._kill_postgres,
            WORKER_KILLED: self._kill_worker,
            SOCKETS_CUT: self.cut,
            PEOPLE_CUT_OFF[0]: lambda: _part(people, reset=False),
            PEOPLE_CUT_OFF[1]: lambda: _part(people, reset=True),
            DATABASE_CUT_OFF[0]: lambda: _part(database, reset=False),
            DATABASE_CUT_OFF[1]: lambda: _part(database, reset=True),
            REMOVED: self.owner.remove_member,
            FULL_FOR_BODY: lambda: self.owner.fill("body"),
            FULL_FOR_ROWS: lambda: self.owner.fill("rows"),
            **{killed_at(point): partial(self._kill_at, point) for point in POINTS},
        }
        in_flight = sum(len(journal.first_at.keys() - journal.answered_at.keys()) for journal in list(journals))
        self.struck.append(Struck(kind, time.monotonic(), in_flight))
        kinds[kind]()

    def _kill_at(self, point: str) -> None:
        self.site.order(point, "kill")
        if point.startswith("job."):
            # The worker may die of an earlier one, and would take none then.
            self.owner.send_file()
        elif point == "room.reading":
            self.cut()
        self.site.await_death(point)

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
        self.owner.import_file()
        self.site.kill_worker()
        self.site.start_worker()


def _part(network: Proxy, *, reset: bool) -> None:
    network.cut()
    time.sleep(CUT_S)
    network.heal(reset=reset)


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
