"""Named points on the roads of an edit, a job and an upload, at which the chaos run strikes.

Nothing happens at them: `reach` is an empty function, and nothing in the product reads a setting or the environment to
change that. The chaos run's own programs replace it when they start (`tests/chaos/armed/sitecustomize.py`).
"""

# Each with what is done and what is not when it is reached.
POINTS = {
    "edit.received": "parsed, no transaction yet",
    "edit.renewed": "the lease on the task renewed, not committed",
    "edit.numbered": "the number taken and the ring ordered, no row in the log",
    "edit.stored": "feature and log row written, not committed",
    "edit.committed": "committed, no answer",
    "edit.answered": "answered to its author, not passed on to the room",
    "room.reading": "a page of the log asked for by somebody who catches up",
    "task.claimed": "the lease on a task given, not committed",
    "job.claimed": "the job is the worker's, its process not started",
    "job.beating": "the job's lease renewed, not committed",
    "job.staged": "the rows of an import prepared, none in the database",
    "job.placed": "the features of an import in the database, no number in the log, not committed",
    "job.stored": "the rows of an import in the database, not committed",
    "job.published": "the rows of an import committed, the job not finished",
    "job.finishing": "the job's end written, not committed",
    "job.finished": "the job's end committed, its files not removed",
    "disk.body": "a piece of an upload about to be written",
    "disk.rows": "rows of an import about to be written into its scratch folder",
}


def reach(name: str) -> None:
    """Pass one of `POINTS`."""
