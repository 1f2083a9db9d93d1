"""Lists in pages: newest first, going on after the last row seen, never by counting."""

from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

from webapp.errors import Invalid

M = TypeVar("M", bound=Model)

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200


def page(rows: "QuerySet[M]", request: Request) -> tuple[list[M], str | None]:
    """Return one page of rows with `created_at` and a UUID `id`, newest first, and the URL of the next page.

    Raises:
        Invalid: `limit` or `after` is not one that we gave out.
    """
    limit = limit_of(request)
    after = request.query_params.get("after", "")
    if after:
        created_at, pk = _parse(after)
        rows = rows.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, id__lt=pk))
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = cast(Any, found[limit - 1])
    cursor = f"{last.created_at.isoformat()}~{last.pk}"
    query = {**request.query_params.dict(), "after": cursor}
    return found[:limit], f"{request.path}?{urlencode(query)}"


def limit_of(request: Request, *, largest: int = LARGEST_LIMIT) -> int:
    """Return `?limit`, between 1 and the largest allowed.

    Raises:
        Invalid: it is no whole number from 1 on.
    """
    raw = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not raw.isascii() or not raw.isdigit() or int(raw[:9]) < 1:
        raise Invalid(f"limit is '{raw}'.", fix=f"Give a whole number from 1 to {largest}.")
    return min(int(raw[:9]), largest)


def _parse(after: str) -> tuple[datetime, UUID]:
    when, _, pk = after.partition("~")
    try:
        return datetime.fromisoformat(when), UUID(pk)
    except ValueError:
        raise Invalid(f"after is '{after}'.", fix="Follow the 'next' URL of the page before.") from None
