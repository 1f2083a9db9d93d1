"""docs/howto-permissions.md and the route table say the same."""

import re
from pathlib import Path

from webapp.projects.docs import who
from webapp.projects.models import Role
from webapp.projects.routes import ROUTES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "howto-permissions.md").read_text()
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([a-z]+) \| `([A-Z]+) ([a-z-]+)` \|$", re.MULTILINE)


def test_every_act_on_the_page_has_the_role_and_scope_of_its_rule() -> None:
    rows = ROW.findall(PAGE)
    assert len(rows) > 20
    told = {f"{method} {name}": (role, scope) for _, role, scope, method, name in rows}
    rules = {key: ROUTES[key.split()[1]][key.split()[0]] for key in told}
    assert told == {key: (who(rule), rule.scope) for key, rule in rules.items()}


def test_the_page_explains_every_role_and_gives_each_an_act() -> None:
    acts = {role for _, role, *_ in ROW.findall(PAGE)}
    for role in Role:
        assert f"\n| {role.label} | " in PAGE
        assert role.label in acts
