"""Reads of blind work for reviewers: what waits, how far people agree, how they do on ground truth."""

import json
from collections import defaultdict
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from labeling import adjudication
from labeling.blind_models import Answer, BlindTask, Labelling
from labeling.comparing import Tally
from labeling.models import LabelSet, Task
from webapp.errors import Conflict
from webapp.features.selectors import FEATURE_JSON
from webapp.projects.models import User

Kind, State = BlindTask.Kind, BlindTask.State


def settings_json(label_set: LabelSet) -> dict[str, Any]:
    """Return how the label set does its blind work."""
    return {
        "all_on_sheets": label_set.all_on_sheets,
        "agree_iou": label_set.agree_iou,
        "show_scores": label_set.show_scores,
    }


def overview(label_set: LabelSet) -> dict[str, Any]:
    """Return settings, counts of tasks, agreement in all and per pair of people, and scores per person."""
    rows = BlindTask.objects.filter(task__label_set=label_set)
    counts = rows.aggregate(
        single=Count("pk", filter=Q(kind=Kind.SINGLE) & ~Q(state=State.SETTLED)),
        double=Count("pk", filter=Q(kind=Kind.DOUBLE)),
        ready=Count("pk", filter=Q(state=State.READY)),
        settled=Count("pk", filter=Q(kind=Kind.DOUBLE, state=State.SETTLED)),
        truth=Count("pk", filter=Q(kind=Kind.TRUTH)),
    )
    whole, pairs = _agreement(label_set)
    return {
        "settings": settings_json(label_set),
        "tasks": Task.objects.filter(label_set=label_set, split=False).count(),
        "counts": counts,
        "agreement": {"tasks": sum(pair["tasks"] for pair in pairs), **whole.figures()},
        "pairs": pairs,
        "scores": scores(label_set),
    }


def scores(label_set: LabelSet, person: User | None = None) -> list[dict[str, Any]]:
    """Return how people (or one) did on ground truth: with the truth as `a` and the answers as `b`, the best first."""
    rows = Labelling.objects.filter(blind__task__label_set=label_set, result__isnull=False, person__isnull=False)
    rows = rows.select_related("person") if person is None else rows.filter(person=person).select_related("person")
    tallies: dict[int, Tally] = defaultdict(Tally)
    tasks: dict[int, int] = defaultdict(int)
    people: dict[int, User] = {}
    for row in rows:
        assert row.person is not None
        assert row.result is not None
        people[row.person.pk] = row.person
        tasks[row.person.pk] += 1
        tallies[row.person.pk].add(Tally.from_json(row.result["tally"]))
    found = [{"person": _person(people[pk]), "tasks": tasks[pk], **one.figures()} for pk, one in tallies.items()]
    return sorted(found, key=lambda one: (-(one["f1"] or 0), one["person"]["name"]))


def tasks(label_set: LabelSet) -> list[dict[str, Any]]:
    """Return the tasks that are or were labelled by two people, and ground truth, by number; what is ready first."""
    rows = (
        BlindTask.objects.filter(task__label_set=label_set)
        .exclude(kind=Kind.SINGLE)
        .select_related("task__label_set", "settled_by")
        .prefetch_related("labellings__person")
    )
    found = [_task_json(row) for row in rows]
    return sorted(found, key=lambda one: (one["state"] != State.READY, one["number"]))


def detail(task: Task) -> dict[str, Any]:
    """Return one task with its differences, for adjudication.

    Raises:
        Conflict: it is no task for two people.
    """
    row = (
        BlindTask.objects.filter(pk=task.pk, kind=Kind.DOUBLE)
        .select_related("task__label_set", "settled_by")
        .prefetch_related("labellings__person")
        .first()
    )
    if row is None:
        raise Conflict("Two people do not label this task.", fix="Load the tasks again.", code="not_blind")
    both = adjudication.people_of(row)
    # With one of the two done there is nothing to compare, and nothing is shown that could help the other.
    shown = adjudication.differences(row)
    return {
        **_task_json(row),
        "geometry": json.loads(task.geometry.geojson),
        "a": _person(both[0].person) if len(both) == 2 else None,
        "b": _person(both[1].person) if len(both) == 2 else None,
        "differences": [_difference_json(one) for one in shown],
        "decided_elsewhere": adjudication.decided_elsewhere(row, shown),
        "outcome": row.outcome,
    }


def consensus(label_set: LabelSet) -> list[str]:
    """Return the samples that came out of adjudication, as they are now, as GeoJSON texts with how they came about."""
    rows = BlindTask.objects.filter(task__label_set=label_set, outcome__isnull=False).select_related("task")
    told: dict[str, dict[str, Any]] = {}
    for row in rows:
        for line in row.outcome or []:
            told[line["id"]] = {"task": row.task.number, "take": line["take"], "iou": line["iou"]}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {FEATURE_JSON} FROM features_feature f LEFT JOIN projects_user u ON u.id = f.updated_by_id
            WHERE f.layer_id = %s AND f.id = ANY(%s::uuid[]) AND NOT f.deleted ORDER BY f.fid""",
            [label_set.layer_id, list(told)],
        )
        features = [json.loads(text) for (text,) in cursor.fetchall()]
    for feature in features:
        feature["properties"] = {**feature["properties"], "consensus": told[feature["id"]]}
    return [json.dumps(feature) for feature in features]


def _agreement(label_set: LabelSet) -> tuple[Tally, list[dict[str, Any]]]:
    rows = BlindTask.objects.filter(task__label_set=label_set, result__isnull=False)
    whole, tallies = Tally(), defaultdict[tuple[int, int], Tally](Tally)
    counts: dict[tuple[int, int], int] = defaultdict(int)
    people: dict[int, User] = {}
    for row in rows.prefetch_related("labellings__person"):
        # Work of two that became the truth is done by others too: their results are scores.
        done = [one for one in row.labellings.all() if one.state == Labelling.State.DONE and one.result is None]
        done = [one for one in done if one.person is not None]
        if len(done) != 2 or row.result is None:
            continue
        people |= {one.person.pk: one.person for one in done if one.person}
        # In a task's counts `a` is who began first, in a pair's the same person always.
        began, other = (one.person.pk for one in done if one.person)
        first, second = sorted((began, other))
        part = Tally.from_json(row.result["tally"])
        part = part if began == first else part.turned()
        whole.add(part)
        tallies[first, second].add(part)
        counts[first, second] += 1
    pairs = [
        {"people": [_person(people[a]), _person(people[b])], "tasks": counts[a, b], **one.figures()}
        for (a, b), one in tallies.items()
    ]
    return whole, sorted(pairs, key=lambda one: -one["tasks"])


def _task_json(row: BlindTask) -> dict[str, Any]:
    result = row.result if row.result and row.kind == Kind.DOUBLE else {}
    agree_iou = row.task.label_set.agree_iou
    shown = [one for one in row.labellings.all() if one.state != Labelling.State.LEFT]
    figures = Tally.from_json(result["tally"]).figures() if result else {}
    return {
        "id": str(row.pk),
        "number": row.task.number,
        "kind": row.kind,
        "state": row.state,
        "people": [{**(_person(one.person) or {}), "done": one.state == Labelling.State.DONE} for one in shown],
        "objects": len(result.get("pairs", ())) + len(result.get("only_a", ())) + len(result.get("only_b", ())),
        "close": sum(pair["iou"] >= agree_iou for pair in result.get("pairs", ())),
        "f1": figures.get("f1"),
        "iou": figures.get("iou"),
        "settled_by": _person(row.settled_by),
        "settled_at": None if row.settled_at is None else row.settled_at.isoformat(),
    }


def _difference_json(one: adjudication.Difference) -> dict[str, Any]:
    return {"key": one.key, "what": one.what, "iou": one.iou, "a": _answer_json(one.a), "b": _answer_json(one.b)}


def _answer_json(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {"geometry": json.loads(answer.geometry.geojson), "class_value": answer.class_value}


def _person(user: User | None) -> dict[str, Any] | None:
    return None if user is None else {"id": user.pk, "name": user.get_full_name() or user.get_username()}
