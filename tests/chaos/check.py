"""The invariant checker: what clients remember against what the database holds. One finding a breach.

`database.py` looks at the database alone, this module at the clients' journals beside it. `test_check.py` breaks each
invariant and expects exactly its finding: a checker that never failed proves nothing.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from tests.chaos import database
from tests.chaos.database import Finding
from tests.chaos.full_disk import Upload, of_full_disk
from tests.chaos.journal import STORED, Answer, Edit, Journal, fold
from webapp.features.models import FeatureLayer

INVARIANTS = {
    "lost": "every acknowledged edit is in the log",
    "doubled": "no operation is in the log twice",
    "phantom": "nothing is in the log that nobody sent",
    "refused": "no refused edit is in the log",
    "changed": "the log holds what was sent, under the number and version of the answer",
    "repeat": "an edit that is sent again gets its first answer",
    "heard": "each client heard a gapless part of the log, in its order",
    "client": "what each client made of it is what the log says",
    "gap": "the log's numbers have no gap, and the layer knows the last one",
    "version": "versions rise by one, each edit based on the one before",
    "replay": "features are the replay of their history",
    "count": "the layer's counters equal a recount",
    "cells": "the ladder's cells equal a recount",
    "tiles": "every change of the ground raised its tile's number",
    "tasks": "the tasks' log has no gap and ends where the tasks stand",
    "lease": "tokens rise with each lease, and nobody holds two",
    "fence": "nothing was stored under a token that was outdated",
    "proposal": "every edit that came too late is a proposal, once, and not in the log",
    "job": "every job has ended, within its attempts, with a log without gaps",
    "import": "a job that succeeded stored its features once, others none",
    "full": "what met a full disk was refused as such, and taken when there was room again",
    "removed edit": "nothing of a removed member is stored after the removal was acknowledged",
    "removed ear": "a removed member hears nothing of what happens later than two seconds after it",
    "file": "no file is there that no row names",
}


def check(
    journals: Sequence[Journal],
    layers: Sequence[FeatureLayer],
    *,
    files: bool = True,
    uploads: Sequence[Upload] = (),
) -> list[Finding]:
    """Return every breach, in the order of `INVARIANTS`; an empty list after a good run.

    Args:
        journals: of all clients that wrote into the layers.
        layers: to be looked at, with the label sets on them; jobs and files are those of the whole site.
        files: look at the folders of the settings, too.
        uploads: that were sent while the disk was full.
    """
    found: list[Finding] = []
    for layer in layers:
        rows = _rows(layer)
        found += _sent(journals, rows)
        found += _clients(journals, layer, rows)
        found += database.of_layer(layer)
        found += database.of_tasks(layer)
        found += _fences(journals, layer)
        found += _proposals(journals, rows)
        found += _removed(journals, rows)
    found += database.of_jobs()
    found += of_full_disk(uploads)
    if files:
        found += database.of_files()
    order = list(INVARIANTS)
    return sorted(found, key=lambda finding: order.index(finding.invariant))


def _rows(layer: FeatureLayer) -> list[dict[str, Any]]:
    names = "seq, op_id, id, action, version, digest, geometry, class_value, properties"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, op_id::text, feature_id::text, action, version, digest, ST_AsGeoJSON(geometry, 15),"
            " class_value, properties::text FROM features_edit WHERE layer_id = %s ORDER BY seq",
            [layer.pk],
        )
        rows = [dict(zip(names.split(", "), row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        row["properties"] = json.loads(row["properties"])
    return rows


def _sent(journals: Sequence[Journal], rows: list[dict[str, Any]]) -> Iterable[Finding]:
    by_op: dict[str, list[dict[str, Any]]] = {}
    by_seq = {row["seq"]: row for row in rows}
    for row in rows:
        by_op.setdefault(row["op_id"], []).append(row)
    sent = {op_id for journal in journals for op_id in journal.sent}
    for op_id, found in by_op.items():
        if len(found) > 1:
            yield Finding("doubled", f"{op_id} is in the log {len(found)} times")
        # Rows of jobs have no digest: no client sent them.
        if found[0]["digest"] and op_id not in sent:
            yield Finding("phantom", f"{found[0]['seq']}: nobody sent {op_id}")
    for journal in journals:
        for op_id, answer in journal.stored().items():
            edit = journal.sent[op_id]
            row = by_op.get(op_id, [None])[0] or _deleted_before(edit, by_seq.get(answer["seq"]))
            if row is None:
                yield Finding("lost", f"{journal.name}: {edit['action']} {op_id}, answered {answer}")
            elif difference := _difference(edit, answer, row):
                yield Finding("changed", f"{journal.name}: {op_id} has another {difference}")
        for op_id, answers in journal.answers.items():
            if op_id in by_op and answers[0]["status"] != STORED:
                yield Finding("refused", f"{journal.name}: {op_id} was answered {answers[0]}")
            if op_id in by_op and any(answer != answers[0] for answer in answers):
                yield Finding("repeat", f"{journal.name}: {op_id} was answered {answers}")


def _deleted_before(edit: Edit, row: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the delete that stands for a delete of what was deleted already: it is answered with that one's number."""
    stands = row is not None and edit["action"] == row["action"] == "delete" and edit["id"] == row["id"]
    return row if stands else None


def _difference(edit: Edit, answer: Answer, row: dict[str, Any]) -> str:
    if (answer["seq"], answer["version"]) != (row["seq"], row["version"]):
        return f"number or version: {row['seq']}, {row['version']} in place of {answer}"
    if (edit["id"], edit["action"]) != (row["id"], row["action"]):
        return "feature or action"
    if row["action"] == "delete":
        return ""
    for name in ("class_value", "properties"):
        if edit.get(name) is not None and edit[name] != row[name]:
            return f"{name}: {row[name]} in place of {edit[name]}"
    if edit.get("geometry") and edit["geometry"]["coordinates"] != json.loads(row["geometry"])["coordinates"]:
        return "geometry"
    return ""


def _clients(journals: Sequence[Journal], layer: FeatureLayer, rows: list[dict[str, Any]]) -> Iterable[Finding]:
    log = [(row["seq"], row["op_id"]) for row in rows]
    truth: dict[str, dict[str, Any]] = {}
    for row in rows:
        meta = {"version": row["version"], "class_value": row["class_value"]}
        fold(truth, {**row, "feature": {"meta": meta, "properties": row["properties"]}})
    for journal in journals:
        if journal.heard != log[journal.heard_after : journal.heard_after + len(journal.heard)]:
            yield Finding("heard", f"{journal.name} heard something else after {journal.heard_after}")
        elif journal.seq == layer.seq and journal.state is not None and journal.state != truth:
            wrong = [pk for pk in journal.state.keys() | truth.keys() if journal.state.get(pk) != truth.get(pk)]
            yield Finding("client", f"{journal.name} has {len(wrong)} features otherwise, {wrong[0]} among them")


def _fences(journals: Sequence[Journal], layer: FeatureLayer) -> Iterable[Finding]:
    """Compare when an edit was stored with when the next lease on its task began: both under the task's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT op_id::text, extract(epoch FROM at) FROM features_edit WHERE layer_id = %s AND digest <> ''",
            [layer.pk],
        )
        stored = dict(cursor.fetchall())
        cursor.execute(
            "SELECT task_id::text, token, extract(epoch FROM e.at) FROM labeling_taskevent e JOIN labeling_labelset s"
            " ON s.id = e.label_set_id WHERE s.layer_id = %s AND action IN ('claim', 'review') ORDER BY e.seq",
            [layer.pk],
        )
        claims: dict[str, list[tuple[int, Any]]] = {}
        for task, token, at in cursor.fetchall():
            claims.setdefault(task, []).append((token, at))
    for journal in journals:
        for op_id, edit in journal.sent.items():
            lease = edit.get("task")
            if lease is None or op_id not in stored:
                continue
            ended = [at for token, at in claims.get(lease["id"], ()) if token > lease["token"]]
            if ended and stored[op_id] > ended[0]:
                yield Finding("fence", f"{journal.name}: {op_id} was stored under the outdated token {lease['token']}")


def _proposals(journals: Sequence[Journal], rows: list[dict[str, Any]]) -> Iterable[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT unnest(op_ids)::text, count(*) FROM labeling_proposal GROUP BY 1")
        kept = dict(cursor.fetchall())
    stored = {row["op_id"] for row in rows}
    for journal in journals:
        for op_id in journal.with_status("proposed"):
            if kept.get(op_id) != 1 or op_id in stored:
                where = f"in {kept.get(op_id, 0)} proposals{', and in the log' if op_id in stored else ''}"
                yield Finding("proposal", f"{journal.name}: {op_id} is {where}")


def _removed(journals: Sequence[Journal], rows: list[dict[str, Any]]) -> Iterable[Finding]:
    """Compare numbers of the log, not times: what was committed after a number was read got a larger one."""
    numbers = {row["op_id"]: row["seq"] for row in rows}
    for journal in journals:
        if journal.removed is None:
            continue
        for op_id in journal.sent:
            if numbers.get(op_id, 0) > journal.removed.seq:
                yield Finding("removed edit", f"{journal.name}: {op_id} is at {numbers[op_id]} after {journal.removed}")
        if journal.last_heard > journal.removed.deaf_after:
            yield Finding("removed ear", f"{journal.name} heard {journal.last_heard} after {journal.removed}")
