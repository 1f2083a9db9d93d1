"""What models suggest is reviewed beside what people drew, and never overwrites it."""

from collections.abc import Callable
from uuid import UUID, uuid5

import shapely
from django.db.models.functions import Now
from playwright.sync_api import expect

from inference import selectors, services
from inference.models import Inference
from inference.specs import Settings
from labeling.models import LabelSet
from tests.browser.driver import Pages, finish_job
from tests.browser.labels import Labels
from tests.browser.looks import in_every_look
from training.models import ModelPackage
from webapp.features import services as features
from webapp.features.models import Feature
from webapp.features.services import NewFeature
from webapp.jobs.models import Job
from webapp.projects.models import User

Screenshot = Callable[..., None]


def detected(label_set: LabelSet, user: User, model: str, score: float) -> Inference:
    """Return an inference as its job leaves it, with four trees, one of them over half of the imagery."""
    imagery = label_set.imagery
    package = ModelPackage.objects.create(
        project=label_set.project,
        name=model,
        task="detect_objects",
        network="retinanet",
        path="packages/none.dlpk",
        sha256="",
        size_bytes=1,
        dtype="uint8",
        resolution_m=0.1,
        chip_px=128,
        bands=[band["name"] for band in imagery.bands],
        classes=[{"value": 3, "name": "Tree", "colour": "#1b9e77"}],
    )
    settings = Settings.parse({}, task=package.task)
    row = services.start(
        project=label_set.project, user=user, package=package, imagery=imagery, extent=None, settings=settings
    )
    planned = selectors.planned(row)
    services.make_layers(row, planned, blocks_path="")
    assert row.result_features is not None
    assert imagery.footprint is not None
    west, south, east, _ = imagery.footprint.extent
    side = (east - west) / 10
    corners = [(1, 1, 6), (1, 8, 1), (4, 8, 1), (7, 8, 1)]
    found = [
        NewFeature(
            shapely.box(west + side * x, south + side * y, west + side * (x + w), south + side * (y + w)),
            class_value=3,
            score=score - number / 100,
            properties={"model": model},
            id=uuid5(row.pk, str(number)),
        )
        for number, (x, y, w) in enumerate(corners)
    ]
    services.store_block(row, number=planned.blocks[0].number, sha256="", seconds=0, found=found)
    services.settle_objects(row, [(item.id, item) for item in found if item.id])
    features.finish_layer(layer=row.result_features)
    Job.objects.filter(pk=row.job_id).update(state=Job.State.SUCCEEDED, finished_at=Now(), progress=1)
    return row


def checked(labels: Labels) -> dict[UUID, tuple[int, str, int | None]]:
    """Return what people drew or accepted: version, shape and class by id."""
    rows = labels.stored().filter(verified=True)
    return {row.pk: (row.version, row.geometry.wkt, row.class_value) for row in rows}


def test_two_models_suggest_and_what_people_drew_or_checked_stays(
    open_page: Pages, label_set: LabelSet, ana: User, screenshot: Screenshot
) -> None:
    labels = Labels(open_page(ana), label_set)
    page = labels.page
    panel = page.get_by_role("region", name="Review")
    dialog = page.get_by_role("dialog", name="Review as suggestions")
    labels.key("b")
    labels.drag((300, 300), (420, 400))
    labels.saved(1)
    models = (("Crown finder, spring", 0.9), ("Crown finder, autumn", 0.95))
    for number, (model, score) in enumerate(models):
        row = detected(label_set, ana, model, score)
        kept = checked(labels)
        assert len(kept) == 1 + number
        if number == 0:
            # From the results of the model, to the review of the label set.
            page.goto(f"/inferences/{row.pk}/")
            page.get_by_role("button", name="Review as suggestions").click()
            expect(dialog.get_by_label("Label set")).to_have_value(str(label_set.pk))
            buttons = [dialog.get_by_role("button", name=name) for name in ("Bring them in", "Cancel")]
            in_every_look(page, screenshot, "inference-suggest", buttons)
        else:
            # From the label set, with the results of the newest model.
            page.get_by_role("button", name="Bring in what a model found").click()
            expect(dialog.get_by_label("Results of a model")).to_have_value(str(row.result_features_id))
        dialog.get_by_role("button", name="Bring them in").click()
        finish_job(page)
        # The best of the second lies under what was accepted of the first: somebody has decided on it.
        expect(dialog.get_by_text(f"{4 - number} suggestions brought in.")).to_be_visible()
        screenshot(page, f"suggestions-brought-{number + 1}")
        assert checked(labels) == kept
        assert labels.stored().filter(verified=False, source="model", class_value=1).count() == 4 + 2 * number
        dialog.get_by_role("button", name="Review them").click()
        if number == 0:
            expect(labels.map).to_have_attribute("data-loading", "false")
            page.get_by_role("button", name="Review 4").click()
        expect(
            panel.get_by_text(f"{model} suggests it, score {score - number / 100:.1%}".replace("%", " %"))
        ).to_be_visible()
        screenshot(page, f"label-suggested-{number + 1}")
        labels.key("a")
        expect(panel.get_by_text("1 decision", exact=True)).to_be_visible()
        labels.key("Escape")
        expect(labels.state).to_have_attribute("data-state", "saved")
        labels.caught_up()
    assert labels.stored().filter(verified=True).count() == 3
    # The results themselves are as the models left them.
    assert Feature.objects.filter(layer__kind="detections", version=1, verified=False).count() == 8
