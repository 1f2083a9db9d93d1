"""Only named servers are asked, and only at addresses that are meant to be reached."""

import socket
from typing import Any

import pytest

from tests.remote.server import Site, allowed
from webapp.errors import Invalid, SourceFailed
from webapp.remote import files, policy
from webapp.remote.policy import BadRule, Origin, Policy, Store, addressable

OPEN = Policy((Origin.parse("https://data.example.org"), Origin.parse("https://*.tiles.example.com:8443")))


@pytest.mark.parametrize(
    "url",
    [
        "https://data.example.org/a.tif",
        "HTTPS://DATA.example.ORG:443/a.tif",
        "https://data.example.org./a.tif",
        "https://a.b.tiles.example.com:8443/x",
    ],
)
def test_a_named_server_may_be_asked(url: str) -> None:
    assert OPEN.check(url).host.endswith(("data.example.org", "tiles.example.com"))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://data.example.org/a.tif", "host_not_allowed"),  # another scheme
        ("https://data.example.org:8443/a.tif", "host_not_allowed"),  # another port
        ("https://data.example.org.evil.net/a.tif", "host_not_allowed"),
        ("https://evil.net/data.example.org", "host_not_allowed"),
        ("https://tiles.example.com:8443/x", "host_not_allowed"),  # the wildcard means names below
        ("https://eviltiles.example.com:8443/x", "host_not_allowed"),
        ("https://data.example.org@evil.net/a.tif", "url_credentials"),
        ("https://me:secret@data.example.org/a.tif", "url_credentials"),
        ("https://data.example.org\\@evil.net/a.tif", "bad_url"),
        ("https://data.example.org/a b.tif", "bad_url"),
        ("https://data.example.org/a\r\nHost: evil.net", "bad_url"),
        ("https://0x7f.1/a.tif", "host_not_allowed"),
        ("https://2130706433/a.tif", "host_not_allowed"),
        ("https://[::1]/a.tif", "host_not_allowed"),
        ("file:///etc/passwd", "bad_url"),
        ("/vsicurl/https://data.example.org/a.tif", "bad_url"),
        ("gopher://data.example.org/", "bad_url"),
        ("s3://bucket/a.tif", "host_not_allowed"),
        ("", "bad_url"),
    ],
)
def test_other_addresses_are_refused(url: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        OPEN.check(url)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


def test_the_refusal_names_the_setting() -> None:
    with pytest.raises(Invalid, match="QUADRAT_REMOTE_HOSTS"):
        Policy().check("https://data.example.org/a.tif")
    with pytest.raises(Invalid, match="QUADRAT_REMOTE_S3_BUCKETS"):
        Policy().check("s3://bucket/a.tif")


def test_a_query_is_sent_but_never_shown() -> None:
    target = OPEN.check("https://data.example.org/ä.tif?X-Amz-Signature=abc")
    assert target.url == "https://data.example.org/%C3%A4.tif?X-Amz-Signature=abc"
    assert "abc" not in target.shown


@pytest.mark.parametrize(
    "text", ["data.example.org", "https://*.org", "https://*", "ftp://a.org", "https://a.org/x", ""]
)
def test_a_server_named_wrongly_stops_the_start(text: str) -> None:
    with pytest.raises(BadRule):
        Origin.parse(text)


def test_names_below_a_domain_are_never_private() -> None:
    with pytest.raises(BadRule):
        Origin.parse("https://*.example.org", private=True)


def test_a_bucket_has_its_own_region_and_its_key_is_not_shown() -> None:
    store = Store.parse(
        endpoint="https://s3.{region}.amazonaws.com",
        buckets=["scenes@eu-central-1", "maps"],
        region="us-west-2",
        key_id="AKIA",
        secret="hidden",
    )
    target = Policy(store=store).check("s3://scenes/2024/a b.tif".replace(" ", "%20"))
    assert target.url == "https://s3.eu-central-1.amazonaws.com/scenes/2024/a%20b.tif"
    assert target.shown == "s3://scenes/2024/a%20b.tif"
    assert "hidden" not in repr(target)


@pytest.mark.parametrize(
    ("address", "outside", "inside"),
    [
        ("8.8.8.8", True, True),
        ("2606:4700::1111", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("::1", False, True),
        ("::ffff:127.0.0.1", False, True),  # IPv4 in IPv6's clothes
        ("64:ff9b::7f00:1", False, True),
        ("2002:7f00:1::", False, True),
        ("fd00::1", False, True),
        ("169.254.169.254", False, False),  # what a cloud tells a machine of itself
        ("::ffff:169.254.169.254", False, False),
        ("fd00:ec2::254", False, False),
        ("fe80::1%eth0", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("224.0.0.1", False, False),
    ],
)
def test_which_addresses_may_be_connected_to(address: str, outside: bool, inside: bool) -> None:
    assert (addressable(address, private=False), addressable(address, private=True)) == (outside, inside)


def _resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def told(host: str, port: int, **options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", told)


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("169.254.169.254",)])
def test_a_named_server_whose_name_leads_inside_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    site.files["a.tif"] = b"secret"
    _resolves_to(monkeypatch, *addresses)
    name = f"http://data.example.org:{site.port}"
    with allowed(site, also=(name,)), pytest.raises(Invalid, match="QUADRAT_REMOTE_PRIVATE_HOSTS"):
        files.look(f"{name}/a.tif")
    assert site.log == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look-up would lead elsewhere: there is none."""
    site.files["a.tif"] = b"0123456789"
    asked: list[str] = []
    plain = socket.getaddrinfo

    def told(host: str, *rest: Any, **options: Any) -> list[Any]:
        if host != "files.lan":
            return plain(host, *rest, **options)
        asked.append(host)
        return plain("127.0.0.1" if len(asked) == 1 else "203.0.113.1", *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", told)
    origin = Origin.parse(f"http://files.lan:{site.port}", private=True)
    before = policy.configure(Policy((origin,), timeout_s=20.0))
    try:
        assert files.look(f"{origin}/a.tif").size_bytes == 10
        assert asked == ["files.lan"]
    finally:
        policy.configure(before)


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:9/a.tif",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "https://evil.net/",
        "",
    ],
)
def test_a_redirection_is_checked_like_any_address(site: Site, location: str) -> None:
    site.redirects["a.tif"] = location
    with pytest.raises(SourceFailed) as caught:
        files.look(site.url("a.tif"))
    assert caught.value.code == "source_redirects"


def test_a_redirection_within_named_servers_is_followed_but_not_for_ever(site: Site) -> None:
    site.files["b.tif"] = b"0123456789"
    site.redirects |= {"a.tif": "/b.tif", "round.tif": "/round.tif"}
    assert files.part(files.look(site.url("a.tif")), 0, 4) == b"0123"
    with pytest.raises(SourceFailed, match="redirects more than"):
        files.look(site.url("round.tif"))
