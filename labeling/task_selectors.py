"""Reads of tasks, their history and their progress. JSON is built by the database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from labeling.models import LabelSet, Task
from labeling.task_choice import UNCERTAINTY
from webapp.errors import NotFound
from webapp.features.selectors import person_sql

STATES = tuple(Task.State.values)
MAX_HISTORY = 500
MAX_PROPOSALS = 1_000

_TASK_JSON = f"""json_build_object(
    'type', 'Feature', 'id', t.id, 'geometry', ST_AsGeoJSON(t.geometry, 9)::json,
    'properties', json_build_object(
        'number', t.number, 'state', t.state, 'priority', t.priority, 'uncertainty', {UNCERTAINTY}, 'seq', t.seq,
        'assigned_to', {person_sql("a")}, 'holder', {person_sql("h")}, 'done_by', {person_sql("d")},
        'reviewed_by', {person_sql("r")},
        'leased', coalesce(t.lease_until > clock_timestamp(), false),
        'lease_s', greatest(0, extract(epoch FROM t.lease_until - clock_timestamp())),
        'note', t.note, 'must_read', t.must_read, 'split', t.split, 'on_sheets', t.on_sheets,
        'parent', t.parent_id, 'area_m2', ST_Area(t.geometry::geography),
        'proposals', (SELECT count(*) FROM labeling_proposal p WHERE p.task_id = t.id AND p.state = 'open'),
        'token', CASE WHEN t.holder_id = %(me)s THEN t.token END))::text"""

_TASKS = """labeling_task t
    LEFT JOIN projects_user a ON a.id = t.assigned_to_id LEFT JOIN projects_user h ON h.id = t.holder_id
    LEFT JOIN projects_user d ON d.id = t.done_by_id LEFT JOIN projects_user r ON r.id = t.reviewed_by_id"""


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks to list.

    Attributes:
        after: only those changed after this number; split ones come too, so that a page takes them away.
        states: empty: all.
        person: whose: assigned to, held or done by.
        blind: also those that are labelled blindly; people who might label them must not see which they are.
    """

    after: int = 0
    states: Sequence[str] = ()
    person: int | None = None
    blind: bool = True


@dataclass(frozen=True)
class TaskList:
    """Tasks as they were at one number of the history.

    Attributes:
        seq: the number.
        count: tasks of the label set in all; a page that holds another number of them loads all again.
        tasks: GeoJSON features as JSON texts.
        on_sheets: there are some that are labelled blindly, whoever may see which.
    """

    seq: int
    count: int
    tasks: list[str]
    on_sheets: bool


def task(pk: UUID) -> Task:
    """Return a task with its label set, imagery, layer and project.

    Raises:
        NotFound: there is none.
    """
    related = ("label_set__project", "label_set__layer", "label_set__imagery")
    found = Task.objects.select_related(*related).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def tasks(label_set: LabelSet, wanted: TaskFilter, *, me: int | None) -> TaskList:
    """Return tasks by number as GeoJSON; `me` sees the tokens of the own leases. One statement."""
    conditions = ["t.label_set_id = %(label_set)s", "t.seq > %(after)s"]
    conditions.append("true" if wanted.after else "NOT t.split")
    if not wanted.blind:
        conditions.append("NOT t.on_sheets")
    if wanted.states:
        conditions.append("t.state = ANY(%(states)s)")
    if wanted.person is not None:
        conditions.append("%(person)s IN (t.assigned_to_id, t.holder_id, t.done_by_id)")
    names: dict[str, Any] = {
        "label_set": label_set.pk,
        "after": wanted.after,
        "states": list(wanted.states),
        "person": wanted.person,
        "me": me,
        "blind": wanted.blind,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT l.task_seq, l.all_on_sheets OR l.sheet_of_id IS NOT NULL OR EXISTS (
                    SELECT FROM labeling_task s WHERE s.label_set_id = l.id AND s.on_sheets),
                (SELECT count(*) FROM labeling_task c
                    WHERE c.label_set_id = l.id AND NOT c.split AND (%(blind)s OR NOT c.on_sheets)),
                r.body FROM labeling_labelset l LEFT JOIN LATERAL (
                SELECT {_TASK_JSON} AS body, t.number FROM {_TASKS} WHERE {" AND ".join(conditions)}) r ON true
            WHERE l.id = %(label_set)s ORDER BY r.number""",
            names,
        )
        rows = cursor.fetchall()
    if not rows:
        raise NotFound()
    seq, on_sheets, count, _ = rows[0]
    return TaskList(seq, count, [row[3] for row in rows if row[3] is not None], on_sheets)


def task_json(found: Task, *, me: int | None) -> dict[str, Any]:
    """Return one task as a GeoJSON feature."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_TASK_JSON} FROM {_TASKS} WHERE t.id = %(id)s", {"id": found.pk, "me": me})
        row = cursor.fetchone()
    if row is None:
        raise NotFound()
    body: dict[str, Any] = json.loads(row[0])
    return body


def history(found: Task) -> list[dict[str, Any]]:
    """Return what happened to a task and to what it was split from, the last first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH RECURSIVE line AS (
                SELECT id, parent_id FROM labeling_task WHERE id = %s
                UNION ALL SELECT t.id, t.parent_id FROM labeling_task t JOIN line ON t.id = line.parent_id)
            SELECT json_build_object('seq', e.seq, 'task', e.task_id, 'action', e.action, 'from', e.from_state,
                'to', e.to_state, 'actor', {person_sql("u")}, 'note', e.note, 'at', e.at)::text
            FROM labeling_taskevent e JOIN line ON line.id = e.task_id LEFT JOIN projects_user u ON u.id = e.actor_id
            ORDER BY e.seq DESC LIMIT {MAX_HISTORY}""",
            [found.pk],
        )
        return [json.loads(row[0]) for row in cursor.fetchall()]


def proposals(label_set: LabelSet, *, task: UUID | None = None) -> list[dict[str, Any]]:
    """Return the open proposals of a label set, or of one task, the first one first.

    A deletion, or a change of the class only, shows the shape of the sample as it is now.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT json_build_object('id', p.id, 'task', p.task_id, 'number', t.number, 'action', p.action,
                'feature_id', p.feature_id, 'geometry', ST_AsGeoJSON(coalesce(p.geometry, f.geometry), 15)::json,
                'class_value', coalesce(p.class_value, f.class_value), 'author', {person_sql("u")},
                'created_at', p.created_at)::text
            FROM labeling_proposal p JOIN labeling_task t ON t.id = p.task_id
            LEFT JOIN features_feature f ON f.id = p.feature_id LEFT JOIN projects_user u ON u.id = p.author_id
            WHERE t.label_set_id = %(set)s AND p.state = 'open' AND (%(task)s::uuid IS NULL OR p.task_id = %(task)s)
            ORDER BY p.created_at, p.id LIMIT {MAX_PROPOSALS}""",
            {"set": label_set.pk, "task": task},
        )
        return [json.loads(row[0]) for row in cursor.fetchall()]


def progress(label_set: LabelSet) -> dict[str, Any]:
    """Return tasks by state, by day (how many were in each state when it ended, UTC), and by person."""
    return {
        "states": _states(label_set),
        "days": _days(label_set),
        "people": _people(label_set),
    }


def _states(label_set: LabelSet) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM labeling_task WHERE label_set_id = %s AND NOT split GROUP BY state",
            [label_set.pk],
        )
        found = dict(cursor.fetchall())
    return {state: found.get(state, 0) for state in STATES}


def _days(label_set: LabelSet) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT day, state, sum(change) FROM (
                SELECT (at AT TIME ZONE 'UTC')::date AS day, to_state AS state, 1 AS change FROM labeling_taskevent
                WHERE label_set_id = %(set)s AND from_state <> to_state
                UNION ALL
                SELECT (at AT TIME ZONE 'UTC')::date, from_state, -1 FROM labeling_taskevent
                WHERE label_set_id = %(set)s AND from_state <> to_state AND from_state <> '') s
            WHERE state <> 'split' GROUP BY day, state ORDER BY day""",
            {"set": label_set.pk},
        )
        rows = cursor.fetchall()
    changes: dict[date, dict[str, int]] = {}
    for day, state, change in rows:
        changes.setdefault(day, {})[state] = int(change)
    return _filled(changes)


def _filled(changes: dict[date, dict[str, int]]) -> list[dict[str, Any]]:
    """Return a row for every day from the first change to the last, days without one too."""
    if not changes:
        return []
    days, now = [], dict.fromkeys(STATES, 0)
    day, last = min(changes), max(changes)
    while day <= last:
        for state, change in changes.get(day, {}).items():
            now[state] += change
        days.append({"day": day.isoformat(), **now})
        day += timedelta(days=1)
    return days


def _people(label_set: LabelSet) -> list[dict[str, Any]]:
    """Return per person: tasks finished, and how their review ended the last time it did."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {person_sql("u")}::text, count(*) FILTER (WHERE e.action = 'finish'),
                count(*) FILTER (WHERE e.action = 'skip'),
                (SELECT count(*) FROM labeling_task t WHERE t.label_set_id = %(set)s AND NOT t.split
                    AND t.done_by_id = u.id AND t.state = 'approved'),
                (SELECT count(*) FROM labeling_taskevent r JOIN labeling_task t ON t.id = r.task_id
                    WHERE r.label_set_id = %(set)s AND r.action = 'return' AND t.done_by_id = u.id),
                count(*) FILTER (WHERE e.action IN ('approve', 'return'))
            FROM labeling_taskevent e JOIN projects_user u ON u.id = e.actor_id
            WHERE e.label_set_id = %(set)s AND e.action IN ('finish', 'skip', 'approve', 'return')
            GROUP BY u.id ORDER BY 2 DESC, u.id""",
            {"set": label_set.pk},
        )
        names = ("finished", "skipped", "approved", "returned", "reviewed")
        return [{"person": json.loads(row[0]), **dict(zip(names, row[1:], strict=True))} for row in cursor.fetchall()]
