"""The socket of a layer: order, catch-up, presence over processes, limits, and who may."""

import contextlib
import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.gis.geos import GEOSGeometry, LineString
from websockets.exceptions import ConnectionClosed

from tests.browser.driver import Site, wait_until
from tests.clients.server import Socket, running
from tests.factories import make_layer, make_project, make_token, make_user
from webapp.features import selectors, services
from webapp.features.models import Edit, FeatureLayer
from webapp.projects.models import Member, Role

BOX = {"type": "Polygon", "coordinates": [[[85.52, 27.63], [85.521, 27.63], [85.521, 27.631], [85.52, 27.63]]]}


@pytest.fixture(scope="module")
def sites(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    """Two web processes on one database."""
    with running(tmp_path_factory.mktemp("sites"), 2) as found:
        yield found


@pytest.fixture
def layer(transactional_db: None, sites: list[Site]) -> FeatureLayer:
    project = make_project(make_user("ana"), labeler=make_user("ben"), viewer=make_user("eve"))
    return make_layer(project)


def edit(**values: Any) -> dict[str, Any]:
    given = {"op_id": str(uuid.uuid4()), "action": "create", "id": str(uuid.uuid4()), "geometry": BOX, "class_value": 1}
    return {**given, **values}


def open_socket(site: Site, layer: FeatureLayer, name: str = "ana", after: int | None = 0, **options: Any) -> Socket:
    socket = Socket(site, layer.pk, make_token(make_user(name)), **options)
    socket.send(type="hello", after=after)
    socket.next("welcome")
    return socket


def store(layer: FeatureLayer, count: int) -> None:
    fresh = FeatureLayer.objects.get(pk=layer.pk)
    made = [services.EditRequest(uuid.uuid4(), "create", uuid.uuid4(), geometry=_geos()) for _ in range(count)]
    services.apply_edits(layer=fresh, edits=made, user=None)


def _geos() -> Any:
    return GEOSGeometry(json.dumps(BOX), srid=4326)


def test_edits_of_two_processes_reach_everyone_the_author_too_in_order(sites: list[Site], layer: FeatureLayer) -> None:
    here, there = open_socket(sites[0], layer, "ana"), open_socket(sites[1], layer, "ben")
    for number in range(6):
        author = (here, there)[number % 2]
        author.send(type="edit", edits=[edit()])
        assert author.next("results")["results"][0]["seq"] == number + 1
    for socket in (here, there):
        assert [row["seq"] for row in socket.read_to(6)] == [1, 2, 3, 4, 5, 6]
    assert [row["actor"]["name"] for row in here.rows()] == ["ana", "ben"] * 3
    assert here.rows()[0]["feature"]["meta"]["class_value"] == 1


def test_a_socket_that_was_away_gets_what_it_missed_exactly_once(sites: list[Site], layer: FeatureLayer) -> None:
    first = open_socket(sites[0], layer)
    store(layer, 3)
    assert [row["seq"] for row in first.read_to(3)] == [1, 2, 3]
    first.connection.socket.close()  # the network is cut, nobody says good-bye
    store(layer, 450)
    again = open_socket(sites[1], layer, after=3)
    store(layer, 2)
    assert [row["seq"] for row in again.read_to(455)] == list(range(4, 456))


def test_someone_far_behind_or_ahead_is_told_to_load_again(sites: list[Site], layer: FeatureLayer) -> None:
    store(layer, 2)
    for after in (7, -1):
        socket = open_socket(sites[0], layer, after=after)
        assert socket.next("resync")["seq"] == 2
        store(layer, 1)
        FeatureLayer.objects.filter(pk=layer.pk)
        assert socket.next("edits")["edits"][0]["seq"] == FeatureLayer.objects.get(pk=layer.pk).seq
        socket.close()
        FeatureLayer.objects.filter(pk=layer.pk).update(seq=2)
        Edit.objects.filter(layer=layer, seq__gt=2).delete()


def test_people_and_pointers_are_seen_across_processes(sites: list[Site], layer: FeatureLayer) -> None:
    here, there = open_socket(sites[0], layer, "ana"), open_socket(sites[1], layer, "ben")

    def both(message: dict[str, Any]) -> bool:
        kinds = ("welcome", "presence")
        return message["type"] in kinds and [item["name"] for item in message["members"]] == ["ana", "ben"]

    # The other process tells pointers once it knows that somebody is here to see them: with its first sign of life.
    for socket in (here, there):
        if not any(both(message) for message in socket.received):
            socket.until(both, 30)
    there.send(type="cursor", lon=85.5, lat=27.6)
    [seen] = here.next("cursors")["cursors"]
    assert (seen["name"], seen["lon"], seen["lat"]) == ("ben", 85.5, 27.6)
    # What somebody has open to change: a hint that goes with them.
    feature = str(uuid.uuid4())
    there.send(type="editing", feature=feature)
    here.until(
        lambda message: (
            message["type"] == "presence" and [item["editing"] for item in message["members"]] == [[], [feature]]
        )
    )
    there.send(type="editing", feature="everything")
    assert there.next("error")["code"] == "bad_message"
    there.close()
    here.until(lambda message: message["type"] == "presence" and len(message["members"]) == 1)


def test_a_changed_class_schema_is_told(sites: list[Site], layer: FeatureLayer) -> None:
    socket = open_socket(sites[0], layer)
    services.save_classes(layer=layer, classes=[services.ClassSpec(2, "Road", "#000000")], user=None)
    assert [item["name"] for item in socket.next("classes")["classes"]] == ["Road", "Tree"]


def test_a_viewer_sees_but_does_not_draw(sites: list[Site], layer: FeatureLayer) -> None:
    socket = open_socket(sites[0], layer, "eve")
    socket.send(type="edit", edits=[edit()])
    assert socket.next("error")["code"] == "denied"
    store(layer, 1)
    assert len(socket.read_to(1)) == 1


def test_a_role_that_is_lowered_counts_at_the_next_command(sites: list[Site], layer: FeatureLayer) -> None:
    socket = open_socket(sites[0], layer, "ben")
    Member.objects.filter(user=make_user("ben")).update(role=Role.VIEWER)
    socket.send(type="edit", edits=[edit()])
    assert socket.next("error")["code"] == "denied"
    assert Edit.objects.count() == 0


def test_a_changed_role_is_told_to_the_page_that_is_open(sites: list[Site], layer: FeatureLayer) -> None:
    socket = open_socket(sites[0], layer, "ben")
    for role in (Role.VIEWER, Role.REVIEWER):
        Member.objects.filter(user=make_user("ben")).update(role=role)
        assert socket.next("role")["role"] == role.name.lower()


def test_a_removed_member_is_closed_and_hears_nothing_more(sites: list[Site], layer: FeatureLayer) -> None:
    socket = open_socket(sites[0], layer, "ben")
    Member.objects.filter(user=make_user("ben")).delete()
    assert socket.closed_with() == 4403
    store(layer, 1)
    assert socket.rows() == []


def test_strangers_and_unknown_layers_are_closed_alike(sites: list[Site], layer: FeatureLayer) -> None:
    stranger = make_token(make_user("mallory"))
    assert Socket(sites[0], layer.pk, stranger).closed_with() == 4404
    assert Socket(sites[0], uuid.uuid4(), stranger).closed_with() == 4404
    assert Socket(sites[0], layer.pk, "qdt_wrong").closed_with() == 4401


BAD = ["x", "[]", "1", '{"type": "drop"}', '{"type": NaN}', "[" * 50_000, '{"type": "hello", "after": "x"}']


@pytest.mark.parametrize("text", BAD)
def test_a_bad_message_is_answered_and_the_tenth_closes(sites: list[Site], layer: FeatureLayer, text: str) -> None:
    socket = open_socket(sites[0], layer)
    for _ in range(10):
        socket.connection.send(text)
    assert socket.closed_with() == 4400
    assert [item["code"] in ("bad_message", "bad_json") for item in socket.received if item["type"] == "error"] == [
        True
    ] * 10


def test_an_edit_before_hello_is_not_ready(sites: list[Site], layer: FeatureLayer) -> None:
    socket = Socket(sites[0], layer.pk, make_token(make_user("ana")))
    socket.send(type="edit", edits=[edit()])
    assert socket.next("error")["code"] == "not_ready"


def test_a_huge_frame_and_binary_are_closed(sites: list[Site], layer: FeatureLayer) -> None:
    huge = open_socket(sites[0], layer)
    huge.send(type="ping", x="y" * 400_000)
    assert huge.closed_with() == 1009
    binary = open_socket(sites[0], layer)
    binary.connection.send(b"\x00\x01")
    assert binary.closed_with() == 1003


def test_what_comes_after_the_close_leaves_no_seat_behind(sites: list[Site], layer: FeatureLayer) -> None:
    for _ in range(10):
        socket = open_socket(sites[0], layer, "ben")
        with contextlib.suppress(ConnectionClosed):
            for _ in range(3):
                socket.connection.send(b"\x00\x01")
        assert socket.closed_with() == 1003
    # Seats that were kept would be as many as one person may have.
    open_socket(sites[0], layer, "ben")


def test_a_burst_is_slowed_not_lost(sites: list[Site], layer: FeatureLayer) -> None:
    socket = open_socket(sites[0], layer)
    for _ in range(50):
        socket.send(type="edit", edits=[edit()])
    assert [row["seq"] for row in socket.read_to(50)] == list(range(1, 51))


def test_the_eleventh_socket_of_one_person_is_refused(sites: list[Site], layer: FeatureLayer) -> None:
    open_ones = [open_socket(sites[0], layer, "ben") for _ in range(10)]
    assert Socket(sites[0], layer.pk, make_token(make_user("ben"))).closed_with() == 4429
    for socket in open_ones:
        socket.close()
    wait_until(lambda: open_socket(sites[0], layer, "ben"), what="a place after the others left")


# More than waits for one socket (1 MiB) and lies in the buffers on its way, in rows of about 150 kB.
LONG = 20


def open_deaf_socket(site: Site, layer: FeatureLayer) -> Socket:
    """Open a socket that takes in nothing by itself, so that what it does not read soon stands before the site."""
    return open_socket(site, layer, "ben", max_queue=1, compression=None, buffer_bytes=16_384)


def write_long_lines(writer: Socket, count: int) -> None:
    """Store lines whose JSON is about 150 kB each."""
    ring = [[85 + n / 1e5, 27 + (n % 2) / 1e3] for n in range(4000)]
    for _ in range(count):
        writer.send(type="edit", edits=[edit(geometry={"type": "LineString", "coordinates": ring}, class_value=0)])
        writer.next("results", 30)


def test_a_slow_reader_gets_every_row_once_it_reads(sites: list[Site], layer: FeatureLayer) -> None:
    slow = open_deaf_socket(sites[0], layer)
    write_long_lines(open_socket(sites[1], layer), LONG)
    assert [row["seq"] for row in slow.read_to(LONG, 60)] == list(range(1, LONG + 1))


def test_who_never_reads_is_put_out_and_catches_up_when_back(sites: list[Site], layer: FeatureLayer) -> None:
    deaf = open_deaf_socket(sites[0], layer)
    writer = open_socket(sites[0], layer)
    write_long_lines(writer, LONG)
    writer.until(
        lambda message: message["type"] == "presence" and [who["name"] for who in message["members"]] == ["ana"], 60
    )
    # Its network may be so full that not even the close frame gets through.
    assert deaf.closed_with(60) in (4413, None)
    known = [row["seq"] for row in deaf.rows()]
    back = open_socket(sites[1], layer, "ben", after=known[-1] if known else 0)
    assert known + [row["seq"] for row in back.read_to(LONG, 60)] == list(range(1, LONG + 1))


def test_a_delete_behind_large_edits_leaves_no_gap_in_a_page_of_the_log(layer: FeatureLayer) -> None:
    edits = [
        services.EditRequest(uuid.uuid4(), "create", uuid.uuid4(), geometry=_noise(number)) for number in range(12)
    ]
    services.apply_edits(layer=layer, edits=edits, user=None)
    services.delete_features(layer=layer, ids=[edits[0].feature_id])
    seen: list[int] = []
    while len(seen) < 13:
        rows = selectors.changes(layer, after=len(seen)).rows
        assert 0 < len(rows) < 13
        seen += [row.seq for row in rows]
    assert seen == list(range(1, 14))


def _noise(seed: int) -> Any:
    """A line that does not compress, and does not cross itself: looking for crossings would cost seconds."""
    generator = random.Random(seed)
    return LineString([(x / 1_000, generator.uniform(0, 9)) for x in range(9_000)], srid=4326)
