"""The zoom ladder: cells always say what a count of the features would, and tags what has changed."""

import math
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import shapely
from django.contrib.gis.geos import GEOSGeometry

from tests.factories import make_layer, make_project, make_user
from tests.features.test_tiles import read, tile_of
from webapp.features import bulk, ladder, mvt, restoring, services
from webapp.features.bulk import NewFeature
from webapp.features.models import Cell, Feature, FeatureClass, FeatureLayer
from webapp.features.mvt import TileReader
from webapp.features.tile_numbers import WORLD_M, bounds, looked_at, notes, span

WEST, SOUTH = 85.52, 27.63
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def layer(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> FeatureLayer:
    """A layer that counts as large from 12 features on."""
    monkeypatch.setattr(ladder, "LADDER_FROM", 12)
    monkeypatch.setattr(mvt, "MAX_FEATURES", 12)
    found = make_layer(make_project(make_user("ana")))
    for value in (2, 3):
        FeatureClass.objects.create(layer=found, value=value, name=f"Class {value}", colour="#112233")
    return found


@pytest.fixture
def reader(layer: FeatureLayer) -> Iterator[TileReader]:
    found = TileReader()
    yield found
    if found.connection is not None:
        found.connection.close()


def shape(generator: random.Random) -> Any:
    x, y = WEST + generator.uniform(0, 0.02), SOUTH + generator.uniform(0, 0.02)
    size = 10 ** generator.uniform(-5, -2.5)
    return generator.choice([shapely.Point(x, y), shapely.box(x, y, x + size, y + size)])


def held(layer: FeatureLayer) -> dict[tuple[int, ...], tuple[int, int]]:
    """The cells as they are stored."""
    rows = Cell.objects.filter(layer=layer, count__gt=0)
    return {(row.z, row.x, row.y, row.cell, row.class_value): (row.count, row.scored) for row in rows}


def counted(layer: FeatureLayer) -> dict[tuple[int, ...], tuple[int, int]]:
    """The cells as a loop over the features finds them."""
    counts: Counter[tuple[int, ...]] = Counter()
    scored: Counter[tuple[int, ...]] = Counter()
    for feature in Feature.objects.filter(layer=layer, deleted=False):
        ground = feature.geometry_3857
        middle = ground.centroid
        for z in range(ladder.DEEPEST + 1):
            if ground.area and math.sqrt(ground.area) >= WORLD_M / 2 ** (z + 6):
                continue  # as large as a cell: drawn as itself
            column = int((middle.x / WORLD_M + 0.5) * 2 ** (z + 6))
            row = int((0.5 - middle.y / WORLD_M) * 2 ** (z + 6))
            key = (z, column >> 6, row >> 6, (row & 63) * 64 + (column & 63), feature.class_value or -1)
            counts[key] += 1
            scored[key] += feature.score is not None
    return {key: (count, scored[key]) for key, count in counts.items()}


def test_cells_follow_every_way_of_writing(layer: FeatureLayer) -> None:
    generator = random.Random(11)

    def made(count: int) -> list[NewFeature]:
        return [
            NewFeature(shape(generator), class_value=generator.choice([1, 2]), score=generator.choice([None, 0.5]))
            for _ in range(count)
        ]

    services.add_features(layer=layer, features=made(10))
    assert held(layer) == {}, "a small layer pays nothing"
    services.replace_block(layer=layer, block=7, features=made(30))
    assert held(layer) == counted(layer)
    services.replace_block(layer=layer, block=7, features=made(20))
    assert held(layer) == counted(layer)
    some = list(Feature.objects.filter(layer=layer, deleted=False)[:9])
    edits = [
        services.EditRequest(uuid4(), "update", some[0].pk, 1, geometry=GEOSGeometry(shape(generator).wkb_hex, 4326)),
        services.EditRequest(uuid4(), "update", some[1].pk, 1, class_value=2, score=0.25),
        services.EditRequest(uuid4(), "update", some[2].pk, 1, class_value=0),
        services.EditRequest(uuid4(), "delete", some[3].pk, 1),
        services.EditRequest(uuid4(), "create", uuid4(), 0, geometry=GEOSGeometry("POINT(85.53 27.64)", 4326)),
    ]
    assert {result.status for result in services.apply_edits(layer=layer, edits=edits, user=None)} == {"ok"}
    assert held(layer) == counted(layer)
    back = services.EditRequest(uuid4(), "create", some[3].pk, 2, geometry=None)
    assert services.apply_edits(layer=layer, edits=[back], user=None)[0].status == "ok"
    services.delete_features(layer=layer, ids=[feature.pk for feature in some[4:]])
    bulk.clear_block(layer=layer, block=7)
    assert held(layer) == counted(layer)
    for seq in (40, 10, 60, 0):
        restoring.restore(layer=layer, seq=seq, user=None)
        assert held(layer) == counted(layer)
    services.drop(layer)
    assert not Cell.objects.exists()


@pytest.mark.parametrize("zoom", [10, 15])  # from the ladder, and counted now
def test_a_tile_of_too_many_features_shows_all_of_them_as_cells(
    layer: FeatureLayer, reader: TileReader, tmp_path: Path, zoom: int
) -> None:
    place = tile_of(WEST, SOUTH, zoom)
    west, south, east, north = bounds(*place)
    lon, lat = (west + east) / 2, (south + north) / 2
    near = [NewFeature(shapely.Point(lon + n * 1e-8, lat), class_value=1 + (n < 9), score=n / 40) for n in range(40)]
    field = shapely.box(lon - 0.05, lat - 0.05, lon + 0.05, lat + 0.05)
    services.add_features(layer=layer, features=[*near, NewFeature(field, class_value=3)])
    tile = reader.tile(layer.pk, *place)
    assert (tile.aggregated, tile.truncated) == (40, False)
    shapes, fields = read(tile, place, tmp_path)
    cells = [number for number, count in enumerate(fields["count"]) if count > 0]
    assert sum(fields["count"][cells]) == 40
    assert set(fields["class_value"]) == {1, 3}, "most of the cell are of class 1; the field is itself"
    assert fields["score"][cells[0]] == pytest.approx(sum(n / 40 for n in range(40)) / 40, abs=1e-3)
    side = WORLD_M / 2 ** (zoom + 6)
    assert [shapes[number].area for number in cells] == pytest.approx([side**2] * len(cells))
    middle = (lon + 180) / 360 * WORLD_M - WORLD_M / 2
    assert abs(shapes[cells[0]].centroid.x - middle) <= side
    assert shapes[cells[0]].exterior.is_ccw == shapes[0].exterior.is_ccw
    # The same tile where the features fit is the features.
    services.delete_features(layer=layer, ids=list(Feature.objects.filter(class_value=1).values_list("pk", flat=True)))
    assert (reader.tile(layer.pk, *place).aggregated, reader.tile(layer.pk, *place).shown) == (0, 10)


def test_an_edit_changes_the_tags_of_the_tiles_it_touches_and_of_no_others(
    layer: FeatureLayer, reader: TileReader
) -> None:
    services.add_features(
        layer=layer, features=[NewFeature(shapely.Point(WEST, SOUTH)), NewFeature(shapely.Point(10, 0))]
    )

    def tags() -> dict[tuple[float, int], int]:
        return {
            (lon, z): reader.state(layer.pk, *tile_of(lon, lat, z)).changed
            for lon, lat in ((WEST, SOUTH), (WEST + 0.1, SOUTH), (10, 0))
            for z in (0, 3, 8, 12, 16, 20)
        }

    before = tags()
    feature = Feature.objects.get(fid=1)
    moved = services.EditRequest(
        uuid4(), "update", feature.pk, 1, geometry=GEOSGeometry(f"POINT({WEST + 0.1} {SOUTH})", 4326)
    )
    services.apply_edits(layer=layer, edits=[moved], user=None)
    after = tags()
    changed = {place for place in after if after[place] != before[place]}
    # Where it was and where it is, at every zoom; of the place far away only the tile of the whole world.
    assert changed == {place for place in after if place[0] != 10 or place[1] == 0}
    restoring.restore(layer=layer, seq=2, user=None)
    assert {place for place, tag in tags().items() if tag != after[place]} == changed


def test_every_change_is_seen_by_every_tile_that_it_meets() -> None:
    """No tile that a box meets, its buffer counted, may miss the note; boxes and tiles of all sizes."""
    generator, met = random.Random(5), 0
    for _ in range(3000):
        lon, lat = generator.uniform(-180, 180), generator.uniform(-85, 85)
        size = 10 ** generator.uniform(-6, 2)
        box = (lon, lat, min(180.0, lon + size), min(90.0, lat + size))
        z = generator.randrange(0, 24)
        place = (lon + generator.uniform(-1, 2) * size, lat + generator.uniform(-1, 2) * size)
        at = span((*place, *place), z)
        x, y = at.left, at.top
        west, south, east, north = bounds(z, x, y)
        if box[0] > east or box[2] < west or box[1] > north or box[3] < south:
            continue
        met += 1
        noted = notes([box])
        inside, around = looked_at(z, x, y)
        assert any(tile in noted for tile in _tiles(inside, noted)) or any(
            noted.get(tile) for item in around for tile in _tiles(item, noted)
        ), (box, z, x, y)
    assert met > 300


def _tiles(wanted: Any, noted: dict[tuple[int, int, int], bool]) -> list[tuple[int, int, int]]:
    return [
        tile
        for tile in noted
        if tile[0] == wanted.z and wanted.left <= tile[1] <= wanted.right and wanted.top <= tile[2] <= wanted.bottom
    ]
