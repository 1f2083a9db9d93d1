"""How the API knows its caller (session or bearer token) and refuses undeclared routes."""

import base64
import binascii
import hashlib
from typing import Any

from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from webapp.errors import Denied, Unauthenticated
from webapp.projects.access import rule_of
from webapp.projects.models import ApiToken, User

TOKEN_PREFIX = "qdt_"
# Where a token stands in an address, for programs that can send no header.
ADDRESS_TOKEN = "access_token"
CHALLENGE = 'Basic realm="Quadrat: any name, an API token as the password", charset="UTF-8"'


def digest(token: str) -> str:
    """Return the hex SHA-256 under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_of(raw: str) -> ApiToken:
    """Return the living token.

    Raises:
        Unauthenticated: unknown, expired, revoked, or its user is inactive.
    """
    now = timezone.now()
    found = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), digest=digest(raw), revoked_at=None, user__is_active=True)
        .first()
    )
    if found is None:
        raise Unauthenticated("The API token is unknown, expired or revoked.", fix="Make a new one in your profile.")
    # Once a minute is enough to tell a used token from a forgotten one.
    if found.last_used_at is None or (now - found.last_used_at).total_seconds() > 60:
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


class _Session(SessionAuthentication):
    """The session, checked on Django's own request: REST framework's would parse the body to look for the token."""

    def enforce_csrf(self, request: Request) -> None:
        super().enforce_csrf(request._request)  # type: ignore[arg-type]  # the stubs know only the wrapper


class ApiAuthentication(BaseAuthentication):
    """Bearer tokens first, else the session with its CSRF check."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken | None] | None:
        """Return (user, token), or None for an anonymous caller."""
        kind, _, raw = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            token = token_of(raw.strip())
            setattr(request._request, "api_token", token)
            return token.user, token
        session: Any = _Session().authenticate(request)
        return None if session is None else (session[0], None)

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return "Bearer"


class ProtocolAuthentication(ApiAuthentication):
    """For GIS programs: also an API token as the password of HTTP Basic, or in `?access_token=` (RFC 6750, 2.3).

    Programs know Basic but seldom Bearer; some take nothing but an address. The account's own password never works.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken | None] | None:
        """Return (user, token), or None for an anonymous caller."""
        kind, _, sent = request.headers.get("Authorization", "").partition(" ")
        raw = _password(sent.strip()) if kind.lower() == "basic" else ""
        if not kind and request.method in ("GET", "HEAD"):
            raw = request.GET.get(ADDRESS_TOKEN, "")
        if not raw:
            return super().authenticate(request)
        token = token_of(raw)
        setattr(request._request, "api_token", token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401: GIS programs ask for name and password when they see it."""
        return CHALLENGE


def _password(sent: str) -> str:
    """Return the password of an `Authorization: Basic` header.

    Raises:
        Unauthenticated: it is none, or empty.
    """
    try:
        password = base64.b64decode(sent, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        password = ""
    if not password:
        raise Unauthenticated("The password is missing.", fix="Give an API token from your profile as the password.")
    return password


class RouteAccess(BasePermission):
    """Refuse what the route table does not open; objects are checked by `access.authorise`."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Return True where the table lets the caller reach the view at all."""
        rule = rule_of(request._request)
        token: ApiToken | None = getattr(request._request, "api_token", None)
        if token is not None and rule.audience != "public" and rule.scope not in token.scopes:
            raise Denied(
                f'The API token lacks the scope "{rule.scope}".', fix="Make a token with that scope in your profile."
            )
        if rule.audience in ("public", "link"):
            return True
        if not request.user.is_authenticated:
            raise Unauthenticated("You are not signed in.", fix="Sign in, or send a valid API token.")
        if rule.audience == "staff" and not request.user.is_staff:
            raise Denied("Only administrators of the site may do this.", fix="Ask an administrator.")
        return True
