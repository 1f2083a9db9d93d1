"""Files in and out over REST, with the real jobs and the real sandbox."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.conf import settings
from django.test import Client

from labeling.models import LabelSet
from labeling.services import create_label_set
from tests.factories import client_for, make_imagery, make_project, make_user
from webapp import disk
from webapp.features.models import Feature, FeatureClass, FeatureLayer
from webapp.features.services import NewFeature, add_features
from webapp.housekeeping.stores import stores
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.raster import sandbox
from webapp.vectors import child

CLASSES = [(1, "Tree", "#1b9e77"), (2, "Roof", "#d95f02")]
BOX = shapely.box(85.511, 27.627, 85.512, 27.628)


@pytest.fixture
def label_set(db: None) -> LabelSet:
    project = make_project(make_user("ana"), labeler=make_user("ben"), viewer=make_user("eve"))
    imagery = make_imagery(project, name="Scene")
    return create_label_set(project=project, name="Crowns", imagery=imagery, classes=CLASSES, user=None)


@pytest.fixture
def ben(label_set: LabelSet) -> Client:
    return client_for(make_user("ben"))


def ended(answer: Any) -> Job:
    assert answer.status_code == 202, answer.content
    return run_now(Job.objects.get(pk=answer.json()["job"]))


def look(client: Client, label_set: LabelSet, name: str, body: bytes) -> Job:
    url = f"/api/label-sets/{label_set.pk}/imports?filename={name}"
    return ended(client.post(url, body, content_type="application/octet-stream"))


def bring(client: Client, label_set: LabelSet, seen: Job, **choices: Any) -> Job:
    url = f"/api/layers/{label_set.layer_id}/imports/{seen.pk}"
    return ended(client.post(url, choices, content_type="application/json"))


def take(client: Client, label_set: LabelSet, **choices: Any) -> tuple[Job, bytes]:
    url = f"/api/label-sets/{label_set.pk}/exports"
    job = ended(client.post(url, choices, content_type="application/json"))
    assert job.state == Job.State.SUCCEEDED, job.error_message
    answer = client.get(job.result["url"])
    assert answer["Content-Disposition"] == f'attachment; filename="{job.result["filename"]}"'
    return job, b"".join(answer.streaming_content)  # type: ignore[arg-type]


def waiting() -> list[str]:
    return [path.name for path in Path(settings.QUARANTINE_DIR).glob("import-*")]


def test_a_file_is_looked_into_mapped_and_imported(ben: Client, label_set: LabelSet) -> None:
    lines = [
        "wkt,kind,storeys,colour",
        f'"{BOX.wkt}",Roof,2,red',
        f'"{BOX.wkt}",palm,,',
        f'"{BOX.wkt}",car,1,',
        "x,palm,,",
    ]
    seen = look(ben, label_set, "a%2Fb.csv", "\n".join(lines).encode())
    (table,) = seen.result["tables"]
    assert (seen.result["filename"], seen.result["format"], table["count"]) == ("b.csv", "csv", 4)
    assert (table["crs"]["id"], table["crs"]["assumed"]) == ("EPSG:4326", True)
    assert table["bounds"] == pytest.approx(list(BOX.bounds))
    assert {field["name"]: field["values"] for field in table["fields"]}["kind"] == [
        ["palm", 2],
        ["Roof", 1],
        ["car", 1],
    ]

    done = bring(
        ben,
        label_set,
        seen,
        tables=[0],
        crs="EPSG:4326",
        class_property="kind",
        class_map={"palm": "new", "car": "skip"},
        fields={"kind": "", "storeys": "floors", "colour": ""},
    )
    assert done.state == Job.State.SUCCEEDED, done.error_message
    assert (done.result["added"], done.result["skipped"]) == (2, {"class_skipped": 1, "geometry_missing": 1})
    assert done.result["classes_added"] == ["palm"]
    rows = Feature.objects.order_by("fid").values_list("class_value", "properties")
    assert list(rows) == [(2, {"floors": 2}), (3, {})]
    assert waiting() == []


def test_what_was_exported_comes_back_from_a_shapefile_of_two_kinds(ben: Client, label_set: LabelSet) -> None:
    point = shapely.Point(85.52, 27.63)
    features = [NewFeature(BOX, 1, source="human", properties={"a long field name": "é"}), NewFeature(point, 2)]
    add_features(layer=label_set.layer, features=features)
    job, content = take(ben, label_set, format="shapefile", crs="imagery")
    assert (job.result["count"], job.result["lost"]) == (2, {})
    assert "Crowns_polygons.prj" in zipfile.ZipFile(BytesIO(content)).namelist()
    Feature.objects.all().delete()
    seen = look(ben, label_set, "crowns.zip", content)
    assert [table["crs"]["id"] for table in seen.result["tables"]] == ["EPSG:32645", "EPSG:32645"]
    assert bring(ben, label_set, seen, tables=[0, 1]).result["added"] == 2
    found = {row.class_value: row for row in Feature.objects.all()}
    # A nanodegree: to UTM and back.
    assert shapely.from_wkt(found[1].geometry.wkt).hausdorff_distance(BOX) < 1e-9
    assert found[1].properties == {"a long field name": "é"}


def test_pixel_formats_go_through_the_pixels_of_the_imagery(ben: Client, label_set: LabelSet) -> None:
    add_features(layer=label_set.layer, features=[NewFeature(BOX, 2), NewFeature(BOX, 1)])
    job, content = take(ben, label_set, format="coco", classes=[2])
    (annotation,) = json.loads(content)["annotations"]
    assert (job.result["count"], annotation["category_id"]) == (1, 2)
    # A layer by itself has no pixels.
    url = f"/api/layers/{label_set.layer_id}/exports"
    assert ben.post(url, {"format": "coco"}, content_type="application/json").json()["code"] == "imagery_missing"


def test_wrong_choices_are_refused_before_a_job_begins(ben: Client, label_set: LabelSet) -> None:
    seen = look(ben, label_set, "x.csv", f'wkt\n"{BOX.wkt}"\n'.encode())
    url = f"/api/layers/{label_set.layer_id}/imports/{seen.pk}"
    for wrong in (
        {"tables": [1]},
        {"tables": "0"},
        {"crs": "+init=x"},
        {"class_map": {"a": 9}},
        {"class_map": {"a": "maybe"}},
        {"fields": {"a": 3}},
        {"class_value": 7},
        [],
    ):
        assert ben.post(url, wrong, content_type="application/json").status_code == 400, wrong
    exports = f"/api/label-sets/{label_set.pk}/exports"
    for wrong in ({}, {"format": "exe"}, {"format": "kml", "crs": "EPSG:32645"}, {"format": "gpkg", "classes": []}):
        assert ben.post(exports, wrong, content_type="application/json").status_code == 400, wrong
    other = create_label_set(project=label_set.project, name="B", imagery=label_set.imagery, classes=CLASSES, user=None)
    foreign = f"/api/layers/{other.layer_id}/imports/{seen.pk}"
    assert ben.post(foreign, {}, content_type="application/json").status_code == 404
    assert ben.post(url, {}, content_type="application/json").status_code == 202
    assert ben.post(url, {}, content_type="application/json").json()["code"] == "already_importing"
    assert ben.delete(url).status_code == 204
    assert waiting() == []
    assert ben.post(url, {}, content_type="application/json").json()["code"] == "inputs_gone"


def test_a_bad_file_gets_a_sentence_and_leaves_nothing(ben: Client, label_set: LabelSet) -> None:
    entity = b'<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml xmlns="x"><Document>&x;</Document></kml>'
    job = look(ben, label_set, "evil.kml", entity)
    assert (job.state, job.error_code) == (Job.State.FAILED, "xml_unsafe")
    assert waiting() == []
    assert FeatureClass.objects.count() == 2


def test_a_full_disk_is_told_before_a_byte_is_kept(
    ben: Client, label_set: LabelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "FREE_BYTES", 2**62)
    monkeypatch.setattr(disk, "FREE_SHARE", 1.0)
    url = f"/api/label-sets/{label_set.pk}/imports?filename=a"
    assert ben.post(url, b"x", content_type="application/octet-stream").status_code == 507
    exports = f"/api/label-sets/{label_set.pk}/exports"
    assert ben.post(exports, {"format": "gpkg"}, content_type="application/json").status_code == 507
    assert (waiting(), Job.objects.count()) == ([], 0)


def test_viewers_take_and_do_not_bring_and_strangers_see_nothing(
    ben: Client, label_set: LabelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve, mallory = client_for(make_user("eve")), client_for(make_user("mallory"))
    job, _ = take(eve, label_set, format="geojson")
    assert mallory.get(job.result["url"]).status_code == 404
    url = f"/api/label-sets/{label_set.pk}/imports?filename=a"
    assert eve.post(url, b"x", content_type="application/octet-stream").status_code == 403
    store = next(store for store in stores() if store.name == "exports")
    assert f"exports/{job.pk}" in store.named()
    monkeypatch.setattr(settings, "COLLECT_GRACE_H", 0)
    assert store.named() == set()


def test_the_old_address_still_imports_geojson(ben: Client, label_set: LabelSet) -> None:
    feature = {"type": "Feature", "geometry": shapely.geometry.mapping(BOX), "properties": {"class_value": 2}}
    body = json.dumps({"type": "FeatureCollection", "features": [feature, {"type": "Feature", "geometry": None}]})
    url = f"/api/layers/{label_set.layer_id}/import"
    report = ben.post(url, body, content_type="application/geo+json").json()
    assert (report["added"], report["skipped"]) == (1, {"geometry_missing": 1})
    assert FeatureLayer.objects.get(pk=label_set.layer_id).feature_count == 1


def test_only_the_formats_that_we_read_have_a_driver(tmp_path: Path) -> None:
    """What gets past the check of the first bytes finds no parser."""
    import subprocess

    code = (
        "import os; from webapp.vectors import child; os.environ['OGR_SKIP'] = child.SKIPPED;"
        "import pyogrio; print(','.join(pyogrio.list_drivers()))"
    )
    told = subprocess.run(
        [*sandbox.python("-c", code)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=sandbox._environment(str(sandbox.ROOT)),
    )
    assert set(told.stdout.strip().split(",")) == child.KEPT
