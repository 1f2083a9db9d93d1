"""What may be drawn on a sheet: only within the task that one holds, so that nothing is drawn that no task takes."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from labeling.models import LabelSet, Task
from webapp.errors import Conflict, Invalid, QuadratError
from webapp.features.geometry import to_shape
from webapp.features.models import FeatureLayer
from webapp.features.services import EditRequest


def refuse(
    layer: FeatureLayer, edits: Sequence[tuple[EditRequest, UUID | None]], tasks: Mapping[UUID, Task]
) -> dict[UUID, QuadratError]:
    """Return which edits (each with the task it names) cannot be drawn, and why, by op_id; none off sheets."""
    if not LabelSet.objects.filter(layer=layer, sheet_of__isnull=False).exists():
        return {}
    found: dict[UUID, QuadratError] = {}
    for edit, task_id in edits:
        task = None if task_id is None else tasks.get(task_id)
        if task is None:
            found[edit.op_id] = Conflict(
                "On your own sheet samples are drawn within a task.", fix="Take the next task first.", code="no_task"
            )
        elif edit.geometry is not None and not to_shape(edit.geometry).intersects(to_shape(task.geometry)):
            found[edit.op_id] = Invalid(
                f"The sample lies outside task {task.number}.", fix="Draw within your task.", code="outside_task"
            )
    return found
