"""What may be drawn where tasks are labelled blindly: on a sheet only within the task that one holds, so that nothing
is drawn that no task takes; in the label set itself nothing in a cell that is labelled on sheets."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection

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


def refuse_blind(layer: FeatureLayer, edits: Sequence[EditRequest]) -> dict[UUID, QuadratError]:
    """Return which edits would put a sample into a cell that is labelled on sheets, and why, by op_id.

    What reaches over a border belongs to the cell in which a point well inside it lies.
    """
    shapes = {edit.op_id: edit.geometry.ewkt for edit in edits if edit.geometry is not None}
    if not shapes:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT p.op_id FROM labeling_labelset l
            JOIN labeling_task t ON t.label_set_id = l.id AND t.on_sheets AND NOT t.split
            JOIN unnest(%s::uuid[], %s::text[]) AS p (op_id, shape)
                ON ST_Intersects(t.geometry, ST_PointOnSurface(ST_SetSRID(p.shape::geometry, 4326)))
            WHERE l.layer_id = %s""",
            [list(shapes), list(shapes.values()), layer.pk],
        )
        found = [row[0] for row in cursor.fetchall()]
    return {
        op_id: Conflict(
            "This area is labelled task by task.", fix="Take the next task, and draw within it.", code="task_blind"
        )
        for op_id in found
    }
