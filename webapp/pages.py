"""Pages that belong to no single room: errors, health; and what the page shell needs."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from webapp import api
from webapp.errors import Denied, NotFound, QuadratError

# Every answer under these addresses is JSON, errors too.
PROGRAMS = ("/api/", "/ogc/", "/stac/")
THEMES = ("light", "dark")
# What an error page says above the error's own sentence.
TITLES = {
    400: "That cannot be used",
    403: "Not allowed",
    404: "Not found",
    409: "Somebody was faster",
    413: "Too large",
    429: "Too many at once",
    503: "Not available now",
}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return what the page shell shows on every page: the theme that the reader chose."""
    theme = request.COOKIES.get("theme", "")
    return {"theme": theme if theme in THEMES else ""}


def error_page(request: HttpRequest, error: QuadratError) -> HttpResponse:
    """Show one of our errors as a page, or as JSON to a program; a stranger is sent to the log-in."""
    if _for_programs(request):
        return api.json_error(error)
    status = api.status_of(error)
    if status == HTTPStatus.UNAUTHORIZED:
        return redirect_to_login(request.get_full_path())
    title = TITLES.get(status, "Something went wrong")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _broken(request, status, title, error.message, error.fix)
    return render(request, "error.html", {"error": error, "status": status, "title": title}, status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show that an address leads nowhere (Django's handler404)."""
    return error_page(request, NotFound("page"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what nobody foresaw, without a word about the inside (Django's handler500)."""
    if _for_programs(request):
        return api.server_error(request)
    return _broken(
        request,
        500,
        "Something broke on the server",
        "This is a defect of Quadrat, and is noted in its log. What was saved before stays saved.",
        "Try again. If it comes again, tell the administrator when it happened and what you did.",
    )


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show that something is not for this person (Django's handler403)."""
    return error_page(request, Denied("This is not allowed for you.", fix="Ask an administrator of the site."))


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show that a form did not come from a page of this session (CSRF_FAILURE_VIEW)."""
    fix = "Go back, load the page again and send it once more. Your browser has to take the site's cookies."
    return error_page(request, Denied("The form was sent from a page that is too old.", fix=fix))


def _broken(request: HttpRequest, status: int, title: str, message: str, fix: str) -> HttpResponse:
    # Without the request: its user and messages are in the database, which may be what is broken.
    here = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    context = {"title": title, "status": status, "message": message, "fix": fix, "here": here, **shell(request)}
    return HttpResponse(render_to_string("broken.html", context), status=status)


def _for_programs(request: HttpRequest) -> bool:
    return request.path.startswith(PROGRAMS) or not request.accepts("text/html")


def healthz(request: HttpRequest) -> JsonResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Say that the database answers too; 503 where it does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (OperationalError, InterfaceError):
        return JsonResponse({"status": "not ready", "fails": ["database"]}, status=503)
    return JsonResponse({"status": "ready"})
