"""The site behind https, and what each answer tells the browser."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client

from tests.factories import client_for, make_user
from webapp.setup.shell import sentence


def test_the_deployment_check_is_clean_behind_https() -> None:
    environment = {**os.environ, "QUADRAT_HTTPS": "1", "QUADRAT_SECRET_KEY": "k9" * 30 + "!aZx", "QUADRAT_DEBUG": "0"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", "/profile/", "/admin/", "/api/me/", "/api/docs/", "/healthz"])
def test_every_answer_forbids_inline_code_framing_and_sniffing(path: str) -> None:
    answer = client_for(make_user("root", is_staff=True, is_superuser=True)).get(path, follow=False)
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "object-src 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    make_user("ana", password="correct horse battery")
    client = Client()
    client.post("/login/", {"username": "ana", "password": "correct horse battery"})
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("QUADRAT_JOB_LEASE_S", "abc", "QUADRAT_JOB_LEASE_S must be a number above 0, not 'abc'."),
        ("QUADRAT_JOB_GRACE_S", "nan", "QUADRAT_JOB_GRACE_S must be a number above 0, not 'nan'."),
        ("QUADRAT_TILE_QUEUE", "-1", "QUADRAT_TILE_QUEUE must be a whole number of at least 0, not '-1'."),
        ("QUADRAT_SECRET_KEY", "", "QUADRAT_SECRET_KEY is not set"),
        ("DATABASE_URL", "mysql://x/y", "DATABASE_URL must name a PostGIS database"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL must name a PostGIS database"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start_and_is_named(name: str, value: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import webapp.settings"],
        env={**os.environ, name: value},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in sentence("reading the settings", done.stderr)
