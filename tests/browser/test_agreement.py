"""Two people label a task without seeing each other; a reviewer makes one version of the two."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from labeling import task_services
from labeling.models import BlindTask, LabelSet, Task
from labeling.task_grid import GridRequest
from tests import factories
from tests.browser.driver import Pages, wait_until
from tests.browser.labels import Labels, Point
from tests.browser.looks import in_every_look
from webapp.features.models import Feature
from webapp.projects.models import Member, Role, User

Screenshot = Callable[..., None]


def labeler(label_set: LabelSet, name: str, role: Role = Role.LABELER) -> User:
    """Return a new member."""
    first, last = name.split(" ")
    user = factories.make_user(first.lower(), first_name=first, last_name=last)
    Member.objects.create(project=label_set.project, user=user, role=role)
    return user


def label_next(labels: Labels, boxes: list[tuple[Point, Point]]) -> None:
    """Take the next task, which lies on the person's sheet, draw boxes in it and say that it is done."""
    labels.page.get_by_role("tab", name="Tasks").click()
    labels.key("t")
    expect(labels.page.get_by_text("Your own sheet.")).to_be_visible()
    expect(labels.map).to_have_attribute("data-loading", "false")
    expect(labels.page.get_by_role("timer")).to_be_visible()
    labels.key("b")
    for start, end in boxes:
        labels.drag(start, end)
    labels.key("v")
    expect(labels.state).to_have_attribute("data-state", "saved")


def test_from_a_share_of_the_tasks_to_one_version_of_two(
    open_page: Pages, label_set: LabelSet, ana: User, tmp_path: Path, screenshot: Screenshot
) -> None:
    task_services.create_grid(label_set=label_set, request=GridRequest("pixels", 400), user=ana)
    assert Task.objects.count() == 1
    ben, cleo = labeler(label_set, "Ben Okafor"), labeler(label_set, "Cleo Lindqvist")
    rita = labeler(label_set, "Rita Moreno", Role.REVIEWER)
    agreement = f"/label/{label_set.pk}/agreement/"

    owner = open_page(ana)
    owner.goto(agreement)
    owner.get_by_label("Share of the tasks, %").fill("100")
    owner.get_by_role("button", name="Draw by lot").click()
    expect(owner.get_by_role("table", name="Tasks labelled twice")).to_contain_text("nobody yet")

    # On the label set's own page the labeler sees no blind task; the next one opens on a sheet.
    of_ben, of_cleo = Labels(open_page(ben), label_set), Labels(open_page(cleo), label_set)
    label_next(of_ben, [((300, 250), (380, 330)), ((450, 300), (550, 400)), ((300, 450), (360, 520))])
    screenshot(of_ben.page, "agreement-sheet")
    label_next(of_cleo, [((302, 251), (381, 331)), ((470, 320), (590, 420))])
    assert Feature.objects.filter(layer=label_set.layer).count() == 0
    of_ben.key("Control+Enter")
    expect(owner.get_by_role("table", name="Tasks labelled twice")).to_contain_text(
        "Ben Okafor, Cleo Lindqvist (at work)"
    )

    reviewer = open_page(rita)
    reviewer.goto(f"{agreement}#adjudicate")
    expect(reviewer.get_by_text("Nothing waits for adjudication")).to_be_visible()
    of_cleo.key("Control+Enter")
    # Both are done: the owner's page and the reviewer's hear of it.
    expect(owner.get_by_role("tab", name="Adjudicate (1)")).to_be_visible()
    differences = reviewer.get_by_role("list", name="What Ben Okafor and Cleo Lindqvist drew")
    expect(differences.get_by_role("button")).to_have_count(3)
    expect(reviewer.get_by_text("2 differences to decide")).to_be_visible()
    screenshot(reviewer, "agreement-adjudicate")
    takes = reviewer.get_by_role("group", name="Take").get_by_role("button").all()
    in_every_look(reviewer, screenshot, "agreement-adjudicate", takes)

    # The differing shape by hand, the one that only Ben drew as it is.
    row = differences.get_by_role("button", name=re.compile("Shape differs"))
    row.click()
    reviewer.keyboard.press("e")
    expect(reviewer.get_by_role("group", name="Edit the shape")).to_be_visible()
    place = reviewer.get_by_label("Map with both versions").bounding_box()
    assert place is not None
    screenshot(reviewer, "agreement-edit")
    reviewer.keyboard.press("Enter")
    expect(row).to_contain_text("edited")
    differences.get_by_role("button", name=re.compile("Only Ben Okafor")).click()
    reviewer.keyboard.press("a")
    expect(reviewer.get_by_text("All decided")).to_be_visible()
    reviewer.keyboard.press("Control+Enter")
    settled = wait_until(lambda: BlindTask.objects.filter(state="settled").first(), what="the settled task")
    assert settled.settled_by == rita
    stored = Feature.objects.filter(layer=label_set.layer, deleted=False)
    assert (stored.count(), {row.updated_by for row in stored}) == (3, {rita})
    expect(reviewer.get_by_text("1 task settled so far.")).to_be_visible()

    expect(owner.get_by_role("table", name="Agreement by pair of people")).to_contain_text(
        "Ben Okafor and Cleo Lindqvist"
    )
    screenshot(owner, "agreement-figures", full_page=True)
    in_every_look(owner, screenshot, "agreement-figures", [owner.get_by_role("tab", name="Adjudicate")])
    assert Task.objects.get(label_set=label_set).state == "approved"

    # The one version is the label set itself, and leaves as a file.
    path = Labels(owner, label_set).take_out("GeoJSON", tmp_path)
    written = json.loads(path.read_text())["features"]
    assert [item["properties"]["class_value"] for item in written] == [row.class_value for row in stored]
    assert {item["properties"]["verified"] for item in written} == {True}
