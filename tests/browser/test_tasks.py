"""Tasks on the labeling page, from the grid to the review, with two people."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from labeling import task_leases
from labeling.models import LabelSet, Proposal, Task
from tests import factories
from tests.browser.driver import PHONE, Pages, wait_until
from tests.browser.labels import Labels
from tests.labeling.tasks import let_expire
from webapp.projects.models import Member, Role, User

Screenshot = Callable[..., Path]


@pytest.fixture
def ben(label_set: LabelSet) -> User:
    """A labeler of the project."""
    user = factories.make_user("ben", first_name="Ben", last_name="Okafor")
    Member.objects.create(project=label_set.project, user=user, role=Role.LABELER)
    return user


def panel(page: Page) -> Locator:
    """Open the Tasks panel."""
    page.get_by_role("tab", name="Tasks").click()
    return page.get_by_role("region", name="Tasks")


def cut(page: Page, pixels: int) -> None:
    """Cut the imagery into squares through the dialog."""
    page.get_by_role("button", name="Cut into tasks").click()
    dialog = page.get_by_role("dialog", name="Cut into tasks")
    dialog.get_by_label("Cells").select_option("pixels")
    dialog.get_by_label("Side in pixels").fill(str(pixels))
    dialog.get_by_role("button", name=re.compile(r"Make \d+ tasks?")).click()
    expect(dialog).to_be_hidden()


def test_from_the_grid_to_an_approved_task(
    open_page: Pages, label_set: LabelSet, ana: User, ben: User, screenshot: Screenshot
) -> None:
    of_ana, of_ben = Labels(open_page(ana), label_set), Labels(open_page(ben), label_set)
    tasks_of_ana, tasks_of_ben = panel(of_ana.page), panel(of_ben.page)
    expect(tasks_of_ben.get_by_text("A reviewer can cut the area")).to_be_visible()

    cut(of_ana.page, 200)
    expect(tasks_of_ana.get_by_role("heading", name="4 tasks")).to_be_visible()
    expect(tasks_of_ben.get_by_role("heading", name="4 tasks")).to_be_visible()
    screenshot(of_ana.page, "tasks-grid")

    of_ben.key("t")
    mine = tasks_of_ben.get_by_role("group", name=re.compile("Your task"))
    expect(mine.get_by_role("timer")).to_have_text(re.compile(r"[45]:\d\d"))
    expect(tasks_of_ana.get_by_role("button", name=re.compile("In progress"))).to_contain_text("Ben Okafor")
    of_ben.key("b")
    of_ben.drag((400, 250), (520, 350))
    wait_until(lambda: of_ben.stored().count() == 1, what="Ben's sample")
    screenshot(of_ben.page, "tasks-own")
    # Done takes the next at once; the reviewer sees both.
    of_ben.key("Control+Enter")
    done = wait_until(lambda: Task.objects.filter(state="done").first(), what="the finished task")
    assert done.done_by == ben
    expect(mine).not_to_have_accessible_name(f"Your task {done.number}")

    tasks_of_ana.get_by_role("button", name="Review 1").click()
    review = tasks_of_ana.get_by_role("group", name=f"Task {done.number}, under your review")
    review.get_by_role("button", name="Return").click()
    note = of_ana.page.get_by_role("dialog", name=f"Return task {done.number}")
    expect(note.get_by_role("button", name="Return it")).to_be_disabled()
    note.get_by_label("What has to change").fill("The tree in the corner is missing.")
    note.get_by_role("button", name="Return it").click()
    expect(note).to_be_hidden()

    # The one Ben holds goes back; the returned one comes first, and its note stands before the tools.
    mine.get_by_role("button", name="More to do with the task").click()
    of_ben.page.get_by_role("menuitem", name="Give it back").click()
    expect(mine).to_be_hidden()
    of_ben.key("t")
    expect(tasks_of_ben.get_by_role("group", name=f"Your task {done.number}")).to_be_visible()
    expect(mine.get_by_text("The tree in the corner is missing.")).to_be_visible()
    expect(mine.get_by_role("button", name="Done")).to_be_disabled()
    of_ben.key("b")
    of_ben.drag((540, 250), (600, 350))
    screenshot(of_ben.page, "tasks-note")
    mine.get_by_role("button", name="I have read it").click()
    expect(mine.get_by_role("button", name="Done")).to_be_enabled()
    of_ben.key("b")
    of_ben.drag((540, 250), (600, 350))
    wait_until(lambda: of_ben.stored().count() == 2, what="the second sample")
    assert of_ben.stored().count() == 2, "nothing was drawn before the note was read"
    mine.get_by_role("button", name="Done").click()
    wait_until(lambda: Task.objects.filter(state="done", number=done.number).exists(), what="the task done again")

    of_ana.key("Shift+t")
    expect(review.get_by_role("button", name="Approve")).to_be_enabled()
    of_ana.key("Shift+a")
    wait_until(lambda: Task.objects.filter(state="approved", number=done.number).exists(), what="the approval")
    tasks_of_ana.get_by_role("button", name="Progress", exact=True).click()
    expect(of_ana.page.get_by_role("dialog").get_by_role("row", name=re.compile("Ben Okafor"))).to_be_visible()
    screenshot(of_ana.page, "tasks-progress")


def test_what_is_drawn_after_the_lease_has_passed_on_is_a_proposal(
    open_page: Pages, label_set: LabelSet, ana: User, ben: User, screenshot: Screenshot
) -> None:
    of_ana = Labels(open_page(ana), label_set)
    of_ben = Labels(open_page(ben, allow=["ERR_INTERNET_DISCONNECTED", "WebSocket", "409"]), label_set)
    tasks_of_ana, tasks_of_ben = panel(of_ana.page), panel(of_ben.page)
    cut(of_ana.page, 400)
    of_ben.key("t")
    expect(tasks_of_ben.get_by_role("timer")).to_be_visible()
    of_ben.page.context.set_offline(True)
    of_ben.key("b")
    of_ben.drag((400, 250), (520, 350))
    expect(of_ben.state).to_have_attribute("data-pending", "1")
    held = Task.objects.get(state="in_progress")
    let_expire(held)
    taken = task_leases.claim(task=held, user=ana, role=Role.OWNER)
    assert taken.token == held.token + 1
    of_ben.page.context.set_offline(False)
    expect(of_ben.state).to_have_attribute("data-state", "saved")
    expect(of_ben.page.get_by_text("not yours any more").first).to_be_visible()
    assert of_ben.stored().count() == 0
    proposals = tasks_of_ana.get_by_role("group", name="Proposals")
    expect(proposals.get_by_text("Ben Okafor drew Tree")).to_be_visible()
    screenshot(of_ana.page, "tasks-proposal")
    proposals.get_by_role("button", name="Accept").click()
    expect(proposals).to_be_hidden()
    assert of_ana.stored().count() == 1
    assert Proposal.objects.get().state == "accepted"


def test_a_labeler_on_a_phone_sees_the_task_above_the_map(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana, size=PHONE, dark=True, has_touch=True), label_set)
    page = labels.page
    page.get_by_role("button", name="Unfold the panel", exact=True).click()
    panel(page)
    cut(page, 200)
    screenshot(page, "tasks-phone-list")
    page.get_by_role("button", name="Next task").click()
    expect(page.get_by_role("timer")).to_be_visible()
    screenshot(page, "tasks-phone")
    page.get_by_role("button", name="Fold the panel", exact=True).click()
    expect(page.get_by_role("button", name=re.compile("^Task ")).first).to_be_visible()
    screenshot(page, "tasks-phone-folded")
