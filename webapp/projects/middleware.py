"""The net under the route table: nothing undeclared is reached, nothing unchecked leaves."""

import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from webapp import api
from webapp.errors import Denied, Invalid, QuadratError, Unauthenticated, WrongMethod
from webapp.projects.access import rule_of
from webapp.projects.routes import methods_of

logger = logging.getLogger(__name__)

# The admin and static files check for themselves.
OWN_CHECKS = ("/admin/", "/static/")


class AccessMiddleware:
    """Sends strangers of a page to the log-in, and stops answers of member routes that nobody authorised."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer, or 500 where a view forgot its check."""
        response = self._checked(request)
        if getattr(request, "only_head", False):
            request.method = "HEAD"
            _drop_body(response)
        if "Allow" in response and (allowed := _allowed(request)):
            response["Allow"] = allowed  # REST framework's own leaves HEAD out
        return response

    def _checked(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(OWN_CHECKS) or request.resolver_match is None or response.status_code >= 300:
            return response
        rule = rule_of(request)
        if rule.audience in ("member", "link") and not getattr(request, "access_checked", False):
            logger.error("route %s answered without a permission check", request.resolver_match.view_name)
            return api.server_error(request)
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        """Refuse undeclared routes; send strangers of a page to the log-in. API views check in their own classes."""
        if request.path.startswith(OWN_CHECKS):
            return None
        if "%00" in request.META.get("QUERY_STRING", ""):  # PostgreSQL has no text with NUL
            return api.json_error(Invalid("The address holds a NUL character.", fix="Leave it out.", code="encoding"))
        try:
            rule = rule_of(request)
        except (Denied, WrongMethod) as error:
            return api.json_error(error)
        if hasattr(view, "cls"):  # a REST framework view: ApiAuthentication and RouteAccess do the rest
            return _answer_for(view.cls, request)
        if rule.audience in ("signed_in", "member", "staff") and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Turn our own errors on page routes into an error page; who may only need to sign in is sent there."""
        if not isinstance(error, QuadratError):
            return None
        if isinstance(error, Unauthenticated) and request.method == "GET" and request.accepts("text/html"):
            return redirect_to_login(request.get_full_path())
        from webapp.pages import error_page

        return error_page(request, error)


def _answer_for(view: Any, request: HttpRequest) -> HttpResponse | None:
    """Answer OPTIONS by the route table, and let a view that knows GET answer HEAD, unless the view itself does."""
    if request.method == "OPTIONS" and "options" not in vars(view):
        setattr(request, "access_checked", True)  # it tells nothing of any object
        return HttpResponse(status=204, headers={"Allow": _allowed(request)})
    if request.method == "HEAD" and "head" not in view.http_method_names:
        request.method = "GET"
        setattr(request, "only_head", True)
    return None


def _allowed(request: HttpRequest) -> str:
    return ", ".join(sorted(methods_of(request.resolver_match.view_name if request.resolver_match else "")))


def _drop_body(response: HttpResponse) -> None:
    """Leave the headers of the answer to a HEAD request, and how long its body would be."""
    if response.streaming:
        # What it streams from is closed with the response.
        setattr(response, "streaming_content", ())
        return
    response.headers.setdefault("Content-Length", str(len(response.content)))
    response.content = b""
