"""The table at the end of a run: what was sent, what became of it, and how long each fault was felt."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.chaos.check import INVARIANTS
from tests.chaos.database import Finding
from tests.chaos.faults import Struck, waits
from tests.chaos.journal import Journal


@dataclass(frozen=True)
class Outcome:
    """A run that has ended.

    Attributes:
        head: seed, labelers, seconds, load: what the run was.
        journals: of all labelers.
        struck: the faults.
        findings: of the checker.
    """

    head: dict[str, Any]
    journals: Sequence[Journal]
    struck: Sequence[Struck]
    findings: Sequence[Finding]

    def counts(self) -> dict[str, int]:
        """Return the numbers of the table."""
        ends = [answers[-1]["status"] for journal in self.journals for answers in journal.answers.values()]
        broken = [finding.invariant for finding in self.findings]
        return {
            "edits sent": sum(len(journal.sent) for journal in self.journals),
            "sent again for want of an answer": sum(journal.repeats for journal in self.journals),
            "acknowledged": ends.count("ok"),
            "refused: somebody was faster": sum(ends.count(status) for status in ("conflict", "gone", "aborted")),
            "kept as proposals: the lease had passed on": ends.count("proposed"),
            "refused as invalid": ends.count("invalid"),
            "in flight when a fault struck": sum(struck.in_flight for struck in self.struck),
            "leases given": sum(len(journal.claims) for journal in self.journals),
            "**lost**": broken.count("lost"),
            "**doubled**": broken.count("doubled"),
            "breaches of the other invariants": len([name for name in broken if name not in ("lost", "doubled")]),
        }

    def recovery(self) -> dict[str, tuple[int, float, float]]:
        """Return kind of fault -> (times, p50, max) of the seconds until a labeler's next acknowledgement."""
        found: dict[str, tuple[int, float, float]] = {}
        for kind in dict.fromkeys(struck.kind for struck in self.struck):
            same = [struck for struck in self.struck if struck.kind == kind]
            seconds = [wait for struck in same for wait in waits(struck, self.journals)]
            if seconds:
                found[kind] = (len(same), round(median(seconds), 2), round(max(seconds), 2))
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the figures for programs."""
        broken = [f"{finding.invariant}: {finding.text}" for finding in self.findings]
        return {**self.head, "counts": self.counts(), "recovery_s": self.recovery(), "findings": broken}

    def markdown(self) -> str:
        """Return the tables."""
        lines = [", ".join(f"{name} {value}" for name, value in self.head.items()), "", "| edits | |", "|---|---|"]
        lines += [f"| {name} | {count:,} |" for name, count in self.counts().items()]
        lines += ["", "| fault | times | next acknowledgement after, p50 s | max s |", "|---|---|---|---|"]
        lines += [f"| {kind} | {n} | {half:.2f} | {most:.2f} |" for kind, (n, half, most) in self.recovery().items()]
        broken = {finding.invariant for finding in self.findings}
        lines += ["", "| invariant | |", "|---|---|"]
        lines += [f"| {text} | {'**BROKEN**' if name in broken else 'holds'} |" for name, text in INVARIANTS.items()]
        lines += [f"\n{finding.invariant}: {finding.text}" for finding in self.findings]
        return "\n".join(lines)
