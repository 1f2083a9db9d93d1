"""A small client of the public HTTP API, with nothing but the standard library."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webapp.errors import QuadratError, Unavailable

TIMEOUT_S = 60.0


class Refused(QuadratError):
    """The site answered with an error; its own code, message and fix."""

    code = "refused"


@dataclass(frozen=True)
class Client:
    """Calls one site with one API token.

    Attributes:
        base: address of the site, without a slash at its end.
        token: API token.
        headers: more headers, for a site behind a proxy.
    """

    base: str
    token: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: str) -> Any:
        """Return the JSON answer of a GET.

        Raises:
            Refused: the site answered with an error.
            Unavailable: it does not answer.
        """
        return self._call("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON answer of a POST; raises as `get`."""
        return self._call("POST", path, json.dumps(body).encode())

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON answer of a PATCH; raises as `get`."""
        return self._call("PATCH", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {
            **self.headers,
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(self.base + path, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise _refused(error) from error
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise Unavailable(
                f"The site does not answer on {self.base}.", fix="Start it with `make run` or `manage.py up`."
            ) from error


def _refused(error: urllib.error.HTTPError) -> Refused:
    """Return our error for the site's, which is {code, message, fix, details} on every API route."""
    try:
        told = json.load(error)
    except ValueError:
        told = {}
    message = str(told.get("message") or f"The site answered {error.code} to {error.url}.")
    return Refused(message, fix=str(told.get("fix", "")), code=told.get("code"), details=told.get("details"))
