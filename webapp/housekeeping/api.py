"""The edge of a project's end."""

from uuid import UUID

from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.housekeeping import projects
from webapp.projects import access
from webapp.projects.api import get_project
from webapp.projects.models import User
from webapp.projects.serializers import StrictSerializer, parse


class DeletionBody(StrictSerializer):
    """The project's name, typed to confirm."""

    name = serializers.CharField(max_length=200, trim_whitespace=False)


@api_view(["GET", "POST"])
@access.keeps_role
def deletion(request: Request, pk: UUID) -> Response:
    """Say what deleting the project would remove (GET), or delete it for ever: POST {name}, typed to confirm."""
    found = get_project(pk)
    access.authorise(request, found)
    if request.method == "GET":
        return Response(projects.consequences(found).as_json())
    assert isinstance(request.user, User)
    projects.delete(project=found, user=request.user, name=parse(DeletionBody, request.data)["name"])
    return Response(status=204)
