"""Which imagery a caller finds, and within which time: the same for STAC, tiles and maps."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from webapp.errors import Invalid, Unavailable
from webapp.imagery import selectors
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import Bounds
from webapp.projects import access


@contextmanager
def bounded() -> Iterator[None]:
    """Run what is inside in one transaction whose statements are cut off after READ_TIMEOUT_S.

    Raises:
        Unavailable: one took longer.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)", [str(int(settings.READ_TIMEOUT_S * 1000))]
            )
            yield
    except OperationalError as error:
        raise Unavailable("The search took too long.", fix="Ask for less at once.") from error


def imagery(request: HttpRequest) -> "QuerySet[ImageryLayer]":
    """Return the imagery layers that the caller may see and that lie somewhere, by name.

    `?project=` narrows them down.

    Raises:
        Invalid: `project` is no id.
    """
    found = ImageryLayer.objects.filter(project__in=access.visible_projects(request), footprint__isnull=False)
    if wanted := request.GET.get("project"):
        found = found.filter(project=id_of(wanted, "project"))
    return found.order_by("name", "id")


def id_of(text: str, name: str) -> UUID:
    """Return the id that a parameter holds.

    Raises:
        Invalid: it is none.
    """
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(f"{name}={text[:60]!r} is no id.", fix="Send a UUID.") from error


def imagery_layer(request: HttpRequest, pk: UUID) -> ImageryLayer:
    """Return one imagery layer after the check of the route's rule.

    Raises:
        Unauthenticated, NotFound, Denied: see `access.authorise`.
    """
    found = selectors.layer(pk)
    access.authorise(request, found.project)
    return found


def whole_box(layer: ImageryLayer) -> Bounds:
    """Return (west, south, east, north) in degrees, west <= east: from -180 to 180 across the antimeridian."""
    assert layer.footprint is not None
    west, south, east, north = layer.footprint.extent
    return west, south, east, north
