"""The states of a task and the one table of who may bring it from which to which."""

from dataclasses import dataclass

from labeling.models import Task
from webapp.errors import Conflict, Denied, Invalid
from webapp.projects.models import Role

State = Task.State


class LeaseLost(Conflict):
    """The lease has passed to somebody else, or was given up: its token may do nothing more."""

    code = "lease_lost"


class NoteUnread(Conflict):
    """The task was returned with a note that has to be acknowledged before editing."""

    code = "note_unread"


@dataclass(frozen=True)
class Transition:
    """One thing that can be done to a task.

    Attributes:
        sources: states in which it can be done.
        target: the state after it; None: it stays, or goes back to what it was before it was taken.
        role: lowest role.
        lease: only the holder of the newest lease may do it, and the lease ends or goes on with it.
        note: a note is needed.
    """

    sources: frozenset[str]
    target: str | None
    role: Role
    lease: bool = False
    note: bool = False


def _of(*states: str) -> frozenset[str]:
    return frozenset(states)


TRANSITIONS: dict[str, Transition] = {
    # Labelers. A task in progress can be claimed where its lease has ended.
    "claim": Transition(
        _of(State.TODO, State.RETURNED, State.SKIPPED, State.IN_PROGRESS), State.IN_PROGRESS, Role.LABELER
    ),
    "acknowledge": Transition(_of(State.IN_PROGRESS), None, Role.LABELER, lease=True),
    "finish": Transition(_of(State.IN_PROGRESS), State.DONE, Role.LABELER, lease=True),
    "skip": Transition(_of(State.IN_PROGRESS), State.SKIPPED, Role.LABELER, lease=True),
    "release": Transition(_of(State.IN_PROGRESS, State.DONE), None, Role.LABELER, lease=True),
    "split": Transition(_of(State.TODO, State.RETURNED, State.SKIPPED, State.IN_PROGRESS), None, Role.LABELER),
    # Reviewers. Looking at a task that is done takes a lease on it and leaves its state.
    "review": Transition(_of(State.DONE), None, Role.REVIEWER),
    "approve": Transition(_of(State.DONE), State.APPROVED, Role.REVIEWER),
    "return": Transition(_of(State.DONE, State.APPROVED), State.RETURNED, Role.REVIEWER, note=True),
    "reopen": Transition(_of(State.SKIPPED, State.RETURNED, State.APPROVED, State.DONE), State.TODO, Role.REVIEWER),
    "take_away": Transition(_of(State.IN_PROGRESS), None, Role.REVIEWER),
    "assign": Transition(
        _of(State.TODO, State.IN_PROGRESS, State.RETURNED, State.SKIPPED, State.DONE), None, Role.REVIEWER
    ),
}


def transition(action: str, state: str, role: Role, note: str = "") -> Transition:
    """Return the row of the table after checking state, role and note against it.

    Raises:
        Denied: the role is too low.
        Conflict: the task is not in a state in which this can be done (code `task_state`).
        Invalid: there is no such action, or it needs a note.
    """
    found = TRANSITIONS.get(action)
    if found is None:
        raise Invalid(f"{action!r:.40} is nothing one can do to a task.", fix=f"Use one of {', '.join(TRANSITIONS)}.")
    if role < found.role:
        raise Denied(f"Your role here is {role.label}; this needs {found.role.label}.", fix="Ask a manager.")
    if state not in found.sources:
        raise Conflict(
            f"The task is {State(state).label}: {action.replace('_', ' ')} is not possible.",
            fix="Load the tasks again.",
            code="task_state",
            details={"state": state},
        )
    if found.note and not note.strip():
        raise Invalid("There is no note.", fix="Say in a few words what has to change.", code="note_missing")
    return found


def before_claim(task: Task) -> str:
    """Return the state to which a task goes back that is given back without a result."""
    if task.state == State.DONE:
        return State.DONE
    return State.RETURNED if task.reviewed_by_id is not None and task.note else State.TODO
