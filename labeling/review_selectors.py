"""Reads for review: what is still to be decided, and how decisions fell."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from django.db import OperationalError, connection
from psycopg2.errors import QueryCanceled

from labeling import unseen
from labeling.models import LabelSet
from labeling.omissions import timed
from webapp.errors import Conflict
from webapp.features.models import FeatureLayer
from webapp.features.selectors import FEATURE_JSON, person_sql

What = Literal["suggested", "drawn", "unseen"]
Order = Literal["high", "low", "place"]
MAX_STREAM = 50


@dataclass(frozen=True)
class Wanted:
    """Which samples a reviewer wants to see.

    Attributes:
        what: `suggested` by models or imports and not yet accepted; `drawn` or accepted by others and not reviewed
            in the version they have now; `unseen`: of these, what a model that looked there does not see.
        order: by score, high or low first, or in the order of drawing.
        class_value: of this class only.
        person: drawn by this person only.
        after: rank and fid of the last one seen.
        results: of the model, for `unseen`.
    """

    what: What = "suggested"
    order: Order = "high"
    class_value: int | None = None
    person: int | None = None
    after: tuple[float, int] | None = None
    results: FeatureLayer | None = None


@dataclass(frozen=True)
class Stream:
    """The next samples, as JSON texts with their ranks.

    Attributes:
        count: how many there are in all.
        cursor: where the next page begins; None where this was the last.
    """

    features: list[str]
    count: int
    cursor: str | None


_RANKS = {"high": "-coalesce(f.score, -1)", "low": "coalesce(f.score, 2)", "place": "0::float"}

_DRAWN = """f.verified AND f.updated_by_id IS DISTINCT FROM %(me)s AND NOT EXISTS (
    SELECT FROM labeling_verdict v WHERE v.feature_id = f.id AND v.version = f.version)"""
_CONDITIONS = {
    "suggested": "NOT f.verified",
    "drawn": _DRAWN,
    "unseen": _DRAWN,
}


def stream(label_set: LabelSet, wanted: Wanted, *, me: int, limit: int = MAX_STREAM) -> Stream:
    """Return the next samples to decide on, the first first.

    Raises:
        Conflict: comparing with what a model sees took too long (code `search_slow`).
    """
    rank = _RANKS[wanted.order]
    doubt = None if wanted.results is None else unseen.condition(label_set, wanted.results)
    where = f"""f.layer_id = %(layer)s AND NOT f.deleted AND {_CONDITIONS[wanted.what]}
        AND {"true" if doubt is None else doubt.sql}
        AND (%(class)s IS NULL OR f.class_value = %(class)s)
        AND (%(person)s IS NULL OR f.updated_by_id = %(person)s)"""
    rank_after, fid_after = wanted.after or (None, None)
    values: dict[str, Any] = {
        **({} if doubt is None else doubt.values),
        "layer": str(label_set.layer_id),
        "me": me,
        "class": wanted.class_value,
        "person": wanted.person,
        "rank": rank_after,
        "fid": fid_after,
        "limit": limit + 1,
    }
    page = f"""SELECT {FEATURE_JSON}, {rank}, f.fid FROM features_feature f
        LEFT JOIN projects_user u ON u.id = f.updated_by_id
        WHERE {where} AND (%(fid)s IS NULL OR ({rank}, f.fid) > (%(rank)s::float, %(fid)s::bigint))
        ORDER BY {rank}, f.fid LIMIT %(limit)s"""
    run = _rows if doubt is None else timed
    try:
        [(count,)] = run(f"SELECT count(*) FROM features_feature f WHERE {where}", values)
        rows = run(page, values)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise Conflict("Comparing took too long.", fix="Ask for samples of one class.", code="search_slow") from None
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return Stream([row[0] for row in rows[:limit]], count, f"{last[1]},{last[2]}" if last else None)


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def suggested_above(label_set: LabelSet, score: float, class_value: int | None) -> int:
    """Return how many suggestions have at least this score."""
    found = label_set.layer.features.filter(deleted=False, verified=False, score__gte=score)
    return (found if class_value is None else found.filter(class_value=class_value)).count()


def figures(label_set: LabelSet) -> list[dict[str, Any]]:
    """Return how many samples were accepted, fixed and rejected, by who made them and by class.

    The newest verdict on a sample counts. Models and imports are rows of their own, without a person.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {person_sql("u")}::text, v.source, v.class_value,
                count(*) FILTER (WHERE v.kind = 'accept'), count(*) FILTER (WHERE v.kind = 'fix'),
                count(*) FILTER (WHERE v.kind = 'reject')
            FROM (SELECT DISTINCT ON (feature_id) * FROM labeling_verdict WHERE label_set_id = %s
                  ORDER BY feature_id, id DESC) v
            LEFT JOIN projects_user u ON u.id = v.author_id
            GROUP BY u.id, v.source, v.class_value
            ORDER BY 2, 1, 3""",
            [str(label_set.pk)],
        )
        rows = cursor.fetchall()
    return _summed(rows)


def _summed(rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Join rows of one maker and class: a person may have drawn some and accepted others of a model."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for person, source, class_value, accepted, fixed, rejected in rows:
        maker = person if person is not None else source
        row = found.setdefault(
            (maker, class_value),
            {
                "person": None if person is None else json.loads(person),
                "source": "human" if person is not None else source,
                "class_value": class_value,
                "accepted": 0,
                "fixed": 0,
                "rejected": 0,
            },
        )
        row["accepted"] += accepted
        row["fixed"] += fixed
        row["rejected"] += rejected
    return list(found.values())
