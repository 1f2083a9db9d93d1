"""What the map's page asks for beside layers: places, tables, bookmarks, notes, shares, embedding."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Polygon
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from webapp.features.models import Feature
from webapp.jobs.models import Job
from webapp.maps import extra_services, places, services
from webapp.maps.models import Map

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> Map:
    ana = make_user("ana")
    people = {"labeler": make_user("ben"), "viewer": make_user("eve"), "manager": make_user("mia")}
    project = make_project(ana, **people)
    fields = [{"name": "height", "type": "number"}, {"name": "species", "type": "string"}]
    layers = [make_imagery(project), make_layer(project, name="Trees", fields=fields)]
    return services.create_map(project=project, name="Town", user=make_user("ben"), layers=layers)


def patch(client: Client, made: Map, body: Any) -> tuple[int, Any]:
    answer = client.patch(f"/api/maps/{made.pk}/", json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def test_places_are_found_by_their_beginning_without_accents_the_largest_first() -> None:
    found, credit = places.find("munc")
    assert "GeoNames" in credit
    found, _ = places.find("sao paulo")
    assert (found[0].name, found[0].within) == ("São Paulo", "Brazil")
    assert (found[0].lon, found[0].lat) == pytest.approx((-46.636, -23.5475), abs=0.01)
    assert {place.within for place in places.find("Paris, fr")[0]} == {"France"}
    assert any(place.name == "San Francisco" for place in places.find("francisco")[0])
    assert places.find("x")[0] == places.find("zzzzqq")[0] == []


def test_a_search_that_matches_every_place_looks_at_few_of_them() -> None:
    started = time.process_time()
    assert places.find(",zz")[0] == []
    assert places.find("a,zz")[0] == []
    assert places.find("sa,zzz")[0] == []
    assert time.process_time() - started < 2


class Nominatim(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        row = {
            "display_name": f"{self.path[:14]}, Earth",
            "lon": "8.5",
            "lat": "47",
            "boundingbox": ["46", "48", "8", "9"],
        }
        body = json.dumps([row]).encode() if "nowhere" not in self.path else b"<html>"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def provider(settings: Settings) -> Iterator[None]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Nominatim)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.PLACES_URL, settings.PLACES_CREDIT = f"http://127.0.0.1:{server.server_port}/search", "© someone"
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("provider")
def test_a_provider_of_the_sites_owner_is_asked_instead(made: Map) -> None:
    url = f"/api/maps/{made.pk}/places?q="
    answer = client_for(make_user("eve")).get(f"{url}zurich").json()
    assert answer["credit"] == "© someone"
    assert answer["results"][0]["bounds"] == [8, 46, 9, 48]
    assert client_for(make_user("eve")).get(f"{url}nowhere").status_code == 503


def fill(made: Map) -> str:
    row = made.layers.get(features__isnull=False)
    trees = [
        (1, 0.9, {"height": 4, "species": "Oak"}),
        (None, None, {"species": "Pine"}),
        (1, 0.2, {"height": 11, "species": "100%"}),
    ]
    for fid, (value, score, properties) in enumerate(trees, start=1):
        box = Polygon.from_bbox((85.52, 27.63, 85.52 + fid / 1000, 27.631))
        Feature.objects.create(
            layer=row.features, fid=fid, class_value=value, score=score, properties=properties, geometry=box
        )
    type(row.features).objects.filter(pk=row.features_id).update(feature_count=3)
    return f"/api/maps/{made.pk}/layers/{row.pk}/table"


@pytest.mark.parametrize(
    ("query", "fids"),
    [
        ({}, [1, 2, 3]),
        ({"sort": "area_m2", "down": "1"}, [3, 2, 1]),
        ({"sort": "height", "down": "1"}, [3, 1, 2]),
        ({"sort": "score"}, [3, 1, 2]),
        ({"limit": "1", "skip": "1"}, [2]),
        ({"q": "oak"}, [1]),
        ({"q": "%"}, [3]),
        ({"q": "2"}, [2]),
        ({"filter": '{"hidden": [-1]}'}, [1, 3]),
        ({"filter": '{"score": [0.5, null]}'}, [1]),
        ({"filter": '{"fields": [{"field": "height", "range": [5, 20]}]}'}, [3]),
        ({"filter": '{"fields": [{"field": "species", "values": ["Oak", "Pine"]}]}'}, [1, 2]),
        ({"filter": '{"fields": [{"field": "area_m2", "range": [null, 12000]}]}'}, [1]),
    ],
)
def test_a_table_is_sorted_and_filtered_by_the_database(made: Map, query: dict[str, str], fids: list[int]) -> None:
    found = client_for(make_user("eve")).get(fill(made), query).json()
    assert [row["fid"] for row in found["rows"]] == fids
    assert found["total"] == (3 if "limit" in query else len(fids))


def test_a_row_has_its_fields_and_box_and_an_unknown_column_is_refused(made: Map) -> None:
    eve, url = client_for(make_user("eve")), fill(made)
    row = eve.get(url).json()["rows"][0]
    assert (row["properties"], row["bounds"]) == ({"height": 4, "species": "Oak"}, [85.52, 27.63, 85.521, 27.631])
    for query in (
        {"sort": "password"},
        {"limit": "0"},
        {"limit": "x"},
        {"filter": "["},
        {"filter": '{"fields": [{"field": "x", "values": [1]}]}'},
    ):
        assert eve.get(url, query).status_code == 400


BOOKMARK = {"name": " Dam ", "lon": 85.5, "lat": 27.6, "zoom": 15}
NOTE = {
    "geometry": {"type": "LineString", "coordinates": [[85, 27], [85.1, 27]]},
    "text": "Here",
    "colour": "#2a6fdb",
}


def send(client: Client, made: Map, method: str, end: str, body: Any = None) -> tuple[int, Any]:
    url = f"/api/maps/{made.pk}/{end}"
    answer = client.generic(method, url, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def test_bookmarks_and_notes_are_kept_and_checked(made: Map) -> None:
    ben, note = client_for(make_user("ben")), f"notes/{uuid4()}"
    assert send(ben, made, "POST", "bookmarks", BOOKMARK)[1]["bookmarks"][0]["name"] == "Dam"
    status, shown = send(ben, made, "PUT", note, NOTE)
    assert (status, shown["notes"]) == (200, [{**NOTE, "id": note[6:]}])
    status, shown = send(ben, made, "PUT", note, {**NOTE, "text": "There"})
    assert (status, [row["text"] for row in shown["notes"]]) == (200, ["There"])
    assert send(client_for(make_user("eve")), made, "DELETE", note)[0] == 403
    assert send(ben, made, "POST", "bookmarks", BOOKMARK)[0] == 409
    for wrong in ({"lat": 91}, {"name": " "}):
        assert send(ben, made, "POST", "bookmarks", {**BOOKMARK, **wrong})[0] == 400
    kinds = ("LineString", "Polygon", "Point", "Circle")
    for bad in ({"colour": "red"}, *({"geometry": {"type": kind, "coordinates": [[85, 27]]}} for kind in kinds)):
        assert send(ben, made, "PUT", note, {**NOTE, **bad})[0] == 400
    assert patch(ben, made, {"notes": []})[0] == 400
    version = send(ben, made, "DELETE", note)[1]["version"]
    assert send(ben, made, "DELETE", note)[1]["version"] == version
    assert send(ben, made, "DELETE", "bookmarks?name=Dam")[1]["bookmarks"] == []


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_once_lose_no_note_and_no_bookmark(made: Map) -> None:
    ready = threading.Barrier(2)

    def write(who: str) -> None:
        own = Map.objects.get(pk=made.pk)  # both have seen an empty map
        ready.wait(timeout=10)
        for i in range(8):
            extra_services.put_note(map=own, key=str(uuid4()), note={**NOTE, "text": f"{who} {i}"})
            extra_services.add_bookmark(map=own, bookmark={**BOOKMARK, "name": f"{who} {i}"})
        connection.close()

    writers = [threading.Thread(target=write, args=(who,)) for who in ("ana", "ben")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=30)
    made.refresh_from_db()
    wanted = sorted(f"{who} {i}" for who in ("ana", "ben") for i in range(8))
    assert sorted(note["text"] for note in made.notes) == wanted
    assert sorted(bookmark["name"] for bookmark in made.bookmarks) == wanted


def test_a_comparison_and_a_moment_are_part_of_the_view(made: Map) -> None:
    ben, (left, right) = client_for(make_user("ben")), [str(row.source.pk) for row in made.layers.order_by("position")]
    view = {
        "lon": 85.5,
        "lat": 27.6,
        "zoom": 15,
        "compare": {"mode": "swipe", "left": left, "right": right, "at": 0.25},
        "time": "2026-01-02T10:00:00Z",
    }
    assert patch(ben, made, {"view": view})[1]["view"] == view
    for wrong in (
        {"time": "yesterday"},
        {"compare": {**view["compare"], "mode": "fade"}},
        {"compare": {**view["compare"], "right": left}},
    ):
        assert patch(ben, made, {"view": {**view, **wrong}})[0] == 400


def test_a_private_map_is_its_authors_and_the_managers(made: Map) -> None:
    url = f"/api/maps/{made.pk}/"
    share = client_for(make_user("mia")).put(
        f"{url}share", json.dumps({"share": "private"}), content_type="application/json"
    )
    assert share.status_code == 200
    for name, status in (("ana", 200), ("mia", 200), ("ben", 200), ("eve", 404)):
        client = client_for(make_user(name))
        assert (client.get(url).status_code, client.get(f"/maps/{made.pk}/").status_code) == (status, status)
        listed = [row["name"] for row in client.get("/api/maps/").json()["results"]]
        content = [row["name"] for row in client.get("/api/content/?kind=map").json()["results"]]
        assert listed == content == (["Town"] if status == 200 else [])


def test_a_public_map_is_listed_and_one_that_anybody_may_open_can_be_embedded(made: Map) -> None:
    stranger, page = client_for(None), f"/maps/{made.pk}/embed"
    own = client_for(make_user("ana")).get(page)
    assert (own.status_code, own.headers["X-Frame-Options"]) == (200, "DENY")
    assert "frame-ancestors 'none'" in own.headers["Content-Security-Policy"]
    assert stranger.get(page).status_code == 302
    assert b"Town" not in stranger.get("/maps/").content
    services.share(map=made, share="public", user=make_user("mia"))
    assert b"Town" in stranger.get("/maps/").content
    answer = stranger.get(page)
    assert answer.status_code == 200
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers
    assert "frame-ancestors 'none'" in stranger.get(f"/maps/{made.pk}/").headers["Content-Security-Policy"]


def test_members_are_told_what_made_a_layer(made: Map) -> None:
    row = made.layers.get(features__isnull=False)
    job = Job.objects.create(
        project=made.project, kind="detect_objects", title="Trees of the town", spec={"inference": str(made.pk)}
    )
    type(row.features).objects.filter(pk=row.features_id).update(job=job)
    shown = client_for(make_user("eve")).get(f"/api/maps/{made.pk}/").json()["layers"]
    assert [layer["origin"] for layer in shown] == [
        None,
        {"title": "Trees of the town", "url": f"/inferences/{made.pk}/"},
    ]
    services.share(map=made, share="link", user=make_user("mia"))
    assert client_for(None).get(f"/api/maps/{made.pk}/").json()["layers"][1]["origin"] is None
