"""What clients send, turned into requests: JSON bodies, edits, boxes, numbers."""

import json
import math
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from webapp.errors import Invalid, QuadratError, TooLarge
from webapp.features.edits import MAX_BATCH, EditRequest
from webapp.features.geometry import check_geojson, to_geos
from webapp.features.models import Edit
from webapp.features.selectors import Bbox

# No body has a use for more objects and lists within each other; what reads them by recursion ends at some 900.
MAX_DEPTH = 64


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        Invalid: not JSON, NaN or Infinity in it, or nested too deep.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is not valid JSON.", fix=f"Mend it: {str(error)[:120]}", code="bad_json") from error
    if _openings(text) > MAX_DEPTH and _is_deep(value):
        raise Invalid("The body is nested too deep.", fix=f"Keep to {MAX_DEPTH} levels.", code="bad_json")
    return value


def json_body(request: HttpRequest) -> Any:
    """Return the JSON value of a request's body.

    Raises:
        Invalid: as `parse_json`.
    """
    inner: HttpRequest = getattr(request, "_request", request)
    return parse_json(inner.body)


def json_object(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object that is a request's body.

    Raises:
        Invalid: as `parse_json`, or it is another value.
    """
    body = json_body(request)
    if not isinstance(body, dict):
        raise Invalid("The body is no JSON object.", fix="Send an object.", code="bad_json")
    return body


def parse_edits(body: Any) -> list[EditRequest]:
    """Return the edits of `{edits: [{op_id, action, id, base_version, geometry, class_value, properties}]}`.

    An edit whose content is wrong is returned with its `problem`, so that its own answer says so.

    Raises:
        Invalid: there is no list of edits, or one has no usable op_id.
        TooLarge: more than a batch takes.
    """
    items = body.get("edits") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise Invalid("There are no edits in the body.", fix='Send {"edits": [{"op_id": …, "action": …, "id": …}]}.')
    if len(items) > MAX_BATCH:
        raise TooLarge(f"{len(items)} edits are too many at once.", fix=f"Send at most {MAX_BATCH}, or import a file.")
    return [parse_edit(item) for item in items]


def parse_edit(item: Any) -> EditRequest:
    """Return one edit.

    Raises:
        Invalid: no object, or no usable op_id, to which an answer could be given.
    """
    if not isinstance(item, dict):
        raise Invalid(f"{item!r:.60} is no edit.", fix="Send an object.", code="edit_invalid")
    op_id = _uuid(item.get("op_id"), "op_id")
    try:
        return _edit(op_id, item)
    except QuadratError as error:
        return EditRequest(op_id, "update", UUID(int=0), problem=error)


def parse_bbox(text: str | None) -> Bbox | None:
    """Return (west, south, east, north) in degrees of "w,s,e,n" or of the six numbers with heights.

    Raises:
        Invalid: not four or six finite numbers in range, or south over north.
    """
    if text is None or text == "":
        return None
    fix = "Send west,south,east,north in degrees."
    try:
        numbers = [float(part) for part in text[:400].split(",")]
    except ValueError as error:
        raise Invalid(f"The bbox {text!r:.60} is no list of numbers.", fix=fix, code="bbox_invalid") from error
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise Invalid(f"The bbox {text!r:.60} has not four finite numbers.", fix=fix, code="bbox_invalid")
    west, south, east, north = numbers
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid(f"The bbox {text!r:.60} lies outside the Earth or is reversed.", fix=fix, code="bbox_invalid")
    return west, south, east, north


def parse_number(text: str | None, *, name: str, default: int, low: int, high: int) -> int:
    """Return a whole number of a query, cut at `high`.

    Raises:
        Invalid: no whole number, or under `low`.
    """
    if text is None or text == "":
        return default
    if not (text.isascii() and text.lstrip("-").isdigit()) or len(text) > 18 or int(text) < low:
        raise Invalid(f"{name}={text!r:.30} is no number from {low}.", fix=f"Send {low} to {high}.", code="bad_number")
    return min(int(text), high)


def _edit(op_id: UUID, item: dict[str, Any]) -> EditRequest:
    action = item.get("action")
    if action not in Edit.Action.values:
        raise Invalid(f"{action!r:.40} is no action.", fix="Use create, update or delete.", code="action_unknown")
    base = item.get("base_version", 0 if action == "create" else None)
    if not isinstance(base, int) or isinstance(base, bool) or not 0 <= base < 2**31:
        raise Invalid("The edit names no base_version.", fix="Send the version it changes.", code="version_missing")
    properties = item.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise Invalid("The properties are no object.", fix='Send {"name": value}.', code="properties")
    geometry = item.get("geometry")
    verdict = None if geometry is None or action == "delete" else check_geojson(geometry)
    if verdict is not None and verdict.geometry is None:
        raise Invalid(verdict.reason, fix=verdict.fix, code=verdict.code)
    return EditRequest(
        op_id,
        action,
        _uuid(item.get("id"), "id"),
        base,
        geometry=None if verdict is None or verdict.geometry is None else to_geos(verdict.geometry),
        class_value=_class_value(item),
        properties=properties,
        verified=item["verified"] if isinstance(item.get("verified"), bool) else None,
        # It may have waited in a browser's outbox since before the class was retired.
        allow_retired=True,
    )


def _class_value(item: dict[str, Any]) -> int | None:
    value = item.get("class_value")
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31):
        raise Invalid(f"{value!r:.40} is no class value.", fix="Send a whole number.", code="class_unknown")
    return value


def _uuid(value: Any, name: str) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid(f"{value!r:.50} is no UUID.", fix=f"Send {name} as a UUID.", code=f"{name}_invalid") from error


def _openings(text: str | bytes) -> int:
    """Return how many objects and lists there are at most: small bodies need not be walked through."""
    return text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [one for part in inner for one in part if isinstance(one, dict | list)]
        if not level:
            return False
    return True


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def real_number(value: Any, name: str, low: float, high: float) -> float:
    """Return a number, of JSON or of a query.

    Raises:
        Invalid: it is none, or out of range.
    """
    try:
        found = math.nan if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not low <= found <= high:
        raise Invalid(f"{name} is {value!r:.40}.", fix=f"Send a number from {low:g} to {high:g}.", code=name)
    return found
