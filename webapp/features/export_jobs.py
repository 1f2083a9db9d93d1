"""The job that writes a layer into a file."""

import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from webapp.features import outgoing, selectors
from webapp.features.models import FeatureLayer
from webapp.jobs.context import JobCancelled, JobContext, LeaseLost
from webapp.vectors.formats import FORMATS
from webapp.vectors.table import Grid, Label, Sample, Task

TELL_EVERY = 1_000


def export_features(context: JobContext) -> dict[str, Any]:
    """Write one layer as it was at its number of the log: {url, filename, size_bytes, count, lost}."""
    spec = context.spec
    layer = selectors.layer_of(spec["layer"])
    form = FORMATS[spec["format"]]
    folder = context.scratch / "export"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    samples = _Samples(context, layer)
    task = Task(
        name=layer.name,
        samples=samples,
        classes=samples.labels,
        folder=folder,
        crs=spec["crs"],
        grid=Grid.from_json(spec["grid"]) if spec["grid"] else None,
        attribution=layer.attribution,
        offset=spec.get("offset"),
    )
    context.progress(0.0, "Reading the features")
    module, _, name = form.writer.partition(":")
    written: Path = getattr(import_module(module), name)(task)
    kept = outgoing.folder_of(context.job)
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    final = kept / written.name
    shutil.move(written, final)
    result = {
        "url": f"/api/layers/{layer.pk}/exports/{context.job.pk}",
        "filename": final.name,
        "size_bytes": final.stat().st_size,
        "count": samples.count,
        "lost": {what: times for what, times in task.lost.items() if times},
    }
    try:
        with context.publish() as job:
            job.result = result
    except (JobCancelled, LeaseLost):
        shutil.rmtree(kept, ignore_errors=True)
        raise
    return result


class _Samples:
    """Yields the features of a layer at one number of its log; each call the same ones."""

    def __init__(self, context: JobContext, layer: FeatureLayer) -> None:
        self._context, self._layer = context, layer
        wanted = context.spec["classes"]
        self._wanted = None if wanted is None else set(wanted)
        classes = selectors.classes_json(layer)
        self._names = {item["value"]: item["name"] for item in classes}
        self.labels = [
            Label(item["value"], item["name"], item["colour"])
            for item in classes
            if self._wanted is None or item["value"] in self._wanted
        ]
        self.count = 0

    def __call__(self) -> Iterator[Sample]:
        number = 0
        for state in selectors.features_at(self._layer, self._context.spec["seq"]):
            if self._wanted is not None and state.class_value not in self._wanted:
                continue
            number += 1
            if number % TELL_EVERY == 0:
                self._context.progress(min(0.9, number / max(1, self._layer.feature_count)), f"{number:,} features")
            yield Sample(
                fid=state.fid,
                geometry=state.shape,
                class_value=state.class_value,
                class_name=self._names.get(state.class_value),
                score=state.score,
                source=state.source,
                verified=state.verified,
                properties=state.properties,
            )
        self.count = number
