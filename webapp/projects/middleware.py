"""The net under the route table: nothing undeclared is reached, nothing unchecked leaves."""

import logging
from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from webapp import api
from webapp.errors import Denied, Invalid, QuadratError, Unauthenticated
from webapp.projects.access import rule_of

logger = logging.getLogger(__name__)

# The admin and static files check for themselves.
OWN_CHECKS = ("/admin/", "/static/")


class AccessMiddleware:
    """Sends strangers of a page to the log-in, and stops answers of member routes that nobody authorised."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer, or 500 where a view forgot its check."""
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
        except Denied as error:
            return api.json_error(error)
        if hasattr(view, "cls"):  # a REST framework view: ApiAuthentication and RouteAccess do the rest
            return None
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
