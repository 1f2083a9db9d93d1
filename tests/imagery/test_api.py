"""Uploads and layers over HTTP."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.conf import settings
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from webapp.imagery import storage, uploads
from webapp.imagery.models import ImageryLayer, Upload
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project
from webapp.raster.position import parse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    return make_project(make_user("ana"), labeler=make_user("ben"), viewer=make_user("eve"), manager=make_user("max"))


@pytest.fixture
def tiff(tmp_path: Path) -> bytes:
    path = tmp_path / "site.tif"
    profile: dict[str, Any] = {"driver": "GTiff", "count": 1, "dtype": "uint8", "height": 60, "width": 60}
    with rasterio.open(
        path, "w", crs="EPSG:32633", transform=Affine(0.5, 0, 500_000, 0, -0.5, 4_649_000), **profile
    ) as target:
        target.write(np.arange(3600, dtype=np.uint8).reshape(1, 60, 60))
    return path.read_bytes()


def begin(client: Client, project: Project, size: int, **body: Any) -> Any:
    body = {"project": str(project.pk), "filename": "site.tif", "size_bytes": size, **body}
    return client.post("/api/uploads/", body, content_type="application/json")


def send(client: Client, pk: str, offset: int, data: bytes) -> Any:
    return client.generic(
        "PATCH", f"/api/uploads/{pk}/", data, content_type="application/octet-stream", HTTP_UPLOAD_OFFSET=str(offset)
    )


def test_a_file_comes_in_pieces_resumes_and_becomes_a_layer(project: Project, tiff: bytes) -> None:
    client = client_for(make_user("ben"))
    upload = begin(client, project, len(tiff), options={"attribution": "me"}).json()
    assert upload["received_bytes"] == 0
    assert upload["chunk_bytes"] > 0
    first = send(client, upload["id"], 0, tiff[:1000])
    assert first.json()["received_bytes"] == 1000
    repeated = send(client, upload["id"], 0, tiff[:1000])
    assert (repeated.status_code, repeated.json()["details"]["received_bytes"]) == (409, 1000)
    assert client.get(f"/api/uploads/{upload['id']}/").json()["received_bytes"] == 1000
    early = client.post(f"/api/uploads/{upload['id']}/complete")
    assert (early.status_code, early.json()["code"]) == (409, "incomplete")
    send(client, upload["id"], 1000, tiff[1000:])
    job = client.post(f"/api/uploads/{upload['id']}/complete").json()["job"]
    assert client.post(f"/api/uploads/{upload['id']}/complete").json()["job"] == job
    done = run_now(Job.objects.get(pk=job))
    shown = client.get(f"/api/imagery/{done.result['imagery']}/").json()
    assert (shown["name"], shown["attribution"], shown["width"], shown["epsg"]) == ("site", "me", 60, 32633)
    assert sum(shown["bands"][0]["histogram"]["counts"]) == 3600
    assert shown["job"] == job


def test_the_received_bytes_are_the_files_own(project: Project, tiff: bytes) -> None:
    client = client_for(make_user("ben"))
    upload = begin(client, project, len(tiff)).json()
    for start in range(0, len(tiff), 777):
        send(client, upload["id"], start, tiff[start : start + 777])
    pk = Upload.objects.get().pk
    assert storage.quarantined_file(pk).read_bytes() == tiff


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"size_bytes": 0}, 400, "not_an_image"),
        ({"size_bytes": 10**15}, 413, "too_large"),
        ({"size_bytes": "9"}, 400, "invalid"),
        ({"position": {"world_file": "1 2 3", "epsg": 4326}}, 400, "position_invalid"),
        ({"position": {"world_file": "1 0 0 -1 5 6"}}, 400, "crs_missing"),
        ({"position": {"epsg": 999999}}, 400, "crs_unsupported"),
        ({"position": {"bounds": [2, 0, 1, 1]}}, 400, "position_invalid"),
        ({"position": {"path": "/etc/passwd"}}, 400, "position_invalid"),
        ({"options": {"is_admin": True}}, 400, "invalid"),
        ({"options": {"nodata": "x"}}, 400, "invalid"),
    ],
)
def test_an_upload_that_cannot_begin_says_why_and_leaves_nothing(
    project: Project, body: dict[str, Any], status: int, code: str
) -> None:
    answer = begin(client_for(make_user("ben")), project, 10, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["fix"]
    assert not Upload.objects.exists()
    assert list(Path(settings.QUARANTINE_DIR).iterdir()) == []


def test_a_piece_beyond_the_size_or_with_a_bad_offset_is_refused(project: Project) -> None:
    client = client_for(make_user("ben"))
    pk = begin(client, project, 10).json()["id"]
    assert send(client, pk, 0, b"x" * 11).status_code == 413
    assert send(client, pk, 0, b"").status_code == 400
    for offset in ("-1", "1e3", "", "9" * 40):
        answer = client.generic("PATCH", f"/api/uploads/{pk}/", b"x", HTTP_UPLOAD_OFFSET=offset)
        assert answer.status_code == 400
    assert storage.quarantined_file(Upload.objects.get().pk).stat().st_size == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\site.tif", "site.tif"),
        ("a\x01b\nc.tif", "ab\nc.tif"),
        ("\u202egpj.exe", "gpj.exe"),
        ("<script>alert(1)</script>.tif", "script>.tif"),
        ("ü🌳" * 200, ("ü🌳" * 200)[:200]),
        ("\x01", "upload"),
    ],
)
def test_a_filename_is_text_for_people_only(project: Project, name: str, shown: str) -> None:
    answer = begin(client_for(make_user("ben")), project, 10, filename=name)
    assert answer.json()["filename"] == shown
    assert [path.name for path in Path(settings.QUARANTINE_DIR).rglob("*") if path.is_file()] == ["source"]


def test_only_the_uploader_goes_on_and_viewers_begin_nothing(project: Project) -> None:
    assert begin(client_for(make_user("eve")), project, 10).status_code == 403
    assert begin(client_for(make_user("stranger")), project, 10).status_code == 404
    assert begin(client_for(None), project, 10).status_code == 401
    pk = begin(client_for(make_user("ben")), project, 10).json()["id"]
    for other in ("ana", "stranger"):
        client = client_for(make_user(other))
        assert client.get(f"/api/uploads/{pk}/").status_code == 404
        assert send(client, pk, 0, b"x").status_code == 404
        assert client.delete(f"/api/uploads/{pk}/").status_code == 404
    assert client_for(make_user("ben")).delete(f"/api/uploads/{pk}/").status_code == 204
    assert not storage.quarantine(pk).exists()


def test_a_forgotten_upload_is_swept_away(project: Project) -> None:
    pk = begin(client_for(make_user("ben")), project, 10).json()["id"]
    assert uploads.sweep() == 0
    old = timezone.now() - timedelta(hours=settings.UPLOAD_KEEP_H + 1)
    Upload.objects.filter(pk=pk).update(updated_at=old)
    assert uploads.sweep() == 1
    assert not storage.quarantine(pk).exists()


def test_a_full_disk_refuses_before_the_first_byte(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": 50, "total": 1000})())
    ben, layer = client_for(make_user("ben")), make_layer(project)
    package = {"project": str(project.pk), "file": SimpleUploadedFile("m.dlpk", b"PK")}
    for answer in (
        begin(ben, project, 10),
        ben.post(f"/api/layers/{layer.pk}/import", "{}", "application/geo+json"),
        client_for(make_user("max")).post("/api/models/", package),
    ):
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full"), answer.request["PATH_INFO"]
    assert not list(Path(settings.QUARANTINE_DIR).iterdir())


def test_layers_are_listed_shown_changed_and_deleted_by_role(project: Project) -> None:
    layer = make_imagery(project, name="Before")
    viewer, labeler, manager = (client_for(make_user(name)) for name in ("eve", "ben", "max"))
    assert [row["id"] for row in viewer.get("/api/imagery/").json()["results"]] == [str(layer.pk)]
    assert client_for(make_user("stranger")).get("/api/imagery/").json()["results"] == []
    address = f"/api/imagery/{layer.pk}/"
    body = json.dumps({"name": "After \u202e", "attribution": "©"})
    assert viewer.patch(address, body, content_type="application/json").status_code == 403
    assert labeler.patch(address, body, content_type="application/json").json()["name"] == "After"
    bad = labeler.patch(address, {"analysis_path": "/etc/passwd"}, content_type="application/json")
    assert bad.status_code == 400
    assert labeler.delete(address).status_code == 403
    assert client_for(make_user("stranger")).get(address).status_code == 404
    assert manager.delete(address).status_code == 204
    assert not ImageryLayer.objects.exists()


def test_a_layer_in_use_is_not_deleted(project: Project) -> None:
    from labeling.services import create_label_set

    layer = make_imagery(project)
    create_label_set(project=project, name="L", imagery=layer, classes=[], user=make_user("ana"))
    answer = client_for(make_user("max")).delete(f"/api/imagery/{layer.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert "label set 'L'" in answer.json()["message"]


def test_tilejson_names_absolute_tiles_and_bounds(project: Project) -> None:
    layer = make_imagery(project, min_zoom=12, max_zoom=20)
    told = client_for(make_user("eve")).get(f"/api/imagery/{layer.pk}/tilejson.json").json()
    assert told["tilejson"] == "3.0.0"
    assert told["tiles"][0].startswith(f"http://testserver/tiles/imagery/{layer.pk}/1/{{z}}/{{x}}/{{y}}.webp?t=")
    assert (told["minzoom"], told["maxzoom"]) == (12, 20)
    assert told["bounds"] == pytest.approx(list(layer.footprint.extent))


def test_a_layer_across_the_antimeridian_is_one_box_on_maps_and_does_not_wrap_in_tilejson(project: Project) -> None:
    parts = [Polygon.from_bbox((179.0, -17.0, 180.0, -16.0)), Polygon.from_bbox((-180.0, -17.0, -178.0, -16.0))]
    layer = make_imagery(project, footprint=MultiPolygon(*parts, srid=4326))
    client = client_for(make_user("eve"))
    # Leaflet and MapLibre draw longitudes beyond 180 where they belong; TileJSON 3.0.0, 3.4 forbids them.
    assert client.get(f"/api/imagery/{layer.pk}/").json()["bounds"] == [179.0, -17.0, 182.0, -16.0]
    for address in (
        f"/api/imagery/{layer.pk}/tilejson.json",
        f"/ogc/collections/{layer.pk}/map/tiles/WebMercatorQuad?f=tilejson",
    ):
        told = client.get(address).json()
        assert (told["bounds"], told["center"][:2]) == ([-180.0, -17.0, 180.0, -16.0], [-179.5, -16.5]), address


def test_a_list_of_layers_takes_as_many_queries_as_one(
    project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        make_imagery(project)
    client = client_for(make_user("eve"))
    with django_assert_max_num_queries(4):
        assert len(client.get("/api/imagery/").json()["results"]) == 5


def test_pages_open_for_members(project: Project) -> None:
    layer = make_imagery(project)
    client = client_for(make_user("eve"))
    assert client.get(f"/imagery/{layer.pk}/").status_code == 200
    assert client.get("/imagery/upload").status_code == 200
    assert client_for(make_user("stranger")).get(f"/imagery/{layer.pk}/").status_code == 404


HUGE = 10**400


@pytest.mark.parametrize(
    "body",
    [
        {"options": {"nodata": "nan"}},
        {"options": {"nodata": "-inf"}},
        {"options": {"nodata": HUGE}},
        # In UTC the year before Python's first: PostgreSQL keeps it, and no list that shows it could be read.
        {"options": {"acquired_at": "0001-01-01T00:00:00+14:00"}},
        {"options": {"acquired_at": "9999-12-31T23:59:59-14:00"}},
        {"position": {"bounds": [1, 2, 3, HUGE]}},
        {"position": {"centre": [0, 0], "gsd_m": HUGE}},
    ],
)
def test_numbers_and_dates_that_nothing_can_hold_are_400_and_leave_nothing(project: Project, body: Any) -> None:
    answer = begin(client_for(make_user("ben")), project, 10, **body)
    assert answer.status_code == 400
    assert answer.json()["fix"]
    assert not Upload.objects.exists()
    assert not list(Path(settings.QUARANTINE_DIR).glob("*"))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "1492-10-12", "9999-12-31"])
def test_a_date_before_photography_is_refused(project: Project, moment: str) -> None:
    layer = make_imagery(project)
    client = client_for(make_user("ben"))
    answer = client.patch(f"/api/imagery/{layer.pk}/", {"acquired_at": moment}, content_type="application/json")
    assert answer.status_code == 400
    assert client.get("/api/imagery/").status_code == 200


def test_a_note_on_the_position_holds_no_character_that_turns_the_text() -> None:
    assert parse({"bounds": [0, 0, 1, 1], "note": "by\u202e hand"}).note == "by hand"
