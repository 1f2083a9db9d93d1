"""One field of all features of a layer. A browser that has it restyles and filters its tiles without asking again."""

from typing import Any

import psycopg2
from django.conf import settings
from django.db import OperationalError, connection, transaction

from webapp.errors import Invalid, NotFound, TooLarge, Unavailable
from webapp.features.models import FeatureLayer
from webapp.maps.models import MapLayer

# 300,000 numbers are 4 MB of JSON, 1.5 MB as they travel.
MOST_FEATURES = 300_000
# Of larger layers every n-th feature is read, about so many.
SAMPLE = 20_000
MOST_STEPS = 9
MOST_CHOICES = 40
OWN = {"score": "number", "area_m2": "number"}


def fields_of(layer: FeatureLayer) -> dict[str, str]:
    """Return the fields that features of the layer have, with their types: its schema, score and area."""
    return {**{str(item["name"]): str(item["type"]) for item in layer.fields}, **OWN}


def column(row: MapLayer, field: str) -> dict[str, Any]:
    """Return `{field, type, seq, fids, values}` of all features that have a value, by rising fid.

    Raises:
        NotFound: the layer shows no features.
        Invalid: it has no such field.
        TooLarge: it has more features than a browser should hold.
    """
    layer, kind = _found(row, field)
    if layer.feature_count > MOST_FEATURES:
        raise TooLarge(
            f"{layer.feature_count:,} features are too many to style by '{field[:60]}'.",
            fix=f"Up to {MOST_FEATURES:,} go at once; ask for tiles with the field instead.",
        )
    sql = field if field in OWN else "properties -> %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT json_build_object('fids', coalesce(json_agg(fid ORDER BY fid), '[]'),
                'values', coalesce(json_agg(value ORDER BY fid), '[]'))
            FROM (SELECT fid, {sql} AS value FROM features_feature WHERE layer_id = %s AND NOT deleted) f
            WHERE value IS NOT NULL AND value::text <> 'null'""",
            [layer.pk] if field in OWN else [field, layer.pk],
        )
        found: dict[str, Any] = cursor.fetchone()[0]
    return {"field": field, "type": kind, "seq": layer.seq, **found}


def _found(row: MapLayer, field: str) -> tuple[FeatureLayer, str]:
    if row.features is None:
        raise NotFound("feature layer")
    known = fields_of(row.features)
    if field not in known:
        raise Invalid(f"The layer has no field '{field[:60]}'.", fix=f"Use {', '.join(known)}.", code="no_field")
    return row.features, known[field]


def summary(row: MapLayer, field: str) -> dict[str, Any]:
    """Return what a form needs of a field, whatever the size of the layer.

    Of numbers `{field, type, count, min, max, quantiles}`: `quantiles[n]` are the inner edges of n classes that hold
    equally many, for n of 2 to 9. Of others `{field, type, count, kinds, choices}`: the 40 most frequent values with
    how often they occur, of `kinds` values in all. `every`: 1, or n where the layer is so large that only every n-th
    feature was read.

    Raises:
        NotFound: the layer shows no features.
        Invalid: it has no such field.
        Unavailable: it took longer than a reader may.
    """
    layer, kind = _found(row, field)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            timeout = str(int(settings.READ_TIMEOUT_S * 1000))
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [timeout])
            told = _numbers(cursor, layer, field) if kind in ("integer", "number") else _choices(cursor, layer, field)
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg2.extensions.QueryCanceledError):
            raise Unavailable("Reading the values took too long.", fix="Type the steps by hand.") from error
        raise
    return {"field": field, "type": kind, "every": _every(layer), **told}


def _every(layer: FeatureLayer) -> int:
    return 1 if layer.feature_count <= MOST_FEATURES else -(-layer.feature_count // SAMPLE)


def _read(layer: FeatureLayer) -> tuple[str, list[Any]]:
    """Return the rows that a summary reads, as SQL with its values."""
    if _every(layer) == 1:
        return "(SELECT * FROM features_feature WHERE layer_id = %s AND NOT deleted) f", [layer.pk]
    # One by one through the index on their numbers: else a whole layer is scanned for a tenth of it.
    return (
        """(SELECT one.*
        FROM generate_series(1, (SELECT max(fid) FROM features_feature WHERE layer_id = %s), %s) n(fid),
        LATERAL (SELECT * FROM features_feature WHERE layer_id = %s AND fid = n.fid AND NOT deleted LIMIT 1) one) f""",
        [layer.pk, _every(layer), layer.pk],
    )


def _numbers(cursor: Any, layer: FeatureLayer, field: str) -> dict[str, Any]:
    shares = [part / steps for steps in range(2, MOST_STEPS + 1) for part in range(1, steps)]
    value, of_json = (field, False) if field in OWN else ("(properties ->> %s)::double precision", True)
    only = "WHERE jsonb_typeof(properties -> %s) = 'number'" if of_json else f"WHERE {value} IS NOT NULL"
    names = [field] if of_json else []
    rows, values = _read(layer)
    # The value behind the share, not the one at it: an edge belongs to the upper class.
    cursor.execute(
        f"""SELECT count(*), min(value), max(value), percentile_disc(%s::float8[]) WITHIN GROUP (ORDER BY value)
        FROM (SELECT {value} AS value FROM {rows} {only}) told""",
        [[min(1.0, share + 1e-9) for share in shares], *names, *values, *names],
    )
    count, low, high, found = cursor.fetchone()
    edges = iter(found or [])
    quantiles = {steps: [next(edges) for _ in range(1, steps)] if found else [] for steps in range(2, MOST_STEPS + 1)}
    return {"count": count, "min": low, "max": high, "quantiles": quantiles}


def _choices(cursor: Any, layer: FeatureLayer, field: str) -> dict[str, Any]:
    rows, values = _read(layer)
    cursor.execute(
        f"""SELECT coalesce(sum(often), 0)::bigint, count(*),
            coalesce(json_agg(json_build_array(value, often) ORDER BY rank) FILTER (WHERE rank <= %s), '[]')
        FROM (SELECT value, count(*) AS often, row_number() OVER (ORDER BY count(*) DESC, value) AS rank
            FROM (SELECT properties -> %s AS value FROM {rows}) told
            WHERE jsonb_typeof(value) IN ('string', 'number', 'boolean') GROUP BY value) kinds""",
        [MOST_CHOICES, field, *values],
    )
    count, kinds, choices = cursor.fetchone()
    return {"count": count, "kinds": kinds, "choices": choices}
