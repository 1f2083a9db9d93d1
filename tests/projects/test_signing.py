"""Tokens of the tile edge."""

from uuid import uuid4

import pytest
from pytest_django import Settings

from webapp.projects import signing
from webapp.projects.signing import BUCKET_S, check_layer_token, layer_token


def test_a_token_opens_its_own_layer_only() -> None:
    one, other = uuid4(), uuid4()
    token = layer_token("imagery", one)
    assert check_layer_token("imagery", one, token)
    assert check_layer_token("imagery", str(one), token)
    assert not check_layer_token("imagery", other, token)
    assert not check_layer_token("features", one, token)


@pytest.mark.parametrize("wrong", ["", "x", "é", "0" * 32])
def test_what_is_no_token_opens_nothing(wrong: str) -> None:
    assert not check_layer_token("imagery", uuid4(), wrong)


def test_a_token_stays_the_same_for_a_bucket_and_works_in_the_next_one_only(monkeypatch: pytest.MonkeyPatch) -> None:
    pk, now = uuid4(), 1_000_000 * BUCKET_S
    monkeypatch.setattr(signing.time, "time", lambda: now)
    token = layer_token("imagery", pk)
    for later_s, same, valid in ((BUCKET_S - 1, True, True), (BUCKET_S, False, True), (2 * BUCKET_S, False, False)):
        monkeypatch.setattr(signing.time, "time", lambda later_s=later_s: now + later_s)
        assert (layer_token("imagery", pk) == token) is same
        assert check_layer_token("imagery", pk, token) is valid


def test_another_site_key_makes_other_tokens(settings: Settings) -> None:
    pk = uuid4()
    token = layer_token("imagery", pk)
    settings.SECRET_KEY = "another"
    assert not check_layer_token("imagery", pk, token)
