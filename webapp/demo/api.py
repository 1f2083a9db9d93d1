"""The edge of the demo: one button."""

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.demo import services
from webapp.demo.selectors import find_project
from webapp.errors import Conflict
from webapp.jobs.selectors import job_json
from webapp.projects import access
from webapp.projects.models import User


@api_view(["POST"])
def demo(request: Request) -> Response:
    """Run the demo: answers with its job ({id, url, state, …}); its result holds the map's address and the score."""
    project = find_project()
    if project is None:
        raise Conflict("The demo is not loaded.", fix="Load it with `manage.py demo --load`.", code="demo_missing")
    access.authorise(request._request, project)
    assert isinstance(request.user, User)
    job = services.start(project=project, user=request.user)
    return Response({**job_json(job), "job": str(job.pk)}, status=201)
