"""What may be drawn where tasks are labelled blindly: on a sheet only within the task that one holds, so that nothing
is drawn that no task takes; in the label set itself nothing in a cell that is labelled on sheets."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection

from labeling.models import Task
from webapp.errors import Conflict, Invalid, QuadratError
from webapp.features.geometry import to_shape
from webapp.features.guarding import Guard, Places
from webapp.features.models import FeatureLayer
from webapp.features.services import EditRequest

# What reaches over a border belongs to the cell in which a point well inside it lies. A set without blind cells has no
# row in the first subquery, so that the places of an import are not even looked at. Intersecting would be asked of the
# index too, and the point be found for each place: by distance it is found near blind cells only.
_CLOSED = """SELECT p.id, l.sheet FROM (
        SELECT s.id, s.sheet_of_id IS NOT NULL AS sheet FROM labeling_labelset s
        WHERE s.layer_id = %(layer)s AND (s.sheet_of_id IS NOT NULL OR EXISTS (
            SELECT FROM labeling_task t WHERE t.label_set_id = s.id AND t.on_sheets AND NOT t.split))) l
    CROSS JOIN {places} p
    WHERE l.sheet OR EXISTS (SELECT FROM labeling_task t WHERE t.label_set_id = l.id AND t.on_sheets AND NOT t.split
        AND t.geometry && p.geometry AND ST_Distance(t.geometry, ST_PointOnSurface(p.geometry)) = 0)"""


def is_sheet(layer: FeatureLayer) -> bool:
    """Return True where a layer holds what one person draws blindly: it lies in a corner of a project."""
    return layer.project.corner_of_id is not None


def refuse(edits: Sequence[tuple[EditRequest, UUID | None]], tasks: Mapping[UUID, Task]) -> dict[UUID, QuadratError]:
    """Return which edits of a sheet (each with the task it names) cannot be drawn, and why, by op_id."""
    found: dict[UUID, QuadratError] = {}
    for edit, task_id in edits:
        task = None if task_id is None else tasks.get(task_id)
        if task is None:
            found[edit.op_id] = _no_task()
        elif edit.geometry is not None and not to_shape(edit.geometry).intersects(to_shape(task.geometry)):
            found[edit.op_id] = Invalid(
                f"The sample lies outside task {task.number}.", fix="Draw within your task.", code="outside_task"
            )
    return found


def refuse_places(layer: FeatureLayer, places: Places) -> dict[UUID, QuadratError]:
    """Return what may not be written into the layer of a label set: a guard (`webapp.features.guarding`).

    Into a cell that is labelled on sheets nothing, wherever it comes from. On a sheet, what names no task; but what
    its person drew there once may come back.
    """
    if layer.kind != FeatureLayer.Kind.SAMPLES:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_CLOSED.format(places=places.sql), {**places.values, "layer": layer.pk})
        rows: list[tuple[UUID, bool]] = cursor.fetchall()
    blind = Conflict(
        "This area is labelled task by task.", fix="Take the next task, and draw within it.", code="task_blind"
    )
    alone = _no_task()
    return {pk: alone if sheet else blind for pk, sheet in rows if not (sheet and places.were_there)}


def closed_cells(layer: FeatureLayer) -> str:
    """Return a text that names the cells of a layer that are closed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(md5(string_agg(t.id::text, '' ORDER BY t.id)), '')
            FROM labeling_task t JOIN labeling_labelset s ON s.id = t.label_set_id
            WHERE s.layer_id = %s AND t.on_sheets AND NOT t.split""",
            [layer.pk],
        )
        [text] = cursor.fetchone()
    return str(text)


GUARD = Guard(refuse_places, closed_cells)


def _no_task() -> QuadratError:
    return Conflict(
        "On your own sheet samples are drawn within a task.", fix="Take the next task first.", code="no_task"
    )
