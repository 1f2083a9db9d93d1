"""A hundred people label at once: acknowledgement, sight by colleagues, throughput, and CPU of the server.

Run it: `python -m tests.bench.bench_live [--labelers 100] [--seconds 60]`. Site (two web processes, as on two cores), a
PostGIS server of its own with fsync and synchronous_commit on, and the labelers share the machine. What the machine
does for a bare operation is measured just before each load: judge the ratio on a busy one. Every load ends with the
invariant checker of `tests/chaos`. It writes docs/benchmarks/live.md.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.report import report
from tests.chaos.postgres import OwnPostgres

ROOT = Path(__file__).resolve().parents[2]
# The first seconds are sign-in and first loading.
WARM_S = 8.0


@dataclass(frozen=True)
class Load:
    """One load of the plan.

    Attributes:
        name: in the plan of loads.
        labelers: people, spread evenly over `rooms` layers, each of its own project.
        per_s: edits a second that each wants to make; 0: one after the other without a pause.
        target: what is asked for on two idle cores.
    """

    name: str
    labelers: int
    rooms: int
    per_s: float
    target: str


@dataclass(frozen=True)
class Figures:
    """What a load gave; seconds are wall time, lists are sorted."""

    load: Load
    wall_s: float
    acknowledged: int
    waits: list[float]
    seen: list[float]
    breaches: int
    web_cpu_s: float
    database_cpu_s: float
    commit_ms: list[float]
    page_ms: list[float]
    machine_load: float

    def as_json(self) -> dict[str, Any]:
        """Return the row for programs."""
        per_1000 = 1000 / max(1, self.acknowledged)
        return {
            "load": self.load.name,
            "labelers": self.load.labelers,
            "rooms": self.load.rooms,
            "edits/s": round(self.acknowledged / self.wall_s, 1),
            "acknowledged ms p50/p95/p99": [_ms(self.waits, percent) for percent in (50, 95, 99)],
            "seen ms p50/p95": [_ms(self.seen, percent) for percent in (50, 95)],
            "sights": len(self.seen),
            "breaches": self.breaches,
            "CPU-s/1000 web": round(self.web_cpu_s * per_1000, 1),
            "CPU-s/1000 database": round(self.database_cpu_s * per_1000, 1),
            "bare commit ms p50/p95": [_at(self.commit_ms, percent) for percent in (50, 95)],
            "bare page ms p50/p95": [_at(self.page_ms, percent) for percent in (50, 95)],
            "machine load": round(self.machine_load, 1),
            "target": self.load.target,
        }


def plan(labelers: int) -> list[Load]:
    """Return the loads, of the size that was asked for."""
    return [
        Load("L1", labelers, max(1, labelers // 10), 0.3, "ack p95 < 100 ms, p99 < 250; seen p95 < 150"),
        Load("L2", 2 * labelers, max(1, labelers // 5), 0.3, "ack p95 < 250 ms; seen p95 < 300"),
        Load("L3", labelers // 2, 1, 0.5, "ack p95 < 250 ms; seen p95 < 400"),
        Load("L6", 16, 16, 0.0, "150 edits/s acknowledged"),
    ]


def measure(load: Load, seconds: float, postgres: OwnPostgres, folder: Path) -> Figures:
    """Return the figures of one load, on a site started for it."""
    from django.conf import settings

    from tests.bench.tile_servers import cpu_s_of
    from tests.chaos.check import check
    from tests.chaos.habits import Habits, Place
    from tests.chaos.labeler import Labeler
    from tests.chaos.site import ChaosSite
    from tests.factories import make_layer, make_project, make_token, make_user
    from webapp.projects.models import Role

    environment = {
        "DATABASE_URL": postgres.url,
        "QUADRAT_SECRET_KEY": settings.SECRET_KEY,
        "QUADRAT_VAR_DIR": str(folder),
        "QUADRAT_LOG_LEVEL": "ERROR",
    }
    site = ChaosSite(environment, folder / "site.log", webs=2)
    classes = ((1, "Tree", "#1b9e77"), (2, "House", "#e7298a"))
    layers = [make_layer(make_project(make_user("owner")), classes) for _ in range(load.rooms)]
    habits = Habits(load.per_s or 1e6, dropped=0, doubled=0, batches=0, tasks=False, pointer_s=1)
    labelers = []
    for number in range(load.labelers):
        layer = layers[number % load.rooms]
        user = make_user(f"{load.name}-{number}")
        layer.project.members.create(user=user, role=Role.LABELER)
        place = Place(site.url, str(layer.pk), "")
        labelers.append(Labeler(user.username, make_token(user), place, habits, number))
    try:
        site.start(worker=False)
        commit_ms, page_ms = _bare(_commit(postgres)), _bare(site.answers)
        marks: list[tuple[float, float, float]] = []

        def mark() -> None:
            marks.append((time.monotonic(), sum(map(cpu_s_of, site.web_pids())), postgres.cpu_s()))

        machine_load = asyncio.run(_work(labelers, seconds, mark))
    finally:
        site.stop()
    (begun, web, database), (ended, web_end, database_end) = marks
    waits, seen = _waits(labelers, load, begun, ended)
    for layer in layers:
        layer.refresh_from_db()
    found = [
        finding
        for layer in layers
        for finding in check(
            [one.journal for one in labelers if one.place.layer == str(layer.pk)], [layer], files=False
        )
    ]
    for finding in found:
        sys.stderr.write(f"{finding.invariant}: {finding.text}\n")
    spent = (web_end - web, database_end - database)
    return Figures(load, ended - begun, len(waits), waits, seen, len(found), *spent, commit_ms, page_ms, machine_load)


async def _work(labelers: Sequence[Any], seconds: float, mark: Callable[[], None]) -> float:
    at_work = asyncio.gather(*(labeler.run() for labeler in labelers))
    await asyncio.sleep(WARM_S)
    mark()
    await asyncio.sleep(seconds)
    mark()
    machine_load = os.getloadavg()[0]
    for labeler in labelers:
        labeler.stopping.set()
    await asyncio.wait_for(at_work, 120)
    # What is on its way to colleagues arrives.
    await asyncio.sleep(2)
    await asyncio.gather(*(labeler.end(0) for labeler in labelers))
    return machine_load


def _waits(labelers: Sequence[Any], load: Load, begun: float, ended: float) -> tuple[list[float], list[float]]:
    """Return the seconds to each acknowledgement, and to each sight of an edit by each colleague, sorted."""
    waits, seen = [], []
    by_layer: dict[str, list[Any]] = {}
    for labeler in labelers:
        by_layer.setdefault(labeler.place.layer, []).append(labeler)
    for labeler in labelers:
        colleagues = [one for one in by_layer[labeler.place.layer] if one is not labeler]
        for op_id, first in labeler.journal.first_at.items():
            answered = labeler.journal.answered_at.get(op_id)
            if answered is None or not begun <= first <= ended:
                continue
            waits.append(answered - first)
            seen += [one.seen_at[op_id] - first for one in colleagues if op_id in one.seen_at]
    return sorted(waits), sorted(seen)


def _bare(act: Callable[[], object]) -> list[float]:
    """Return the milliseconds of 200 bare operations, sorted."""
    found = []
    for _ in range(200):
        begun = time.perf_counter()
        act()
        found.append(1000 * (time.perf_counter() - begun))
    return sorted(found)


def _commit(postgres: OwnPostgres) -> Callable[[], object]:
    import psycopg2

    connection = psycopg2.connect(postgres.url.replace("postgis://", "postgresql://"))
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE IF NOT EXISTS bare (n integer)")
    return lambda: cursor.execute("INSERT INTO bare VALUES (1)")


def _at(ordered: Sequence[float], percent: int) -> float:
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 1) if ordered else 0.0


def _ms(ordered: Sequence[float], percent: int) -> float:
    return round(1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]) if ordered else 0.0


def page(rows: Sequence[dict[str, Any]]) -> str:
    """Return the page of the figures."""
    head = f"# Labeling live\n\n{(__doc__ or '').split(chr(10) * 2, 1)[1].strip()}\n\n"
    words = " ".join(sys.argv[1:])
    command = f"python -m tests.bench.bench_live {words}"
    head += f"This run: `{command}`, {os.cpu_count()} cores; `machine load` is of its end.\n\n"
    names = [name for name in rows[0] if name != "target"]
    lines = ["| " + " | ".join([*names, "target on idle cores"]) + " |", "|---" * (len(names) + 1) + "|"]
    for row in rows:
        cells = [
            " / ".join(f"{part:g}" for part in cell) if isinstance(cell, list) else str(cell) for cell in row.values()
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return head + "\n".join(lines) + "\n"


def main() -> None:
    """Run the loads and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--labelers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--loads", nargs="*", default=["L1", "L2", "L3", "L6"])
    options = parser.parse_args()
    postgres = OwnPostgres()
    try:
        with tempfile.TemporaryDirectory(prefix="quadrat-live-") as folder:
            os.environ |= {"DATABASE_URL": postgres.url, "QUADRAT_READ_DATABASE_URL": "", "QUADRAT_VAR_DIR": folder}
            os.environ |= {"QUADRAT_LOG_LEVEL": "ERROR"}
            os.environ.setdefault("QUADRAT_SECRET_KEY", "of a measurement")
            os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
            import django

            django.setup()
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            wanted = [load for load in plan(options.labelers) if load.name in options.loads]
            rows: list[dict[str, Any]] = []
            for load in wanted:
                rows.append(measure(load, options.seconds, postgres, Path(folder)).as_json())
                # Kept as they come: the next load may be too much for the machine.
                (ROOT / "docs" / "benchmarks" / "live.md").write_text(page(rows))
    finally:
        postgres.remove()
    report({"loads": rows})


if __name__ == "__main__":
    main()
