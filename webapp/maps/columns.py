"""One field of all features of a layer. A browser that has it restyles and filters its tiles without asking again."""

from typing import Any

from django.db import connection

from webapp.errors import Invalid, NotFound, TooLarge
from webapp.features.models import FeatureLayer
from webapp.maps.models import MapLayer

# 300,000 numbers are 4 MB of JSON, 1.5 MB as they travel.
MOST_FEATURES = 300_000
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
    layer = row.features
    if layer is None:
        raise NotFound("feature layer")
    known = fields_of(layer)
    if field not in known:
        raise Invalid(f"The layer has no field '{field[:60]}'.", fix=f"Use {', '.join(known)}.", code="no_field")
    if layer.feature_count > MOST_FEATURES:
        raise TooLarge(
            f"{layer.feature_count:,} features are too many to style by '{field[:60]}'.",
            fix=f"Up to {MOST_FEATURES:,} can be; style larger layers by class or score.",
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
    return {"field": field, "type": known[field], "seq": layer.seq, **found}
