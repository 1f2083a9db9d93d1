"""Jobs in the browser: they appear, move, end and are cancelled without a reload."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import expect
from pytest_django import Settings

from tests.browser.driver import PHONE, Pages, Site
from tests.factories import make_project
from tests.jobs.handlers import KINDS
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project, User

TAKES_A_WHILE_MS = 30_000


@pytest.fixture
def jobs_worker(site: Site, transactional_db: None, settings: Settings) -> Iterator[None]:
    """A real worker that knows the tests' kinds of jobs."""
    settings.EXTRA_JOB_KINDS = KINDS
    kinds = ",".join(f"{kind}={path}" for kind, path in KINDS.items())
    env = {**site.env, "QUADRAT_EXTRA_JOB_KINDS": kinds, "QUADRAT_JOB_GRACE_S": "3"}
    with (site.log.parent / "worker.log").open("ab") as log:
        command = [sys.executable, "manage.py", "worker"]
        process = subprocess.Popen(command, cwd=django_settings.BASE_DIR, env=env, stdout=log, stderr=log)
    yield
    process.terminate()
    process.wait(timeout=30)


def queued(project: Project, user: User, kind: str, title: str, **spec: object) -> Job:
    return services.enqueue(project=project, kind=kind, spec=spec, user=user, title=title)


def test_a_job_appears_runs_and_ends_in_the_list_without_a_reload(
    open_page: Pages, ana: User, jobs_worker: None, screenshot: Callable[..., None], tmp_path: Path
) -> None:
    project = make_project(ana)
    page = open_page(ana)
    page.goto("/jobs/")
    expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
    queued(project, ana, "count", "Count to forty", steps=40, seconds=0.2)
    row = page.get_by_role("row", name="Count to forty")
    expect(row.get_by_role("progressbar")).to_be_visible(timeout=TAKES_A_WHILE_MS)
    expect(row).to_contain_text("step", timeout=TAKES_A_WHILE_MS)
    screenshot(page, "jobs")
    expect(row).to_contain_text("succeeded", timeout=TAKES_A_WHILE_MS)


def test_the_page_of_a_job_shows_its_log_live_and_cancels_it(
    open_page: Pages, ana: User, jobs_worker: None, screenshot: Callable[..., None], tmp_path: Path
) -> None:
    job = queued(make_project(ana), ana, "wait", "Wait for ever", pid_file=str(tmp_path / "pid"))
    page = open_page(ana)
    page.goto(f"/jobs/{job.pk}/")
    log = page.get_by_label("Lines of the log")
    expect(log).to_contain_text("Attempt 1 started", timeout=TAKES_A_WHILE_MS)
    expect(page.locator(".job-progress")).to_contain_text("waiting", timeout=TAKES_A_WHILE_MS)
    screenshot(page, "job-running")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".job-progress .badge")).to_have_text("cancelled", timeout=TAKES_A_WHILE_MS)
    expect(log).to_contain_text("Cancel asked for by ana")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_failed_job_says_what_to_do_and_filters_find_it(
    open_page: Pages, ana: User, transactional_db: None, settings: Settings, screenshot: Callable[..., None]
) -> None:
    settings.EXTRA_JOB_KINDS = KINDS
    project = make_project(ana)
    run_now(queued(project, ana, "refuse", "Refused"))
    run_now(queued(project, ana, "count", "Counted", steps=1))
    page = open_page(ana, size=PHONE, dark=True)
    page.goto("/jobs/")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_label("State").select_option("failed")
    expect(page.get_by_role("row")).to_have_count(2)
    # The address follows with the next drawing of the page.
    page.wait_for_url("**/jobs/?state=failed")
    screenshot(page, "jobs-phone-dark")
    page.get_by_role("link", name="Refused").click()
    expect(page.get_by_role("alert")).to_contain_text("The scene has no bands.")
    expect(page.get_by_role("alert")).to_contain_text("Take another scene.")
    screenshot(page, "job-failed-phone-dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.go_back()
    page.get_by_label("State").select_option("queued")
    page.get_by_role("button", name="Show all jobs").click()
    expect(page.get_by_role("row")).to_have_count(3)
