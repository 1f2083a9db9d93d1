"""What became of an imported file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any
from uuid import UUID, uuid5

from webapp.errors import QuadratError

# So many skipped features and dropped fields are named; the rest is counted.
REPORTED = 100
# The bits of a feature's id that are its place in the file.
_INDEX = (1 << 48) - 1


@dataclass
class Report:
    """What became of the file.

    Attributes:
        added: features stored.
        skipped: how many by code of the reason.
        examples: the first hundred skipped: {index, code, reason}.
        notes: how many were repaired, flattened, closed.
        crs: the file's own, where it names one.
        classes_added: names of new classes.
        fields_dropped: properties that the layer has no field for.
    """

    added: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    crs: str = "EPSG:4326"
    classes_added: list[str] = field(default_factory=list)
    fields_dropped: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs. Not by `dataclasses.asdict`: that makes of a Counter one of pairs (Python 3.11)."""
        return {**vars(self), "skipped": dict(self.skipped), "notes": dict(self.notes)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Report":
        """Return what `as_json` told."""
        return cls(**{**values, "skipped": Counter(values["skipped"]), "notes": Counter(values["notes"])})

    def skip(self, index: int, code: str, reason: str) -> None:
        """Count one skipped feature."""
        self.skipped[code] += 1
        if len(self.examples) < REPORTED:
            self.examples.append({"index": index, "code": code, "reason": reason})

    def refuse(self, refused: Mapping[UUID, QuadratError]) -> None:
        """Count features that were read but may not be stored where they lie, by the id that `id_of` gave them."""
        for index, error in sorted(((pk.int & _INDEX, error) for pk, error in refused.items()), key=itemgetter(0)):
            self.skip(index, error.code, error.message)


def id_of(namespace: UUID, index: int) -> UUID:
    """Return the id of a file's n-th feature: the same import tried again stores none twice.

    They follow each other, so that a large import fills pages of the indices one after the other.
    """
    return UUID(int=uuid5(namespace, "features").int & ~_INDEX | index)
