"""What models suggest is reviewed beside what people drew, and never overwrites it."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.contrib.gis.geos import Polygon
from playwright.sync_api import expect

from labeling.models import LabelSet
from tests.browser.driver import Pages
from tests.browser.labels import Labels
from webapp.features.bulk import NewFeature, add_features
from webapp.features.models import FeatureClass, FeatureLayer
from webapp.projects.models import User

Screenshot = Callable[..., None]


def detections(label_set: LabelSet, model: str, score: float) -> FeatureLayer:
    """Return a layer as a run of a model leaves it, with four trees, one of them over half of the imagery."""
    layer = FeatureLayer.objects.create(project=label_set.project, name=model, kind=FeatureLayer.Kind.DETECTIONS)
    FeatureClass.objects.create(layer=layer, value=3, name="Tree", colour="#1b9e77")
    assert label_set.imagery.footprint is not None
    west, south, east, _ = label_set.imagery.footprint.extent
    side = (east - west) / 10
    corners = [(1, 1, 6), (1, 8, 1), (4, 8, 1), (7, 8, 1)]
    found = [
        NewFeature(
            Polygon.from_bbox((west + side * x, south + side * y, west + side * (x + w), south + side * (y + w))),
            class_value=3,
            score=score - number / 100,
            properties={"model": model},
        )
        for number, (x, y, w) in enumerate(corners)
    ]
    add_features(layer=layer, features=found)
    return layer


def checked(labels: Labels) -> dict[UUID, tuple[int, str, int | None]]:
    """Return what people drew or accepted: version, shape and class by id."""
    rows = labels.stored().filter(verified=True)
    return {row.pk: (row.version, row.geometry.wkt, row.class_value) for row in rows}


def test_two_models_suggest_and_what_people_drew_or_checked_stays(
    open_page: Pages, label_set: LabelSet, ana: User, tmp_path: Path, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana), label_set)
    page = labels.page
    panel = page.get_by_role("region", name="Review")
    labels.key("b")
    labels.drag((300, 300), (420, 400))
    labels.saved(1)
    labels.key("v")
    for number, (model, score) in enumerate((("Crown finder, spring", 0.9), ("Crown finder, autumn", 0.95))):
        path = tmp_path / f"{model}.geojson"
        layer = detections(label_set, model, score)
        path.write_bytes(page.request.get(f"/api/layers/{layer.pk}/export.geojson").body())
        kept = checked(labels)
        assert len(kept) == 1 + number
        labels.bring_in(path, count=4)
        labels.caught_up()
        assert labels.stored().count() == 5 + 4 * number
        assert checked(labels) == kept
        assert labels.stored().filter(verified=False, source="model", class_value=1).count() == 4 + 3 * number
        labels.key("Shift+W")
        expect(panel.get_by_text(f"{model} suggests it, score {score:.1%}".replace("%", " %"))).to_be_visible()
        screenshot(page, f"label-suggested-{number + 1}")
        labels.key("a")
        expect(panel.get_by_text("1 decision", exact=True)).to_be_visible()
        labels.key("Escape")
        expect(labels.state).to_have_attribute("data-state", "saved")
        labels.caught_up()
    assert labels.stored().filter(verified=True).count() == 3
