"""Vector tiles beside tipg's: CPU seconds of server and database for 1,000 tiles, on a million buildings, in one run.

Run it: `make bench-vector`, or `python -m tests.bench.bench_vector [--features 200000] [--tiles 100]` with DATABASE_URL
of a scratch database on this machine that is migrated. tipg is installed into an environment of its own under `var/`.

V1: dense tiles of each zoom. V2: tiles where nothing lies. V3: one building is moved, then its tile and its neighbours
are asked for as a browser does that holds them. It writes docs/benchmarks/vector.md and vector.svg.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.bench.bench_tiles import Tile, side_by_side, tiles_in
from tests.bench.report import report
from tests.bench.tile_report import Row
from tests.bench.tile_servers import ROOT, Server, peer_python
from tests.bench.vector_data import PEER_TABLE, copy_for_peer, made_layer
from tests.bench.vector_report import Fresh, Shown, write

ZOOMS = (8, 10, 11, 12, 13, 14, 15, 16, 17)
TIPG_MOST = 10_000


class DatabaseServer(Server):
    """A server whose work is done in the database: its connections' processes count as its own."""

    def __init__(self, python: Path, application: str, environment: Mapping[str, str], name: str) -> None:
        super().__init__(python, application, {**environment, "PGAPPNAME": name})
        self._name = name

    def cpu_s(self) -> float:
        """Return CPU seconds of the process and of all connections that it holds."""
        return super().cpu_s() + sum(_cpu_s(pid) for pid in _backends(self._name))


def _backends(name: str) -> list[int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s", [name]
        )
        return [pid for (pid,) in cursor.fetchall()]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def dense(layer: Any, z: int, count: int) -> list[Tile]:
    """Return tiles of a zoom in the middle of the town, where it is dense."""
    west, south, east, north = layer.west, layer.south, layer.east, layer.north
    across, down = (east - west) / 4, (north - south) / 4
    return tiles_in([west + across, south + down, east - across, north - down], range(z, z + 1), count, seed=z)


def shown(layer: Any, tiles: list[Tile]) -> Shown:
    """Return how many features lie in some tiles, and how many each server's tiles account for."""
    from django.db import connection

    from webapp.features.mvt import MAX_BYTES, TileReader

    lie = mine = peers = 0
    reader = TileReader()
    for tile in dict.fromkeys(tiles[:10]):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {PEER_TABLE} WHERE geometry && ST_Transform(ST_TileEnvelope(%s, %s, %s), 4326)",
                tile,
            )
            there = cursor.fetchone()[0]
        made = reader.tile(layer.pk, *tile)
        assert len(made.body) <= MAX_BYTES
        lie += there
        mine += min(there, made.shown) if made.truncated else there
        peers += min(there, TIPG_MOST)
    return Shown(lie, mine, peers)


def fresh(server: Server, layer: Any, ours: Any) -> Fresh:
    """Return what a browser that holds a view sees of an edit: how long until the new tile, how many tiles stay."""
    from uuid import uuid4

    from django.contrib.gis.geos import GEOSGeometry

    from webapp.features import services
    from webapp.features.models import Feature

    generator = random.Random(3)
    waits, same, asked = [], 0, 0
    for _ in range(10):
        feature = Feature.objects.filter(layer=layer, fid=generator.randrange(1, layer.feature_count)).get()
        middle = feature.geometry.centroid
        (at,) = tiles_in([middle.x, middle.y, middle.x, middle.y], range(17, 18), 1)
        view = [(17, at[1] + col, at[2] + row) for row in range(-3, 4) for col in range(-4, 5)]
        held = {tile: server.body(ours(tile))[1] for tile in view}
        moved = GEOSGeometry(f"POINT({middle.x} {middle.y})", 4326).buffer(3e-5)
        edit = services.EditRequest(uuid4(), "update", feature.pk, feature.version, geometry=moved)
        assert services.apply_edits(layer=layer, edits=[edit], user=None)[0].status == "ok"
        began = time.perf_counter()
        while server.status(ours(at), held[at]) == 304:
            assert time.perf_counter() - began < 10, "the edit is never seen"
        waits.append(1000 * (time.perf_counter() - began))
        asked += len(view)
        same += sum(server.status(ours(tile), held[tile]) == 304 for tile in view)
    return Fresh(sorted(waits)[len(waits) // 2], max(waits), same, asked)


def main() -> None:
    """Measure, print and write."""
    data = Path(os.environ.get("QUADRAT_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=Path, default=data / "banepa/banepa_buildings_osm.geojson")
    parser.add_argument("--features", type=int, default=1_000_000)
    parser.add_argument("--tiles", type=int, default=100, help="of each row")
    args = parser.parse_args()
    # A stopped run stops its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    from django.conf import settings

    began = time.perf_counter()
    layer = made_layer(args.buildings, args.features)
    copy_for_peer(layer)
    sys.stdout.write(f"{layer.feature_count:,} features ready after {time.perf_counter() - began:.0f} s\n")
    python = peer_python(Path(settings.VAR_DIR) / "bench-tipg", "tipg==1.6.0")
    # asyncpg's pool of one: one tile at a time is asked for, of either.
    tipg = {"DATABASE_URL": _plain_address(), "TIPG_DB_SCHEMAS": '["bench"]', "DB_MIN_CONN_SIZE": "1"}
    with (
        DatabaseServer(Path(sys.executable), "webapp.asgi:application", {}, "quadrat-bench") as one,
        DatabaseServer(python, "tipg.main:app", tipg, "tipg-bench") as other,
    ):
        rows, told, seen = compare(one, other, layer, args.tiles)
    write(rows, told, seen, args)
    figures: dict[str, Any] = {row.label: row.figures() for row in rows}
    report({**figures, "edit seen after ms": round(seen.median_ms, 1), "kept of the view": seen.same / seen.asked})


def compare(one: Server, other: Server, layer: Any, count: int) -> tuple[list[Row], list[Shown], Fresh]:
    """Return the rows of the table, what their tiles account for, and how an edit is seen."""
    from webapp.projects.signing import layer_token

    token = layer_token("features", layer.pk)

    def ours(tile: Tile) -> str:
        return f"/tiles/features/{layer.pk}/0/{tile[0]}/{tile[1]}/{tile[2]}.mvt?t={token}"

    def theirs(tile: Tile) -> str:
        return f"/collections/{PEER_TABLE}/tiles/WebMercatorQuad/{tile[0]}/{tile[1]}/{tile[2]}"

    rows, told = [], []
    for z in ZOOMS:
        tiles = dense(layer, z, count)
        pair = side_by_side(one, other, [ours(tile) for tile in tiles], [theirs(tile) for tile in tiles])
        told.append(shown(layer, tiles))
        rows.append(Row(f"V1 dense, zoom {z}", *pair))
        sys.stdout.write(rows[-1].line() + "\n")
    nowhere = tiles_in([-60.0, -50.0, -10.0, 0.0], range(4, 18), count)
    pair = side_by_side(one, other, [ours(tile) for tile in nowhere], [theirs(tile) for tile in nowhere])
    rows.append(Row("V2 where nothing lies", *pair))
    tiles = dense(layer, 14, 1)
    held = {"If-None-Match": one.body(ours(tiles[0]))[1]}
    again = [ours(tiles[0])] * count, [theirs(tiles[0])] * count
    rows.append(Row("V3 zoom 14 again, the browser holds it", one.measure(again[0], held), other.measure(again[1])))
    sys.stdout.write("\n".join(row.line() for row in rows[-2:]) + "\n")
    return rows, told, fresh(one, layer, ours)


def _plain_address() -> str:
    """Return the database's address as other programs write it."""
    from django.db import connection

    found = connection.get_connection_params()
    place, port = quote(str(found.get("host", "localhost")), safe=""), found.get("port") or 5432
    user, password = quote(str(found.get("user", ""))), quote(str(found.get("password") or ""), safe="")
    name = f"{found['dbname']}?application_name=tipg-bench"
    return f"postgresql://{user}{':' + password if password else ''}@{place}:{port}/{name}"


if __name__ == "__main__":
    main()
