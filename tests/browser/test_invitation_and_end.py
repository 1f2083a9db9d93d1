"""From an invitation to the end of the project, in two browsers."""

from collections.abc import Callable

from playwright.sync_api import expect

from labeling.models import LabelSet
from tests.browser.driver import PHONE, Pages, Site
from tests.factories import make_layer
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.projects.models import Member, Project, User


def test_a_stranger_joins_by_a_link_and_the_owner_ends_the_project(
    open_page: Pages,
    label_set: LabelSet,
    ana: User,
    site: Site,
    screenshot: Callable[..., None],
) -> None:
    project, imagery = label_set.project, label_set.imagery
    Project.objects.filter(pk=project.pk).update(name="Crowns of the northern valley, survey of spring 2025")
    make_layer(project, name="Detected crowns", kind="detections")

    page = open_page(ana)
    page.goto(f"/projects/{project.pk}/")
    page.get_by_role("tab", name="Invitations").click()
    expect(page.get_by_text("No open invitations")).to_be_visible()
    page.get_by_label("Invite as").select_option("reviewer")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".shown-once code").inner_text()
    expect(page.get_by_role("row", name="reviewer")).to_contain_text("0 of 1")
    screenshot(page, "invitations")

    newcomer = open_page(size=PHONE, dark=True)
    newcomer.goto(link)
    screenshot(newcomer, "join-phone-dark", full_page=True)
    newcomer.get_by_label("User name").fill("newcomer")
    newcomer.get_by_label("Password", exact=True).fill("staple battery horse")
    newcomer.get_by_label("Password again").fill("staple battery horse")
    newcomer.get_by_role("button", name="Make an account and join").click()
    newcomer.wait_for_url(f"{site.url}/projects/{project.pk}/")
    expect(newcomer.get_by_role("row", name="newcomer")).to_contain_text("reviewer")
    assert newcomer.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert Member.objects.get(project=project, user__username="newcomer").role == 30

    # Something stands in the way of the imagery, and is named.
    page.goto(f"/imagery/{imagery.pk}/")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("label set Tree crowns")
    screenshot(page, "imagery-in-use")
    page.get_by_role("dialog").get_by_role("link", name="Tree crowns").click()
    page.wait_for_url("**/label/**")

    page.goto(f"/projects/{project.pk}/")
    page.get_by_role("tab", name="Layers").click()
    page.get_by_role("row", name="Detected crowns").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No layers yet")).to_be_visible()

    # A failed job is run again, and while it waits the project cannot go.
    job = jobs.enqueue(project=project, kind="demo", spec={}, user=ana, title="Run the demo")
    jobs.cancel(job=job, user=ana)
    page.goto(f"/jobs/{job.pk}/")
    screenshot(page, "job-again")
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("This runs an earlier job again.")).to_be_visible()
    page.goto(f"/projects/{project.pk}/")
    page.get_by_role("tab", name="Settings").click()
    page.get_by_role("button", name="Delete project").click()
    expect(page.get_by_role("dialog")).to_contain_text("job Run the demo")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    jobs.cancel(job=Job.objects.get(restarts=job), user=ana)

    page.get_by_role("button", name="Delete project").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 label set")
    dialog.get_by_label("Type the name").fill("crowns")
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_label("Type the name").fill("Crowns of the northern valley, survey of spring 2025")
    screenshot(page, "project-end")
    dialog.get_by_role("button", name="Delete").click()
    page.wait_for_url(f"{site.url}/")
    assert not Project.objects.filter(pk=project.pk).exists()
