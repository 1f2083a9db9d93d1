"""Tasks on the labeling page, from the grid to the review, with two people."""

import re
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Locator, Page, expect

from labeling import task_leases, task_services
from labeling.models import LabelSet, Proposal, Task
from labeling.task_grid import GridRequest
from tests import factories
from tests.browser.driver import PHONE, Pages, wait_until
from tests.browser.labels import Labels
from tests.labeling.tasks import let_expire
from webapp.projects.models import Member, Role, User

Screenshot = Callable[..., None]


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
    # He is told at once, wherever he is at work.
    told = of_ben.page.get_by_text(f"Task {done.number} came back to you. Ana Lima left a note to read.")
    expect(told).to_be_visible()

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


CSRF = "t" * 32
# The request that the button "Next task" sends, at a moment (ms since 1970) that all pages wait for.
NEXT = """([labelSet, at, token]) => {
  window.send = (url, body) => fetch(url, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "X-CSRFToken": token },
  }).then(async (answer) => ({ status: answer.status, body: await answer.json() }));
  const wanted = { order: "near", purpose: "label", lon: 0, lat: 0 };
  window.asked = new Promise((go) => setTimeout(go, at - Date.now()))
    .then(() => send(`/api/label-sets/${labelSet}/tasks/next`, wanted));
}"""


def light_page(open_page: Pages, user: User) -> Page:
    """Open an empty page of the site in a browser of its own, which may send what the labeling page sends."""
    page = open_page(user, allow=["status of 409"])
    page.route("**/empty", lambda route: route.fulfill(body="", content_type="text/html"))
    page.context.add_cookies([{"name": settings.CSRF_COOKIE_NAME, "value": CSRF, "url": open_page.site.url}])
    page.goto("/empty")
    return page


def test_twenty_people_who_ask_for_the_next_task_at_once_get_twenty_and_an_ended_lease_is_given_on(
    open_page: Pages, label_set: LabelSet, ana: User
) -> None:
    task_services.create_grid(label_set=label_set, request=GridRequest("pixels", 80), user=ana)
    people = [factories.make_user(f"labeler{number}") for number in range(21)]
    Member.objects.bulk_create(Member(project=label_set.project, user=user, role=Role.LABELER) for user in people)
    # Two press the button on their labeling pages; twenty of those would keep the machine busy for half a minute.
    watched, sending = people[:2], people[2:20]
    panels = [panel(Labels(open_page(user), label_set).page) for user in watched]
    *pages, late = [light_page(open_page, user) for user in people[2:]]
    for tasks in panels:
        tasks.get_by_role("button", name="Next task").focus()
    at = time.time() * 1000 + 500
    for page in pages:
        page.evaluate(NEXT, [str(label_set.pk), at, CSRF])
    for tasks in panels:
        tasks.page.keyboard.press("Enter")
    taken = [page.evaluate("window.asked")["body"]["task"] for page in pages]
    for tasks in panels:
        expect(tasks.get_by_role("timer")).to_be_visible()
    held = {task.holder_id: task for task in Task.objects.filter(state="in_progress")}
    assert held.keys() == {user.pk for user in people[:20]}
    assert [str(held[user.pk].pk) for user in sending] == [task["id"] for task in taken]
    for user, tasks in zip(watched, panels, strict=True):
        expect(tasks.get_by_role("group", name=f"Your task {held[user.pk].number}")).to_be_visible()

    # Fill the rest up, so that the one whose lease ended is the only one left.
    Task.objects.filter(state="todo").update(state="approved")
    let_expire(Task.objects.get(pk=taken[0]["id"]))
    late.evaluate(NEXT, [str(label_set.pk), 0, CSRF])
    again = late.evaluate("window.asked")["body"]["task"]
    assert again["id"] == taken[0]["id"]
    old, new = (task["properties"]["token"] for task in (taken[0], again))
    assert new == old + 1
    body = {"action": "finish", "token": old}
    refused = pages[0].evaluate("([url, body]) => send(url, body)", [f"/api/tasks/{again['id']}/work", body])
    assert (refused["status"], refused["body"]["code"]) == (409, "lease_lost")
