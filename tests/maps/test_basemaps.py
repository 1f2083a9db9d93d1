"""Basemaps: which addresses are taken, who names them, what a map chooses, and which hosts a page may ask."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from webapp.errors import Invalid
from webapp.maps import addresses, services
from webapp.maps.models import Basemap, Map


@pytest.mark.parametrize(
    ("kind", "url", "says"),
    [
        ("xyz", "javascript:alert(1)//{z}/{x}/{y}", "no web address"),
        ("xyz", "ftp://tiles.example.org/{z}/{x}/{y}.png", "no web address"),
        ("xyz", "//tiles.example.org/{z}/{x}/{y}.png", "no web address"),
        ("xyz", "http://tiles.example.org/{z}/{x}/{y}.png", "reached by https"),
        ("xyz", "https://tiles.example.org/{x}/{y}.png", "lacks {z}"),
        ("tms", "https://tiles.example.org/", "lacks {z} and {x} and {y}"),
        ("xyz", "https://tiles.example.org/{z}/{x}/{y}.png?v={quadkey}", "{quadkey}, which means nothing"),
        ("xyz", "https://tiles.example.org/{z}/{x}/{y}.png}", "a single brace"),
        ("xyz", "https://*.example.org/{z}/{x}/{y}.png", "no host"),
        ("xyz", "https://{x}.example.org/{z}/{x}/{y}.png", "no host"),
        ("xyz", "https:///{z}/{x}/{y}.png", "no host"),
        ("xyz", "https://tiles.example.org:99999/{z}/{x}/{y}.png", "no host"),
        ("xyz", "https://ana:secret@tiles.example.org/{z}/{x}/{y}.png", "user's name"),
        ("xyz", "https://tiles.example.org;script-src/{z}/{x}/{y}.png", "no host"),
        ("xyz", "https://tiles.example.org/{z}/{x}/{y}.png' onerror='x", "character"),
        ("xyz", "https://tiles.example.org/{z}/{x}/{y}.png?apikey=abc123", "The key stands in the address"),
        ("wms", "https://wms.example.org/{z}", "belongs to tiles"),
        ("wms", "https://wms.example.org/ows?SERVICE=WMS&map=a", "SERVICE, which the map writes itself"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_what_is_wrong(kind: str, url: str, says: str) -> None:
    with pytest.raises(Invalid) as error:
        addresses.check(url=url, kind=kind, https=True)
    assert says in error.value.message
    assert error.value.fix


def test_sound_addresses_name_exactly_their_hosts() -> None:
    sound = {
        "https://Tiles.example.org/{z}/{x}/{-y}.png": ["https://tiles.example.org"],
        "http://127.0.0.1:8080/{z}/{x}/{y}{r}.png?token={key}": ["http://127.0.0.1:8080"],
        "http://[::1]:8080/{z}/{x}/{y}.png": ["http://[::1]:8080"],
        "https://{s}.example.org/{z}/{x}/{y}.png": ["https://a.example.org", "https://b.example.org"],
    }
    for url, named in sound.items():
        addresses.check(url=url, kind="xyz", https=False)
        assert addresses.origins(url, "a,b") == named
    addresses.check(url="https://wms.example.org/ows?map=/a.map&key={key}", kind="wms", https=True)
    assert addresses.with_key("https://x/{z}?k={key}", "a&b {z}") == "https://x/{z}?k=a%26b%20%7Bz%7D"
    with pytest.raises(Invalid):
        addresses.check_subdomains("a b;c")


OSM = {"name": "Streets", "url": "https://tiles.example.org/{z}/{x}/{y}.png?k={key}", "key": "s3cret"}


@pytest.fixture
def made(db: None) -> Map:
    ana = make_user("ana")
    project = make_project(ana, labeler=make_user("ben"), viewer=make_user("eve"), manager=make_user("mia"))
    layers = [make_imagery(project, name="Scene"), make_layer(project, name="Trees")]
    return services.create_map(project=project, name="Town", user=ana, layers=layers)


def shown(client: Client, made: Map) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/maps/{made.pk}/").json()["basemap"]
    return found


def choose(client: Client, made: Map, choice: str) -> tuple[int, Any]:
    now = client.get(f"/api/maps/{made.pk}/").json()
    layers = [
        {"kind": row["kind"], "source": (row.get("imagery") or row.get("features"))["id"]} for row in now["layers"]
    ]
    body = {"version": now["version"], "basemap": choice, "layers": layers}
    answer = client.put(f"/api/maps/{made.pk}/layout", json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def test_nothing_lies_under_a_map_and_no_other_host_is_named_by_default(made: Map) -> None:
    ana = client_for(make_user("ana"))
    assert shown(ana, made) == {"choice": "", "shown": None}
    policy = ana.get(f"/maps/{made.pk}/").headers["Content-Security-Policy"]
    assert "img-src 'self' data: blob:;" in f"{policy};"


def test_a_map_chooses_from_the_sites_basemaps_or_its_own_imagery(made: Map) -> None:
    first = Basemap.objects.create(**OSM, is_default=True)
    wms = Basemap.objects.create(name="Ortho", kind="wms", url="https://wms.example.org/", wms_layers="ortho")
    ben, scene = client_for(make_user("ben")), made.project.imagery.get()
    assert shown(ben, made)["shown"]["url"] == "https://tiles.example.org/{z}/{x}/{y}.png?k=s3cret"
    offered = ben.get(f"/api/maps/{made.pk}/basemaps").json()
    assert [row["name"] for row in [*offered["site"], *offered["imagery"]]] == ["Streets", "Ortho", "Scene"]
    assert offered["default"]["choice"] == f"site:{first.pk}"
    status, answer = choose(ben, made, f"site:{wms.pk}")
    assert (status, answer["basemap"]["shown"]["wms"]["layers"]) == (200, "ortho")
    _, answer = choose(ben, made, f"imagery:{scene.pk}")
    assert answer["basemap"]["shown"]["imagery"]["tiles"].startswith(f"/tiles/imagery/{scene.pk}/")
    assert choose(ben, made, "plain")[1]["basemap"] == {"choice": "plain", "shown": None}
    choose(ben, made, f"site:{wms.pk}")
    wms.delete()
    assert shown(ben, made)["shown"]["name"] == "Streets"
    foreign = make_imagery(make_project(make_user("zoe")))
    for wrong, expected in ((f"imagery:{foreign.pk}", 404), (f"site:{wms.pk or foreign.pk}", 404), ("osm", 400)):
        assert choose(ben, made, wrong)[0] == expected
    assert choose(client_for(make_user("eve")), made, "plain")[0] == 403
    assert client_for(make_user("eve")).get(f"/api/maps/{made.pk}/basemaps").status_code == 403


def test_pages_with_a_map_may_ask_exactly_the_hosts_that_are_named(made: Map, settings: Settings) -> None:
    Basemap.objects.create(name="Four", url="https://{s}.example.org/{z}/{x}/{y}.png", subdomains="a,b")
    Basemap.objects.create(**OSM)
    services.share(map=made, share="public", user=make_user("mia"))
    scene = made.project.imagery.get()
    hosts = "https://a.example.org https://b.example.org https://tiles.example.org"
    ana, stranger = client_for(make_user("ana")), client_for(None)
    for client, page in (
        (ana, f"/maps/{made.pk}/"),
        (stranger, f"/maps/{made.pk}/"),
        (stranger, f"/maps/{made.pk}/embed"),
        (ana, f"/imagery/{scene.pk}/"),
    ):
        policy = client.get(page).headers["Content-Security-Policy"]
        assert f"img-src 'self' data: blob: {hosts};" in f"{policy};", page
        assert "connect-src 'self';" in f"{policy};"
    assert "example.org" not in ana.get("/").headers["Content-Security-Policy"]
    assert b"s3cret" not in stranger.get(f"/maps/{made.pk}/").content


def test_an_administrator_names_basemaps_and_nobody_reads_a_key_again(made: Map, settings: Settings) -> None:
    root = make_user("root", is_staff=True, is_superuser=True)
    client, page = client_for(root), "/admin/maps/basemap/add/"
    form = {
        **OSM,
        "kind": "xyz",
        "subdomains": "a,b,c",
        "attribution": "© somebody",
        "min_zoom": 0,
        "max_zoom": 19,
        "tile_size": 256,
        "wms_format": "image/png",
        "wms_version": "1.3.0",
        "default": "on",
    }
    answer = client.post(page, {**form, "url": "https://tiles.example.org/{x}/{y}.png"})
    assert "lacks {z}" in answer.content.decode()
    assert "name one at least" in client.post(page, {**form, "url": "https://a.org", "kind": "wms"}).content.decode()
    assert "asks for a key" in client.post(page, {**form, "key": ""}).content.decode()
    settings.HTTPS = True
    insecure = client.post(page, {**form, "url": form["url"].replace("https", "http")}, secure=True)
    assert "reached by https" in insecure.content.decode()
    settings.HTTPS = False
    Basemap.objects.create(name="Old", url="https://old.example.org/{z}/{x}/{y}", is_default=True)
    answer = client.post(page, form)
    assert answer.status_code == 302, answer.content.decode()
    row = Basemap.objects.get(is_default=True)
    assert (row.name, row.key) == ("Streets", "s3cret")
    change = f"/admin/maps/basemap/{row.pk}/change/"
    for address in (change, "/admin/maps/basemap/", f"/admin/maps/basemap/{row.pk}/history/"):
        assert b"s3cret" not in client.get(address).content
    assert client.post(change, {**form, "name": "Roads", "key": ""}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.key) == ("Roads", "s3cret")
    gone = {**form, "key": "", "forget_key": "on", "url": "https://tiles.example.org/{z}/{x}/{y}.png"}
    assert client.post(change, gone).status_code == 302
    row.refresh_from_db()
    assert row.key == ""


def test_a_basemap_of_the_settings_stands_in_the_list(made: Map, settings: Settings) -> None:
    settings.BASEMAP_URL, settings.BASEMAP_NAME = "https://own.example.org/{z}/{x}/{y}.png", "Own"
    ben = client_for(make_user("ben"))
    assert shown(ben, made)["shown"]["name"] == "Own"
    Basemap.objects.create(**OSM, is_default=True)
    assert shown(ben, made)["shown"]["name"] == "Streets"
    assert choose(ben, made, "site:settings")[1]["basemap"]["shown"]["name"] == "Own"
