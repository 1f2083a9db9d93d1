"""Vector tiles: what GDAL reads of them, their caps, and the door they are fetched through."""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pyogrio
import pytest
import shapely
from django.db import connection
from pytest_django import Settings

from tests.browser.driver import Site
from tests.clients.server import running
from tests.factories import make_layer, make_project, make_user
from webapp.errors import Invalid, Unavailable
from webapp.features import services
from webapp.features.bulk import NewFeature
from webapp.features.models import Feature, FeatureLayer
from webapp.features.mvt import MAX_BYTES, MAX_FEATURES, TileReader, VectorTile, bounds
from webapp.projects.signing import layer_token

WEST, SOUTH = 85.52, 27.63
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def layer(transactional_db: None) -> FeatureLayer:
    return make_layer(make_project(make_user("ana")))


@pytest.fixture
def reader(layer: FeatureLayer) -> Iterator[TileReader]:
    found = TileReader()
    yield found
    if found.connection is not None:
        found.connection.close()


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """The tile that holds a position (the slippy map formula)."""
    x = int((lon + 180) / 360 * 2**z)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
    return z, x, y


def fill(layer: FeatureLayer, shapes: list[Any], **values: Any) -> None:
    services.add_features(layer=layer, features=[NewFeature(shape, class_value=1, **values) for shape in shapes])


def read(tile: VectorTile, place: tuple[int, int, int], folder: Path) -> tuple[Any, Any]:
    """Return what GDAL reads of the tile: (shapely geometries in EPSG:3857, {field: values})."""
    z, x, y = place
    path = folder / str(z) / str(x) / f"{y}.mvt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tile.body)
    meta, _, geometry, columns = pyogrio.raw.read(path, layer="features")
    return shapely.from_wkb(geometry), dict(zip(meta["fields"], columns, strict=True))


def test_gdal_reads_the_geometry_and_all_properties(layer: FeatureLayer, reader: TileReader, tmp_path: Path) -> None:
    box = shapely.box(WEST, SOUTH, WEST + 0.001, SOUTH + 0.001)
    fill(layer, [box], score=0.75)
    stored = Feature.objects.get()
    place = tile_of(WEST + 0.0005, SOUTH + 0.0005, 16)
    tile = reader.tile(layer.pk, *place)
    shapes, fields = read(tile, place, tmp_path)
    assert (tile.seq, tile.shown, tile.truncated) == (1, 1, False)
    assert [fields[name][0] for name in ("class_value", "score", "fid", "id", "verified")] == [
        1,
        0.75,
        1,
        str(stored.pk),
        False,
    ]
    unit = 2 * math.pi * 6_378_137 / 2**16 / 4096
    expected = shapely.from_wkb(bytes(Feature.objects.get().geometry_3857.wkb)).intersection(
        shapely.box(*shapes[0].bounds).buffer(unit)
    )
    # Positions are rounded to whole units of the tile.
    assert shapes[0].hausdorff_distance(expected) < 2 * unit


def test_fields_that_are_asked_for_come_with_the_features_and_others_are_refused(
    layer: FeatureLayer, reader: TileReader, tmp_path: Path
) -> None:
    layer.fields = [{"name": "height", "type": "number"}, {"name": "it's %s", "type": "string"}]
    layer.save()
    box = shapely.box(WEST, SOUTH, WEST + 0.001, SOUTH + 0.001)
    fill(layer, [box], properties={"height": 4.5, "it's %s": "Tür"})
    place = tile_of(WEST, SOUTH, 14)
    assert "field:height" not in read(reader.tile(layer.pk, *place), place, tmp_path)[1]
    _, fields = read(reader.tile(layer.pk, *place, fields=["height", "it's %s", "area_m2"]), place, tmp_path)
    assert (fields["field:height"][0], fields["field:it's %s"][0]) == (4.5, "Tür")
    assert fields["field:area_m2"][0] == pytest.approx(Feature.objects.get().area_m2)
    with pytest.raises(Invalid, match="no field 'score'"):
        reader.tile(layer.pk, *place, fields=["score"])


def test_a_tile_elsewhere_and_one_with_only_deleted_features_are_empty(layer: FeatureLayer, reader: TileReader) -> None:
    fill(layer, [shapely.Point(WEST, SOUTH)])
    assert reader.tile(layer.pk, 3, 0, 0).body == b""
    services.delete_features(layer=layer, ids=[Feature.objects.get().pk])
    assert reader.tile(layer.pk, *tile_of(WEST, SOUTH, 12)).body == b""


def test_the_largest_are_kept_when_there_are_too_many_and_the_tile_says_so(
    layer: FeatureLayer, reader: TileReader, tmp_path: Path
) -> None:
    # Each is larger than a cell, else they would be counted.
    sizes = [0.0003 + 0.0000001 * (n % 97) for n in range(MAX_FEATURES + 300)]
    large = shapely.box(WEST, SOUTH, WEST + 0.01, SOUTH + 0.01)
    place = tile_of(WEST + 0.002, SOUTH + 0.002, 15)
    west, south, *_ = bounds(*place)
    corners = [(west + 0.001 + (n % 80) / 10_000, south + 0.001 + (n // 80) / 10_000) for n in range(len(sizes))]
    squares = [shapely.box(x, y, x + size, y + size) for (x, y), size in zip(corners, sizes, strict=True)]
    fill(layer, [*squares, large])
    tile = reader.tile(layer.pk, *place)
    assert tile.truncated
    assert len(tile.body) <= MAX_BYTES
    shapes, fields = read(tile, place, tmp_path)
    assert fields["truncated"].all()
    assert max(fields["fid"]) == len(sizes) + 1  # the last one added is the largest
    assert tile.shown == len(shapes) <= MAX_FEATURES


def test_heavy_outlines_stay_under_the_byte_cap(layer: FeatureLayer, reader: TileReader) -> None:
    generator = random.Random(7)
    shapes = [
        shapely.LineString([(WEST + generator.random() / 100, SOUTH + generator.random() / 100) for _ in range(3000)])
        for _ in range(60)
    ]
    fill(layer, shapes)
    tile = reader.tile(layer.pk, *tile_of(WEST + 0.004, SOUTH + 0.004, 14))
    assert tile.truncated
    assert 0 < len(tile.body) <= MAX_BYTES


def test_a_polygon_smaller_than_a_pixel_stays_visible(layer: FeatureLayer, reader: TileReader, tmp_path: Path) -> None:
    fill(layer, [shapely.box(WEST, SOUTH, WEST + 1e-5, SOUTH + 1e-5)])
    place = tile_of(WEST, SOUTH, 5)
    shapes, _ = read(reader.tile(layer.pk, *place), place, tmp_path)
    pixel = 2 * math.pi * 6_378_137 / 2**5 / 256
    assert shapes[0].area == pytest.approx(pixel**2, rel=0.2)


def test_poles_and_the_antimeridian_do_not_break_a_tile(layer: FeatureLayer, reader: TileReader) -> None:
    fill(layer, [shapely.box(-180, 80, 180, 90), shapely.Point(180, 0), shapely.box(179, -90, 180, -86)])
    assert reader.tile(layer.pk, 0, 0, 0).shown == 2
    assert reader.tile(layer.pk, 3, 7, 3).shown == 1


def test_a_tile_that_takes_too_long_is_given_up(layer: FeatureLayer, settings: Settings) -> None:
    settings.READ_TIMEOUT_S = 0.05
    reader = TileReader()
    with pytest.raises(Unavailable, match="took too long"):
        reader._query("SELECT pg_sleep(5)", {})
    assert reader.state(layer.pk, 0, 0, 0).changed == 0, "the connection goes on"
    assert reader.connection is not None
    reader.connection.close()


def test_the_place_index_is_used_and_no_row_is_transformed(layer: FeatureLayer) -> None:
    fill(layer, [shapely.Point(WEST + n / 1000, SOUTH) for n in range(2_000)])
    from webapp.features import tile_sql

    west, south, east, north = bounds(*tile_of(WEST, SOUTH, 16))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE features_feature")
        sql = tile_sql.FEATURES.replace("%(layer)s", f"'{layer.pk}'")
        values = {"west": west, "south": south, "east": east, "north": north, "limit": 5000, "pixel": 1.0}
        values |= {"pixel_area": 1.0, "z": 16, "x": 0, "y": 0, "extent": 4096, "buffer": 64}
        cursor.execute(f"EXPLAIN {sql}", values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "feature_place" in plan
    assert "st_transform" not in plan.lower()


@pytest.fixture(scope="module")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("site")) as [found]:
        yield found


def fetch(site: Site, layer: FeatureLayer, seq: int, place: str, **options: Any) -> httpx.Response:
    token = options.pop("token", layer_token("features", layer.pk))
    return httpx.request(
        options.pop("method", "GET"), f"{site.url}/tiles/features/{layer.pk}/{seq}/{place}.mvt?t={token}", **options
    )


def test_the_door_answers_with_tag_and_lasting_cache_only_for_the_number_asked(site: Site, layer: FeatureLayer) -> None:
    fill(layer, [shapely.box(WEST, SOUTH, WEST + 0.001, SOUTH + 0.001)])
    place = "/".join(map(str, tile_of(WEST, SOUTH, 14)))
    answer = fetch(site, layer, 1, place, headers={"accept-encoding": "gzip"})
    assert (answer.status_code, answer.headers["content-encoding"]) == (200, "gzip")
    assert "immutable" in answer.headers["cache-control"]
    plain = fetch(site, layer, 1, place, headers={"accept-encoding": "identity"})
    assert plain.content == answer.content
    assert fetch(site, layer, 1, place, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    assert fetch(site, layer, 1, place, method="HEAD").content == b""
    fill(layer, [shapely.Point(WEST + 1, SOUTH)])
    elsewhere = fetch(site, layer, 1, place, headers={"if-none-match": answer.headers["etag"]})
    assert (elsewhere.status_code, "immutable" in elsewhere.headers["cache-control"]) == (304, True)
    fill(layer, [shapely.Point(WEST, SOUTH)])
    later = fetch(site, layer, 1, place, headers={"if-none-match": answer.headers["etag"]})
    assert (later.status_code, later.headers["quadrat-seq"]) == (200, "3")
    assert "immutable" not in later.headers["cache-control"]
    again = fetch(site, layer, 0, place)
    assert "immutable" not in again.headers["cache-control"]
    assert fetch(site, layer, 2, "3/0/0").status_code == 204
    token = layer_token("features", layer.pk)
    assert len(fetch(site, layer, 0, place, token=f"{token}&field=area_m2").content) > len(again.content)
    assert fetch(site, layer, 0, place, token=f"{token}&field=height").json()["code"] == "no_field"


def test_the_door_refuses_what_is_no_tile_or_has_no_token(site: Site, layer: FeatureLayer) -> None:
    assert fetch(site, layer, 1, "0/0/0", token="x").json()["code"] == "tile_token"
    other = layer_token("imagery", layer.pk)
    assert fetch(site, layer, 1, "0/0/0", token=other).status_code == 403
    cases = {"1/2/0": 400, "27/0/0": 400, "999/0/0": 400, "1/0/x": 404, "1/0/-1": 404, "1/0/１": 404}
    assert {place: fetch(site, layer, 1, place).status_code for place in cases} == cases
    assert fetch(site, layer, 1, "0/0/0", method="POST").status_code == 405
    nowhere = FeatureLayer(pk=uuid4())
    assert fetch(site, nowhere, 1, "0/0/0").status_code == 404
