"""GDAL, through pyogrio, reads our layers as any GIS does: by URL."""

from collections.abc import Iterator

import pyogrio
import pytest
import shapely

from tests.browser.driver import Site
from tests.clients.server import running
from tests.factories import make_imagery, make_layer, make_project, make_token, make_user
from webapp.features import services
from webapp.features.bulk import NewFeature
from webapp.features.models import FeatureLayer

COUNT = 2_345


@pytest.fixture(scope="module")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("site")) as [found]:
        yield found


@pytest.fixture
def layer(transactional_db: None) -> Iterator[FeatureLayer]:
    ana = make_user("ana")
    project = make_project(ana)
    make_imagery(project)  # a collection too, but none of vector features
    found = make_layer(project)
    boxes = [shapely.box(85 + n / 1e4, 27, 85 + n / 1e4 + 5e-5, 27 + 5e-5) for n in range(COUNT)]
    features = (NewFeature(box, class_value=1, score=0.5, properties={"n": n}) for n, box in enumerate(boxes))
    services.add_features(layer=found, features=features)
    # GDAL_HTTP_HEADERS would be replaced by the driver's own Accept header.
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": make_token(ana)})
    yield found
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": None, "GDAL_HTTP_BEARER": None})


def test_gdal_lists_and_reads_a_layer_over_several_pages(site: Site, layer: FeatureLayer) -> None:
    url = f"OAPIF:{site.url}/ogc/"
    assert [row[0] for row in pyogrio.list_layers(url)] == [str(layer.pk)]
    meta, _, geometry, columns = pyogrio.raw.read(url, layer=str(layer.pk))
    fields = dict(zip(meta["fields"], columns, strict=True))
    assert len(geometry) == COUNT
    assert sorted(fields["n"]) == list(range(COUNT))
    assert set(fields["class_name"]) == {"Tree"}
    shapes = shapely.from_wkb(geometry)
    assert shapely.total_bounds(shapes) == pytest.approx([85, 27, 85 + (COUNT - 1) / 1e4 + 5e-5, 27 + 5e-5], abs=1e-12)
    assert "4326" in str(meta["crs"]) or "CRS84" in str(meta["crs"])


def test_gdal_sends_its_box_to_us(site: Site, layer: FeatureLayer) -> None:
    url = f"OAPIF:{site.url}/ogc/collections/{layer.pk}"
    _, _, geometry, _ = pyogrio.raw.read(url, bbox=(85.00997, 26.9, 85.01997, 27.1))
    assert len(geometry) == 100
