"""What all OGC routes share: the shape of errors, links, and views that take any Accept header."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.decorators import api_view
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from webapp import api
from webapp.errors import Invalid, QuadratError
from webapp.projects.authentication import ADDRESS_TOKEN, CHALLENGE, ProtocolAuthentication

GEOJSON = "application/geo+json"
JSON = "application/json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"

View = Callable[..., HttpResponse]
ErrorShape = Callable[[int, QuadratError], HttpResponse]


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


def ogc_view(methods: Sequence[str], shape: ErrorShape | None = None) -> Callable[[View], View]:
    """Return a decorator that makes an API view for GIS programs.

    Args:
        methods: HTTP methods that it takes.
        shape: how an error is written, given its status; OGC API's {code, description} where none is given.
    """

    def decorate(view: View) -> View:
        made: Any = api_view([*methods])(view)
        made.cls.content_negotiation_class = AnyAccept
        made.cls.authentication_classes = [ProtocolAuthentication]
        made.cls.get_exception_handler = lambda self: _handler(shape or problem)
        done: View = made
        return done

    return decorate


def problem(status: int, error: QuadratError) -> HttpResponse:
    """Return an error as OGC API writes it: {code, description}."""
    body = {"code": error.code, "description": str(error), "details": error.details}
    return JsonResponse(body, status=status)


def _handler(shape: ErrorShape) -> Callable[[Exception, dict[str, Any]], HttpResponse | None]:
    def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
        answer = api.exception_handler(error, context)
        if answer is None or not isinstance(answer.data, dict):
            return answer
        told = QuadratError(
            answer.data["message"], fix=answer.data["fix"], code=answer.data["code"], details=answer.data["details"]
        )
        shaped = shape(answer.status_code, told)
        shaped["Cache-Control"] = "no-store"
        for name, value in answer.headers.items():
            if name not in shaped:
                shaped[name] = value
        if answer.status_code == 401:
            shaped["WWW-Authenticate"] = CHALLENGE
        return shaped

    return handle


def origin(request: HttpRequest) -> str:
    """Return the site's absolute URL, without a slash at the end."""
    inner: HttpRequest = getattr(request, "_request", request)
    return settings.PUBLIC_URL.rstrip("/") or inner.build_absolute_uri("/").rstrip("/")


def root(request: HttpRequest) -> str:
    """Return the absolute URL of the landing page, without a slash at the end."""
    return f"{origin(request)}/ogc"


def carried(request: Request, url: str) -> str:
    """Return the URL with the token that came in the address: the program that follows it sends no other."""
    token = request.GET.get(ADDRESS_TOKEN)
    return f"{url}{'&' if '?' in url else '?'}{urlencode({ADDRESS_TOKEN: token})}" if token else url


def tagged(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return the response with an ETag of its bytes, or 304 where the client holds them already."""
    tag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    return not_modified(request, tag) or _with(response, tag)


def not_modified(request: HttpRequest, tag: str) -> HttpResponse | None:
    """Return 304 where the client holds what the tag names; else None."""
    known = [item.strip().removeprefix("W/") for item in request.headers.get("If-None-Match", "").split(",")]
    return _with(HttpResponse(status=304), tag) if tag in known else None


def _with(response: HttpResponse, tag: str) -> HttpResponse:
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    return response


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
    unknown = sorted(set(request.GET) - known - {"f", ADDRESS_TOKEN})
    if unknown:
        raise Invalid(
            f'The parameter "{unknown[0][:60]}" is not known here.',
            fix=f"Use {', '.join(sorted(known)) or 'none'}.",
            code="unknown_parameter",
        )
    if request.GET.get("f", "json") not in ("json", "geojson"):
        raise Invalid("Only f=json is there.", fix="Leave f out.", code="format")
