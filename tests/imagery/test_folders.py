"""Imagery of folders on the server's own disk: only of those that the owner opens, and like an upload."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.test import Client
from pytest_django import Settings

from tests.factories import client_for, make_imagery, make_project, make_user
from webapp.imagery import folders
from webapp.imagery.models import ImageryLayer, Upload
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    return make_project(make_user("ana"), viewer=make_user("eve"))


@pytest.fixture
def browser(project: Project) -> Client:
    return client_for(make_user("ana"))


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """An open folder with a raster, a folder, links to what is not open, and what is no raster."""
    secret = tmp_path / "closed"
    secret.mkdir()
    (secret / "secret.tif").write_bytes(b"II*\0")
    found = tmp_path / "open"
    (found / "2024").mkdir(parents=True)
    shape: dict[str, Any] = {"count": 1, "height": 60, "width": 60, "dtype": "uint8"}
    utm = Affine(0.5, 0, 500_000, 0, -0.5, 4_649_000)
    with rasterio.open(found / "site.tif", "w", driver="GTiff", crs="EPSG:32633", transform=utm, **shape) as target:
        target.write(np.arange(3600, dtype=np.uint8).reshape(1, 60, 60))
    (found / "notes.txt").write_text("no raster")
    (found / ".hidden.tif").write_bytes(b"")
    (found / "link.tif").symlink_to(secret / "secret.tif")
    (found / "away").symlink_to(secret)
    settings.IMPORT_FOLDERS = [found.resolve()]
    return found


def listed(browser: Client, project: Project, **query: str) -> Any:
    return browser.get("/api/imagery/folders", {"project": str(project.pk), **query})


def take(browser: Client, project: Project, **body: Any) -> Any:
    whole = json.dumps({"project": str(project.pk), **body})
    return browser.post("/api/imagery/folders", whole, content_type="application/json")


def test_an_open_folder_shows_its_folders_and_rasters_and_no_links(
    browser: Client, project: Project, folder: Path
) -> None:
    assert listed(browser, project).json()["folders"] == [str(folder)]
    make_imagery(project, name="site", size_bytes=(folder / "site.tif").stat().st_size)
    found = listed(browser, project, folder=str(folder)).json()
    rows = [(row["name"], row["kind"], row["known"]) for row in found["entries"]]
    assert rows == [("2024", "folder", False), ("site.tif", "file", True)]
    assert found["up"] is None
    assert listed(browser, project, folder=f"{folder}/2024").json()["up"] == str(folder)


def test_a_raster_of_a_folder_becomes_a_layer_and_stays_where_it_is(
    browser: Client, project: Project, folder: Path
) -> None:
    answer = take(browser, project, folder=str(folder), names=["site.tif"], options={"attribution": "© City"})
    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["jobs"][0]["job"])
    ended = run_now(job)
    assert (ended.state, ended.error_message) == ("succeeded", "")
    layer = ImageryLayer.objects.get(pk=ended.result["imagery"])
    assert (layer.name, layer.attribution, layer.width) == ("site", "© City", 60)
    assert (folder / "site.tif").is_file()
    assert "file" not in Upload.objects.get().options


def test_a_file_that_cannot_be_taken_stops_no_other_and_says_why(
    browser: Client, project: Project, folder: Path, settings: Settings
) -> None:
    (folder / "empty.tif").write_bytes(b"")
    (folder / "twin.tif").write_bytes((folder / "site.tif").read_bytes())
    told = take(browser, project, folder=str(folder), names=["empty.tif", "site.tif", "twin.tif"]).json()
    assert [row["name"] for row in told["jobs"]] == ["site.tif", "twin.tif"]
    assert [(row["name"], row["code"]) for row in told["refused"]] == [("empty.tif", "not_an_image")]
    settings.JOB_MAX_UNFINISHED = 2
    told = take(browser, project, folder=str(folder), names=["site.tif"]).json()
    assert [row["name"] for row in told["refused"]] == ["site.tif"]
    assert Upload.objects.count() == 2


def test_of_the_largest_folders_what_is_new_is_listed(
    browser: Client, project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_imagery(project, name="site", size_bytes=(folder / "site.tif").stat().st_size)
    (folder / "zoo.tif").write_bytes(b"II*")
    monkeypatch.setattr(folders, "MOST_SHOWN", 2)
    found = listed(browser, project, folder=str(folder)).json()
    assert [row["name"] for row in found["entries"]] == ["2024", "zoo.tif"]
    assert found["left_out"] == 1


def test_a_picture_takes_its_world_file_along_and_a_geotiff_keeps_its_crs(folder: Path) -> None:
    (folder / "photo.png").write_bytes(b"\x89PNG")
    assert folders.position_of(folder / "photo.png", "32633") == {}
    (folder / "photo.pgw").write_text("0.5 0 0 -0.5 500000 4649000")
    placed = {"world_file": "0.5 0 0 -0.5 500000 4649000", "epsg": "32633"}
    assert folders.position_of(folder / "photo.png", "32633") == placed
    assert folders.position_of(folder / "site.tif", "4326") == {}


def test_nothing_outside_the_open_folders_is_seen_or_taken(browser: Client, project: Project, folder: Path) -> None:
    closed = str(folder.parent / "closed")
    for path in (closed, f"{folder}/../closed", f"{folder}/away", "/", "/etc", f"{folder}x", "\0", "relative"):
        answer = listed(browser, project, folder=path)
        assert answer.status_code in (400, 403), path
        assert "secret" not in answer.content.decode()
    for names in (["link.tif"], ["../closed/secret.tif"], ["away/secret.tif"], ["notes.txt"], [".."], [""], []):
        assert take(browser, project, folder=str(folder), names=names).status_code in (400, 403), names
    assert take(browser, project, folder=closed, names=["secret.tif"]).status_code == 403
    assert not Upload.objects.exists()


def test_a_link_that_comes_later_is_not_followed(browser: Client, project: Project, folder: Path) -> None:
    job = Job.objects.get(pk=take(browser, project, folder=str(folder), names=["site.tif"]).json()["jobs"][0]["job"])
    (folder / "site.tif").unlink()
    (folder / "site.tif").symlink_to(folder.parent / "closed" / "secret.tif")
    ended = run_now(job)
    assert (ended.state, ended.error_code) == ("failed", "folder_not_allowed")


def test_without_a_setting_there_is_no_folder_and_viewers_see_none(
    browser: Client, project: Project, folder: Path, settings: Settings
) -> None:
    assert listed(client_for(make_user("eve")), project).status_code == 403
    settings.IMPORT_FOLDERS = []
    assert listed(browser, project).json()["folders"] == []
    assert "QUADRAT_IMPORT_FOLDERS" in listed(browser, project, folder=str(folder)).json()["fix"]
