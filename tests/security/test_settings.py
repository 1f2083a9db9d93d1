"""The site behind https, and what each answer tells the browser."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client

from tests.factories import client_for, make_user


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
