"""Server CPU seconds for 1,000 imagery tiles over HTTP, of the Banepa scene.

Run it: `python -m tests.bench.bench_tiles [COG]` with DATABASE_URL of a scratch database that is migrated. It
ingests the scene where that is not done yet, serves `webapp.asgi` with one uvicorn process, asks for a fixed
series of tiles, and prints JSON: CPU seconds of the server process (its own and its threads') per 1,000 tiles.
The bare operation in the same run is a uvicorn that answers 17 kB from memory.
"""

import argparse
import http.client
import json
import math
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

TILES = 2000
BARE = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"17000")]})
    await send({"type": "http.response.body", "body": b"x" * 17000})
"""


def cpu_s(pid: int) -> float:
    """Return user and system seconds of a process (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(application: str, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Return a uvicorn process that answers, and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen([*command, "--no-access-log"], cwd=folder)
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def measure(process: subprocess.Popen[bytes], port: int, paths: list[str], headers: dict[str, str]) -> dict[str, float]:
    """Return CPU seconds per 1,000 answers, and what came."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    received, statuses, waits = 0, set(), []
    before, start = cpu_s(process.pid), time.perf_counter()
    for path in paths:
        asked = time.perf_counter()
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        received += len(reply.read())
        statuses.add(reply.status)
        waits.append(time.perf_counter() - asked)
    spent = cpu_s(process.pid) - before
    waits.sort()
    return {
        "cpu_s_per_1000": round(1000 * spent / len(paths), 3),
        "wall_s": round(time.perf_counter() - start, 2),
        "p50_ms": round(1000 * waits[len(waits) // 2], 2),
        "p95_ms": round(1000 * waits[len(waits) * 95 // 100], 2),
        "kB_a_tile": round(received / len(paths) / 1000, 1),
        "status": max(statuses),
    }


def series(layer: dict[str, object], seed: int = 1) -> list[tuple[int, int, int]]:
    """Return the tiles: the same ones each time, over all zooms of the layer."""
    west, south, east, north = layer["bounds"]  # type: ignore[misc]
    rng = random.Random(seed)
    tiles = []
    for _ in range(TILES):
        z = rng.randint(int(str(layer["max_zoom"])) - 6, int(str(layer["max_zoom"])))
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)
        x = int((lon + 180) / 360 * 2**z)
        y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
        tiles.append((z, x, y))
    return tiles


def scene(path: Path) -> dict[str, object]:
    """Return the layer's JSON, ingested where it is not there yet."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from tests.factories import make_project, make_user
    from webapp.imagery.models import ImageryLayer
    from webapp.imagery.selectors import layer_json
    from webapp.projects.models import Project

    found = ImageryLayer.objects.filter(name="bench", display_path__gt="").first()
    if found is None:
        project = Project.objects.filter(name="bench").first() or make_project(make_user("bench"))
        Project.objects.filter(pk=project.pk).update(name="bench")
        call_command("ingest", str(path), project="bench", name="bench")
        found = ImageryLayer.objects.get(name="bench")
    return layer_json(found)


def main() -> None:
    """Measure and print."""
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cog", nargs="?", type=Path, default=root.parent / "shared/data/banepa/banepa_full_cog.tif")
    layer = scene(parser.parse_args().cog)
    template = str(layer["tiles"])
    tiles = series(layer)
    paths = [template.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y)) for z, x, y in tiles]
    folder = Path(os.environ.get("TMPDIR", "/tmp"))
    (folder / "bare_asgi_for_bench.py").write_text(BARE)
    results: dict[str, object] = {}
    for name, application, where, asked, headers in (
        ("bare uvicorn, 17 kB", "bare_asgi_for_bench:app", folder, paths, {}),
        ("display bytes", "webapp.asgi:application", root, paths, {}),
        ("decoded to jpg", "webapp.asgi:application", root, [path.replace(".webp", ".jpg") for path in paths], {}),
    ):
        process, port = serve(application, where)
        try:
            measure(process, port, asked[:50], headers)
            results[name] = measure(process, port, asked, headers)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    sys.stdout.write(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
