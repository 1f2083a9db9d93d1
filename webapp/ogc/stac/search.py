"""The search of the STAC API: parameters of GET and POST, pages that go on after the last item."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from django.db.models import DateTimeField, Q, QuerySet
from django.db.models.functions import Coalesce
from shapely.geometry import shape

from webapp.errors import Invalid
from webapp.features.parsing import parse_number
from webapp.imagery.models import ImageryLayer

DEFAULT_LIMIT = 10
MAX_LIMIT = 1_000
MAX_IDS = 1_000
MAX_VERTICES = 10_000
KEYS = {"bbox", "intersects", "datetime", "ids", "collections", "limit", "token"}
# RFC 3339, section 5.6; a fraction may have any number of digits.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:)(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Attributes:
        place: EPSG:4326; None: anywhere.
        since, until: ends of the interval, both included; None: open.
        ids, collections: None: any.
        after: (moment, id) of the last item of the page before.
    """

    place: GEOSGeometry | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: list[UUID] | None = None
    collections: list[UUID] | None = None
    limit: int = DEFAULT_LIMIT
    after: tuple[datetime, UUID] | None = None


@dataclass(frozen=True)
class Page:
    """One page of a search.

    Attributes:
        token: leads to the next one; "" at the end.
        matched: items in all.
    """

    layers: Sequence[ImageryLayer]
    token: str
    matched: int


def find(layers: "QuerySet[ImageryLayer]", search: Search) -> Page:
    """Return a page of the layers that the search names, newest first."""
    rows = layers.annotate(moment=Coalesce("acquired_at", "created_at", output_field=DateTimeField()))
    if search.place is not None:
        rows = rows.filter(footprint__intersects=search.place)
    if search.ids is not None:
        rows = rows.filter(pk__in=search.ids)
    if search.collections is not None:
        rows = rows.filter(project__in=search.collections)
    # What has no date of its own was taken some time before it came here (see `documents.EARLIEST`).
    if search.since is not None:
        rows = rows.filter(moment__gte=search.since)
    if search.until is not None:
        rows = rows.filter(Q(acquired_at__lte=search.until) | Q(acquired_at=None))
    matched = rows.count()
    if search.after is not None:
        moment, pk = search.after
        rows = rows.filter(Q(moment__lt=moment) | Q(moment=moment, pk__lt=pk))
    found = list(rows.prefetch_related("scenes__scene").order_by("-moment", "-pk")[: search.limit + 1])
    shown = found[: search.limit]
    if len(found) <= search.limit:
        return Page(shown, "", matched)
    last: Any = shown[-1]
    return Page(shown, f"{last.moment.isoformat()}~{last.pk}", matched)


def parse_query(query: Mapping[str, str]) -> Search:
    """Return the search of a GET request's parameters.

    Raises:
        Invalid: one is unknown or wrong.
    """
    _only_known(query)
    values: dict[str, Any] = dict(query)
    for name in ("ids", "collections"):
        if name in values:
            values[name] = [part for part in values[name].split(",") if part]
    if values.get("bbox"):
        values["bbox"] = values["bbox"][:400].split(",")
    if "intersects" in values:
        values["intersects"] = _json(values["intersects"])
    return _search(values, limit=query.get("limit"))


def parse_body(body: Any) -> Search:
    """Return the search of a POST request's JSON.

    Raises:
        Invalid: a field is unknown or wrong.
    """
    if not isinstance(body, dict):
        raise Invalid("The body is no JSON object.", fix='Send {"bbox": [w, s, e, n]}.', code="bad_json")
    _only_known(body)
    limit = body.get("limit")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool)):
        raise Invalid(f"limit={limit!r:.30} is no number.", fix=f"Send 1 to {MAX_LIMIT}.", code="bad_number")
    return _search(body, limit=None if limit is None else str(limit))


def parse_interval(text: object) -> tuple[datetime | None, datetime | None]:
    """Return the ends of an instant or interval of RFC 3339 (".." or nothing: open).

    Raises:
        Invalid: no such time, open at both ends, or the end before the start.
    """
    parts = str(text)[:200].split("/") if isinstance(text, str) else []
    if len(parts) == 1:
        moment = _moment(parts[0])
        return moment, moment
    if len(parts) != 2 or all(part in ("", "..") for part in parts):
        raise _no_time(text)
    since, until = (None if part in ("", "..") else _moment(part) for part in parts)
    if since is not None and until is not None and since > until:
        raise Invalid(f"{text!r:.80} ends before it starts.", fix="Swap the two.", code="datetime_invalid")
    return since, until


def _search(values: Mapping[str, Any], *, limit: str | None) -> Search:
    if values.get("bbox") and values.get("intersects") is not None:
        raise Invalid("bbox and intersects are both given.", fix="Send one of them.", code="bbox_invalid")
    place = _box(values["bbox"]) if values.get("bbox") else None
    if values.get("intersects") is not None:
        place = _geometry(values["intersects"])
    since, until = parse_interval(values["datetime"]) if values.get("datetime") else (None, None)
    return Search(
        place=place,
        since=since,
        until=until,
        ids=_uuids(values.get("ids"), "ids"),
        collections=_uuids(values.get("collections"), "collections"),
        limit=parse_number(limit, name="limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT),
        after=_after(values.get("token")),
    )


def _only_known(values: Mapping[str, Any]) -> None:
    unknown = sorted(set(values) - KEYS)
    if unknown:
        raise Invalid(
            f'The parameter "{unknown[0][:60]}" is not known here.',
            fix=f"Use {', '.join(sorted(KEYS))}.",
            code="unknown_parameter",
        )


def _box(raw: object) -> GEOSGeometry:
    fix = "Send west, south, east, north in degrees."
    try:
        numbers = [float(number) for number in raw] if isinstance(raw, list) and len(raw) in (4, 6) else []
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) == 6:
        if numbers[2] > numbers[5]:
            raise Invalid(f"The bbox {raw!r:.60} is upside down.", fix=fix, code="bbox_invalid")
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise Invalid(f"The bbox {raw!r:.60} has not four finite numbers.", fix=fix, code="bbox_invalid")
    west, south, east, north = numbers
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid(f"The bbox {raw!r:.60} lies outside the Earth or is reversed.", fix=fix, code="bbox_invalid")
    if west <= east:
        return MultiPolygon(Polygon.from_bbox((west, south, east, north)), srid=4326)
    halves = Polygon.from_bbox((west, south, 180.0, north)), Polygon.from_bbox((-180.0, south, east, north))
    return MultiPolygon(*halves, srid=4326)


def _geometry(raw: object) -> GEOSGeometry:
    fix = "Send a valid GeoJSON geometry in lon, lat."
    if not isinstance(raw, dict) or len(json.dumps(raw)) > 64 * MAX_VERTICES:
        raise Invalid("intersects is no GeoJSON geometry, or too large.", fix=fix, code="geometry_invalid")
    try:
        made = shapely.force_2d(shape(raw))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise Invalid("intersects is no GeoJSON geometry.", fix=fix, code="geometry_invalid") from error
    except shapely.errors.ShapelyError as error:
        raise Invalid("intersects is no GeoJSON geometry.", fix=fix, code="geometry_invalid") from error
    if made.is_empty or shapely.get_num_coordinates(made) > MAX_VERTICES:
        raise Invalid(f"intersects is empty, or has over {MAX_VERTICES:,} vertices.", fix=fix, code="geometry_invalid")
    west, south, east, north = made.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90 and made.is_valid):
        raise Invalid("intersects is not valid on the Earth.", fix=fix, code="geometry_invalid")
    return GEOSGeometry(memoryview(shapely.to_wkb(made)), srid=4326)


def _uuids(raw: object, name: str) -> list[UUID] | None:
    if raw is None or raw == []:
        return None
    if not isinstance(raw, list) or len(raw) > MAX_IDS:
        raise Invalid(f"{name} is no list of at most {MAX_IDS}.", fix="Send a list of ids.", code="ids_invalid")
    # An id that is none of ours matches nothing; it is no error.
    return [found for found in map(_uuid, raw) if found is not None]


def _uuid(raw: object) -> UUID | None:
    try:
        return UUID(str(raw))
    except ValueError:
        return None


def _after(raw: object) -> tuple[datetime, UUID] | None:
    if raw in (None, ""):
        return None
    moment, _, pk = str(raw)[:100].partition("~")
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(pk)
    except ValueError as error:
        raise Invalid("The token is none of ours.", fix="Follow the `next` link.", code="token_invalid") from error


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("intersects is no JSON.", fix="Send a GeoJSON geometry.", code="geometry_invalid") from error


def _moment(text: str) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise _no_time(text)
    day, minute, second, fraction, zone = found.groups()
    leap = second == "60"
    try:
        moment = datetime.fromisoformat(
            f"{day}T{minute}{'59' if leap else second}{(fraction or '')[:7]}{zone.upper().replace('Z', '+00:00')}"
        )
        return moment + timedelta(seconds=1) if leap else moment
    except (ValueError, OverflowError) as error:
        raise _no_time(text) from error


def _no_time(text: object) -> Invalid:
    return Invalid(
        f"{text!r:.80} is no time.", fix="Send RFC 3339, as 2026-11-22T12:00:00Z or start/end.", code="datetime_invalid"
    )
