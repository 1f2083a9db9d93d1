"""Review of suggestions with single keys, and comments that have to be read."""

import time
from collections.abc import Callable

from django.contrib.gis.geos import Polygon
from playwright.sync_api import expect

from labeling.models import Comment, LabelSet, Mention, Verdict
from tests import factories
from tests.browser.driver import Pages, wait_until
from tests.browser.labels import Labels
from tests.browser.looks import in_every_look
from webapp.features import services as features
from webapp.features.models import Feature
from webapp.features.services import NewFeature
from webapp.projects.models import Member, Role, User

Screenshot = Callable[..., None]
SUGGESTED = 40


def suggest(label_set: LabelSet, count: int = SUGGESTED) -> None:
    """Let a model suggest boxes in rows over the imagery, the surest first."""
    assert label_set.imagery.footprint is not None
    west, south, east, _ = label_set.imagery.footprint.extent
    side = (east - west) / 10
    new = [
        NewFeature(
            Polygon.from_bbox((x, y, x + side * 0.6, y + side * 0.6)),
            class_value=1 + i % 2,
            score=1 - i / 200,
            source=Feature.Source.MODEL,
        )
        for i in range(count)
        for x, y in [(west + side * (1 + i % 8), south + side * (1 + i // 8 % 8))]
    ]
    features.add_features(layer=label_set.layer, features=new)


def test_a_hundred_suggestions_are_decided_by_keys_alone_within_a_minute(
    open_page: Pages, label_set: LabelSet, ana: User, record_property: Callable[[str, object], None]
) -> None:
    suggest(label_set, 100)
    labels = Labels(open_page(ana), label_set)
    panel = labels.page.get_by_role("region", name="Review")
    began = time.monotonic()
    labels.key("Shift+W")
    for left in range(100, 0, -1):
        expect(panel.get_by_text(f"{left} left")).to_be_visible()
        expect(panel.get_by_role("button", name="Reject")).to_be_visible()
        for key in {1: ["r"], 2: ["3", "f"]}.get(left % 5, ["a"]):
            labels.key(key)
    expect(panel.get_by_text("Nothing is left to review.")).to_be_visible()
    expect(labels.state).to_have_attribute("data-state", "saved")
    wait_until(lambda: Verdict.objects.count() == 100, what="all decisions")
    seconds = time.monotonic() - began
    record_property("seconds_for_100_decisions", seconds)
    assert seconds < 60
    kinds = {kind: Verdict.objects.filter(kind=kind).count() for kind in ("accept", "fix", "reject")}
    assert kinds == {"accept": 60, "fix": 20, "reject": 20}
    stored = Feature.objects.filter(layer=label_set.layer)
    assert (stored.filter(deleted=True).count(), stored.filter(deleted=False, verified=True).count()) == (20, 80)
    assert stored.filter(deleted=False, class_value=7).count() == 20


def test_suggestions_are_decided_by_single_keys_and_a_named_colleague_has_to_read(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    suggest(label_set)
    ben = factories.make_user("ben")
    Member.objects.create(project=label_set.project, user=ben, role=Role.LABELER)
    labels = Labels(open_page(ana), label_set)
    page = labels.page
    labels.key("Shift+W")
    panel = page.get_by_role("region", name="Review")
    expect(panel.get_by_text("40 left")).to_be_visible()
    screenshot(page, "label-review")
    decisions = [panel.get_by_role("button", name=name) for name in ("Accept (A)", "Reject (R)")]
    in_every_look(page, screenshot, "label-review", decisions)

    labels.key("a")
    labels.key("r")
    labels.key("s")
    # Mended: another class, then on.
    labels.key("3")
    expect(panel.get_by_text("mended")).to_be_visible()
    labels.key("f")
    expect(panel.get_by_text("37 left")).to_be_visible()
    labels.key("c")
    page.get_by_role("textbox", name="Comment").fill(f"Is this a roof? {'It is higher than what is beside it. ' * 12}")
    page.get_by_role("button", name="@ben").click()
    screenshot(page, "label-comment")
    page.get_by_role("dialog").get_by_role("button", name="Comment").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    for _ in range(30):
        labels.key("a")
    expect(panel.get_by_text("7 left")).to_be_visible()
    labels.key("Escape")
    expect(labels.state).to_have_attribute("data-state", "saved")
    wait_until(lambda: Verdict.objects.count() == 33, what="all decisions")
    kinds = [Verdict.objects.filter(kind=kind).count() for kind in ("accept", "fix", "reject")]
    assert kinds == [31, 1, 1]
    assert Feature.objects.filter(layer=label_set.layer, verified=True, deleted=False).count() == 32
    expect(panel.get_by_role("rowheader", name="Models")).to_be_visible()

    # The rest by score, in one step.
    page.get_by_label("Score from").fill("0")
    panel.get_by_role("button", name="Accept 7 suggestions").click()
    page.get_by_role("dialog").get_by_role("button", name="Accept").click()
    wait_until(lambda: not Feature.objects.filter(verified=False, deleted=False).exists(), what="all accepted")
    screenshot(page, "label-review-done")

    his = Labels(open_page(ben, dark=True), label_set).page
    asked = his.get_by_role("dialog", name="asks you")
    expect(asked).to_contain_text("Is this a roof?")
    screenshot(his, "label-must-read")
    buttons = [asked.get_by_role("button", name=name) for name in ("Show it", "I have read it")]
    in_every_look(his, screenshot, "label-must-read", buttons)
    asked.get_by_role("button", name="Show it").click()
    asked.get_by_role("button", name="I have read it").click()
    expect(asked).to_be_hidden()
    his.get_by_role("textbox", name="Answer").fill("It is.")
    his.get_by_role("button", name="Answer", exact=True).click()
    # It reaches the page that is open, without a reload.
    expect(page.get_by_role("dialog", name="asks you")).to_contain_text("It is.")
    # What she has open is marked on his map.
    page.get_by_role("dialog", name="asks you").get_by_role("button", name="I have read it").click()
    labels.key("n")
    expect(his.get_by_title("Ana Lima is editing")).to_be_visible()
    screenshot(his, "label-editing-mark")
    assert Mention.objects.get(user=ben).read_at is not None
    assert Comment.objects.count() == 2
