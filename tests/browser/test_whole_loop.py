"""The whole loop in one browser, by mouse and keyboard, on real imagery: from a file to a model's result on a map."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest
import shapely
from playwright.sync_api import Page, expect

from inference.models import Inference
from labeling.models import LabelSet
from tests import factories
from tests.browser.driver import Pages
from tests.browser.labels import Labels
from training.models import Run, TrainingData
from webapp.demo import sources
from webapp.imagery.models import ImageryLayer

Screenshot = Callable[..., None]
# Ingest, export, a few epochs and an inference on two cores that other tests may share.
JOB_MS = 240_000


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_a_file_to_a_result_on_a_map(
    open_page: Pages, worker: Popen[bytes], osbs: Path, tmp_path: Path, screenshot: Screenshot
) -> None:
    ana = factories.make_user("ana", first_name="Ana", last_name="Lima")
    factories.make_project(ana)
    page = open_page(ana)

    label_set = _upload_and_make_label_set(page, osbs, screenshot)
    _label(page, label_set, tmp_path, screenshot)
    _export(page, screenshot)
    _train(page, screenshot)
    _infer(page, screenshot)

    inference = Inference.objects.get()
    assert inference.result_imagery is not None
    assert inference.result_imagery.state == ImageryLayer.State.READY
    assert inference.result_features is not None
    _look_at_the_map(page, inference, screenshot)


def _upload_and_make_label_set(page: Page, scene: Path, screenshot: Screenshot) -> LabelSet:
    page.goto("/")
    page.get_by_role("link", name="Upload imagery").first.click()
    page.get_by_label("Choose files").set_input_files(str(scene))
    page.get_by_role("button", name="Upload 1 file").click()
    expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=JOB_MS)
    screenshot(page, "loop-1-uploaded")
    page.get_by_role("link", name=re.compile("Open")).first.click()
    expect(page.get_by_role("heading", name="OSBS_029")).to_be_visible()
    expect(page.locator(".imagery-map img.leaflet-tile-loaded").first).to_be_visible()
    screenshot(page, "loop-2-imagery")
    page.get_by_role("button", name="Label on it").click()
    page.get_by_label("Name of the label set").fill("Pine crowns")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/label/"))
    return LabelSet.objects.get()


def _label(page: Page, label_set: LabelSet, tmp_path: Path, screenshot: Screenshot) -> None:
    """Make a class, import the crowns somebody labelled, and draw two more by hand."""
    labels = Labels(page, label_set)
    page.get_by_role("button", name="Create classes").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of class 1").fill("Tree")
    dialog.get_by_role("button", name="Save classes").click()
    expect(dialog).to_be_hidden()

    page.get_by_role("button", name="Import and export").click()
    page.get_by_role("menuitem", name=re.compile("Import")).click()
    crowns = tmp_path / "crowns.geojson"
    crowns.write_text(json.dumps(_crowns()))
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(str(crowns))
    page.get_by_role("dialog").get_by_role("button", name="Import").click()
    page.get_by_role("dialog").get_by_role("button", name="Done").click(timeout=30_000)
    labels.saved(61)
    labels.key("b")
    labels.key("1")
    labels.drag((300, 500), (330, 530))
    labels.saved(62)
    labels.key("p")
    for point in ((500, 180), (540, 190), (520, 230)):
        labels.click(point)
    labels.key("Enter")
    labels.saved(63)
    screenshot(page, "loop-3-labels")


def _crowns() -> dict[str, object]:
    """Return the scene's labelled crowns as GeoJSON in EPSG:4326."""
    crowns = sources.crowns(sources.FLORIDA)
    rows = [{"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(crown)} for crown in crowns]
    return {"type": "FeatureCollection", "features": rows}


def _export(page: Page, screenshot: Screenshot) -> None:
    page.get_by_role("link", name="Export training data").click()
    page.get_by_label("Chip size").select_option("128")
    page.get_by_label("Overlap of chips").select_option(index=1)
    page.get_by_role("button", name="Export", exact=True).click()
    page.wait_for_url(re.compile(r"/training-data/[0-9a-f-]{36}/"))
    expect(page.get_by_role("button", name=re.compile("^Train"))).to_be_enabled(timeout=JOB_MS)
    screenshot(page, "loop-4-training-data")
    data = TrainingData.objects.get()
    assert data.layer_seq == data.label_set.layer.seq


def _train(page: Page, screenshot: Screenshot) -> None:
    page.get_by_role("button", name=re.compile("^Train")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Epochs").fill("4")
    dialog.get_by_role("button", name=re.compile("^(Train|Start)")).click()
    page.wait_for_url(re.compile("/runs/"))
    expect(page.get_by_role("link", name="Open the model")).to_be_visible(timeout=JOB_MS)
    screenshot(page, "loop-5-run")
    run = Run.objects.get()
    assert run.epochs.count() >= 1
    page.get_by_role("link", name="Open the model").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    screenshot(page, "loop-6-model")


def _infer(page: Page, screenshot: Screenshot) -> None:
    page.get_by_role("link", name="Run on imagery").click()
    start = page.get_by_role("button", name="Run the model")
    expect(page.get_by_text("The model fits this imagery.")).to_be_visible(timeout=60_000)
    screenshot(page, "loop-7-run-a-model")
    start.click()
    page.wait_for_url(re.compile(r"/inferences/[0-9a-f-]{36}/"))
    expect(page.locator('.job-progress[data-state="succeeded"]')).to_be_visible(timeout=JOB_MS)
    screenshot(page, "loop-8-inference")


def _look_at_the_map(page: Page, inference: Inference, screenshot: Screenshot) -> None:
    page.get_by_role("link", name="Open the map").click()
    page.wait_for_url(re.compile("/maps/"))
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    assert inference.map is not None
    for layer in inference.map.layers.all():
        expect(page.get_by_text(str(layer)).first).to_be_visible()
    expect(page.get_by_text("Tree", exact=True).first).to_be_visible()
    screenshot(page, "loop-9-map")
