"""A label set with a grid, and its people, for the tests of tasks."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from labeling import task_services
from labeling.models import LabelSet, Task
from labeling.services import create_label_set
from labeling.task_grid import GridRequest
from tests.factories import make_imagery, make_project, make_user
from webapp.projects.models import Member, Role, User


@dataclass
class Team:
    """The people of a label set."""

    label_set: LabelSet
    ana: User  # owner
    ben: User  # labeler
    cleo: User  # labeler
    rita: User  # reviewer


def make_team(tasks_m: float = 400) -> Team:
    """Return a team with a grid of squares over about a square kilometre; 400 m: nine tasks, 0: none."""
    people = {name: make_user(name) for name in ("ana", "ben", "cleo", "rita")}
    project = make_project(people["ana"], labeler=people["ben"], reviewer=people["rita"])
    Member.objects.create(project=project, user=people["cleo"], role=Role.LABELER)
    label_set = create_label_set(
        project=project,
        name="Crowns",
        imagery=make_imagery(project),
        classes=[(1, "Tree", "#1b9e77"), (2, "House", "#e7298a")],
        user=people["ana"],
    )
    if tasks_m:
        task_services.create_grid(label_set=label_set, request=GridRequest("metres", tasks_m), user=people["ana"])
    return Team(label_set, **people)


def let_expire(task: Task) -> None:
    """Move the end of a lease into the past."""
    Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
