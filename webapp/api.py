"""The one table from error types to statuses, and the JSON shape of every error."""

import errno
import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from webapp import errors, locks

logger = logging.getLogger(__name__)

STATUS: dict[type[errors.QuadratError], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Denied: 403,
    errors.NotFound: 404,
    errors.WrongMethod: 405,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.PreconditionRequired: 428,
    errors.TooMany: 429,
    errors.SourceFailed: 502,
    errors.Unavailable: 503,
    errors.SourceSlow: 504,
    errors.StorageFull: 507,
}


def status_of(error: errors.QuadratError) -> int:
    """Return the HTTP status of an error: that of its nearest listed type, else 500."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def body_of(error: errors.QuadratError) -> dict[str, Any]:
    """Return the JSON body of an error: {code, message, fix, details}."""
    return {"code": error.code, "message": error.message, "fix": error.fix, "details": error.details}


def _from_framework(error: Exception) -> errors.QuadratError | None:
    if locks.timed_out(error):
        return locks.busy()
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("the database does not answer", exc_info=error)
        return errors.Unavailable("The database does not answer.", fix="Try again in a moment.")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        logger.error("the disk is full", exc_info=error)
        return errors.StorageFull(
            "The server's disk is full; nothing of this was kept.", fix="Ask the administrator to free disk space."
        )
    if isinstance(error, Http404 | drf.NotFound):
        return errors.NotFound()
    if isinstance(error, drf.NotAuthenticated | drf.AuthenticationFailed):
        return errors.Unauthenticated("You are not signed in.", fix="Sign in, or send a valid API token.")
    if isinstance(error, PermissionDenied | drf.PermissionDenied):
        return errors.Denied("This is not allowed for you.", fix="Ask a manager of the project.")
    if isinstance(error, drf.ValidationError):
        return errors.Invalid(
            "Some fields are not right.", fix="Mend the fields named in details.", details={"fields": error.detail}
        )
    if isinstance(error, drf.ParseError):
        return errors.Invalid("The body is not valid JSON.", fix="Send a JSON object.", code="bad_json")
    return None


def headers_of(error: errors.QuadratError) -> dict[str, str]:
    """Return the extra headers of an error answer."""
    retry, allow = error.details.get("retry_after_s"), error.details.get("allow")
    found = {} if retry is None else {"Retry-After": str(int(retry))}
    return found if allow is None else {**found, "Allow": ", ".join(allow)}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an error raised in an API view; None lets Django answer with a plain 500."""
    own = error if isinstance(error, errors.QuadratError) else _from_framework(error)
    if own is None:
        if isinstance(error, drf.APIException):
            return Response(
                {"code": error.default_code, "message": str(error.detail), "fix": "", "details": {}},
                status=error.status_code,
            )
        return None
    return Response(body_of(own), status=status_of(own), headers=headers_of(own))


def json_error(error: errors.QuadratError) -> JsonResponse:
    """Return the answer to an error outside REST framework's views."""
    return JsonResponse(body_of(error), status=status_of(error), headers=headers_of(error))


def server_error(request: HttpRequest) -> JsonResponse:
    """Answer 500 for API routes without a word about the inside."""
    return JsonResponse(
        {"code": "server_error", "message": "Something broke on the server.", "fix": "Try again.", "details": {}},
        status=500,
    )
