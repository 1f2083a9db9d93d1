"""Imports: CRS, classes, repair, what is skipped, broken files, and the job of a large one."""

import io
import json
import math
import tracemalloc
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import shapely
from django.conf import settings
from django.db import connection

from tests.factories import client_for, make_layer, make_project, make_user
from webapp.errors import Invalid, QuadratError
from webapp.features import services
from webapp.features.import_report import Report
from webapp.features.importing import DIRECT_BYTES, Importer, Options, import_now
from webapp.features.models import Edit, Feature, FeatureClass, FeatureLayer
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.jobs.services import cancel
from webapp.jobs.worker import _sweep_quarantine
from webapp.vectors.geojson import GeoJsonReader


@pytest.fixture
def layer(db: None) -> FeatureLayer:
    return make_layer(make_project(make_user("ana")))


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    box = {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]]}
    return {"type": "Feature", "geometry": geometry or box, "properties": properties}


def bring(layer: FeatureLayer, features: list[Any], options: Options | None = None, **members: Any) -> Report:
    body = json.dumps({"type": "FeatureCollection", **members, "features": features}).encode()
    return import_now(layer=layer, stream=io.BytesIO(body), options=options or Options(), user=None)


def test_a_bow_tie_is_repaired_and_counted_and_a_ring_is_closed(layer: FeatureLayer) -> None:
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    opened = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}
    report = bring(layer, [feature(bow), feature(opened)])
    assert (report.added, dict(report.notes)) == (2, {"repaired": 1, "closed": 1})
    mended = Feature.objects.order_by("fid")[0].geometry
    assert (mended.geom_type, mended.valid, mended.area) == ("MultiPolygon", True, pytest.approx(0.5))


def test_what_cannot_be_stored_is_listed_with_its_place(layer: FeatureLayer) -> None:
    far = {"type": "Point", "coordinates": [5_000_000, 3]}
    report = bring(
        layer, [feature(), {"type": "Feature", "geometry": None}, feature(far), 7, feature(class_name="Sea")]
    )
    assert (report.added, dict(report.skipped)) == (
        1,
        {"geometry_missing": 1, "coordinate_out_of_range": 1, "not_a_feature": 1, "class_unknown": 1},
    )
    assert [item["index"] for item in report.examples] == [1, 2, 3, 4]


def test_what_the_database_cannot_measure_or_hold_is_skipped_and_not_the_end_of_the_file(layer: FeatureLayer) -> None:
    world = {"type": "Polygon", "coordinates": [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]}
    huge = {"type": "Point", "coordinates": [10**400, 3]}
    utm = {"type": "name", "properties": {"name": "EPSG:32633"}}
    assert bring(layer, [feature(world), feature()]).skipped == {"edge_ambiguous": 1}
    assert bring(layer, [feature(huge)], crs=utm).skipped == {"coordinate_out_of_range": 1}


def test_a_number_of_thousands_of_digits_is_refused(layer: FeatureLayer) -> None:
    body = b'{"type": "FeatureCollection", "features": [' + b"9" * 5000 + b"]}"
    with pytest.raises(Invalid, match="thousands of digits"):
        import_now(layer=layer, stream=io.BytesIO(body), options=Options(), user=None)


def test_another_crs_is_transformed_and_named(layer: FeatureLayer) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    report = bring(layer, [feature({"type": "Point", "coordinates": [9_520_000, 3_200_000]})], crs=crs)
    place = Feature.objects.get().geometry
    # The inverse of spherical Mercator, written out.
    lon, lat = math.degrees(9_520_000 / 6_378_137), math.degrees(math.atan(math.sinh(3_200_000 / 6_378_137)))
    assert place.coords == pytest.approx((lon, lat), abs=1e-9)
    assert report.crs.endswith("3857")


def test_an_unknown_crs_stops_the_import(layer: FeatureLayer) -> None:
    with pytest.raises(Invalid, match="not known"):
        bring(layer, [feature()], crs={"type": "name", "properties": {"name": "EPSG:999999"}})
    assert Feature.objects.count() == 0


def test_a_property_names_the_class_by_value_or_name_and_new_names_become_classes(layer: FeatureLayer) -> None:
    items = [feature(kind="TREE"), feature(kind=1), feature(kind="roof"), feature(kind="Roof"), feature()]
    report = bring(layer, items, Options(class_property="kind", add_classes=True))
    assert report.classes_added == ["roof"]
    assert list(Feature.objects.order_by("fid").values_list("class_value", flat=True)) == [1, 1, 2, 2, None]
    assert FeatureClass.objects.get(layer=layer, value=2).name == "roof"


def test_a_class_that_a_colleague_adds_while_the_file_is_read_is_kept(layer: FeatureLayer) -> None:
    options = Options(class_property="kind", add_classes=True)
    importer = Importer(layer, options, Report(), namespace=uuid4(), user=None)
    known = [services.ClassSpec(row.value, row.name, row.colour) for row in FeatureClass.objects.filter(layer=layer)]
    services.save_classes(layer=layer, classes=[*known, services.ClassSpec(2, "Road", "#7570b3")], user=None)
    body = json.dumps({"type": "FeatureCollection", "features": [feature(kind="Shed"), feature(kind="road")]})
    assert len(list(importer.lines(io.BytesIO(body.encode())))) == 2
    rows = FeatureClass.objects.filter(layer=layer).order_by("value").values_list("value", "name", "retired")
    assert list(rows)[1:] == [(2, "Road", False), (3, "Shed", False)]
    # The colour that would be third is taken: on the map the two could not be told apart.
    colours = FeatureClass.objects.filter(layer=layer).values_list("colour", flat=True)
    assert len(set(colours)) == 3


def test_what_a_file_says_nobody_has_checked_stays_a_suggestion(layer: FeatureLayer) -> None:
    made: list[dict[str, Any]] = [
        {"verified": False, "source": "model"},
        {"verified": 0, "source": "human"},
        {"verified": "false"},
        {"verified": True, "source": "model"},
        {"source": "model"},
    ]
    bring(layer, [feature(**properties) for properties in made])
    bring(layer, [feature(source="model", verified=True)], Options(verified=False))
    rows = Feature.objects.order_by("fid").values_list("verified", "source")
    unchecked = [(False, "model"), (False, "import"), (False, "import")]
    assert list(rows) == [*unchecked, (True, "import"), (True, "import"), (False, "model")]


def test_fields_that_the_layer_lacks_are_dropped_and_named(layer: FeatureLayer) -> None:
    FeatureLayer.objects.update(fields=[{"name": "storeys", "type": "integer"}])
    layer.refresh_from_db()
    report = bring(layer, [feature(storeys=3, colour="red"), feature(storeys="three")])
    assert (report.added, report.fields_dropped, dict(report.skipped)) == (1, ["colour"], {"property_value": 1})
    assert Feature.objects.get().properties == {"storeys": 3}


BROKEN = [
    b"",
    b"{",
    b"[]",
    b'{"type": "FeatureCollection"}',
    b'{"type": "FeatureCollection", "features": [',
    b'{"type": "FeatureCollection", "features": [1 2]}',
    b'{"type": "FeatureCollection", "features": [{"geometry": NaN}]}',
    b'{"type": "FeatureCollection", "features": [' + b"[" * 100_000,
    '{"type": "FeatureCollection"}'.encode("utf-16"),
    b'{"name": "\xff"}',
    b"II*\x00 not text at all",
]


@pytest.mark.parametrize("body", BROKEN)
def test_a_broken_file_is_refused_and_leaves_nothing(layer: FeatureLayer, body: bytes) -> None:
    with pytest.raises(QuadratError):
        import_now(layer=layer, stream=io.BytesIO(body), options=Options(), user=None)
    assert (Feature.objects.count(), Edit.objects.count()) == (0, 0)


class Trickle(io.BytesIO):
    """Gives one byte at a time, so that every token is cut somewhere."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(1)


def test_a_file_cut_anywhere_reads_the_same() -> None:
    body = json.dumps({"name": "né", "features": [{"a": 12.5, "b": [1, 2]}, 17, "ü"], "type": "x"}, ensure_ascii=False)
    reader = GeoJsonReader(Trickle(b"\xef\xbb\xbf" + body.encode()))
    assert list(reader) == [{"a": 12.5, "b": [1, 2]}, 17, "ü"]
    assert reader.members == {"name": "né", "type": "x"}


def test_reading_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "large.geojson"
    item = json.dumps(feature(name="x" * 100))
    with path.open("w") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        file.writelines(f"{item}," for _ in range(60_000))
        file.write(item + "]}")
    assert path.stat().st_size > 13 << 20
    with path.open("rb") as stream:
        tracemalloc.start()
        count = sum(1 for _ in GeoJsonReader(stream))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count == 60_001
    assert peak < 4 << 20


def test_real_buildings_come_in_with_a_full_log(layer: FeatureLayer, data: Path) -> None:
    path = data / "banepa" / "banepa_buildings_osm.geojson"
    expected = [
        shapely.geometry.shape(item["geometry"]) for item in json.loads(path.read_text(encoding="utf-8"))["features"]
    ]
    with path.open("rb") as stream:
        report = import_now(
            layer=layer, stream=stream, options=Options(class_property="roof:material", add_classes=True), user=None
        )
    assert report.added == len(expected) == 1466
    layer.refresh_from_db()
    assert (layer.seq, layer.feature_count, layer.next_fid) == (1466, 1466, 1467)
    assert [layer.west, layer.south, layer.east, layer.north] == pytest.approx(
        shapely.total_bounds(expected).tolist(), abs=1e-12
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM features_edit e JOIN features_feature f"
            " ON f.id = e.feature_id AND f.version = e.version"
            " AND ST_OrderingEquals(f.geometry, e.geometry) AND f.properties = e.properties"
        )
        assert cursor.fetchone() == (1466,)
    # Repaired by rule, never dropped in silence: the areas stay.
    stored = sum(item.area for item in Feature.objects.values_list("geometry", flat=True))
    assert stored == pytest.approx(sum(shapely.make_valid(item).area for item in expected), rel=1e-9)


@pytest.mark.django_db(transaction=True)
def test_a_large_file_becomes_a_job_that_imports_once_however_often_it_runs() -> None:
    ana = make_user("ana")
    layer = make_layer(make_project(ana))
    text = "x" * 1000
    body = json.dumps({"type": "FeatureCollection", "features": [feature(text=text) for _ in range(2_000)]})
    assert len(body) > DIRECT_BYTES
    answer = client_for(ana).post(f"/api/layers/{layer.pk}/import", body, content_type="application/geo+json")
    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["job"])
    run_now(job)
    job.refresh_from_db()
    assert (job.state, job.result["added"]) == ("succeeded", 2_000)
    assert Feature.objects.filter(layer=layer).count() == Edit.objects.filter(layer=layer).count() == 2_000
    assert list(Path(settings.QUARANTINE_DIR).glob("import-*")) == []


@pytest.mark.django_db(transaction=True)
def test_a_file_that_no_job_will_read_leaves_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = make_user("ana")
    layer = make_layer(make_project(ana))
    client, left = client_for(ana), lambda: list(Path(settings.QUARANTINE_DIR).glob("import-*"))

    def send() -> Any:
        body = b"{" + b" " * (DIRECT_BYTES + 1) + b"no json"
        return client.post(f"/api/layers/{layer.pk}/import", body, content_type="application/geo+json")

    broken = run_now(Job.objects.get(pk=send().json()["job"]))
    assert (broken.state, left()) == ("failed", [])
    cancel(job=Job.objects.get(pk=send().json()["job"]), user=ana)
    waiting = Job.objects.get(pk=send().json()["job"])
    monkeypatch.setattr(settings, "JOB_MAX_UNFINISHED", 1)
    assert send().status_code == 429
    monkeypatch.setattr(settings, "UPLOAD_KEEP_H", 0)
    monkeypatch.setattr(settings, "COLLECT_GRACE_H", 0)  # the cancelled one could have been run again
    _sweep_quarantine()
    assert [path.name for path in left()] == [waiting.spec["path"]]
