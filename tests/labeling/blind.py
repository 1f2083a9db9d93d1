"""Blind work through its roads, for tests: taking tasks, drawing on sheets, finishing."""

from typing import Any
from uuid import UUID, uuid4

from labeling import blind_next, sheet_work, task_edits
from labeling.models import Task
from labeling.task_choice import Place
from labeling.task_edits import parse_leased
from tests.labeling.tasks import Team
from webapp.features.geometry import to_shape
from webapp.projects.models import Role, User

Square = tuple[float, float, float]  # east and north of the cell's corner, and side: all as shares of the cell


def take(team: Team, user: User, number: int | None = None) -> Task:
    """Take the next task, the nearest to a task's centre."""
    near = None if number is None else Task.objects.get(label_set=team.label_set, number=number).centre
    place = None if near is None else Place(near.x, near.y)
    found = blind_next.next_task(label_set=team.label_set, user=user, role=Role.LABELER, place=place)
    assert found is not None
    return Task.objects.select_related("label_set__layer", "label_set__project").get(pk=found.pk)


def ring(task: Task, square: Square) -> dict[str, Any]:
    """Return a square within a task's cell as GeoJSON."""
    west, south, east, north = to_shape(task.geometry).bounds
    x, y, side = west + square[0] * (east - west), south + square[1] * (north - south), square[2]
    dx, dy = side * (east - west), side * (north - south)
    return {"type": "Polygon", "coordinates": [[[x, y], [x + dx, y], [x + dx, y + dy], [x, y + dy], [x, y]]]}


def draw(task: Task, user: User, square: Square, class_value: int = 1, pk: UUID | None = None) -> dict[str, Any]:
    """Draw a square within a task that the user holds; return the answer."""
    edit = {
        "op_id": str(uuid4()),
        "id": str(pk or uuid4()),
        "action": "create",
        "class_value": class_value,
        "geometry": ring(task, square),
        "task": {"id": str(task.pk), "token": task.token},
    }
    body = parse_leased({"edits": [edit]})
    [answer] = task_edits.apply_leased(layer=task.label_set.layer, edits=body, user=user)
    return answer


def finish(task: Task, user: User) -> Task:
    """Say that a held task is done."""
    return sheet_work.finish(task=task, user=user, role=Role.LABELER, token=task.token)


def answer(team: Team, user: User, number: int, squares: list[tuple[Square, int]]) -> Task:
    """Take a task, draw squares of classes in it, finish it."""
    task = take(team, user, number)
    assert task.number == number
    for square, value in squares:
        assert draw(task, user, square, value)["status"] == "ok"
    finish(task, user)
    return task
