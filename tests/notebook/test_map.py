"""A site from a notebook: layers on the map, drawn shapes as a GeoDataFrame, and samples that are saved."""

from typing import Any

import pytest
import shapely
from pytest_django.live_server_helper import LiveServer

from labeling.services import create_label_set
from tests.factories import make_imagery, make_layer, make_project, make_token, make_user
from webapp.errors import Conflict, Invalid, NotFound
from webapp.features.bulk import NewFeature, add_features
from webapp.features.models import Feature
from webapp.notebook.client import Refused
from webapp.notebook.site import Site

MISSING = "the notebook extra is not installed; docs/howto-notebook.md says how to install it"
geopandas = pytest.importorskip("geopandas", reason=MISSING)
pytest.importorskip("ipyleaflet", reason=MISSING)

from webapp.notebook.map import Map, zoom_of  # noqa: E402  (needs what was asked for above)

pytestmark = pytest.mark.django_db(transaction=True)
BOX = shapely.box(85.52, 27.63, 85.521, 27.631)


@pytest.fixture
def site(live_server: LiveServer) -> Site:
    ana = make_user("ana")
    project = make_project(ana)
    scene = make_imagery(project, name="<b>Scene", attribution="<i>NEON", max_zoom=19)
    classes = ((1, "Roof", "#e7298a"), (2, "Tree", "#1b9e77"))
    found = make_layer(project, classes=classes, name="Found", kind="detections")
    shapes = [shapely.affinity.translate(BOX, 0.002 * step) for step in range(3)]
    add_features(layer=found, features=[NewFeature(shape, class_value=1, score=0.5) for shape in shapes])
    create_label_set(project=project, name="Labels", imagery=scene, classes=list(classes), user=ana)
    return Site(f"{live_server.url}/", make_token(ana, scopes=("read", "edit")))


def test_layers_are_found_by_name_and_read_as_geodataframes(site: Site) -> None:
    assert {(layer.kind, layer.name) for layer in site.layers()} == {
        ("imagery", "<b>Scene"),
        ("features", "Found"),
        ("label_set", "Labels"),
    }
    assert [layer.name for layer in site.layers("FOU")] == ["Found"]
    frame = site.features("Found")
    assert (frame.crs.to_epsg(), len(frame), frame.attrs["truncated"]) == (4326, 3, False)
    assert set(frame["class_name"]) == {"Roof"}
    assert len(site.features("Found", bbox=(85.5, 27.6, 85.5215, 27.7))) == 1
    assert site.features("Found", limit=2).attrs["truncated"]
    assert site.features("Labels").empty
    with pytest.raises(NotFound):
        site.layer("Nothing")
    with pytest.raises(Invalid, match="has pixels"):
        site.features("<b>Scene")
    make_layer(make_project(make_user("ana")), name="Found", kind="imported")
    with pytest.raises(Conflict, match="2 layers"):
        site.layer("Found")
    with pytest.raises(Refused):
        Site(site.url, "qdt_wrong").layers()
    with pytest.raises(Invalid):
        Site("localhost:8000", "x")
    assert site.client.token not in repr(site)


def test_what_is_drawn_comes_back_in_degrees_and_becomes_samples(site: Site) -> None:
    view = Map(site, ["<b>Scene", "Found"])
    tiles, shapes = view.widget.layers
    assert tiles.url.startswith(f"{site.url}/tiles/imagery/")
    assert site.client.token not in tiles.url
    assert (tiles.name, tiles.attribution) == ("&lt;b&gt;Scene", "&lt;i&gt;NEON")
    assert shapes.data["features"][0]["properties"]["style"]["color"] == "#e7298a"
    assert view.widget.center == pytest.approx((27.63, 85.52))
    assert view.drawn.empty
    with pytest.raises(Invalid, match="Nothing is drawn"):
        view.save("Labels", class_value=1)
    view._pencil.data = [drawn(BOX), drawn(shapely.affinity.translate(BOX, 0, 0.002))]
    assert (view.drawn.crs.to_epsg(), [shape.equals(BOX) for shape in view.drawn.geometry]) == (4326, [True, False])
    with pytest.raises(Invalid, match="has no class 7"):
        view.save("Labels", class_value=7)
    with pytest.raises(Invalid, match="no label set"):
        view.save("Found", class_value=1)
    ids = view.save("Labels", class_value=2)
    assert view.drawn.empty
    kept = Feature.objects.filter(pk__in=ids)
    assert {(row.class_value, row.source, row.verified) for row in kept} == {(2, "human", True)}
    with pytest.warns(UserWarning, match="has 3 features; the map shows 2"):
        view.add("Found", most=2)


def test_frames_in_another_crs_are_brought_to_degrees(site: Site) -> None:
    frame = geopandas.GeoDataFrame({"class_value": [1, 2]}, geometry=[BOX, BOX], crs=4326).to_crs(32645)
    ids = site.save("Labels", frame, class_value=1)
    rows = Feature.objects.in_bulk(ids)
    assert [rows[key].class_value for key in sorted(rows, key=lambda key: ids.index(str(key)))] == [1, 2]
    for row in rows.values():
        assert shapely.hausdorff_distance(shapely.from_wkb(bytes(row.geometry.wkb)), BOX) < 1e-9
    with pytest.raises(Invalid, match="Shape 0"):
        site.save("Labels", [shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], class_value=1)


@pytest.mark.parametrize(
    ("bounds", "zoom"),
    [((-180, -85, 180, 85), 1), ((85.51, 27.62, 85.53, 27.64), 14), ((8, 47, 8, 47), 18)],
)
def test_a_box_fits_into_the_view(bounds: Any, zoom: int) -> None:
    assert zoom_of(bounds, 800, 520) == zoom


def drawn(shape: Any) -> dict[str, Any]:
    """A shape as the widget's front end reports it."""
    return {"type": "Feature", "properties": {"style": {}}, "geometry": shapely.geometry.mapping(shape)}
