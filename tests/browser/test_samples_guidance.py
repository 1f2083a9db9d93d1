"""What the samples manager advises while a set grows, and that the advice goes when it is followed."""

from collections.abc import Callable

from django.contrib.gis.geos import Polygon
from playwright.sync_api import expect

from labeling.models import LabelSet
from tests.browser.driver import Pages
from tests.browser.labels import Labels
from webapp.features.models import Feature
from webapp.projects.models import User

Screenshot = Callable[..., None]


def test_advice_comes_with_unbalanced_classes_and_bad_shapes_and_goes_when_they_are_mended(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana), label_set)
    page = labels.page
    unbalanced = page.locator(".advice [data-code=unbalanced]")

    def manager() -> None:
        page.goto(f"/label/{label_set.pk}/samples/")
        expect(page.locator(".advice [data-code=few]")).to_be_visible()

    labels.key("b")
    labels.drag((220, 160), (480, 440))
    labels.saved(1)
    labels.key("2")
    labels.drag((540, 180), (570, 210))
    labels.saved(2)
    # The same once more: its corners snap to those that are there.
    labels.drag((540, 180), (570, 210))
    labels.saved(3)
    manager()
    expect(unbalanced).to_contain_text("Label more of the small one")
    screenshot(page, "samples-unbalanced")
    page.get_by_role("tab", name="Problems (1)").click()
    duplicates = page.get_by_role("region", name="Duplicates")
    duplicates.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Nothing is wrong with the samples")).to_be_visible()
    assert labels.stored().count() == 2

    labels.open()
    labels.saved(2)
    labels.key("2")
    labels.key("b")
    labels.drag((530, 260), (640, 400))
    labels.saved(3)
    # A bow tie, as a file of another program may have left it: its halves' areas cancel out, so it is tiny as well.
    assert label_set.imagery.footprint is not None
    west, south, east, north = label_set.imagery.footprint.extent
    wide, high = (east - west) / 10, (north - south) / 10
    tie = [(1, 1), (2, 2), (2, 1), (1, 2), (1, 1)]
    ring = Polygon([(west + x * wide, south + y * high) for x, y in tie], srid=4326)
    Feature.objects.filter(pk=labels.stored()[1].pk).update(geometry=ring)
    manager()
    expect(unbalanced).to_have_count(0)
    page.get_by_role("tab", name="Problems (2)").click()
    page.get_by_role("region", name="Invalid outlines").get_by_role("button", name="Repair", exact=True).click()
    expect(page.get_by_text("Nothing is wrong with the samples")).to_be_visible()
    assert all(row.geometry.valid for row in labels.stored())
