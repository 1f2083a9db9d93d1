"""Training data, runs and models in the browser: what a job makes appears while it runs."""

import json
import re
from collections.abc import Callable

import pytest
from django.contrib.gis.geos import GEOSGeometry
from playwright.sync_api import Page, expect

from labeling.models import LabelSet
from tests import factories
from tests.browser.driver import PHONE, Pages
from training.models import ModelPackage, Run, TrainingData
from webapp.demo import sources
from webapp.features.bulk import NewFeature, add_features
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import User

Screenshot = Callable[..., None]


@pytest.fixture
def labelled(label_set: LabelSet) -> LabelSet:
    """The label set with the crowns that somebody labelled in Florida."""
    crowns = sources.crowns(sources.FLORIDA)
    features = [NewFeature(geometry=GEOSGeometry(crown.wkt, srid=4326), class_value=1) for crown in crowns]
    add_features(layer=label_set.layer, features=features)
    return label_set


def run_newest_job() -> Job:
    job = run_now(Job.objects.filter(finished_at=None).latest("created_at"))
    assert job.state == Job.State.SUCCEEDED, job.error_message
    return job


def fits(page: Page) -> bool:
    """Return whether nothing is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.slow
def test_from_labels_to_a_model_with_live_curves(
    open_page: Pages, labelled: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    page = open_page(ana)
    page.goto(f"/training-data/new?label_set={labelled.pk}")
    expect(page.get_by_text("61 labels of")).to_be_visible()
    page.get_by_label("Name").fill("Crowns of Florida")
    page.get_by_label("Task", exact=True).select_option("PASCAL_VOC_rectangles")
    expect(page.get_by_label("Chip size")).to_have_value("128")
    expect(page.get_by_label("Overlap of chips")).to_have_value("0.5")
    page.get_by_label("Overlap of chips").select_option("0")
    screenshot(page, "training-export", full_page=True)
    page.get_by_role("button", name="Export", exact=True).press("Enter")
    page.wait_for_url(re.compile(r"/training-data/[0-9a-f-]{36}/"))
    train = page.get_by_role("button", name="Train", exact=True)
    expect(train).to_be_disabled()
    run_newest_job()
    # The page hears of the end by itself.
    expect(train).to_be_enabled()
    expect(page.get_by_role("img", name="Sample chip 1 with its labels")).to_be_visible()
    expect(page.get_by_role("cell", name="Tree")).to_be_visible()
    screenshot(page, "training-data", full_page=True)

    train.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Epochs").fill("0")
    dialog.get_by_role("button", name="Start training").click()
    assert not Run.objects.exists()  # the browser's own check of the field
    dialog.get_by_label("Epochs").fill("2")
    dialog.get_by_label("Name of the model").fill("Crown finder")
    screenshot(page, "training-form")
    dialog.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile("/runs/"))
    expect(page.get_by_text("The first points appear")).to_be_visible()
    run_newest_job()
    expect(page.get_by_role("link", name="Open the model")).to_be_visible()
    expect(page.locator(".chart canvas")).to_have_count(2)
    expect(page.get_by_role("table", name="Epochs").get_by_role("row")).to_have_count(3)
    screenshot(page, "run", full_page=True)

    page.get_by_role("link", name="Open the model").click()
    expect(page.get_by_role("heading", name="Crown finder")).to_be_visible()
    expect(page.get_by_role("img", name="Prediction for chip 1")).to_be_visible()
    assert page.evaluate("[...document.images].every((image) => image.loading !== 'lazy' || image.src !== '')")
    screenshot(page, "model", full_page=True)
    with page.expect_download() as caught:
        page.get_by_role("link", name="Download").click()
    package = caught.value.path()
    assert caught.value.suggested_filename == "Crown_finder.dlpk"

    page.goto("/models/")
    page.get_by_role("button", name="Install a model").click()
    kept = package.with_name("crowns.dlpk")
    kept.write_bytes(package.read_bytes())
    page.get_by_label("Package").set_input_files(str(kept))
    page.get_by_role("dialog").get_by_role("button", name="Install").click()
    expect(page.get_by_role("dialog").locator(".job-progress")).to_be_visible()
    run_newest_job()
    page.wait_for_url(re.compile(r"/models/[0-9a-f-]{36}/"))
    assert ModelPackage.objects.filter(source="installed").count() == 1
    page.get_by_role("button", name="Uninstall").click()
    page.get_by_role("dialog").get_by_role("button", name="Uninstall").click()
    page.wait_for_url(re.compile("/models/$"))
    expect(page.get_by_role("article")).to_have_count(1)
    screenshot(page, "models")

    data, run, model = TrainingData.objects.get(), Run.objects.get(), ModelPackage.objects.get(source="trained")
    phone = open_page(ana, size=PHONE, dark=True)
    pages = {
        "training-export": f"/training-data/new?label_set={labelled.pk}",
        "training-data": f"/training-data/{data.pk}/",
        "run": f"/runs/{run.pk}/",
        "models": "/models/",
        "model": f"/models/{model.pk}/",
    }
    for name, url in pages.items():
        phone.goto(url)
        expect(phone.get_by_role("heading", level=1)).to_be_visible()
        screenshot(phone, f"{name}-phone", full_page=True)
        assert fits(phone), name


def test_the_empty_dashboard_says_what_to_do_next(open_page: Pages, ana: User, screenshot: Screenshot) -> None:
    factories.make_project(ana)
    page = open_page(ana)
    page.goto("/models/")
    expect(page.get_by_role("heading", name="No model yet")).to_be_visible()
    page.get_by_role("button", name="Install a model").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_failed_export_says_why(open_page: Pages, labelled: LabelSet, ana: User) -> None:
    page = open_page(ana)
    page.goto(f"/training-data/new?label_set={labelled.pk}")
    body = {"label_set": str(labelled.pk), "resolution_m": 50.0}
    answer = page.evaluate(
        """async (body) => {
            const token = document.cookie.match(/csrftoken=([^;]+)/)?.[1] ?? "";
            const answer = await fetch("/api/training-data/", {
                method: "POST", body, headers: {"Content-Type": "application/json", "X-CSRFToken": token}});
            return await answer.json();
        }""",
        json.dumps(body),
    )
    run_now(Job.objects.get(pk=answer["job"]["id"]))
    page.goto(answer["url"])
    expect(page.get_by_text("Chips at 50 m cannot be cut")).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
