"""Sets of photos: sent, read in the sandbox, placed, shown on maps, and who may do what."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from tests.factories import client_for, make_project, make_user
from tests.photos.make import jpeg
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.housekeeping.stores import stores
from webapp.imagery import storage
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.maps import services as maps
from webapp.photos import services
from webapp.photos.models import Photo
from webapp.raster import sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def call(client: Client, method: str, url: str, body: Any) -> tuple[int, Any]:
    answer = getattr(client, method)(url, json.dumps(body), content_type="application/json")
    return answer.status_code, (answer.json() if answer.content else None)


@pytest.fixture
def layer(tmp_path: Path, settings: Settings) -> FeatureLayer:
    for name in ("MEDIA_DIR", "QUARANTINE_DIR", "SCRATCH_DIR"):
        folder = tmp_path / name.lower()
        folder.mkdir()
        setattr(settings, name, folder)
    ana = make_user("ana")
    project = make_project(ana, labeler=make_user("ben"), viewer=make_user("eve"), manager=make_user("mia"))
    return services.create_set(project=project, name="Flight", user=ana)


def send(client: Client, layer: FeatureLayer, path: Path) -> dict[str, str]:
    url = f"/api/photo-sets/{layer.pk}/files"
    answer = client.post(url, path.read_bytes(), content_type="application/octet-stream")
    assert answer.status_code == 201, answer.content
    return {"file": answer.json()["file"], "name": path.name}


def read(client: Client, layer: FeatureLayer, *paths: Path) -> Job:
    files = [send(client, layer, path) for path in paths]
    status, answer = call(client, "post", f"/api/photo-sets/{layer.pk}/read", {"files": files})
    assert status == 202, answer
    return run_now(Job.objects.get(pk=answer["job"]))


def test_a_folder_of_photos_becomes_points_and_a_report(
    layer: FeatureLayer, tmp_path: Path, settings: Settings
) -> None:
    ben = client_for(make_user("ben"))
    good = jpeg(tmp_path / "good.jpg", direction=124)
    nowhere = jpeg(tmp_path / "nowhere.jpg", no_gps=True)
    far = jpeg(tmp_path / "far.jpg", lat=999.0)
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(good.read_bytes()[:400])
    again = tmp_path / "again.jpg"
    again.write_bytes(good.read_bytes())
    job = read(ben, layer, good, nowhere, far, bad, again)
    assert job.state == Job.State.SUCCEEDED, job.error
    told = job.result
    assert told is not None
    assert (told["added"], told["placed"], told["doubles"]) == (3, 1, ["again.jpg"])
    assert (told["unplaced"], told["refused"][0]["name"]) == (["nowhere.jpg", "far.jpg"], "bad.jpg")
    assert list(Path(settings.QUARANTINE_DIR).iterdir()) == []
    point = Feature.objects.get(layer=layer)
    assert point.geometry.coords == pytest.approx((85.52, 27.63), abs=1e-6)
    assert (point.properties["photo"], point.properties["direction_deg"]) == ("good.jpg", 124)
    shown = ben.get(f"/api/photo-sets/{layer.pk}/").json()
    assert [photo["name"] for photo in shown["photos"]] == ["far.jpg", "nowhere.jpg", "good.jpg"]
    assert "not on Earth" in shown["photos"][0]["notes"][0]
    kept = {entry.relative_to(settings.MEDIA_DIR).as_posix() for entry in Path(settings.MEDIA_DIR).rglob("*.jpg")}
    named = next(store.named() for store in stores() if store.name == "photos")
    assert kept == named
    assert ben.get("/api/content/?kind=photos").json()["results"][0]["detail"] == "3 photos, 1 placed"


def test_a_photo_that_another_job_puts_there_meanwhile_is_a_double_and_the_rest_goes_on(
    layer: FeatureLayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same, other = jpeg(tmp_path / "same.jpg"), jpeg(tmp_path / "other.jpg", lat=27.7)
    theirs: dict[str, Any] = {
        "files": services.Files("photos/theirs.jpg", "photos/theirs-small.jpg", 1),
        "sha256": storage.sha256_of(same),
        "user": make_user("mia"),
    }
    real = sandbox.run

    def run(command: str, request: dict[str, Any], **options: Any) -> dict[str, Any]:
        shot = real(command, request, **options)
        if request["name"] == "same.jpg":
            with transaction.atomic():
                services.keep(layer=layer, name="theirs.jpg", shot=shot, **theirs)
        return shot

    monkeypatch.setattr(sandbox, "run", run)
    job = read(client_for(make_user("ben")), layer, same, other)
    assert job.state == Job.State.SUCCEEDED, job.error
    assert job.result is not None
    assert (job.result["added"], job.result["placed"], job.result["doubles"]) == (1, 1, ["same.jpg"])
    assert sorted(Photo.objects.values_list("name", flat=True)) == ["other.jpg", "theirs.jpg"]
    assert Feature.objects.filter(layer=layer).count() == 2


def test_a_photo_that_breaks_its_reader_is_refused_in_words_for_photos(
    layer: FeatureLayer, tmp_path: Path, settings: Settings
) -> None:
    ben, photo = client_for(make_user("ben")), jpeg(tmp_path / "a.jpg")
    told: list[dict[str, str]] = []
    for name, value in (("INGEST_MEMORY_BYTES", 16 * 1024**2), ("PROBE_TIMEOUT_S", 0.01)):
        setattr(settings, name, value)
        if name == "PROBE_TIMEOUT_S":
            settings.INGEST_MEMORY_BYTES = 4 * 1024**3
        job = read(ben, layer, photo)
        assert job.state == Job.State.SUCCEEDED, job.error
        assert job.result is not None
        told += job.result["refused"]
    assert [item["name"] for item in told] == ["a.jpg", "a.jpg"]
    assert told[1]["code"] == "too_slow"
    assert not any(word in str(told).lower() for word in ("gdal", "tiled", "raster"))


def test_a_photo_is_placed_moved_and_deleted_by_hand_and_the_log_has_it(layer: FeatureLayer, tmp_path: Path) -> None:
    ben = client_for(make_user("ben"))
    read(ben, layer, jpeg(tmp_path / "a.jpg", no_gps=True))
    url = f"/api/photos/{Photo.objects.get().pk}/"
    assert ben.get(url).json()["place"] is None
    for wrong in ({"lon": 200, "lat": 1}, {"lon": True, "lat": 1}, {"lat": 1}, {"lon": float("nan"), "lat": 1}):
        assert call(ben, "patch", url, wrong)[0] == 400
    for place in ([85.5, 27.6], [85.6, 27.7]):
        assert call(ben, "patch", url, {"lon": place[0], "lat": place[1]})[1]["place"] == place
    assert call(client_for(make_user("eve")), "patch", url, {"lon": 1, "lat": 1})[0] == 403
    assert ben.delete(url).status_code == 204
    assert not Photo.objects.exists()
    assert list(Edit.objects.order_by("seq").values_list("action", flat=True)) == ["create", "update", "delete"]


def test_nobody_reads_anothers_file_or_a_path_into_a_set(layer: FeatureLayer, tmp_path: Path) -> None:
    ben, mia = client_for(make_user("ben")), client_for(make_user("mia"))
    file = send(ben, layer, jpeg(tmp_path / "a.jpg"))
    url = f"/api/photo-sets/{layer.pk}/read"
    for body in ([file], [{**file, "file": "../secrets.json"}], [{"name": "a"}], [], "x"):
        assert call(mia, "post", url, {"files": body})[0] == 400
    assert call(client_for(make_user("eve")), "post", url, {"files": [file]})[0] == 403
    assert ben.post(f"/api/photo-sets/{layer.pk}/files", b"", content_type="image/jpeg").status_code == 400
    assert call(ben, "post", url, {"files": [file]})[0] == 202


def test_the_same_files_again_are_the_same_job(layer: FeatureLayer, tmp_path: Path) -> None:
    ben = client_for(make_user("ben"))
    files = [send(ben, layer, jpeg(tmp_path / name)) for name in ("a.jpg", "b.jpg")]
    url = f"/api/photo-sets/{layer.pk}/read"
    first = call(ben, "post", url, {"files": files})
    run_now(Job.objects.get(pk=first[1]["job"]))
    assert call(ben, "post", url, {"files": files}) == first
    assert call(ben, "post", url, {"files": files[:1]})[1]["code"] == "upload_missing"
    assert Job.objects.count() == 1


def test_pictures_are_our_own_and_a_shared_map_shows_those_that_stand_on_it(
    layer: FeatureLayer, tmp_path: Path
) -> None:
    ana, stranger = client_for(make_user("ana")), client_for(None)
    read(ana, layer, jpeg(tmp_path / "a.jpg"), jpeg(tmp_path / "b.jpg", no_gps=True))
    placed, other = Photo.objects.order_by("name")
    picture = ana.get(f"/api/photos/{placed.pk}/picture.jpg")
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert b"".join(picture.streaming_content)[:3] == b"\xff\xd8\xff"
    assert stranger.get(f"/api/photos/{placed.pk}/picture.jpg").status_code == 401
    made = maps.create_map(project=layer.project, name="Map", user=make_user("ana"), layers=[layer])
    url = f"/api/maps/{made.pk}/layers/{made.layers.get().pk}/photos/{placed.pk}/"
    assert stranger.get(url).status_code == 401
    maps.share(map=made, share="link", user=make_user("mia"))
    shown = stranger.get(url).json()
    assert shown["place"] == pytest.approx([85.52, 27.63], abs=1e-6)
    for size in ("picture", "thumbnail"):
        assert stranger.get(shown[size]).status_code == 200
    assert stranger.get(url.replace(str(placed.pk), str(other.pk))).status_code == 404
    ana.delete(f"/api/layers/{layer.pk}/")
    assert not Photo.objects.exists()
