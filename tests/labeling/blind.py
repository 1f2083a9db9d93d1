"""Blind work through its roads, for tests: taking tasks, drawing on sheets, finishing."""

from typing import Any
from uuid import UUID, uuid4

from labeling import blind_next, blind_services, sheet_work, task_edits
from labeling.models import Task
from labeling.task_choice import Place
from labeling.task_edits import parse_leased
from tests.labeling.tasks import Team
from webapp.features.geometry import to_shape
from webapp.projects.models import Role, User

Square = tuple[float, float, float]  # east and north of the cell's corner, and side: all as shares of the cell
SAME, MOVED, ALONE = (0.1, 0.1, 0.2), (0.14, 0.1, 0.2), (0.6, 0.6, 0.2)


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


def double(team: Team, *numbers: int) -> list[Task]:
    tasks = list(Task.objects.filter(label_set=team.label_set, number__in=numbers).order_by("number"))
    blind_services.mark(label_set=team.label_set, kind="double", tasks=[task.pk for task in tasks], user=team.ana)
    return tasks


def both_answer(team: Team, number: int = 5) -> Task:
    """Ben and Cleo do the same task: one object alike, one moved and of another class, one of Ben's alone."""
    [task] = double(team, number)
    answer(team, team.ben, number, [(SAME, 1), ((0.5, 0.1, 0.2), 1), (ALONE, 2)])
    answer(team, team.cleo, number, [(SAME, 1), ((0.54, 0.1, 0.2), 2)])
    return task
