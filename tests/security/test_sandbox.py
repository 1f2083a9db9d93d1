"""The sandbox takes away what an exploited decoder would want, and the web process never opens an upload."""

import http.server
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest

from webapp.errors import BadRaster, QuadratError
from webapp.raster import child, sandbox

REQUEST = {"name": "evil.tif", "position": {}, "nodata": None, "max_pixels": 10**9, "threads": 1}
LIMITS = sandbox.Limits(1024**3, 60.0, 1024**2, 256)

# What an attacker inside would try. The prologue takes the limits on, as the real child does.
ATTACK = """
import json, os, socket, sys
sys.path.insert(0, {root!r})
from webapp.raster import child
child.limit({limits!r})
told = {{}}
def attempt(name, action):
    try:
        told[name] = repr(action())
    except BaseException as error:
        told[name] = "refused: " + type(error).__name__
for path in {paths!r}:
    attempt("read " + path, lambda: open(path).read(10))
attempt("connect", lambda: socket.create_connection(("127.0.0.1", {port}), timeout=2))
attempt("write input", lambda: open("/in/source", "a").write("x"))
attempt("write system", lambda: open("/usr/x", "w"))
attempt("memory", lambda: len(bytearray(2 * 1024**3)))
attempt("file", lambda: open({out!r} + "/big", "wb").write(bytes(2 * 1024**2)))
attempt("secret", lambda: os.environ["QUADRAT_SECRET_KEY"])
def forks():
    made = []
    try:
        for _ in range(400):
            pid = os.fork()
            if pid == 0:
                import time
                time.sleep(20)
                os._exit(0)
            made.append(pid)
    finally:
        for pid in made:
            os.kill(pid, 9)
    return len(made)
attempt("fork", forks)
print(json.dumps(told))
"""


@pytest.fixture
def canary() -> int:
    """A local HTTP server; its port."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def test_inside_there_is_no_file_no_network_no_secret_and_no_room(tmp_path: Path, canary: int) -> None:
    program = sandbox.bubblewrap()
    if program is None:
        pytest.skip("bubblewrap does not work on this machine: the limited child stands in for it")
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    source, out = tmp_path / "source", tmp_path / "out"
    source.write_bytes(b"II*\x00")
    out.mkdir()
    code = ATTACK.format(
        root="/app",
        limits={"memory_bytes": 1024**3, "cpu_s": 30, "file_bytes": 1024**2, "processes": 64},
        paths=["/etc/passwd", "/etc/shadow", str(secret), str(sandbox.ROOT / "manage.py"), "/proc/1/environ"],
        port=canary,
        out="/out",
    )
    done = subprocess.run(
        [*sandbox.wrapped(program, source=source, out=out), *sandbox.python("-c", code)],
        capture_output=True,
        text=True,
        env={},  # as in `sandbox.run`: bubblewrap itself would show its environment in /proc/1
        timeout=60,
        check=False,
    )
    told = json.loads(done.stdout)
    allowed = {name: answer for name, answer in told.items() if not answer.startswith("refused")}
    # /proc/1 is the sandbox's own first process; it has no environment.
    assert allowed.pop("read /proc/1/environ", "''") == "''"
    if os.geteuid() == 0:
        # Linux counts no processes of root, in a user namespace either; the wall clock ends such a flood.
        allowed.pop("fork")
    assert allowed == {}
    assert "SECRET" not in done.stdout
    assert source.read_bytes() == b"II*\x00"


def test_inside_there_are_the_locked_packages_and_no_others() -> None:
    done = subprocess.run(
        sandbox.python("-c", "import json, sys; print(json.dumps(sys.path))"),
        env=sandbox._environment(str(sandbox.ROOT)),
        capture_output=True,
        text=True,
        check=True,
    )
    folders = [path for path in json.loads(done.stdout) if Path(path).name in ("site-packages", "dist-packages")]
    assert set(folders) == sandbox._packages()


def test_inside_gdal_knows_no_driver_but_ours() -> None:
    from rasterio.env import Env

    with Env() as env:
        everything = set(env.drivers())
    skipped = set(child.SKIPPED_DRIVERS.split(","))
    assert everything - skipped <= child.KEPT_DRIVERS
    assert not skipped & child.KEPT_DRIVERS
    done = subprocess.run(
        sandbox.python("-c", "from rasterio.env import Env\nwith Env() as env: print(*env.drivers())"),
        env={**sandbox._environment(str(sandbox.ROOT)), "GDAL_SKIP": child.SKIPPED_DRIVERS},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) <= child.KEPT_DRIVERS


@pytest.mark.parametrize(
    "text",
    [
        "<VRTDataset rasterXSize='9' rasterYSize='9'><SRS>EPSG:4326</SRS></VRTDataset>",
        "<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:{port}/x</ServerUrl></Service></GDAL_WMS>",
        "<GDALTileIndexDataset><IndexDataset>http://127.0.0.1:{port}/x</IndexDataset></GDALTileIndexDataset>",
        "<Capabilities xmlns='http://www.opengis.net/wmts/1.0'>http://127.0.0.1:{port}/</Capabilities>",
        '{{"type": "Feature", "stac_version": "1.0.0", "assets": {{"a": {{"href": "http://127.0.0.1:{port}/"}}}}}}',
        "/vsicurl/http://127.0.0.1:{port}/x.tif",
    ],
)
def test_descriptions_that_point_elsewhere_are_refused_and_nothing_is_asked(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hits: list[str] = []

    class Canary(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_error(404)

    server = http.server.HTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    source, out = tmp_path / "source", tmp_path / "out"
    out.mkdir()
    source.write_text(text.format(port=server.server_port))
    # Without bubblewrap too: the first bytes decide, not the missing network.
    monkeypatch.setattr(sandbox, "bubblewrap", lambda: None)
    with pytest.raises(BadRaster) as raised:
        sandbox.run("probe", REQUEST, source=source, out=out, limits=LIMITS)
    server.shutdown()
    assert raised.value.code in ("format_not_allowed", "not_an_image")
    assert hits == []
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_child_that_takes_too_long_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrapped: bool) -> None:
    if not wrapped:
        monkeypatch.setattr(sandbox, "bubblewrap", lambda: None)
    elif sandbox.bubblewrap() is None:
        pytest.skip("bubblewrap does not work on this machine")
    source, out = tmp_path / "source", tmp_path / "out"
    source.write_bytes(b"II*\x00" * 9)
    out.mkdir()
    with pytest.raises(QuadratError) as raised:
        sandbox.run("probe", REQUEST, source=source, out=out, limits=sandbox.Limits(1024**3, 0.05))
    assert raised.value.code == "too_slow"


def test_what_the_watcher_raises_ends_the_child(tmp_path: Path, data: Path) -> None:
    class Stop(Exception):
        pass

    def stop(fraction: float, message: str) -> None:
        raise Stop

    out = tmp_path / "out"
    out.mkdir()
    source = data / "neon_trees" / "TEAK_043.tif"
    with pytest.raises(Stop):
        sandbox.run("rewrite", REQUEST, source=source, out=out, limits=sandbox.Limits(), on_progress=stop)


@pytest.mark.parametrize("wrapped", [True, False])
def test_too_little_memory_is_a_sentence_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrapped: bool, data: Path
) -> None:
    if not wrapped:
        monkeypatch.setattr(sandbox, "bubblewrap", lambda: None)
    elif sandbox.bubblewrap() is None:
        pytest.skip("bubblewrap does not work on this machine")
    out = tmp_path / "out"
    out.mkdir()
    small = sandbox.Limits(memory_bytes=150 * 1024**2)
    with pytest.raises(BadRaster) as raised:
        sandbox.run("rewrite", REQUEST, source=data / "banepa" / "banepa_train.tif", out=out, limits=small)
    assert raised.value.fix


def test_the_web_process_does_not_load_gdal() -> None:
    """Pages, API and the tile edge come up without rasterio: no code of theirs can open an upload."""
    code = "import sys, webapp.asgi, webapp.imagery.tiles; print('rasterio' in sys.modules)"
    done = subprocess.run(
        [*sandbox.python("-c", code)],
        cwd=sandbox.ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(sandbox.ROOT), *sandbox._packages()])},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip().endswith("False")
