"""The jobs of label sets."""

from typing import Any
from uuid import UUID

from labeling import selectors, suggestions
from webapp.features import numbering
from webapp.jobs.context import JobContext
from webapp.projects.access import require_role
from webapp.projects.models import Role, User


def suggest_samples(context: JobContext) -> dict[str, Any]:
    """Return what became of a model's results that somebody wants as suggestions."""
    spec = context.spec
    label_set = selectors.label_set(spec["label_set"])
    layer = suggestions.results(label_set, UUID(spec["layer"]))
    user = User.objects.get(pk=spec["user"])
    context.progress(0.1, "Comparing with what is drawn")
    found = suggestions.find(label_set, layer, float(spec["score"]))
    # In the transaction of the result the layer would stay locked for as long as the suggestions are stored.
    first_fid = numbering.reserve(label_set.layer, len(found))
    with context.publish() as job:
        require_role(context.job.created_by, label_set.project, Role.LABELER)
        done = suggestions.bring(label_set=label_set, layer=layer, found=found, first_fid=first_fid, user=user)
        job.result = result = {**done.as_json(), "url": f"{label_set.get_absolute_url()}?tab=review"}
    return result
