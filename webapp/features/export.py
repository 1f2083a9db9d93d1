"""Whole layers as GeoJSON, streamed."""

import json
from collections.abc import Iterator

from webapp.features import selectors
from webapp.features.models import FeatureLayer

_SQL = """SELECT json_build_object('type', 'Feature', 'id', f.id, 'geometry', ST_AsGeoJSON(f.geometry, 15)::json,
        'properties', f.properties || jsonb_strip_nulls(jsonb_build_object(
            'class_value', f.class_value, 'class_name', c.name, 'score', f.score, 'source', f.source,
            'verified', f.verified)))::text
    FROM features_feature f LEFT JOIN features_featureclass c ON c.layer_id = f.layer_id AND c.value = f.class_value
    WHERE f.layer_id = %s AND NOT f.deleted ORDER BY f.fid"""


def geojson_lines(layer: FeatureLayer) -> Iterator[str]:
    """Yield a FeatureCollection in pieces: EPSG:4326, one feature a line, by fid, coordinates in full precision.

    One statement reads all of it, so the file is the layer at one moment. Class and score are properties
    (class_value, class_name, score, source, verified), under which an import finds them again.
    """
    classes = [{key: item[key] for key in ("value", "name", "colour")} for item in selectors.classes_json(layer)]
    head = {"type": "FeatureCollection", "name": layer.name, "attribution": layer.attribution, "classes": classes}
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "features": ['
    lead = "\n"
    for (body,) in selectors.stream(_SQL, [layer.pk]):
        yield lead + body
        lead = ",\n"
    yield "\n]}\n"
