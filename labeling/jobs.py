"""The jobs of label sets."""

from typing import Any
from uuid import UUID

from labeling import selectors, suggestions
from webapp.jobs.context import JobContext
from webapp.projects.models import User


def suggest_samples(context: JobContext) -> dict[str, Any]:
    """Return what became of a model's results that somebody wants as suggestions."""
    spec = context.spec
    label_set = selectors.label_set(spec["label_set"])
    layer = suggestions.results(label_set, UUID(spec["layer"]))
    user = User.objects.get(pk=spec["user"])
    context.progress(0.1, "Comparing with what is drawn")
    with context.publish():
        done = suggestions.bring(label_set=label_set, layer=layer, score=float(spec["score"]), user=user)
    return {**done.as_json(), "url": f"{label_set.get_absolute_url()}?tab=review"}
