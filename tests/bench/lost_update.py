"""Two people read the same label, both change it, both save: what Label Studio keeps, and what we keep.

Run it: `python -m tests.bench.lost_update` with DATABASE_URL of a scratch database that is migrated. Label Studio is
installed into an environment of its own under `var/` and runs with its own defaults (SQLite, one user's token).
Ana moves the outline; Ben, who read it at the same time, changes the class. It writes docs/benchmarks/lost-update.md.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.bench.report import report

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "var" / "bench" / "label-studio"
PEER_VERSION = "1.23.2"
PEER_TOKEN = "0123456789abcdef0123456789abcdef01234567"
# Its first start makes its database; on a busy machine that takes minutes.
START_S = 900.0
CONFIG = """<View><Image name="image" value="$image"/><PolygonLabels name="label" toName="image">
<Label value="Tree"/><Label value="House"/></PolygonLabels></View>"""


@dataclass
class Told:
    """What was said, line by line, and what was left at the end."""

    lines: list[str] = field(default_factory=list)
    kept_both: bool = False

    def say(self, who: str, what: str, reply: httpx.Response, found: str) -> None:
        """Note one request and its answer."""
        self.lines.append(f"{who:<4} {what:<38} {reply.status_code}  {found}")


def in_label_studio(client: httpx.Client) -> Told:
    """Return what Label Studio does: PATCH of the whole annotation, twice from the same reading."""
    project = client.post("/api/projects", json={"title": "Crowns", "label_config": CONFIG}).json()["id"]
    task = client.post(f"/api/projects/{project}/import", json=[{"image": "/static/none.png"}])
    task.raise_for_status()
    number = client.get("/api/tasks", params={"project": project}).json()["tasks"][0]["id"]
    made = client.post(f"/api/tasks/{number}/annotations/", json={"result": [_region(10, "Tree")]})
    made.raise_for_status()
    url = f"/api/annotations/{made.json()['id']}/"
    ana, ben = client.get(url), client.get(url)
    told = Told()
    for who, read in (("Ana", ana), ("Ben", ben)):
        told.say(who, "reads the annotation", read, _peer_state(read))
    saved = client.patch(url, json={"result": [_region(20, "Tree")]})
    told.say("Ana", "saves the outline, moved to 20", saved, _peer_state(saved))
    saved = client.patch(url, json={"result": [_region(10, "House")]}, headers={"If-Match": '"as it was"'})
    told.say("Ben", "saves the class, made House", saved, _peer_state(saved))
    end = client.get(url)
    told.say("", "what is stored", end, _peer_state(end))
    told.kept_both = _peer_state(end) == "outline at 20, House"
    return told


def in_quadrat(folder: Path) -> Told:
    """Return what we do: each edit names the version it saw; the second is refused with the current feature."""
    from tests.clients.server import make_site
    from tests.factories import make_layer, make_project, make_token, make_user
    from webapp.projects.models import ApiToken

    # Of an earlier run: the tokens of `make_token` are counted in each process from one.
    ApiToken.objects.filter(name="test").delete()
    owner, ben = make_user("ana"), make_user("ben")
    layer = make_layer(make_project(owner, labeler=ben), [(1, "Tree", "#1b9e77"), (2, "House", "#e7298a")])
    site = make_site(folder)
    site.start()
    told = Told()
    try:
        clients = [
            httpx.Client(base_url=site.url, headers={"Authorization": f"Bearer {make_token(user)}"}, timeout=30)
            for user in (owner, ben)
        ]
        pk = str(uuid4())
        first = {"action": "create", "id": pk, "base_version": 0, "geometry": _square(10), "class_value": 1}
        _edit(clients[0], layer.pk, first).raise_for_status()
        url = f"/api/layers/{layer.pk}/features/{pk}"
        for who, client in zip(("Ana", "Ben"), clients, strict=True):
            read = client.get(url)
            told.say(who, "reads the feature", read, _our_state(read.json()))
        change = {"action": "update", "id": pk, "base_version": 1}
        saved = _edit(clients[0], layer.pk, {**change, "geometry": _square(20)})
        told.say("Ana", "saves the outline, moved to 20", saved, _our_answer(saved))
        saved = _edit(clients[1], layer.pk, {**change, "class_value": 2})
        told.say("Ben", "saves the class, made House", saved, _our_answer(saved))
        current = saved.json()["results"][0]["feature"]["meta"]["version"]
        merged = _edit(clients[1], layer.pk, {**change, "base_version": current, "class_value": 2})
        told.say("Ben", "merges as the page does, saves again", merged, _our_answer(merged))
        item = f"/ogc/collections/{layer.pk}/items/{pk}"
        stale = clients[1].delete(item, headers={"If-Match": '"1"'})
        told.say("Ben", "deletes by OGC API with version 1", stale, stale.json()["description"])
        end = clients[0].get(url)
        told.say("", "what is stored", end, _our_state(end.json()))
        told.kept_both = _our_state(end.json()) == "outline at 20, House, version 3"
    finally:
        site.stop()
    return told


@contextmanager
def _label_studio(port: int) -> Iterator[httpx.Client]:
    """Run Label Studio on a database of its own; installed first where it is not there."""
    program = PEER / "bin" / "label-studio"
    if not program.exists():
        uv = shutil.which("uv")
        if uv is None:
            raise SystemExit("uv is not on the PATH: it installs Label Studio into an environment of its own.")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(PEER)], check=True)
        package = f"label-studio=={PEER_VERSION}"
        subprocess.run([uv, "pip", "install", "-q", "--python", str(PEER / "bin" / "python"), package], check=True)
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        ours = {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
        env = {name: value for name, value in os.environ.items() if name not in ours}
        env |= {
            "LABEL_STUDIO_BASE_DATA_DIR": folder,
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
        }
        who = ("--username", "ana@example.org", "--password", "only for this run", "--user-token", PEER_TOKEN)
        command = [str(program), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port), *who]
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
        try:
            with _client(f"http://127.0.0.1:{port}", PEER_TOKEN) as client:
                _wait(lambda: client.get("/health").is_success, process)
                yield client
        finally:
            process.terminate()
            process.wait(30)


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=120)


def _wait(answers: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if answers():
                return
        except httpx.HTTPError:
            pass
        time.sleep(1)
    raise SystemExit("Label Studio did not start.")


def _region(at: int, label: str) -> dict[str, Any]:
    points = [[at, at], [at + 5, at], [at + 5, at + 5], [at, at + 5]]
    size = {"original_width": 100, "original_height": 100, "image_rotation": 0}
    value = {"points": points, "polygonlabels": [label]}
    return {"id": "roof", "from_name": "label", "to_name": "image", "type": "polygonlabels", "value": value, **size}


def _peer_state(reply: httpx.Response) -> str:
    [region] = reply.json()["result"]
    return f"outline at {region['value']['points'][0][0]:g}, {region['value']['polygonlabels'][0]}"


def _square(at: int) -> dict[str, Any]:
    ring = [[at, at], [at + 5, at], [at + 5, at + 5], [at, at + 5], [at, at]]
    return {"type": "Polygon", "coordinates": [ring]}


def _edit(client: httpx.Client, layer: Any, edit: dict[str, Any]) -> httpx.Response:
    return client.post(f"/api/layers/{layer}/edits", json={"edits": [{"op_id": str(uuid4()), **edit}]})


def _our_state(feature: dict[str, Any]) -> str:
    at, meta = feature["geometry"]["coordinates"][0][0][0], feature["meta"]
    return f"outline at {at:g}, {('', 'Tree', 'House')[meta['class_value']]}, version {meta['version']}"


def _our_answer(reply: httpx.Response) -> str:
    [result] = reply.json()["results"]
    return f"{result['status']}: {_our_state(result['feature'])}"


def _page(theirs: Told, ours: Told) -> str:
    verdict = {True: "Both changes are there.", False: "**Ana's change is gone, and nobody was told.**"}
    blocks = [
        f"## {name}\n\n```\n" + "\n".join(told.lines) + f"\n```\n\n{verdict[told.kept_both]}\n"
        for name, told in ((f"Label Studio {PEER_VERSION}", theirs), ("Quadrat", ours))
    ]
    head = f"# Two people change the same label\n\n{(__doc__ or '').split(chr(10) * 2, 1)[1].strip()}\n"
    note = (
        "\nBen's save to Label Studio carries an `If-Match` of what he read, which is taken without a look.\n"
        "\nEvery edit of a batch has its own answer, so a batch is answered with 200 and the edit with `conflict`, the"
        " current feature\nin it; a single feature changed through OGC API Features is answered with 412.\n"
    )
    return "\n".join([head, *blocks]) + note


def main() -> None:
    """Run both and write the page."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8610, help="where Label Studio shall listen")
    parser.add_argument("--url", help="of a Label Studio that runs already")
    parser.add_argument("--token", default=PEER_TOKEN, help="of a user there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours = in_quadrat(Path(folder))
    if options.url:
        with _client(options.url, options.token) as client:
            theirs = in_label_studio(client)
    else:
        with _label_studio(options.port) as client:
            theirs = in_label_studio(client)
    (ROOT / "docs" / "benchmarks" / "lost-update.md").write_text(_page(theirs, ours))
    report({"label studio": theirs.lines, "quadrat": ours.lines, "both kept": [theirs.kept_both, ours.kept_both]})


if __name__ == "__main__":
    main()
