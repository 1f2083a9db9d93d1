"""Which shapes a class may be drawn as: refused, kept, imported, measured."""

import json
from uuid import uuid4

import pytest
from django.contrib.gis.geos import LineString, Point
from pyproj import Geod

from tests.factories import client_for, make_layer, make_project, make_user
from tests.features.test_editing import one, square
from tests.features.test_importing import bring, feature
from webapp.features import selectors, services
from webapp.features.edits import EditRequest
from webapp.features.models import FeatureLayer


@pytest.fixture
def layer(db: None) -> FeatureLayer:
    return make_layer(make_project(make_user("ana")))


def test_a_class_takes_the_shapes_it_says_and_keeps_what_it_had(layer: FeatureLayer) -> None:
    line, area = LineString((85.52, 27.63), (85.53, 27.64)), square(0)
    drawn = uuid4()
    assert one(layer, EditRequest(uuid4(), "create", drawn, geometry=line, class_value=1)).status == "ok"
    names = [(row.value, row.name, row.colour) for row in layer.classes.order_by("position")]
    specs = [services.ClassSpec(*row, shapes=("polygon",) if row[0] == 1 else None) for row in names]
    services.save_classes(layer=layer, classes=specs, user=None)
    assert selectors.classes_json(layer)[0]["shapes"] == ["polygon"]
    refused = one(layer, EditRequest(uuid4(), "create", uuid4(), geometry=line, class_value=1))
    assert (refused.status, (refused.error or {})["code"]) == ("invalid", "shape_not_allowed")
    assert "takes polygons, and this is a line" in (refused.error or {})["message"]
    assert one(layer, EditRequest(uuid4(), "create", uuid4(), geometry=area, class_value=1)).status == "ok"
    # The line that was there may be moved, deleted and brought back; it may not become of the class anew.
    moved = LineString((85.52, 27.63), (85.54, 27.64))
    assert one(layer, EditRequest(uuid4(), "update", drawn, 1, geometry=moved)).status == "ok"
    assert one(layer, EditRequest(uuid4(), "delete", drawn, 2)).status == "ok"
    assert one(layer, EditRequest(uuid4(), "create", drawn, 3)).status == "ok"
    assert one(layer, EditRequest(uuid4(), "update", drawn, 4, class_value=0)).status == "ok"
    assert one(layer, EditRequest(uuid4(), "update", drawn, 5, class_value=1)).status == "invalid"
    # A schema that says nothing of shapes leaves them as they are.
    services.save_classes(layer=layer, classes=[services.ClassSpec(*row) for row in names], user=None)
    assert selectors.classes_json(layer)[0]["shapes"] == ["polygon"]


def test_lines_are_measured_in_metres_and_points_are_counted(layer: FeatureLayer) -> None:
    for shape in (LineString((85.52, 27.63), (85.53, 27.63)), Point(85.52, 27.63), square(0)):
        assert one(layer, EditRequest(uuid4(), "create", uuid4(), geometry=shape, class_value=1)).status == "ok"
    row = selectors.statistics(layer)[0]
    assert (row["count"], row["lines"], row["points"]) == (3, 1, 1)
    length = Geod(ellps="WGS84").line_length([85.52, 85.53], [27.63, 27.63])
    assert row["length_m"] == pytest.approx(length, rel=1e-6)


def test_an_import_says_what_its_classes_do_not_take(layer: FeatureLayer) -> None:
    point = {"type": "Point", "coordinates": [1, 1]}
    url = f"/api/layers/{layer.pk}/classes"
    ana = client_for(make_user("ana"))
    wanted = [
        {"value": 1, "name": "Roof", "colour": "#1b9e77", "shapes": ["polygon", "line"]},
        {"value": 2, "name": "Pole", "colour": "#d95f02", "shapes": ["point"]},
    ]
    saved = ana.put(url, json.dumps({"classes": wanted}), content_type="application/json").json()
    assert [row["shapes"] for row in saved["classes"]] == [["line", "polygon"], ["point"]]
    report = bring(layer, [feature(class_value=1), feature(point, class_value=1), feature(point, class_value=2)])
    assert (report.added, dict(report.skipped)) == (2, {"shape_not_allowed": 1})
    assert 'The class "Roof" takes lines or polygons' in report.examples[0]["reason"]
    for wrong in ([], ["circle"], "point"):
        body = json.dumps({"classes": [{**wanted[0], "shapes": wrong}]})
        assert ana.put(url, body, content_type="application/json").json()["code"] == "class_shapes"
