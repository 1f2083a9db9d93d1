"""Many sockets at once: what idle ones cost, and how soon all are current after everybody was cut off.

Run it: `python -m tests.bench.bench_sockets [--idle 500] [--back 200] [--behind 500]`. Site (two web processes, as on
two cores), a PostGIS server of its own with fsync and synchronous_commit on, and the sockets' other ends share the
machine. It writes docs/benchmarks/sockets.md.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.bench.report import report
from tests.chaos.postgres import OwnPostgres

ROOT = Path(__file__).resolve().parents[2]
PER_ROOM = 10
SETTLE_S, WATCH_S = 10.0, 30.0
PATIENCE_S = 120.0
# As many sockets as one account may have open in a process.
PER_PERSON = 10


def idle(site: Any, places: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return what sockets cost that only listen: (layer, token) of each."""
    from tests.bench.tile_servers import cpu_s_of

    async def watch() -> dict[str, Any]:
        sockets = await asyncio.gather(*(_open(site.url, layer, token, 0) for layer, token in places))
        readers = [asyncio.create_task(_read(socket)) for socket in sockets]
        await asyncio.sleep(SETTLE_S)
        before, begun = sum(map(cpu_s_of, site.web_pids())), time.monotonic()
        await asyncio.sleep(WATCH_S)
        spent = (sum(map(cpu_s_of, site.web_pids())) - before) / (time.monotonic() - begun)
        resident = sum(map(_resident_mb, site.web_pids()))
        for reader, socket in zip(readers, sockets, strict=True):
            reader.cancel()
            socket.transport.abort()
        return {"CPU % of a core, both processes": round(100 * spent, 1), "RSS MB, both processes": round(resident)}

    empty = sum(map(_resident_mb, site.web_pids()))
    found = asyncio.run(watch())
    return {"sockets": len(places), **found, "RSS MB before": round(empty)}


def back(site: Any, places: Sequence[tuple[str, str]], behind: int) -> dict[str, Any]:
    """Return how soon sockets that all come back at once have every edit that they missed."""
    from tests.bench.tile_servers import cpu_s_of

    async def one(layer: str, token: str, begun: float) -> float:
        socket = await _open(site.url, layer, token, 0)
        seq = 0
        while seq < behind:
            message = json.loads(await socket.recv())
            if message["type"] == "edits":
                numbers = [row["seq"] for row in message["edits"]]
                if numbers != list(range(seq + 1, seq + 1 + len(numbers))):
                    raise SystemExit(f"after {seq} came {numbers[0]} to {numbers[-1]}")
                seq = numbers[-1]
        took = time.monotonic() - begun
        socket.transport.abort()
        return took

    async def all_of_them() -> list[float]:
        begun = time.monotonic()
        work = asyncio.gather(*(one(layer, token, begun) for layer, token in places))
        return sorted(await asyncio.wait_for(work, PATIENCE_S))

    before = sum(map(cpu_s_of, site.web_pids()))
    took = asyncio.run(all_of_them())
    return {
        "sockets": len(places),
        "edits behind": behind,
        "half are current after s": round(took[len(took) // 2], 1),
        "all are current after s": round(took[-1], 1),
        "CPU-s web": round(sum(map(cpu_s_of, site.web_pids())) - before, 1),
    }


async def _open(url: str, layer: str, token: str, after: int) -> Any:
    from websockets.asyncio.client import connect

    protocols: Any = [f"quadrat.token.{token}"]
    address = f"{url.replace('http', 'ws')}/ws/layers/{layer}/"
    socket = await connect(address, subprotocols=protocols, max_size=None, open_timeout=PATIENCE_S)
    await socket.send(json.dumps({"type": "hello", "after": after}))
    return socket


async def _read(socket: Any) -> None:
    async for _ in socket:
        pass


def _resident_mb(pid: int) -> float:
    """Return what a process holds in memory that is its own (proc_pid_smaps_rollup(5), Pss)."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024


def _places(rooms: int, sockets: int, edits: int) -> list[tuple[str, str]]:
    """Return (layer, token) of sockets spread over new layers that hold so many edits."""
    from tests.factories import make_layer, make_project, make_token, make_user
    from webapp.features.models import FeatureLayer
    from webapp.features.parsing import parse_edits
    from webapp.features.services import apply_edits

    name = uuid4().hex[:6]
    layers: list[FeatureLayer] = [make_layer(make_project(make_user("owner"))) for _ in range(rooms)]
    for layer in layers:
        for first in range(0, edits, 500):
            wanted = [_edit(number) for number in range(first, min(edits, first + 500))]
            apply_edits(layer=layer, edits=parse_edits({"edits": wanted}), user=None)
    people = []
    for number in range(-(-sockets // PER_PERSON)):
        user = make_user(f"{name}-{number}")
        for layer in layers:
            layer.project.members.create(user=user, role=30)
        people.append(make_token(user))
    return [(str(layers[number % rooms].pk), people[number // PER_PERSON]) for number in range(sockets)]


def _edit(number: int) -> dict[str, Any]:
    west, south = 85.5 + 2e-4 * (number % 50), 27.6 + 2e-4 * (number // 50)
    ring = [[west, south], [west + 1e-4, south], [west + 1e-4, south + 1e-4], [west, south + 1e-4], [west, south]]
    drawn = {"geometry": {"type": "Polygon", "coordinates": [ring]}, "class_value": 1, "properties": {}}
    return {"op_id": str(uuid4()), "action": "create", "id": str(uuid4()), **drawn}


def page(figures: dict[str, dict[str, Any]]) -> str:
    """Return the page of the figures."""
    command = f"python -m tests.bench.bench_sockets {' '.join(sys.argv[1:])}".rstrip()
    targets = {
        "idle": "500 sockets: RSS under 300 MB, CPU under 10 % of a core",
        "back": "200 sockets, 500 edits behind: all current in 10 s",
    }
    lines = [f"# Many sockets\n\n{(__doc__ or '').split(chr(10) * 2, 1)[1].strip()}\n"]
    lines += [f"This run: `{command}`, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at its end.\n"]
    for name, row in figures.items():
        lines += [f"## {name.capitalize()}\n", f"Asked for on idle cores: {targets[name]}.\n", "| | |", "|---|---|"]
        lines += [*(f"| {key} | {value} |" for key, value in row.items()), ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Run both loads and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--idle", type=int, default=500)
    parser.add_argument("--back", type=int, default=200)
    parser.add_argument("--behind", type=int, default=500)
    options = parser.parse_args()
    postgres = OwnPostgres()
    try:
        with tempfile.TemporaryDirectory(prefix="quadrat-sockets-") as folder:
            os.environ |= {"DATABASE_URL": postgres.url, "QUADRAT_READ_DATABASE_URL": "", "QUADRAT_VAR_DIR": folder}
            os.environ |= {"QUADRAT_LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "webapp.settings"}
            os.environ.setdefault("QUADRAT_SECRET_KEY", "of a measurement")
            import django

            django.setup()
            from django.conf import settings
            from django.core.management import call_command

            from tests.chaos.site import ChaosSite

            call_command("migrate", verbosity=0)
            environment = {"QUADRAT_SECRET_KEY": settings.SECRET_KEY}
            site = ChaosSite(environment, Path(folder) / "site.log", webs=2)
            try:
                site.start(worker=False)
                figures = {
                    "idle": idle(site, _places(options.idle // PER_ROOM, options.idle, 1)),
                    "back": back(site, _places(options.back // PER_ROOM, options.back, options.behind), options.behind),
                }
            finally:
                site.stop()
            (ROOT / "docs" / "benchmarks" / "sockets.md").write_text(page(figures))
    finally:
        postgres.remove()
    report(figures)


if __name__ == "__main__":
    main()
