"""Which tasks somebody may take, and which comes first: conditions and orders on `labeling_task t`."""

from dataclasses import dataclass
from typing import Literal

Order = Literal["near", "priority", "uncertainty"]
Purpose = Literal["label", "review"]

_FREE = "(t.lease_until IS NULL OR t.lease_until < clock_timestamp())"
# What is labelled blindly is worked on elsewhere (`labeling.blind_next`). The mark is in the row itself: who finds the
# row just changed by somebody else looks at it again, not at other tables.
LABEL = f"""t.label_set_id = %(label_set)s AND NOT t.split AND NOT t.on_sheets
    AND (t.state IN ('todo', 'returned', 'skipped') OR (t.state = 'in_progress' AND {_FREE}))"""
REVIEW = f"t.label_set_id = %(label_set)s AND NOT t.split AND NOT t.on_sheets AND t.state = 'done' AND {_FREE}"
# Somebody else's tasks are left, and what one has skipped does not come back to oneself.
MINE = """(t.assigned_to_id IS NULL OR t.assigned_to_id = %(user)s) AND NOT (t.state = 'skipped' AND EXISTS (
    SELECT 1 FROM labeling_taskevent e WHERE e.task_id = t.id AND e.action = 'skip' AND e.actor_id = %(user)s))"""
# What a reviewer sent back is waited for.
_FIRST = "(t.assigned_to_id IS NOT NULL) DESC, (t.state = 'returned') DESC, (t.state = 'skipped')"
_NEAR = """power((ST_X(t.centre) - %(lon)s) * cos(radians(%(lat)s)), 2) + power(ST_Y(t.centre) - %(lat)s, 2)"""
# How unsure a model is in a cell, 0 to 1: the mean doubt of its suggestions that still wait there (1 at a score of a
# half, 0 at 0 and at 1), so that it falls as they are looked at; without suggestions, what a program has set.
UNCERTAINTY = """coalesce((SELECT avg(1 - abs(2 * least(greatest(f.score, 0), 1) - 1)) FROM features_feature f
    WHERE f.layer_id = (SELECT s.layer_id FROM labeling_labelset s WHERE s.id = t.label_set_id)
        AND NOT f.deleted AND NOT f.verified AND f.score IS NOT NULL AND ST_Intersects(f.geometry, t.geometry)),
    t.uncertainty)"""
_ORDERS: dict[Order, str] = {
    "near": _NEAR,
    "priority": "t.priority DESC",
    "uncertainty": f"{UNCERTAINTY} DESC NULLS LAST",
}


@dataclass(frozen=True)
class Place:
    """Where somebody looks, in degrees."""

    lon: float
    lat: float


def ordering(order: Order, place: Place | None, purpose: Purpose) -> str:
    """Return the SQL order in which tasks are handed out; it takes the parameters lon, lat and user."""
    # When reviewing, one's own work comes last: somebody else should look at it.
    first = _FIRST if purpose == "label" else "(t.done_by_id = %(user)s)"
    near = _ORDERS["near"] if place else "t.number"
    chosen = near if order == "near" else f"{_ORDERS[order]}, {near}"
    return f"{first}, {chosen}, t.number"


def position(place: Place | None) -> dict[str, float]:
    """Return the parameters of `ordering` that say where."""
    return {"lon": place.lon if place else 0, "lat": place.lat if place else 0}
