"""The checker finds what is broken, and only that: each invariant is broken by hand, in rows or in a journal."""

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection

from labeling import task_leases
from labeling.models import Task
from labeling.task_edits import apply_leased, parse_leased
from tests.chaos.check import INVARIANTS, check
from tests.chaos.database import Finding
from tests.chaos.full_disk import Upload
from tests.chaos.journal import Claim, Journal, Removal
from tests.labeling.tasks import Team, let_expire, make_team
from webapp import points
from webapp.features import ladder, selectors
from webapp.features.models import FeatureLayer
from webapp.jobs import runner
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.projects.models import Role, User

pytestmark = pytest.mark.django_db


@dataclass
class Worked:
    """A label set on which two people and a job have worked, without a fault."""

    layer: FeatureLayer
    ben: Journal
    cleo: Journal
    uploads: list[Upload] = field(default_factory=list)

    def check(self) -> list[str]:
        """Return the names of the invariants that are broken, each once."""
        return sorted({finding.invariant for finding in self.findings()})

    def findings(self) -> list[Finding]:
        """Return what the checker finds."""
        return check([self.ben, self.cleo], [self.layer], uploads=self.uploads)

    def edit(self, journal: Journal, user: User, **edit: Any) -> dict[str, Any]:
        """Send one edit as a client does, and again, as a client does that had no answer."""
        edit = {"op_id": str(uuid4()), **edit}
        for _ in range(2):
            journal.send(edit)
            [answer] = apply_leased(layer=self.layer, edits=parse_leased({"edits": [edit]}), user=user)
            journal.answer(answer)
        return answer

    def hear(self, journal: Journal) -> None:
        """Read the log to its end."""
        for row in selectors.changes(self.layer, after=journal.seq).rows:
            assert journal.hear(json.loads(row.body))


def square(number: int) -> dict[str, Any]:
    west, south = 85.516 + number / 2000, 27.626 + number / 3000
    ring = [[west, south], [west + 1e-4, south], [west + 1e-4, south + 1e-4], [west, south + 1e-4], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def imported(layer: FeatureLayer, user: User) -> Job:
    """Return a job that has imported three features."""
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": square(n)} for n in range(3)]
    path = Path(settings.QUARANTINE_DIR) / f"import-{uuid4()}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    spec = {"layer": str(layer.pk), "path": path.name, "options": {"class_value": 2}, "user": user.pk}
    job = jobs.enqueue(project=layer.project, kind="import_features", spec=spec, user=user, title="Import")
    return runner.run_now(job)


def full_disk(point: str) -> None:
    if point == "disk.rows":
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> Worked:
    """Creates, changes, deletes; a lease that ended and passed on; an import; a ladder from five features on."""
    monkeypatch.setattr(ladder, "LADDER_FROM", 5)
    team: Team = make_team()
    layer = team.label_set.layer
    ben, cleo = Journal("ben"), Journal("cleo")
    found = Worked(layer, ben, cleo)
    task = task_leases.next_task(label_set=team.label_set, user=team.ben, role=Role.LABELER)
    assert task is not None
    ben.claims.append(Claim(str(task.pk), task.token))
    lease = {"id": str(task.pk), "token": task.token}
    for number in range(4):
        pk = str(uuid4())
        create = {"action": "create", "id": pk, "geometry": square(number), "class_value": 1, "properties": {"n": 1}}
        assert found.edit(ben, team.ben, task=lease, **create)["status"] == "ok"
        if number == 3:
            change = {"action": "update", "id": pk, "base_version": 1}
            found.edit(cleo, team.cleo, geometry=square(9), properties={"n": 2}, **change)
            assert found.edit(ben, team.ben, properties={"n": 3}, **change)["status"] == "conflict"
    found.edit(cleo, team.cleo, action="delete", id=pk, base_version=2)
    assert imported(layer, team.ana).state == "succeeded"
    with monkeypatch.context() as patch:
        patch.setattr(points, "reach", full_disk)
        failed = imported(layer, team.ana)
    found.uploads = [Upload("body", 507, "storage_full"), Upload("rows", 201, "", str(failed.pk))]
    let_expire(task)
    Task.objects.exclude(pk=task.pk).update(assigned_to=team.ana)
    again = task_leases.next_task(label_set=team.label_set, user=team.cleo, role=Role.LABELER)
    assert again is not None
    assert (again.pk, again.token) == (task.pk, 2)
    cleo.claims.append(Claim(str(again.pk), again.token))
    late = found.edit(ben, team.ben, task=lease, action="create", id=str(uuid4()), geometry=square(6))
    assert late["status"] == "proposed"
    last = {"action": "create", "id": str(uuid4()), "geometry": square(12)}
    assert found.edit(cleo, team.cleo, **last)["seq"] == 10
    for journal in (ben, cleo):
        found.hear(journal)
    layer.refresh_from_db()
    assert layer.ladder
    cleo.removed = Removal(10, 10)
    # So that constraints can be dropped, as an index that is broken does not hold what it promises.
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    return found


def test_a_run_without_a_fault_has_no_finding(worked: Worked) -> None:
    assert worked.findings() == []


Breaking = str | Callable[[Worked], object]
# The last transaction undone as a whole, after its answer was sent: what a crash does without fsync.
_UNDONE = """DELETE FROM features_edit WHERE seq = 10;
    DELETE FROM features_feature WHERE id NOT IN (SELECT feature_id FROM features_edit);
    UPDATE features_featurelayer SET seq = 9, feature_count = feature_count - 1, ladder = false;
    UPDATE features_tilechange SET inside = least(inside, 9), whole = least(whole, 9)"""
_TWO = """ALTER TABLE features_edit DROP CONSTRAINT edit_op_once;
    UPDATE features_edit SET op_id = '{first}' WHERE seq = 9"""
# A trigger keeps jobs that have ended as they are.
_DONE = "WHERE state = 'succeeded'"
_JOB = "ALTER TABLE jobs_job DISABLE TRIGGER USER; UPDATE jobs_job SET"
BREACHES: list[tuple[str, Breaking]] = [
    ("lost", _UNDONE),
    ("doubled", _TWO),
    (
        "phantom",
        f"""UPDATE features_edit SET digest = 'x' WHERE seq = 9; {_JOB} result = '{{{{"added": 2}}}}' {_DONE}""",
    ),
    ("refused", "UPDATE features_edit SET op_id = '{refused}' WHERE seq = 9"),
    ("changed", "UPDATE features_edit SET properties = '{{\"n\": 8}}' WHERE seq = 4"),
    ("changed", lambda worked: [answer.update(seq=3) for answer in next(iter(worked.cleo.answers.values()))]),
    ("repeat", lambda worked: next(iter(worked.ben.answers.values())).append({"status": "ok", "seq": 3, "version": 1})),
    ("heard", lambda worked: worked.ben.heard.pop(2)),
    ("client", lambda worked: worked.ben.state.popitem() if worked.ben.state else None),
    ("gap", "UPDATE features_featurelayer SET seq = 11"),
    ("version", "UPDATE features_edit SET base_version = 7 WHERE seq = 5"),
    ("replay", "UPDATE features_feature SET properties = '{{}}' WHERE fid = 1"),
    ("replay", "UPDATE features_feature SET geometry = ST_Translate(geometry, 1e-12, 0) WHERE fid = 2"),
    ("count", "UPDATE features_featurelayer SET feature_count = feature_count + 1"),
    ("cells", "UPDATE features_cell SET count = count + 1 WHERE z = 3"),
    ("tiles", "UPDATE features_tilechange SET inside = 0, whole = 0 WHERE z = 17 AND inside = 10"),
    ("tasks", "UPDATE labeling_task SET state = 'approved' WHERE number = 1"),
    ("tasks", "UPDATE labeling_labelset SET task_seq = task_seq + 1"),
    ("lease", "UPDATE labeling_taskevent SET token = 1 WHERE action = 'claim' AND token = 2"),
    ("lease", "UPDATE labeling_task SET token = 5 WHERE token = 2"),
    ("fence", "UPDATE features_edit SET at = at + interval '1 hour' WHERE seq = 1"),
    ("proposal", "UPDATE labeling_proposal SET op_ids = '{{}}'"),
    ("job", "ALTER TABLE jobs_jobevent DISABLE TRIGGER USER; UPDATE jobs_jobevent SET seq = 100 WHERE seq = 2"),
    ("job", f"{_JOB} attempt = 9"),
    ("import", f"""{_JOB} result = '{{{{"added": 6}}}}'"""),
    ("full", lambda worked: setattr(worked.uploads[0], "status", 500)),
    ("full", f"{_JOB} error_code = 'internal' WHERE state = 'failed'"),
    ("full", lambda worked: setattr(worked.uploads[1], "again", worked.uploads[1].job)),
    ("removed edit", lambda worked: setattr(worked.cleo.removed, "seq", 9)),
    ("removed ear", lambda worked: setattr(worked.cleo.removed, "deaf_after", 9)),
    ("file", lambda _: (Path(settings.SCRATCH_DIR) / "jobs" / str(uuid4())).mkdir(parents=True)),
]
# Nobody has heard yet of what these change.
UNHEARD = ("lost", "doubled", "phantom", "refused")


@pytest.mark.parametrize(("invariant", "breaking"), BREACHES)
def test_a_breach_is_found_and_only_that(worked: Worked, invariant: str, breaking: Breaking) -> None:
    if invariant in UNHEARD:
        for journal in (worked.ben, worked.cleo):
            journal.start_over(0, None)
    if callable(breaking):
        breaking(worked)
    else:
        names = {"first": next(iter(worked.ben.sent)), "refused": next(iter(worked.ben.with_status("conflict")))}
        with connection.cursor() as cursor:
            cursor.execute(breaking.format(**names))
    assert worked.check() == [invariant]


def test_every_invariant_is_broken_by_a_test() -> None:
    assert {invariant for invariant, _ in BREACHES} == set(INVARIANTS)
