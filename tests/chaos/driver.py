"""One chaos run on a migrated database: people, site, faults, quiet, verdict."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from labeling import task_services
from labeling.models import LabelSet
from labeling.services import create_label_set
from labeling.task_grid import GridRequest
from tests.chaos import faults
from tests.chaos.check import check
from tests.chaos.faults import Faults, Networks, Owner, schedule
from tests.chaos.habits import Habits, Place
from tests.chaos.labeler import Labeler
from tests.chaos.network import DatabaseNetwork, Network
from tests.chaos.owner import QUIET_S, OwnerAtWork, wait_for
from tests.chaos.postgres import OwnPostgres
from tests.chaos.site import ChaosSite
from tests.chaos.table import Outcome
from tests.factories import make_imagery, make_project, make_token, make_user
from webapp.jobs.models import Job
from webapp.jobs.services import FINAL
from webapp.projects.models import Member, Role

# Short, so that leases end and pass on while the run lasts.
LEASES = {"QUADRAT_TASK_LEASE_S": "6", "QUADRAT_JOB_LEASE_S": "5", "QUADRAT_JOB_GRACE_S": "3"}


@dataclass(frozen=True)
class Profile:
    """The size of a run.

    Attributes:
        labelers: people at work.
        per_s: edits a second of each.
        seconds: of work; the faults are spread over them.
        webs: web processes.
        kinds: the faults, in any order.
        imports: features of each import, one per killed worker.
    """

    labelers: int
    per_s: float
    seconds: float
    webs: int
    kinds: tuple[str, ...]
    imports: tuple[int, ...] = ()


EACH = (
    faults.QUIET,
    faults.WEB_KILLED,
    faults.WEBS_KILLED,
    faults.FROZEN,
    faults.ENDED,
    faults.DATABASE_KILLED,
    faults.WORKER_KILLED,
    faults.SOCKETS_CUT,
)
PARTED = (*faults.PEOPLE_CUT_OFF, *faults.DATABASE_CUT_OFF)
REFUSING = (faults.REMOVED, faults.FULL_FOR_BODY, faults.FULL_FOR_ROWS)
SOME = ("edit.numbered", "edit.stored", "edit.committed", "job.stored", "job.published")
SOME_POINTS = tuple(faults.killed_at(point) for point in SOME)
EVERY_POINT = (*faults.EDIT_POINTS, *faults.JOB_POINTS)
PROFILES = {
    # The first import is large enough for a ladder of cells, and for clients that have to load all anew.
    "smoke": Profile(12, 2.0, 110, 2, (*EACH, *PARTED, *REFUSING, *SOME_POINTS), (5_200,)),
    "long": Profile(16, 1.0, 300, 2, (*EACH, *PARTED, *REFUSING, faults.REMOVED, *EVERY_POINT), (5_200, 500)),
    # What a test has time for; it runs on a server that others use.
    "test": Profile(
        6,
        3.0,
        9,
        1,
        (
            faults.QUIET,
            faults.killed_at("edit.committed"),
            faults.ENDED,
            faults.PEOPLE_CUT_OFF[1],
            faults.REMOVED,
            faults.FULL_FOR_BODY,
        ),
    ),
}


class Run:
    """One run of a profile."""

    def __init__(self, profile: Profile, *, seed: int, folder: Path, database: str, port: int = 0) -> None:
        self.profile, self.seed, self.database = profile, seed, database
        self._database_network = DatabaseNetwork(database)
        folders = {f"QUADRAT_{name}": str(getattr(settings, name)) for name in ("MEDIA_DIR", "QUARANTINE_DIR")}
        environment = {
            "DATABASE_URL": self._database_network.url,
            "QUADRAT_READ_DATABASE_URL": "",
            "QUADRAT_SECRET_KEY": settings.SECRET_KEY,
            "QUADRAT_VAR_DIR": str(folder),
            "QUADRAT_SCRATCH_DIR": str(settings.SCRATCH_DIR),
            "QUADRAT_LOG_LEVEL": "ERROR",
            "PGAPPNAME": "chaos",
            **folders,
            **LEASES,
        }
        self.site = ChaosSite(environment, folder / "site.log", webs=profile.webs, port=port, armed=True)
        self._people_network = Network(self.site.url)
        self.label_set = _label_set()
        self.place = Place(self._people_network.url, str(self.label_set.layer_id), str(self.label_set.pk))

    def go(self, postgres: OwnPostgres | None = None) -> Outcome:
        """Return what came of it; the site is stopped."""
        leaving = self._people("leaver", self.profile.kinds.count(faults.REMOVED))
        labelers = self._people("chaos", self.profile.labelers)
        gone = [labeler.journal for labeler in leaving]
        owner = OwnerAtWork(self.site, self.label_set, imports=self.profile.imports or None, leaving=gone)
        start = time.monotonic()
        try:
            self.site.start(worker=bool(self.profile.imports))
            struck = asyncio.run(self._work(labelers, leaving, owner, postgres))
            # Ours broke with the others.
            connection.close()
            _wait_for_jobs()
        finally:
            self.site.stop()
            self._people_network.stop()
            self._database_network.stop()
        journals = [labeler.journal for labeler in labelers]
        head = {
            "seed": self.seed,
            "labelers": self.profile.labelers,
            "seconds": round(time.monotonic() - start),
            "cores": os.cpu_count(),
            "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        }
        found = check([*journals, *gone], [self.label_set.layer], uploads=owner.uploads)
        return Outcome(head, journals, struck, found)

    def _people(self, name: str, count: int) -> list[Labeler]:
        labelers = []
        for number in range(count):
            user = make_user(f"{name}-{number}")
            Member.objects.create(project=self.label_set.project, user=user, role=Role.LABELER)
            habits = Habits(self.profile.per_s)
            labelers.append(Labeler(user.username, make_token(user), self.place, habits, self.seed * 1_000 + number))
        return labelers

    async def _work(
        self, labelers: Sequence[Labeler], leaving: Sequence[Labeler], owner: OwnerAtWork, postgres: OwnPostgres | None
    ) -> list[faults.Struck]:
        loop = asyncio.get_running_loop()

        def cut() -> None:
            for labeler in labelers:
                loop.call_soon_threadsafe(labeler.cut)

        networks = Networks(self._people_network.proxy, self._database_network.proxy)
        by_owner = Owner(owner.send_file, owner.import_file, owner.remove_member, owner.fill)
        kit = Faults(self.site, self.database, cut, networks, by_owner, postgres)
        begun = loop.time()
        at_work = asyncio.gather(*(labeler.run() for labeler in labelers))
        # They are never answered again once they are out: they try to the end.
        in_vain = [asyncio.create_task(labeler.run()) for labeler in leaving]
        journals = [labeler.journal for labeler in labelers]
        for at, kind in schedule(self.profile.kinds, self.profile.seconds, seed=self.seed):
            await asyncio.sleep(max(0.0, begun + at - loop.time()))
            await asyncio.to_thread(kit.strike, kind, journals)
        await asyncio.sleep(max(0.0, begun + self.profile.seconds - loop.time()))
        # However slow the machine is: everybody got through after the last fault.
        deadline = loop.time() + QUIET_S
        while len(faults.waits(kit.struck[-1], journals)) < len(journals) and loop.time() < deadline:
            await asyncio.sleep(0.2)
        await _give_up(leaving, in_vain)
        for labeler in labelers:
            labeler.stopping.set()
        await asyncio.wait_for(at_work, QUIET_S)
        seq = await asyncio.to_thread(_in_thread, self._last_number)
        await asyncio.wait_for(asyncio.gather(*(labeler.end(seq) for labeler in labelers)), QUIET_S)
        return kit.struck

    def _last_number(self) -> int:
        _wait_for_jobs()
        self.label_set.layer.refresh_from_db()
        return int(self.label_set.layer.seq)


async def _give_up(labelers: Sequence[Labeler], at_work: Sequence[asyncio.Task[None]]) -> None:
    for task in at_work:
        task.cancel()
    for broken in await asyncio.gather(*at_work, return_exceptions=True):
        if isinstance(broken, Exception):
            raise broken
    for labeler in labelers:
        await labeler.hang_up()


def _wait_for_jobs() -> None:
    wait_for(lambda: not Job.objects.exclude(state__in=FINAL).exists(), "all jobs end")


def _label_set() -> LabelSet:
    owner = make_user("owner")
    project = make_project(owner)
    classes = [(1, "Tree", "#1b9e77"), (2, "House", "#e7298a")]
    found = create_label_set(project=project, name="Chaos", imagery=make_imagery(project), classes=classes, user=owner)
    task_services.create_grid(label_set=found, request=GridRequest("metres", 100), user=owner)
    return found


def _in_thread(call: Callable[[], int]) -> int:
    """Return what `call` returns; the thread's connection to the database is closed."""
    try:
        return call()
    finally:
        connection.close()
