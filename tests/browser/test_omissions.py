"""Omission hunting: what a model sees and nobody drew comes first, and one key decides."""

from collections.abc import Callable

import pytest
from django.contrib.gis.geos import Polygon
from playwright.sync_api import Page, expect

from labeling.models import LabelSet, NoObject, Verdict
from tests import factories
from tests.browser.driver import Pages, wait_until
from tests.browser.labels import Labels
from webapp.features.models import Feature
from webapp.features.services import NewFeature, add_features, create_layer
from webapp.projects.models import Member, Role, User

Screenshot = Callable[..., None]


def box(label_set: LabelSet, x: float, y: float) -> Polygon:
    """Return a tenth of the imagery, that far along its sides (0 to 1)."""
    assert label_set.imagery.footprint is not None
    west, south, east, north = label_set.imagery.footprint.extent
    wide, high = east - west, north - south
    return Polygon.from_bbox((west + x * wide, south + y * high, west + (x + 0.1) * wide, south + (y + 0.1) * high))


def test_the_object_that_nobody_drew_comes_first(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    # The model is surest of what people drew too; of the rest, one is surer than the other.
    drawn, missed, shadow = (box(label_set, 0.2, 0.2), box(label_set, 0.6, 0.6), box(label_set, 0.2, 0.7))
    detections = create_layer(
        project=label_set.project, name="Crowns seen", kind="detections", classes=[(4, "Tree", "#1b9e77")], user=ana
    )
    add_features(
        layer=detections,
        features=[
            NewFeature(shape, class_value=4, score=score, source="model")
            for shape, score in ((shadow, 0.62), (drawn, 0.97), (missed, 0.91))
        ],
    )
    add_features(layer=label_set.layer, features=[NewFeature(drawn, class_value=1, source="human")], user=ana)

    page: Page = open_page(ana)
    page.goto(f"/label/{label_set.pk}/omissions/")
    asked = page.get_by_role("region", name="Asked about")
    expect(asked.get_by_text("91 % sure")).to_be_visible()
    expect(asked.get_by_role("status")).to_have_text("2 left")
    expect(asked.get_by_role("radio", name="Tree")).to_be_checked()
    screenshot(page, "omissions")

    # Taken over by a key: a sample of the class of the same name, where the model saw it.
    page.keyboard.press("a")
    expect(asked.get_by_text("62 % sure")).to_be_visible()
    samples = Feature.objects.filter(layer=label_set.layer, deleted=False)
    wait_until(lambda: samples.count() == 2, what="the sample", page=page)
    taken = samples.get(created_by=ana, score__isnull=False)
    assert (taken.class_value, taken.score, taken.verified) == (1, 0.91, True)
    assert taken.geometry.extent == pytest.approx(missed.extent, abs=1e-8)

    # A shadow is no tree: neither it nor the others come again.
    page.keyboard.press("x")
    expect(page.get_by_text("Nothing is left")).to_be_visible()
    wait_until(lambda: NoObject.objects.count() == 1, what="the decision", page=page)
    page.reload()
    expect(page.get_by_text("Nothing is left")).to_be_visible()
    assert samples.count() == 2

    # The other way round, for a reviewer: of what people drew, what the model does not see.
    rita = factories.make_user("rita")
    Member.objects.create(project=label_set.project, user=rita, role=Role.REVIEWER)
    doubted = NewFeature(box(label_set, 0.45, 0.3), class_value=1, source="human")
    add_features(layer=label_set.layer, features=[doubted], user=ana)
    labels = Labels(open_page(rita), label_set)
    labels.page.get_by_role("tab", name="Review").click()
    panel = labels.page.get_by_role("region", name="Review")
    panel.get_by_label("Review", exact=True).select_option("what a model does not see")
    expect(panel.get_by_label("Model")).to_have_value(str(detections.pk))
    panel.get_by_role("button", name="Review 1").click()
    expect(panel.get_by_role("button", name="Accept (A)")).to_be_visible()
    screenshot(labels.page, "review-unseen")
    labels.key("a")
    verdict = wait_until(lambda: Verdict.objects.filter(author=ana).first(), what="the verdict", page=labels.page)
    assert (verdict.kind, samples.get(pk=verdict.feature_id).geometry.extent[0]) == (
        "accept",
        pytest.approx(box(label_set, 0.45, 0.3).extent[0], abs=1e-8),
    )
