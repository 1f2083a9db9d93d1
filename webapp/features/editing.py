"""Edits: one change of one feature, checked, stored and numbered in one transaction."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction

from webapp import points
from webapp.errors import Conflict, Invalid, QuadratError, TooLarge
from webapp.features import edit_store, guarding, ladder, selectors
from webapp.features.edit_checks import check_content
from webapp.features.edit_store import Standing, Stored
from webapp.features.edits import MAX_BATCH, NO_CLASS, EditRequest, EditResult, Status
from webapp.features.geometry import checked
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.features.numbering import advance, lock
from webapp.projects.models import User


def apply_edits(
    *, layer: FeatureLayer, edits: Sequence[EditRequest], user: User | None, unguarded: bool = False
) -> list[EditResult]:
    """Return the answer to each edit of a batch, in order. All are stored in one transaction, or none.

    The layer's row is locked first, so edits of one layer come one after another and every process sees their
    numbers without gaps, in the order of commits. An edit whose `op_id` is in the log already is not done again:
    its first answer comes back.

    Args:
        layer: to be changed.
        edits: at most 500.
        user: who changes it.
        unguarded: the room that guards some of its places (`webapp.features.guarding`) writes there itself.

    Raises:
        TooLarge: more than 500 edits.
    """
    if len(edits) > MAX_BATCH:
        raise TooLarge(f"{len(edits)} edits are too many at once.", fix=f"Send at most {MAX_BATCH}, or import a file.")
    if not edits:
        return []
    # What fails here fails as a whole, so that no savepoint is needed within the caller's transaction.
    with transaction.atomic(savepoint=False):
        locked = lock(layer)
        held = edit_store.standing(layer, {edit.feature_id for edit in edits}, [edit.op_id for edit in edits])
        batch = _Batch(locked, user, held)
        if not unguarded:
            batch.closed = guarding.refused_shapes(locked, _places(edits, batch.features))
        outcomes = [batch.judge(edit) for edit in edits]
        if all(outcome.status == "ok" for outcome in outcomes):
            batch.write()
    layer.seq = batch.layer.seq
    return _answers(layer, outcomes, batch.stored)


def delete_features(*, layer: FeatureLayer, ids: Sequence[UUID], user: User | None = None) -> int:
    """Return how many features were deleted; unknown and deleted ones are passed over.

    Raises:
        TooLarge: more than 500 ids.
    """
    if len(ids) > MAX_BATCH:
        raise TooLarge(f"{len(ids)} features are too many at once.", fix=f"Delete at most {MAX_BATCH} at a time.")
    with transaction.atomic():
        locked = lock(layer)
        batch = _Batch(locked, user, edit_store.standing(layer, ids, []))
        for feature in list(batch.features.values()):
            if feature.layer_id == layer.pk and not feature.deleted:
                batch.judge(EditRequest(uuid4(), "delete", feature.pk, feature.version))
        batch.write()
    return len(batch.rows)


@dataclass
class _Outcome:
    """The verdict on one edit, before the layer's numbers are given out."""

    op_id: UUID
    status: Status
    row: Edit | None = None
    current: UUID | None = None
    version: int | None = None
    error: dict[str, str] | None = None
    warning: str = ""


@dataclass
class _Batch:
    """The edits of one transaction, under the layer's lock."""

    layer: FeatureLayer
    user: User | None
    held: Standing
    rows: list[Edit] = field(default_factory=list)
    # By number, once the rows are stored.
    stored: dict[int, Stored] = field(default_factory=dict)
    # (west, south, east, north) of what features leave.
    left: list[tuple[float, float, float, float]] = field(default_factory=list)
    count_change: int = 0
    # What a guard of the layer refuses, by op_id.
    closed: dict[UUID, QuadratError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.features = dict(self.held.features)
        self.read_versions = {pk: feature.version for pk, feature in self.features.items()}
        self.done = dict(self.held.done)

    def judge(self, edit: EditRequest) -> _Outcome:
        """Return the verdict, and put what is right into the batch."""
        repeated = self.done.get(edit.op_id)
        digest = _digest(edit)
        if repeated is not None:
            if repeated.digest != digest:
                return _invalid(
                    edit, Invalid("This op_id was used for another edit.", fix="Make a new one.", code="op_id_reused")
                )
            return _Outcome(edit.op_id, "ok", row=repeated, version=repeated.version)
        problem = edit.problem or self.closed.get(edit.op_id)
        if problem is not None:
            return _invalid(edit, problem)
        feature = self.features.get(edit.feature_id)
        refused = self._refuse(edit, feature)
        if refused is not None:
            return refused
        try:
            geometry = None if edit.geometry is None or edit.action == "delete" else checked(edit.geometry)
            warning = check_content(edit, feature, self.layer.fields, self.held.classes)
        except QuadratError as error:
            return _invalid(edit, error)
        edit = replace(edit, geometry=geometry)
        row = self._change(edit, feature or self._new(edit), digest)
        self.done[edit.op_id] = row
        self.rows.append(row)
        return _Outcome(edit.op_id, "ok", row=row, version=row.version, warning=warning)

    def _refuse(self, edit: EditRequest, feature: Feature | None) -> _Outcome | None:
        if feature is not None and feature.layer_id != self.layer.pk:
            return _invalid(edit, Invalid("This id is taken.", fix="Make a new UUID.", code="id_taken"))
        if feature is None:
            if edit.action != "create":
                return _refused(edit, "gone", "The feature is not in this layer.", "Load the layer again.")
            if edit.base_version != 0:
                return _refused(edit, "gone", "There is no deleted feature to restore.", "Create it with base 0.")
            return None
        if feature.pk in self.held.sealed and edit.action != "delete":
            # Nothing of it is told, and nobody brings it back but who breaks the seal (`webapp.features.sealing`).
            return _refused(edit, "gone", "This feature was put away.", "Drop the edit, or draw it anew.")
        if edit.action == "delete" and feature.deleted:
            # Two people delete the same feature: both have what they want, and the log has it once.
            same = [row for row in self.rows if row.feature_id == feature.pk]
            last = same[-1] if same else Edit.objects.filter(feature_id=feature.pk, version=feature.version).first()
            return _Outcome(edit.op_id, "ok", row=last, version=feature.version)
        if feature.deleted and edit.action == "update":
            return _refused(edit, "gone", "Somebody deleted this feature.", "Restore it, or drop the edit.", feature)
        if edit.action == "create" and not feature.deleted:
            return _refused(edit, "conflict", "The feature is there already.", "Send an update.", feature)
        if edit.base_version != feature.version:
            return _refused(
                edit,
                "conflict",
                f"The edit is based on version {edit.base_version}, the feature is at {feature.version}.",
                "Merge with the current feature and send it again.",
                feature,
            )
        return None

    def _new(self, edit: EditRequest) -> Feature:
        feature = Feature(pk=edit.feature_id, layer=self.layer, fid=self.layer.next_fid, version=0, deleted=True)
        self.layer.next_fid += 1
        self.features[feature.pk] = feature
        return feature

    def _change(self, edit: EditRequest, feature: Feature, digest: str) -> Edit:
        feature.version += 1
        if not feature.deleted:
            self.left.append(feature.geometry.extent)
        self.count_change += (edit.action != "delete") - (not feature.deleted)
        feature.deleted = edit.action == "delete"
        if edit.action != "delete":
            _copy_values(edit, feature)
        return Edit(
            layer=self.layer,
            op_id=edit.op_id,
            feature_id=feature.pk,
            action=edit.action,
            base_version=edit.base_version,
            version=feature.version,
            geometry=None if feature.deleted else feature.geometry,
            class_value=feature.class_value,
            score=feature.score,
            properties=feature.properties,
            source=feature.source,
            verified=feature.verified,
            digest=digest,
            actor=self.user,
        )

    def write(self) -> None:
        """Store features, log rows and the layer's numbers, and ring."""
        if not self.rows:
            return
        changed = sorted({row.feature_id for row in self.rows})
        known = ladder.among(changed)
        ladder.leave(self.layer, *known)
        first = advance(self.layer, len(self.rows), count_change=self.count_change, boxes=self._boxes())
        for number, row in enumerate(self.rows, start=first):
            row.seq = number
        points.reach("edit.numbered")
        features = [self.features[pk] for pk in changed]
        stored = edit_store.store(
            self.layer, features=features, read_versions=self.read_versions, rows=self.rows, user=self.user
        )
        if stored is None:
            raise Conflict("A feature changed under the edit.", fix="Send the edit again.")
        points.reach("edit.stored")
        self.stored = {item.row.seq: item for item in stored}
        ladder.enter(self.layer, *known, count=self.layer.feature_count + self.count_change)

    def _boxes(self) -> list[tuple[float, float, float, float]]:
        return self.left + [row.geometry.extent for row in self.rows if row.geometry is not None]


def _places(edits: Sequence[EditRequest], features: Mapping[UUID, Feature]) -> dict[UUID, GEOSGeometry]:
    """Return where edits put features, by op_id; those that move nothing are left out."""
    found: dict[UUID, GEOSGeometry] = {}
    for edit in edits:
        old = features.get(edit.feature_id)
        if edit.geometry is not None and edit.action != "delete":
            found[edit.op_id] = edit.geometry
        elif edit.action == "create" and old is not None:
            found[edit.op_id] = old.geometry  # it comes back where it was
    return found


def _copy_values(edit: EditRequest, feature: Feature) -> None:
    if edit.geometry is not None:
        feature.geometry = edit.geometry
    if edit.class_value is not None:
        feature.class_value = None if edit.class_value == NO_CLASS else edit.class_value
    if edit.properties is not None:
        feature.properties = edit.properties
    if edit.score is not None:
        feature.score = edit.score
    feature.verified = True if edit.verified is None else edit.verified


def _digest(edit: EditRequest) -> str:
    body = [
        edit.action,
        str(edit.feature_id),
        edit.base_version,
        None if edit.geometry is None else bytes(edit.geometry.wkb).hex(),
        edit.class_value,
        edit.properties,
        edit.score,
        edit.verified,
    ]
    return hashlib.blake2b(json.dumps(body, sort_keys=True).encode(), digest_size=16).hexdigest()


def _invalid(edit: EditRequest, error: QuadratError) -> _Outcome:
    return _Outcome(edit.op_id, "invalid", error={"code": error.code, "message": error.message, "fix": error.fix})


def _refused(edit: EditRequest, status: Status, message: str, fix: str, feature: Feature | None = None) -> _Outcome:
    return _Outcome(
        edit.op_id,
        status,
        current=None if feature is None else feature.pk,
        version=None if feature is None else feature.version,
        error={"code": status, "message": message, "fix": fix},
    )


def _answers(layer: FeatureLayer, outcomes: list[_Outcome], stored: Mapping[int, Stored]) -> list[EditResult]:
    """Return the answers; `stored` is what the batch stored, empty where it was not."""
    before = [item.row.seq for item in outcomes if item.row is not None and item.row.pk is not None]
    by_seq = selectors.edits_by_seq(layer, before) if before else {}
    by_seq |= {seq: item.feature for seq, item in stored.items()}
    current = [item.current for item in outcomes if item.current is not None]
    by_id = selectors.features_json(layer, current) if current else {}
    return [_answer(item, by_seq, by_id, stored) for item in outcomes]


def _answer(
    item: _Outcome, by_seq: Mapping[int, str], by_id: Mapping[UUID, str], stored: Mapping[int, Stored]
) -> EditResult:
    if item.status != "ok":
        feature = None if item.current is None else by_id.get(item.current)
        return EditResult(item.op_id, item.status, version=item.version, feature=feature, error=item.error)
    if item.row is None or item.row.seq not in by_seq:
        error = {"code": "aborted", "message": "Another edit of the batch failed.", "fix": "Send it again without it."}
        return EditResult(item.op_id, "aborted", error=error)
    seq = item.row.seq
    return EditResult(
        item.op_id,
        "ok",
        seq=seq,
        version=item.row.version,
        feature=None if by_seq[seq] == "null" else by_seq[seq],
        warning=item.warning,
        row=stored[seq].row if seq in stored else None,
    )
