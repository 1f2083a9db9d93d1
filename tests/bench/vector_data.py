"""A town of any size, made of the buildings of a real one: in our feature store, and as a plain table for a peer."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely

LAYER = "bench buildings"
PEER_TABLE = "bench.buildings"


def copies(path: Path, count: int) -> Iterator[tuple[Any, int, float]]:
    """Yield (polygon in EPSG:4326, class 1 to 3, score): the file's buildings again and again, town beside town.

    The towns stand in a square, every second one upside down, at the real density.
    """
    features = json.loads(path.read_text())["features"]
    shapes = [shapely.from_geojson(json.dumps(item["geometry"])) for item in features]
    town = [(shape, 1 + number % 3) for number, shape in enumerate(shapes) if shape.geom_type == "Polygon"]
    west, south, east, north = shapely.total_bounds(shapely.MultiPolygon([shape for shape, _ in town]))
    towns = -(-count // len(town))
    side = int(np.ceil(np.sqrt(towns)))
    generator = random.Random(1)
    for number in range(count):
        which, at = divmod(number, len(town))
        shift = np.array([(which % side - side / 2) * (east - west), (which // side - side / 2) * (north - south)])
        shape, value = town[at]
        turned = 1 if which % 2 == 0 else -1
        middle = np.array([(west + east) / 2, (south + north) / 2])
        moved = shapely.transform(shape, lambda xy, s=shift, t=turned, m=middle: (xy - m) * t + m + s)
        yield moved, value, generator.random()


def cells(path: Path, bounds: tuple[float, float, float, float], count: int) -> Iterator[Any]:
    """Yield real buildings, each shrunk into its cell of a grid over the bounds."""
    rows = [shapely.from_geojson(json.dumps(row["geometry"])) for row in json.loads(path.read_text())["features"]]
    shapes = [one for one in rows if one.geom_type == "Polygon"]
    side = int(np.ceil(np.sqrt(count)))
    width, height = (bounds[2] - bounds[0]) / side, (bounds[3] - bounds[1]) / side
    for number in range(count):
        shape = shapes[number % len(shapes)]
        west, south, east, north = shape.bounds
        low = np.array([bounds[0] + (number % side + 0.1) * width, bounds[1] + (number // side + 0.1) * height])
        scale = np.array([0.8 * width / (east - west), 0.8 * height / (north - south)])
        origin = np.array([west, south])
        yield shapely.transform(shape, lambda xy, o=origin, s=scale, at=low: (xy - o) * s + at)


def made_layer(path: Path, count: int) -> Any:
    """Return the feature layer of `count` buildings, written where it is not there."""
    from tests.factories import make_layer, make_project, make_user
    from webapp.features import services
    from webapp.features.bulk import NewFeature
    from webapp.features.models import FeatureLayer

    found = FeatureLayer.objects.filter(name=f"{LAYER} {count}", feature_count=count).first()
    if found is None:
        classes = [(value, f"Roof {value}", "#1b9e77") for value in (1, 2, 3)]
        found = make_layer(make_project(make_user(f"bench-{count}")), classes, name=f"{LAYER} {count}")
        rows = (NewFeature(shape, class_value=value, score=score) for shape, value, score in copies(path, count))
        services.add_features(layer=found, features=rows)
        found.refresh_from_db()
    return found


def copy_for_peer(layer: Any) -> None:
    """Write the layer's features into the plain table that a peer serves, indexed and vacuumed like ours."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS bench")
        cursor.execute(f"DROP TABLE IF EXISTS {PEER_TABLE}")
        cursor.execute(
            f"CREATE TABLE {PEER_TABLE} AS SELECT fid AS id, geometry, class_value, score, verified"
            " FROM features_feature WHERE layer_id = %s",
            [layer.pk],
        )
        cursor.execute(f"ALTER TABLE {PEER_TABLE} ADD PRIMARY KEY (id)")
        cursor.execute(f"ALTER TABLE {PEER_TABLE} ALTER COLUMN geometry TYPE geometry(Polygon, 4326)")
        cursor.execute(f"CREATE INDEX ON {PEER_TABLE} USING gist (geometry)")
        cursor.execute(f"VACUUM ANALYZE {PEER_TABLE}")
        for table in ("features_feature", "features_cell", "features_tilechange"):
            cursor.execute(f"VACUUM ANALYZE {table}")
        # Both without parallel workers, whose time would be nobody's.
        cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" SET max_parallel_workers_per_gather = 0')
