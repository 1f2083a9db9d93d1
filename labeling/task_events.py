"""The history of tasks: numbered per label set in the order of commits, and rung for every page that is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from labeling.models import LabelSet, Task, TaskEvent
from webapp import doorbell
from webapp.projects.models import User


@dataclass(frozen=True)
class Happened:
    """Something that was just done to a task.

    Attributes:
        task: as it is after it.
        was: its state before; "" for a new one.
    """

    task: Task
    action: str
    was: str
    actor: User | None
    note: str = ""


def lock_history(label_set_id: UUID) -> None:
    """Lock the label set's row until the commit, where the layer's row is locked before `record` is called."""
    LabelSet.objects.select_for_update(no_key=True).values_list("pk").get(pk=label_set_id)


def record(label_set_id: UUID, events: Sequence[Happened]) -> int:
    """Store events in the caller's transaction, give the tasks their numbers, ring; return the last number.

    Call it last: it locks the label set's row until the commit, and tasks are locked before label sets.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE labeling_labelset SET task_seq = task_seq + %s WHERE id = %s"
            " RETURNING task_seq, layer_id, clock_timestamp()",
            [len(events), label_set_id],
        )
        last, layer_id, now = cursor.fetchone()
    first = last - len(events) + 1
    for number, event in enumerate(events, start=first):
        event.task.seq = number
    TaskEvent.objects.bulk_create(
        [
            TaskEvent(
                label_set_id=label_set_id,
                seq=number,
                task=event.task,
                action=event.action,
                from_state=event.was,
                to_state="split" if event.task.split else event.task.state,
                actor=event.actor,
                token=event.task.token,
                note=event.note,
                at=now,
            )
            for number, event in enumerate(events, start=first)
        ],
        batch_size=1_000,
    )
    Task.objects.bulk_update(list({event.task.pk: event.task for event in events}.values()), ["seq"], batch_size=1_000)
    # Pages listen by layer: that is what their socket is about.
    doorbell.ring(f"tasks:{layer_id}", last)
    return int(last)


def next_number(label_set: LabelSet) -> int:
    """Return the number of the label set's next new task; the caller holds the label set's row."""
    last = Task.objects.filter(label_set=label_set).order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1
