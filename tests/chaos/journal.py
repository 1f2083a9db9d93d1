"""What one client remembers of its own work: sent, answered, heard. The checker trusts these, not the server."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

Edit = dict[str, Any]
Answer = dict[str, Any]
STORED = "ok"


@dataclass
class Claim:
    """A task that a client was given, and the token of its lease."""

    task: str
    token: int


@dataclass
class Removal:
    """The end of somebody's membership.

    Attributes:
        seq: of the layer when the removal had been acknowledged.
        deaf_after: of the layer when the rooms had to know it.
    """

    seq: int
    deaf_after: int


@dataclass
class Journal:
    """The memory of one client.

    Attributes:
        name: of the client.
        sent: op_id -> the edit, as it was sent each time.
        first_at: op_id -> seconds (monotonic) of the first sending.
        answers: op_id -> every answer that came, repeated ones too.
        answered_at: op_id -> seconds (monotonic) of the first answer.
        repeats: how often an edit was sent again because no answer had come.
        heard_after: the log number after which `heard` begins.
        heard: (seq, op_id) of the log as the client took it over, gaps filled by reading.
        state: feature id -> {version, class_value, properties}: the log, folded by the client; None: it could not.
        claims: what it was given.
        last_heard: the largest number of the log that ever came, in whatever way.
        removed: when it was put out of the project; None: it never was.
    """

    name: str
    sent: dict[str, Edit] = field(default_factory=dict)
    first_at: dict[str, float] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    answered_at: dict[str, float] = field(default_factory=dict)
    repeats: int = 0
    heard_after: int = 0
    heard: list[tuple[int, str]] = field(default_factory=list)
    state: dict[str, dict[str, Any]] | None = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    last_heard: int = 0
    removed: Removal | None = None

    def send(self, edit: Edit) -> None:
        """Note an edit before it leaves."""
        op_id = edit["op_id"]
        self.repeats += op_id in self.sent
        self.sent[op_id] = edit
        self.first_at.setdefault(op_id, time.monotonic())

    def answer(self, result: Answer) -> None:
        """Note an answer."""
        op_id = result["op_id"]
        kept = {name: result[name] for name in ("status", "seq", "version", "error")}
        self.answers.setdefault(op_id, []).append(kept)
        self.answered_at.setdefault(op_id, time.monotonic())

    def hear(self, row: dict[str, Any]) -> bool:
        """Take over a row of the log if it is the next one; return False where one is missing before it."""
        self.last_heard = max(self.last_heard, row["seq"])
        last = self.heard[-1][0] if self.heard else self.heard_after
        if row["seq"] <= last:
            return True
        if row["seq"] > last + 1:
            return False
        self.heard.append((row["seq"], row["op_id"]))
        if self.state is not None:
            fold(self.state, row)
        return True

    def start_over(self, seq: int, state: dict[str, dict[str, Any]] | None) -> None:
        """Take a snapshot over in place of what was heard."""
        self.last_heard = max(self.last_heard, seq)
        self.heard_after, self.heard, self.state = seq, [], state

    @property
    def seq(self) -> int:
        """The last number of the log that was taken over."""
        return self.heard[-1][0] if self.heard else self.heard_after

    def stored(self) -> dict[str, Answer]:
        """Return op_id -> the first answer of those that were acknowledged as stored."""
        return {op_id: found[0] for op_id, found in self.answers.items() if found[0]["status"] == STORED}

    def with_status(self, status: str) -> set[str]:
        """Return the op_ids whose last answer is this one."""
        return {op_id for op_id, found in self.answers.items() if found[-1]["status"] == status}

    def as_json(self) -> dict[str, Any]:
        """Return all of it, for a look after the run."""
        return asdict(self)


def fold(state: dict[str, dict[str, Any]], row: dict[str, Any]) -> None:
    """Apply one row of the log to a client's state."""
    if row["action"] == "delete":
        state.pop(row["id"], None)
    else:
        state[row["id"]] = kept_of(row["feature"])


def kept_of(feature: dict[str, Any]) -> dict[str, Any]:
    """Return what a client keeps of a feature: what the checker compares."""
    meta = feature["meta"]
    return {"version": meta["version"], "class_value": meta["class_value"], "properties": feature["properties"]}
