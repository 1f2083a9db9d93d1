"""What the owner of the project does while people work: imports files, removes members, meets a full disk."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from django.db import connection

from labeling.membership import LATE_S
from labeling.models import LabelSet
from tests.chaos.full_disk import Upload
from tests.chaos.journal import Journal, Removal
from tests.chaos.site import ChaosSite
from tests.factories import make_token, make_user
from webapp.jobs.models import Job
from webapp.jobs.services import FINAL, HELD
from webapp.projects.models import Member

QUIET_S = 120.0
# A body above this size is imported by a job (`webapp.features.importing.DIRECT_BYTES`).
IMPORT_BYTES = 2_600_000
FEATURES = 600
UNAVAILABLE = 503
# A look at the rooms takes its time, too.
LOOK_S = 0.1


class OwnerAtWork:
    """The owner.

    Args:
        imports: features of the first imports; later ones have `FEATURES`. None: there is no worker to run one.
        leaving: journals of those who are to be removed, each once.
    """

    def __init__(
        self, site: ChaosSite, label_set: LabelSet, *, imports: Sequence[int] | None, leaving: Sequence[Journal]
    ) -> None:
        self.uploads: list[Upload] = []
        self._label_set, self._leaving = label_set, list(leaving)
        self._imports = None if imports is None else list(imports)
        self._site = site
        headers = {"Authorization": f"Bearer {make_token(make_user('owner'))}"}
        self._http = httpx.Client(base_url=site.url, headers=headers, timeout=60)

    def send_file(self) -> str:
        """Send a file that a job imports; return the job's id."""
        reply = self._send(self._imports.pop(0) if self._imports else FEATURES)
        reply.raise_for_status()
        return str(reply.json()["job"])

    def import_file(self) -> None:
        """Send a file that a job imports, and return when a worker is at it."""
        running = Job.objects.filter(pk=self.send_file(), state__in=[*HELD, *FINAL])
        wait_for(running.exists, "a worker takes the import")
        connection.close()

    def remove_member(self) -> None:
        """End the next one's membership; note the log's number when that was acknowledged, and when rooms know it."""
        journal = self._leaving.pop(0)
        member = Member.objects.get(project=self._label_set.project, user__username=journal.name)
        path = f"/api/projects/{self._label_set.project_id}/members/{member.pk}/"
        wait_for(lambda: self._removed(path), "a member is removed")
        seq = self._last_number()
        time.sleep(LATE_S + LOOK_S)
        journal.removed = Removal(seq, self._last_number())
        connection.close()

    def fill(self, where: str) -> None:
        """Send a file to a full disk; then, with room again, what was refused goes through."""
        point = f"disk.{where}"
        self._site.order(point, "full 1" if where == "body" else "full 300")
        try:
            reply = self._send(FEATURES)
            body = reply.json()
            if "job" in body:
                wait_for(Job.objects.filter(pk=body["job"], state__in=FINAL).exists, "the import ends")
        finally:
            self._site.withdraw(point)
        upload = Upload(where, reply.status_code, body.get("code", ""), body.get("job", ""))
        if upload.job:
            upload.again = self._http.post(f"/api/jobs/{upload.job}/restart/", json={}).json()["id"]
        elif self._imports is not None:
            upload.again = self._send(FEATURES).json()["job"]
        self.uploads.append(upload)
        connection.close()

    def _send(self, features: int) -> httpx.Response:
        """Return the answer to a file that is sent until the database is there: an earlier fault may be felt still."""
        url = f"/api/layers/{self._label_set.layer_id}/import?class_value=2"
        replies: list[httpx.Response] = []

        def answered() -> bool:
            replies.append(self._http.post(url, content=geojson(features)))
            return replies[-1].status_code != UNAVAILABLE

        wait_for(answered, "an upload is answered")
        return replies[-1]

    def _removed(self, path: str) -> bool:
        try:
            return self._http.delete(path).status_code in (204, 404)
        except httpx.HTTPError:
            return False

    def _last_number(self) -> int:
        self._label_set.layer.refresh_from_db()
        return int(self._label_set.layer.seq)


def geojson(count: int) -> bytes:
    """Return a file of so many triangles, large enough for a job."""
    padding = "x" * (IMPORT_BYTES // count - 250)
    features: list[dict[str, Any]] = []
    for number in range(count):
        west, south = 85.515 + number % 100 / 10_000, 27.625 + number // 100 / 10_000
        ring = [[west, south], [west + 5e-5, south], [west, south + 5e-5], [west, south]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"n": number, "text": padding}, "geometry": geometry})
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Return when something is true.

    Raises:
        TimeoutError: it is not, for two minutes.
    """
    deadline = time.monotonic() + QUIET_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {QUIET_S:.0f} s in vain: {what}")
        time.sleep(0.1)
