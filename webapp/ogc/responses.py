"""What all OGC routes share: the shape of errors, links, and views that take any Accept header."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.decorators import api_view
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from webapp import api
from webapp.errors import Invalid

GEOJSON = "application/geo+json"
JSON = "application/json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"

View = Callable[..., HttpResponse]


class AnyAccept(BaseContentNegotiation):
    """There is one encoding of each resource, whatever a client prefers."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """Return the first."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return JSON."""
        return JSONRenderer(), JSON


def ogc_view(methods: Sequence[str]) -> Callable[[View], View]:
    """Return a decorator that makes an API view with OGC's shape of errors: {code, description}."""

    def decorate(view: View) -> View:
        made: Any = api_view([*methods])(view)
        made.cls.content_negotiation_class = AnyAccept
        made.cls.get_exception_handler = lambda self: exception_handler
        done: View = made
        return done

    return decorate


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the API's own answer with OGC's names."""
    answer = api.exception_handler(error, context)
    if answer is not None and isinstance(answer.data, dict) and "message" in answer.data:
        text = f"{answer.data['message']} {answer.data['fix']}".strip()
        answer.data = {"code": answer.data["code"], "description": text, "details": answer.data["details"]}
    return answer


def root(request: HttpRequest) -> str:
    """Return the absolute URL of the landing page, without a slash at the end."""
    inner: HttpRequest = getattr(request, "_request", request)
    return f"{settings.PUBLIC_URL.rstrip('/')}/ogc" if settings.PUBLIC_URL else inner.build_absolute_uri("/ogc")


def link(href: str, rel: str, kind: str = JSON, title: str = "") -> dict[str, str]:
    """Return one link."""
    return {"href": href, "rel": rel, "type": kind, **({"title": title} if title else {})}


def answer(data: Any, kind: str = JSON, **headers: str) -> HttpResponse:
    """Return JSON with its media type."""
    response = JsonResponse(data, content_type=kind)
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def only_known(request: Request, known: set[str]) -> None:
    """Refuse parameters that mean nothing here, as Core requires.

    Raises:
        Invalid: one is unknown.
    """
    unknown = sorted(set(request.GET) - known - {"f"})
    if unknown:
        raise Invalid(
            f'The parameter "{unknown[0][:60]}" is not known here.',
            fix=f"Use {', '.join(sorted(known)) or 'none'}.",
            code="unknown_parameter",
        )
    if request.GET.get("f", "json") not in ("json", "geojson"):
        raise Invalid("Only f=json is there.", fix="Leave f out.", code="format")
