"""Changes drawn under a lease that has passed to somebody else: kept as proposals, one of each sample and person."""

from dataclasses import replace
from typing import Any

from labeling.models import Proposal, Task
from labeling.task_events import Happened, record
from webapp.errors import QuadratError
from webapp.features import selectors as features
from webapp.features.edit_checks import check_content
from webapp.features.edit_store import standing
from webapp.features.geometry import checked
from webapp.features.models import Feature, FeatureLayer
from webapp.features.services import EditRequest, EditResult
from webapp.projects.models import User


def propose(*, layer: FeatureLayer, edit: EditRequest, token: int, task: Task, user: User) -> dict[str, Any]:
    """Keep a late change, and return its answer. Changes of one sample by one person make one proposal.

    Args:
        layer: of the label set.
        edit: the change.
        token: of the lease that had ended.
        task: for which it was drawn, locked by the caller.
        user: who drew it.
    """
    current = Feature.objects.filter(pk=edit.feature_id, layer=layer).first()
    living = None if current is None or current.deleted else current
    earlier = Proposal.objects.filter(task__label_set=task.label_set_id, author=user, feature_id=edit.feature_id)
    found = earlier.filter(op_ids__contains=[edit.op_id]).first()
    if found is None:
        open_one = earlier.filter(state=Proposal.State.OPEN).first()
        try:
            geometry = None if edit.geometry is None else checked(edit.geometry)
            _check(layer, edit, open_one, current)
        except QuadratError as error:
            return EditResult(edit.op_id, "invalid", error=_error(error)).as_json()
        _keep(open_one, replace(edit, geometry=geometry), task, token, user)
    body = features.features_json(layer, [edit.feature_id]).get(edit.feature_id) if living else None
    answer = EditResult(edit.op_id, "ok", version=living.version if living else 0, feature=body).as_json()
    reason = {
        "code": "lease_lost",
        "message": f"Somebody else works on task {task.number} now.",
        "fix": "Your change is kept there as a proposal.",
    }
    return {**answer, "status": "proposed", "error": reason}


def _check(layer: FeatureLayer, edit: EditRequest, open_one: Proposal | None, current: Feature | None) -> None:
    """Return where the layer could hold the change, with what the same person proposed of the sample before."""
    if open_one is not None:
        value = open_one.class_value if edit.class_value is None else edit.class_value
        edit = replace(edit, geometry=edit.geometry or open_one.geometry, class_value=value)
    check_content(edit, current, layer.fields, standing(layer, [], []).classes)


def _keep(open_one: Proposal | None, edit: EditRequest, task: Task, token: int, user: User) -> None:
    if open_one is None:
        there = _part_of(task, edit)
        record(there.label_set_id, [Happened(there, "propose", there.state, user)])
        Proposal.objects.create(
            task=there,
            token=token,
            author=user,
            op_ids=[edit.op_id],
            feature_id=edit.feature_id,
            action=edit.action,
            base_version=edit.base_version,
            geometry=edit.geometry,
            class_value=edit.class_value,
            properties=edit.properties,
        )
        return
    open_one.op_ids = [*open_one.op_ids, edit.op_id]
    if edit.action == "delete" and open_one.action == "create":
        open_one.state = Proposal.State.WITHDRAWN
    elif edit.action == "delete":
        open_one.action = "delete"
    open_one.geometry = edit.geometry or open_one.geometry
    open_one.class_value = open_one.class_value if edit.class_value is None else edit.class_value
    open_one.properties = open_one.properties if edit.properties is None else edit.properties
    open_one.save()


def _part_of(task: Task, edit: EditRequest) -> Task:
    """Return the task, or the part of a split one in which the change lies."""
    while task.split:
        parts = list(task.parts.order_by("number"))
        near = [part for part in parts if edit.geometry is not None and part.geometry.intersects(edit.geometry)]
        task = Task.objects.select_for_update(no_key=True).get(pk=(near or parts)[0].pk)
    return task


def _error(error: QuadratError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "fix": error.fix}
