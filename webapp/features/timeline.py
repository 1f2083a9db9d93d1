"""What was done to a layer, step by step: edits of one person that came together, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.features.selectors import person_sql

# Edits read for one page of the timeline, and steps shown on it.
TIMELINE_EDITS = 5_000
TIMELINE_STEPS = 60
# Edits of one batch get their times within milliseconds of each other; two gestures of one hand never do.
STEP_S = 0.1
# Samples that a step names, so that they can be shown or brought back.
NAMED = 100


@dataclass
class Step:
    """Edits of one person that came together.

    Attributes:
        seq: number of the last one: restoring to it shows the layer as it was right after.
        first: number of the first one.
        imported: of the created, those that came from files.
        suggested: of the created, those that models sent.
        deleted: ids of features that it deleted, at most 100.
    """

    seq: int
    first: int
    at: datetime
    began: datetime
    actor: dict[str, Any] | None
    created: int = 0
    imported: int = 0
    suggested: int = 0
    updated: int = 0
    removed: int = 0
    touched: list[str] | None = None
    deleted: list[str] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON-ready step."""
        return {
            "seq": self.seq,
            "at": self.at.isoformat(),
            "actor": self.actor,
            "created": self.created,
            "imported": self.imported,
            "suggested": self.suggested,
            "updated": self.updated,
            "deleted": self.removed,
            "ids": self.touched or [],
            "deleted_ids": self.deleted or [],
        }


def timeline(layer: FeatureLayer, *, before: int | None = None) -> tuple[list[Step], int | None]:
    """Return the steps before a number of the log (None: the newest), newest first, and where the next page begins."""
    end = layer.seq + 1 if before is None else before
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT e.seq, e.at, e.action, e.feature_id::text, e.source, e.version = 1, {person_sql("u")}
            FROM features_edit e LEFT JOIN projects_user u ON u.id = e.actor_id
            WHERE e.layer_id = %s AND e.seq < %s ORDER BY e.seq DESC LIMIT {TIMELINE_EDITS}""",
            [layer.pk, end],
        )
        rows = cursor.fetchall()
    steps: list[Step] = []
    for row in rows:
        step = _step_of(steps, row)
        if step is None:
            break
        _count(step, row[2], row[3], row[4] if row[5] else "")
    last = steps[-1].first if steps else 1
    return steps, last if last > 1 else None


def _step_of(steps: list[Step], row: Sequence[Any]) -> Step | None:
    """Return the step that an edit belongs to, a new one where it begins one; None where the page is full."""
    seq, at, *_, actor = row
    if steps and steps[-1].actor == actor and (steps[-1].began - at).total_seconds() <= STEP_S:
        steps[-1].first, steps[-1].began = seq, at
        return steps[-1]
    if len(steps) == TIMELINE_STEPS:
        return None
    steps.append(Step(seq, seq, at, at, actor, touched=[], deleted=[]))
    return steps[-1]


def _count(step: Step, action: str, feature_id: str, source: str) -> None:
    """Add an edit to its step. `source`: of a new feature; one that is brought back was imported before."""
    created = action == Edit.Action.CREATE
    step.created += created
    step.imported += created and source == Feature.Source.IMPORT
    step.suggested += created and source == Feature.Source.MODEL
    step.updated += action == Edit.Action.UPDATE
    step.removed += action == Edit.Action.DELETE
    named = step.deleted if action == Edit.Action.DELETE else step.touched
    if named is not None and len(named) < NAMED and feature_id not in named:
        named.append(feature_id)
