"""What an edit asks for, and what it is answered."""

import json
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.contrib.gis.geos import GEOSGeometry

from webapp.errors import QuadratError
from webapp.features.selectors import LogRow

Action = Literal["create", "update", "delete"]
Status = Literal["ok", "conflict", "gone", "invalid", "aborted"]

MAX_BATCH = 500
# The class value with which an edit takes a feature's class away.
NO_CLASS = 0


@dataclass(frozen=True)
class EditRequest:
    """One change that somebody wants to make.

    Attributes:
        op_id: made by the client; the same one again gets the first answer. A delete of what is deleted already
            writes nothing: sent again after somebody restored the feature, it is a conflict like any old base.
        action: a deleted feature is restored by `create` with the version of its tombstone as base; what is left
            out comes back as it was.
        feature_id: made by the client at `create`.
        base_version: the version that the client saw; 0 at the first `create`.
        geometry: EPSG:4326; None: unchanged.
        class_value: None: unchanged; 0: no class.
        properties: all of them; None: unchanged.
        score: None: unchanged.
        verified: None: a person's edit verifies the feature.
        problem: what the edge found wrong with the body; the edit is answered with it.
        allow_retired: the edit may have waited in an outbox while its class was retired; take it all the same.
        as_it_was: the layer held it so before; its class may have been retired, or narrowed to other shapes, since.
    """

    op_id: UUID
    action: Action
    feature_id: UUID
    base_version: int = 0
    geometry: GEOSGeometry | None = None
    class_value: int | None = None
    properties: dict[str, Any] | None = None
    score: float | None = None
    verified: bool | None = None
    allow_retired: bool = False
    as_it_was: bool = False
    problem: QuadratError | None = None


@dataclass(frozen=True)
class EditResult:
    """The answer to one edit.

    Attributes:
        status: `ok` it is stored; `conflict` the base is not the current version; `gone` the feature is deleted or
            never was; `invalid` see `error`; `aborted` nothing wrong with it, but another of the batch failed.
        seq: its number in the log; None where it is not stored.
        version: of the feature: after the edit, or as it is now where the edit is not stored.
        feature: JSON text of the feature: after the edit, or as it is now; None where there is none.
        error: {code, message, fix} where the status is not `ok`.
        warning: "retired_class" where the class is no longer offered.
        row: what the log has of it now; None where this call stored nothing.
    """

    op_id: UUID
    status: Status
    seq: int | None = None
    version: int | None = None
    feature: str | None = None
    error: dict[str, str] | None = None
    warning: str = ""
    row: LogRow | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON-ready answer."""
        return {
            "op_id": str(self.op_id),
            "status": self.status,
            "seq": self.seq,
            "version": self.version,
            "feature": None if self.feature is None else json.loads(self.feature),
            "error": self.error,
            "warning": self.warning,
        }
