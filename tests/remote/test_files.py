"""Files of other servers are read in parts, and a server that misbehaves is told apart."""

import http.client
import random
import threading
import time
from pathlib import Path

import pytest

from tests.browser.driver import free_port
from tests.remote.server import Site, allowed, hurried, serving
from webapp.errors import SourceChanged, SourceFailed, SourceSlow
from webapp.remote import client, files, policy
from webapp.remote.files import PAGE_BYTES, RemoteFile, download, look
from webapp.remote.policy import Origin, Policy, Store
from webapp.remote.signing import Keys

DATA = random.Random(7).randbytes(1_000_003)


@pytest.fixture
def remote(site: Site) -> RemoteFile:
    site.files["a.tif"] = DATA
    pinned = look(site.url("a.tif"))
    site.log.clear()
    return RemoteFile(pinned)


def test_any_part_is_what_the_file_holds_there(remote: RemoteFile) -> None:
    parts = [(0, 10), (8190, 5), (500_000, 70_000), (999_990, 100), (2_000_000, 5), (3, 0)]
    assert remote.read_parts(parts) == [DATA[at : at + size] for at, size in parts]
    assert remote.pinned.size_bytes == len(DATA)


def test_what_was_read_is_not_asked_for_again_and_little_is_read_along(remote: RemoteFile, site: Site) -> None:
    remote.read(600_000, 20_000)
    assert 20_000 <= site.sent <= 20_000 + 2 * PAGE_BYTES
    assert len(site.log) == 1
    remote.read(601_000, 10_000)
    assert len(site.log) == 1


def test_readers_of_the_same_part_share_one_request(remote: RemoteFile, site: Site) -> None:
    with_all = threading.Barrier(4)
    found: list[bytes] = []

    def read() -> None:
        with_all.wait()
        found.append(remote.read(300_000, 9_000))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [DATA[300_000:309_000]] * 4
    assert len(site.log) == 1


def test_memory_keeps_to_its_bound(remote: RemoteFile, site: Site) -> None:
    before = policy.configure(Policy((Origin.parse(site.origin, private=True),), cache_bytes=3 * PAGE_BYTES))
    try:
        remote.read(0, 500_000)
        assert len(list(remote.known_pages())) == 3
    finally:
        policy.configure(before)


@pytest.mark.parametrize(
    ("manner", "kind", "code"),
    [
        ("whole", SourceFailed, "no_ranges"),
        ("wrong", SourceFailed, "no_ranges"),
        ("cut", SourceFailed, "source_cut_off"),
        ("stall", SourceSlow, "source_slow"),
        ("drip", SourceSlow, "source_slow"),
        ("403", SourceFailed, "source_denied"),
        ("404", SourceFailed, "source_missing"),
        ("500", SourceFailed, "source_failed"),
        ("503", SourceFailed, "source_busy"),
    ],
)
def test_a_server_that_misbehaves_is_an_error_in_time(
    remote: RemoteFile, site: Site, manner: str, kind: type[SourceFailed], code: str
) -> None:
    site.manner = manner
    silent = manner in ("stall", "drip")
    began = time.monotonic()
    with hurried(0.4 if silent else 20.0), pytest.raises(kind) as caught:
        remote.read(500_000, 100_000)
    assert (caught.value.code, bool(caught.value.fix)) == (code, True)
    assert time.monotonic() - began < 10
    site.manner = ""
    client.forget()
    assert remote.read(500_000, 100_000) == DATA[500_000:600_000]


def test_a_server_that_did_not_answer_is_left_alone_for_a_while(remote: RemoteFile, site: Site) -> None:
    site.manner = "stall"
    with hurried(), pytest.raises(SourceSlow):
        remote.read(500_000, 10)
    asked = len(site.headers)
    with pytest.raises(SourceSlow):
        remote.read(500_000, 10)
    assert len(site.headers) == asked


def test_a_server_that_is_gone_is_told() -> None:
    with serving() as gone:
        url, origin = gone.url("a.tif"), gone.origin
    before = policy.configure(Policy((Origin.parse(origin, private=True),), timeout_s=20.0))
    try:
        with pytest.raises(SourceFailed, match="cannot be reached"):
            look(url)
    finally:
        policy.configure(before)
        client.forget()


def test_a_server_takes_its_kept_connections_along_and_its_successor_is_asked() -> None:
    port = free_port()
    with allowed(Site(port=port)):
        with serving(port) as former:
            former.files["a.tif"] = DATA
            look(former.url("a.tif"))
            kept = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            kept.connect()
            kept.request("GET", "/a.tif")
            assert kept.getresponse().read() == DATA
        assert kept.sock.recv(1) == b""
        kept.close()
        with serving(port) as successor:
            successor.files["b.tif"] = DATA
            assert look(successor.url("b.tif")).size_bytes == len(DATA)


def test_kept_connections_that_all_turn_out_to_be_closed_are_not_the_readers_trouble(
    remote: RemoteFile, site: Site
) -> None:
    site.latency_s = 0.05  # so that these parts are asked for side by side, each by a connection of its own
    parts = [(100_000 * number, 10) for number in range(1, 5)]
    assert remote.read_parts(parts) == [DATA[at : at + size] for at, size in parts]
    site.manner = "tired"
    assert remote.read(700_000, 10) == DATA[700_000:700_010]


@pytest.mark.parametrize("data", [DATA[:-1] + b"x", DATA[:400_000], DATA + b"more"])
def test_bytes_of_another_state_of_the_file_are_never_mixed_in(remote: RemoteFile, site: Site, data: bytes) -> None:
    remote.read(0, 10)
    site.files["a.tif"] = data
    with pytest.raises(SourceChanged):
        remote.read(500_000, 10)


def test_without_any_mark_the_size_still_tells(site: Site) -> None:
    site.validators = False
    site.files["a.tif"] = DATA
    remote = RemoteFile(look(site.url("a.tif")))
    assert not remote.pinned.certain
    site.files["a.tif"] = DATA + b"more"
    with pytest.raises(SourceChanged):
        remote.read(500_000, 10)


def test_a_whole_file_comes_down_or_an_error_does(site: Site, tmp_path: Path) -> None:
    site.files["a.tif"] = DATA
    target = tmp_path / "a"
    assert list(download(site.url("a.tif"), target, most_bytes=2_000_000, seconds=5))[-1] == (len(DATA), len(DATA))
    assert target.read_bytes() == DATA
    with pytest.raises(SourceFailed, match="more than"):
        list(download(site.url("a.tif"), target, most_bytes=1000, seconds=5))


def test_a_request_to_a_bucket_is_signed_and_its_redirection_is_not_followed(site: Site) -> None:
    site.files["scenes/a.tif"] = DATA
    store = Store(site.origin, {"scenes": "eu-north-1"}, Keys("AKIA", "hidden"))
    before = policy.configure(Policy((Origin.parse(site.origin, private=True),), store))
    try:
        assert files.part(look("s3://scenes/a.tif"), 5, 9) == DATA[5:9]
        told = site.headers[-1]
        assert told["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA/")
        assert "/eu-north-1/s3/aws4_request" in told["authorization"]
        site.redirects["scenes/a.tif"] = "/scenes/b.tif"
        with pytest.raises(SourceFailed, match="QUADRAT_REMOTE_S3_BUCKETS"):
            look("s3://scenes/a.tif")
    finally:
        policy.configure(before)
