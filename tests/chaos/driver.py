"""One chaos run on a migrated database: people, site, faults, quiet, verdict."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.db import connection

from labeling import task_services
from labeling.models import LabelSet
from labeling.services import create_label_set
from labeling.task_grid import GridRequest
from tests.chaos import faults
from tests.chaos.check import check
from tests.chaos.faults import Faults, schedule
from tests.chaos.habits import Habits, Place
from tests.chaos.labeler import Labeler
from tests.chaos.postgres import OwnPostgres
from tests.chaos.site import ChaosSite
from tests.chaos.table import Outcome
from tests.factories import make_imagery, make_project, make_token, make_user
from webapp.jobs.models import Job
from webapp.jobs.services import FINAL, HELD
from webapp.projects.models import Member, Role

# Short, so that leases end and pass on while the run lasts.
LEASES = {"QUADRAT_TASK_LEASE_S": "6", "QUADRAT_JOB_LEASE_S": "5", "QUADRAT_JOB_GRACE_S": "3"}
QUIET_S = 120.0
# A body above this size is imported by a job (`webapp.features.importing.DIRECT_BYTES`).
IMPORT_BYTES = 2_600_000


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
    "a web process killed",
    "all web processes killed",
    f"a web process frozen for {faults.FROZEN_S:.0f} s",
    "all connections of the database ended",
    "the database server killed",
    "the worker killed in an import",
    "all sockets cut",
)
PROFILES = {
    # The first import is large enough for a ladder of cells, and for clients that have to load all anew.
    "smoke": Profile(12, 2.0, 70, 2, EACH, (5_200,)),
    "long": Profile(24, 1.0, 240, 2, EACH * 3, (5_200, 500, 500)),
    # What a test has time for; it runs on a server that others use.
    "test": Profile(6, 3.0, 9, 1, (faults.QUIET, "all web processes killed", EACH[4], "all sockets cut")),
}


class Run:
    """One run of a profile."""

    def __init__(self, profile: Profile, *, seed: int, folder: Path, database: str, port: int = 0) -> None:
        self.profile, self.seed, self.database = profile, seed, database
        folders = {f"QUADRAT_{name}": str(getattr(settings, name)) for name in ("MEDIA_DIR", "QUARANTINE_DIR")}
        environment = {
            "DATABASE_URL": database,
            "QUADRAT_READ_DATABASE_URL": "",
            "QUADRAT_SECRET_KEY": settings.SECRET_KEY,
            "QUADRAT_VAR_DIR": str(folder),
            "QUADRAT_SCRATCH_DIR": str(settings.SCRATCH_DIR),
            "QUADRAT_LOG_LEVEL": "ERROR",
            "PGAPPNAME": "chaos",
            **folders,
            **LEASES,
        }
        self.site = ChaosSite(environment, folder / "site.log", webs=profile.webs, port=port)
        self.label_set = _label_set()
        self.place = Place(self.site.url, str(self.label_set.layer_id), str(self.label_set.pk))
        self._imports = list(profile.imports)

    def go(self, postgres: OwnPostgres | None = None) -> Outcome:
        """Return what came of it; the site is stopped."""
        labelers = self._people()
        start = time.monotonic()
        try:
            self.site.start(worker=bool(self.profile.imports))
            struck = asyncio.run(self._work(labelers, postgres))
            # Ours broke with the others.
            connection.close()
            self._wait_for_jobs()
        finally:
            self.site.stop()
        journals = [labeler.journal for labeler in labelers]
        head = {
            "seed": self.seed,
            "labelers": self.profile.labelers,
            "seconds": round(time.monotonic() - start),
            "cores": os.cpu_count(),
            "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        }
        return Outcome(head, journals, struck, check(journals, [self.label_set.layer]))

    def _people(self) -> list[Labeler]:
        labelers = []
        for number in range(self.profile.labelers):
            user = make_user(f"chaos-{number}")
            Member.objects.create(project=self.label_set.project, user=user, role=Role.LABELER)
            habits = Habits(self.profile.per_s)
            labelers.append(Labeler(user.username, make_token(user), self.place, habits, self.seed * 1_000 + number))
        return labelers

    async def _work(self, labelers: Sequence[Labeler], postgres: OwnPostgres | None) -> list[faults.Struck]:
        loop = asyncio.get_running_loop()

        def cut() -> None:
            for labeler in labelers:
                loop.call_soon_threadsafe(labeler.cut)

        kit = Faults(self.site, self.database, cut, self._import, postgres)
        begun = loop.time()
        at_work = asyncio.gather(*(labeler.run() for labeler in labelers))
        journals = [labeler.journal for labeler in labelers]
        for at, kind in schedule(self.profile.kinds, self.profile.seconds, seed=self.seed):
            await asyncio.sleep(max(0.0, begun + at - loop.time()))
            await asyncio.to_thread(kit.strike, kind, journals)
        await asyncio.sleep(max(0.0, begun + self.profile.seconds - loop.time()))
        # However slow the machine is: everybody got through after the last fault.
        deadline = loop.time() + QUIET_S
        while len(faults.waits(kit.struck[-1], journals)) < len(journals) and loop.time() < deadline:
            await asyncio.sleep(0.2)
        for labeler in labelers:
            labeler.stopping.set()
        await asyncio.wait_for(at_work, QUIET_S)
        seq = await asyncio.to_thread(_in_thread, self._last_number)
        await asyncio.wait_for(asyncio.gather(*(labeler.end(seq) for labeler in labelers)), QUIET_S)
        return kit.struck

    def _last_number(self) -> int:
        self._wait_for_jobs()
        self.label_set.layer.refresh_from_db()
        return int(self.label_set.layer.seq)

    def _import(self) -> None:
        """Send a file that a job imports, and return when a worker is at it."""
        headers = {"Authorization": f"Bearer {make_token(make_user('owner'))}"}
        body = _geojson(self._imports.pop(0))
        url = f"{self.site.url}/api/layers/{self.place.layer}/import?class_value=2"
        reply = httpx.post(url, content=body, headers=headers, timeout=60)
        reply.raise_for_status()
        running = Job.objects.filter(pk=reply.json()["job"], state__in=[*HELD, *FINAL])
        _wait(running.exists, "a worker takes the import")
        connection.close()

    def _wait_for_jobs(self) -> None:
        _wait(lambda: not Job.objects.exclude(state__in=FINAL).exists(), "all jobs end")


def _label_set() -> LabelSet:
    owner = make_user("owner")
    project = make_project(owner)
    classes = [(1, "Tree", "#1b9e77"), (2, "House", "#e7298a")]
    found = create_label_set(project=project, name="Chaos", imagery=make_imagery(project), classes=classes, user=owner)
    task_services.create_grid(label_set=found, request=GridRequest("metres", 100), user=owner)
    return found


def _geojson(count: int) -> bytes:
    padding = "x" * (IMPORT_BYTES // count - 250)
    features: list[dict[str, Any]] = []
    for number in range(count):
        west, south = 85.515 + number % 100 / 10_000, 27.625 + number // 100 / 10_000
        ring = [[west, south], [west + 5e-5, south], [west, south + 5e-5], [west, south]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"n": number, "text": padding}, "geometry": geometry})
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def _wait(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + QUIET_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {QUIET_S:.0f} s in vain: {what}")
        time.sleep(0.1)


def _in_thread(call: Callable[[], int]) -> int:
    """Return what `call` returns; the thread's connection to the database is closed."""
    try:
        return call()
    finally:
        connection.close()
