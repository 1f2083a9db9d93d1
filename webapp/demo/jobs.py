"""The demo as a job: it waits for other jobs, so it takes a light slot."""

import json
from typing import Any

from webapp.demo import drive
from webapp.demo.services import api_client
from webapp.errors import Denied
from webapp.jobs.context import JobCancelled, JobContext


def run(context: JobContext) -> dict[str, Any]:
    """Return the map's address and its score. A further attempt goes on from the step that was reached."""
    project, user = context.job.project, context.job.created_by
    if project is None or user is None:
        raise Denied("The demo needs a project and a user.", fix="Start it from the content page.")
    kept = context.scratch / "state.json"
    state: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}

    def tell(fraction: float, text: str) -> None:
        kept.write_text(json.dumps(state))
        context.progress(fraction, text)

    with api_client(project=project, user=user) as client:
        try:
            result = drive.run(client, str(project.pk), state, tell)
        except JobCancelled:
            drive.cancel(client, state)
            raise
    context.log(result["sentence"])
    return result
