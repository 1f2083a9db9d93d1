"""What every test that asks the API proves along the way: nobody writes whose role is not held.

Between the check of a role and the commit of what it allows, the role may be taken away. So each write to a project
has to be in a transaction that holds the caller's membership (`hold_role`), from before the write to the commit.
"""

import re
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from webapp.projects.access import rule_of

WRITES = re.compile(r'\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?((?:features|labeling|photos|maps)_\w+)', re.IGNORECASE)
HELD = "FOR NO KEY UPDATE)\n    SELECT g.n"


class Watch:
    """Sees the statements of one request.

    Attributes:
        loose: tables that were written without the caller's role being held.
    """

    def __init__(self) -> None:
        # A test may run within a transaction of its own.
        self._outside = len(connection.atomic_blocks)
        self._held_in: object = None
        self.loose: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Note what a statement does, and let it."""
        text = sql if isinstance(sql, str) else str(sql)
        if HELD in text:
            self._held_in = self._transaction()
        elif (found := WRITES.search(text)) and (self._held_in is None or self._transaction() is not self._held_in):
            self.loose.append(found[1])
        return execute(sql, params, many, context)

    def _transaction(self) -> object:
        """Return the outermost transaction that the request itself has opened; None where there is none."""
        blocks = connection.atomic_blocks
        return blocks[self._outside] if len(blocks) > self._outside else None


def watched(call: Callable[[Any, HttpRequest], HttpResponse]) -> Callable[[Any, HttpRequest], HttpResponse]:
    """Return the middleware's call, which fails where a member's request wrote and its role was not held."""

    def watching(middleware: Any, request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return call(middleware, request)
        watch = Watch()
        with connection.execute_wrapper(watch):
            response = call(middleware, request)
        if request.resolver_match is None or request.path.startswith("/admin/") or response.status_code >= 400:
            return response
        assert rule_of(request).audience != "member" or not watch.loose, (
            f"{request.method} {request.path} writes {sorted(set(watch.loose))} while the caller's role is not held:"
            " put @access.keeps_role on the view, or call hold_role first in the transaction"
        )
        return response

    return watching
