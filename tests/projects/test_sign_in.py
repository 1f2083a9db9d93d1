"""Signing in, and how often one may be wrong."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from tests.factories import client_for, make_user
from webapp.projects import throttle
from webapp.projects.models import SignInAttempts

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def sign_in(name: str, password: str, **extra: str) -> int:
    return Client(**extra).post("/login/", {"username": name, "password": password}).status_code  # type: ignore[arg-type]


def test_the_right_password_signs_in_and_forgets_the_wrong_ones() -> None:
    make_user("ana", password=PASSWORD)
    for _ in range(3):
        assert sign_in("ana", "wrong") == 200
        assert sign_in("ana", "wrong") == 200
        assert sign_in("ana", PASSWORD) == 302


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait() -> None:
    make_user("ana", password=PASSWORD)
    for _ in range(throttle.PER_ACCOUNT):
        assert sign_in("ana", "wrong") == 200
    answer = Client().post("/login/", {"username": "ana", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= throttle.WINDOW_S
    assert "too many attempts" in answer.content.decode()


def test_capital_letters_make_no_second_account() -> None:
    for name in ("ana", "Ana", "ANA", "aNa", "anA"):
        assert sign_in(name, "wrong") == 200
    assert sign_in("ana ", "wrong") == 429


def test_one_address_cannot_try_many_accounts() -> None:
    codes = [sign_in(f"user{number}", "wrong") for number in range(throttle.PER_ADDRESS + 1)]
    assert codes == [200] * throttle.PER_ADDRESS + [429]
    assert sign_in("user0", "wrong", REMOTE_ADDR="10.1.2.3") == 200


def test_the_wait_ends_and_is_twice_as_long_the_next_time() -> None:
    def over() -> int:
        SignInAttempts.objects.update(started_at=Now() - timedelta(seconds=throttle.WINDOW_S + 1))
        for _ in range(throttle.PER_ACCOUNT):
            assert sign_in("ana", "wrong") == 200
        return int(Client().post("/login/", {"username": "ana", "password": "wrong"})["Retry-After"])

    assert sign_in("ana", "wrong") == 200
    assert over() <= throttle.WINDOW_S
    assert throttle.WINDOW_S < over() <= 2 * throttle.WINDOW_S


@pytest.mark.django_db(transaction=True)
def test_of_sixty_parallel_wrong_passwords_five_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    make_user("ana", password=PASSWORD)
    looked_at: list[str] = []

    def counting(request: object = None, **credentials: str) -> object:
        looked_at.append(credentials["username"])
        return authenticate(request, **credentials)  # type: ignore[arg-type]

    monkeypatch.setattr("django.contrib.auth.forms.authenticate", counting)

    def guess(number: int) -> int:
        try:
            return sign_in("ana", f"wrong {number}", REMOTE_ADDR=f"10.0.0.{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(guess, range(60)))
    assert sorted(codes) == [200] * throttle.PER_ACCOUNT + [429] * (60 - throttle.PER_ACCOUNT)
    assert len(looked_at) == throttle.PER_ACCOUNT


def test_an_unknown_name_and_a_wrong_password_read_the_same() -> None:
    make_user("ana", password=PASSWORD)
    make_user("off", password=PASSWORD, is_active=False)
    texts = set()
    for name, password in (("ana", "wrong"), ("nobody", "wrong"), ("off", PASSWORD)):
        page = Client().post("/login/", {"username": name, "password": password}).content.decode()
        start = page.index('role="alert"')
        texts.add(page[start : page.index("</div>", start)])
    assert len(texts) == 1


@pytest.mark.parametrize("password", ["x" * 1025, "x" * 1_000_000, "nul\x00"])
def test_a_password_that_only_costs_time_is_never_hashed(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.contrib.auth.forms.authenticate", lambda *_, **__: pytest.fail("it was hashed"))
    assert sign_in("ana", password) == 200


def test_the_administration_has_no_sign_in_of_its_own() -> None:
    answer = Client().get("/admin/")
    assert answer.status_code == 302
    answer = Client().get(answer["Location"])
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/admin/")
    assert client_for(make_user("ana")).get("/admin/", follow=True).status_code == 403


def test_sign_in_sends_nobody_to_another_site() -> None:
    make_user("ana", password=PASSWORD)
    body = {"username": "ana", "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post("/login/", body)["Location"] == "/"


def test_a_session_from_before_the_sign_in_is_not_kept() -> None:
    make_user("ana", password=PASSWORD)
    client = Client()
    session = client.session
    session["planted"] = "yes"
    session.save()
    before = session.session_key
    client.post("/login/", {"username": "ana", "password": PASSWORD})
    assert client.session.session_key != before
