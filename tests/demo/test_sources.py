"""The demo's pictures and labels, as the package brings them."""

import pytest
import shapely

from webapp.demo import sources
from webapp.raster.read import info
from webapp.raster.shapes import to_crs


@pytest.mark.parametrize(
    ("scene", "count"), [(sources.EDGE, 574), (sources.FOREST, 279), (sources.FLORIDA, 61)], ids=lambda item: str(item)
)
def test_every_crown_lies_in_its_picture(scene: sources.Scene, count: int) -> None:
    crowns = [to_crs(crown, 4326, scene.epsg) for crown in sources.crowns(scene)]
    assert len(crowns) == count
    # A centimetre for the way to degrees and back.
    extent = shapely.box(*sources.bounds(scene)).buffer(0.01)
    assert all(crown.within(extent) for crown in crowns)


def test_the_georeferenced_picture_lies_where_its_labels_are_put() -> None:
    found = info(sources.folder() / sources.FLORIDA.picture)
    assert found.epsg == sources.FLORIDA.epsg
    assert found.bounds == pytest.approx(sources.bounds(sources.FLORIDA))


def test_a_picture_without_georeference_says_that_its_place_is_assumed() -> None:
    for scene in (sources.EDGE, sources.FOREST):
        assert "is not recorded" in scene.note
        assert len(scene.note) < 500
