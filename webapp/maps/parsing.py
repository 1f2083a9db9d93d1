"""What the edges of maps share: the map of a route with the caller's role, bodies, and the answer."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid, NotFound
from webapp.maps import selectors
from webapp.maps.models import Map
from webapp.projects import access
from webapp.projects.models import Role, User


def fields_of(request: Request) -> dict[str, Any]:
    """Return the body as an object.

    Raises:
        Invalid: it is none.
    """
    if not isinstance(request.data, dict):
        raise Invalid("The body is no JSON object.", fix='Send {"name": "…"}.')
    return request.data


def text(fields: dict[str, Any], key: str) -> str | None:
    """Return a text of the body, None where it has none of that name.

    Raises:
        Invalid: it is something else.
    """
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise Invalid(f'"{key}" is no text.', fix="Send a string.")
    return value


def uuid_of(value: object) -> UUID:
    """Return an id.

    Raises:
        NotFound: it is none.
    """
    try:
        return UUID(str(value))
    except ValueError as error:
        raise NotFound() from error


def person(request: Request) -> User:
    """Return who asks."""
    user = request.user
    if not isinstance(user, User):  # the route table lets only people reach these views
        raise NotFound()
    return user


def opened(request: Request, pk: UUID) -> tuple[Map, Role]:
    """Return the map and the caller's role after the check of the route's rule."""
    found = selectors.map_of(pk)
    role = access.authorise(request._request, found.project, shared=found.open_to_all)
    if not selectors.may_open(found.share, found.created_by_id, role, request.user):
        raise NotFound("map")
    return found, role


def answer(request: Request, found: Map, role: Role, status: int = 200) -> Response:
    """Return the whole map."""
    shown = selectors.map_json(found, role if is_member(request, found) else None)
    return Response(shown, status=status)


def is_member(request: Request, found: Map) -> bool:
    """Return False for somebody who came by a shared link."""
    return access.role_in(request.user, found.project) is not None
