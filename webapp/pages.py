"""Pages that belong to no single room: home, log-in, errors, health; and what the page shell needs."""

from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from webapp import api
from webapp.errors import QuadratError


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return what the page shell shows on every page."""
    return {}


def home(request: HttpRequest) -> HttpResponse:
    """Show the content list."""
    return render(request, "home.html")


def error_page(request: HttpRequest, error: QuadratError) -> HttpResponse:
    """Show one of our errors as a page, or as JSON to a program."""
    if not request.accepts("text/html"):
        return api.json_error(error)
    return render(request, "error.html", {"error": error}, status=api.status_of(error))


def healthz(request: HttpRequest) -> JsonResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Say that the database answers too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ready"})
