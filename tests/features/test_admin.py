"""The admin pages of layers, features and the log open, with a map, and leave the log alone."""

import json
from uuid import uuid4

import pytest
from django.contrib.gis.geos import GEOSGeometry
from django.test import Client

from tests.factories import client_for, make_layer, make_project, make_user
from webapp.features import services
from webapp.features.models import Edit, Feature, FeatureLayer


@pytest.fixture
def layer(db: None) -> FeatureLayer:
    found = make_layer(make_project(make_user("ana")))
    square = GEOSGeometry(json.dumps({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}), srid=4326)
    services.apply_edits(
        layer=found, edits=[services.EditRequest(uuid4(), "create", uuid4(), geometry=square)], user=make_user("ana")
    )
    return found


@pytest.fixture
def root(layer: FeatureLayer) -> Client:
    return client_for(make_user("root", is_staff=True, is_superuser=True))


@pytest.mark.parametrize("name", ["featurelayer", "feature", "edit"])
def test_lists_open(root: Client, name: str) -> None:
    assert root.get(f"/admin/features/{name}/?q=x").status_code == 200


def form(**values: object) -> dict[str, object]:
    found = Feature.objects.get()
    given = {
        "geometry": found.geometry.geojson,
        "class_value": "1",
        "properties": "{}",
        "verified": "on",
        "base_version": found.version,
    }
    return {**given, **values}


def test_a_feature_is_changed_and_deleted_by_edits(root: Client) -> None:
    place = f"/admin/features/feature/{Feature.objects.get().pk}/change/"
    assert b"leaflet" in root.get(place).content
    assert root.post(place, form(properties='{"roof": "tin"}')).status_code == 302
    assert root.post(place.replace("change", "delete"), {"post": "yes"}).status_code == 302
    rows = Edit.objects.order_by("seq").values_list("action", "version", "properties", "actor__username")
    assert list(rows)[1:] == [("update", 2, {"roof": "tin"}, "root"), ("delete", 3, {"roof": "tin"}, "root")]
    assert Feature.objects.get().deleted is True


def test_a_page_that_shows_an_old_version_does_not_save_over_the_new(root: Client) -> None:
    feature = Feature.objects.get()
    place, old = f"/admin/features/feature/{feature.pk}/change/", form()
    change = services.EditRequest(uuid4(), "update", feature.pk, 1, properties={"by": "ben"})
    services.apply_edits(layer=feature.layer, edits=[change], user=None)
    assert b"Somebody changed this feature" in root.post(place, old).content
    assert Feature.objects.get().properties == {"by": "ben"}


def test_the_log_is_shown_on_a_map_and_takes_nothing(root: Client) -> None:
    place = f"/admin/features/edit/{Edit.objects.get().pk}/change/"
    page = root.get(place)
    assert b"leaflet" in page.content
    assert b'name="_save"' not in page.content
    assert root.post(place, {"version": 9}).status_code == 403
    assert root.post(place.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_a_layer_shows_its_classes(root: Client, layer: FeatureLayer) -> None:
    page = root.get(f"/admin/features/featurelayer/{layer.pk}/change/")
    assert page.status_code == 200
    assert b"Tree" in page.content
