"""The one table of who may call which route. A route that is not here is refused.

Keys are URL names, then HTTP methods (`*` for all others). A test walks the URL map against it.
"""

from dataclasses import dataclass
from typing import Literal

from webapp.projects.models import Role

Audience = Literal["public", "signed_in", "member", "staff", "link"]
Scope = Literal["read", "edit", "run", "manage"]


@dataclass(frozen=True)
class Rule:
    """Who may call a route.

    Attributes:
        audience: `public` anybody; `signed_in` any user; `member` a member of the object's project with at
            least `role`; `link` as `member`, or anybody where the owner shared the map by link; `staff` site
            administrators.
        role: lowest role, for `member` and `link`.
        scope: what an API token must be allowed.
    """

    audience: Audience
    role: Role = Role.VIEWER
    scope: Scope = "read"


PUBLIC = Rule("public")
SIGNED_IN = Rule("signed_in")
STAFF = Rule("staff", scope="manage")
VIEW = Rule("member", Role.VIEWER, "read")
LABEL = Rule("member", Role.LABELER, "edit")
REVIEW = Rule("member", Role.REVIEWER, "edit")
RUN = Rule("member", Role.LABELER, "run")
MANAGE = Rule("member", Role.MANAGER, "manage")
OWN = Rule("member", Role.OWNER, "manage")
LINK = Rule("link", Role.VIEWER, "read")

ROUTES: dict[str, dict[str, Rule]] = {
    # pages
    "home": {"GET": SIGNED_IN},
    "login": {"*": PUBLIC},
    "logout": {"*": PUBLIC},
    # operations
    "healthz": {"GET": PUBLIC},
    "readyz": {"GET": PUBLIC},
}


def rule_for(name: str, method: str) -> Rule | None:
    """Return the rule of a route and method, or None where none is declared (refused)."""
    methods = ROUTES.get(name)
    if methods is None:
        return None
    wanted = "GET" if method in ("HEAD", "OPTIONS") else method
    return methods.get(wanted, methods.get("*"))
