"""Imagery shown beside its place: what is drawn on it meets its pixels wherever labels and pixels come together."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.conf import settings
from django.db import transaction
from pyproj import Geod
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from labeling import offsets, sheets
from labeling.files_api import grid_of
from labeling.models import ImageryOffset, LabelSet
from labeling.samples import footprint_of, problems
from tests.factories import client_for
from tests.labeling.tasks import Team, make_team
from training import services as training
from training.chips import Cutting
from training.export import export
from training.jobs import order_of
from training.specs import ExportSpec
from webapp.errors import Invalid
from webapp.features import restoring
from webapp.features.editing import apply_edits
from webapp.features.edits import EditRequest
from webapp.features.geometry import to_geos, to_shape
from webapp.features.models import Edit, Feature
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import AuditEntry
from webapp.raster.shapes import to_crs
from webapp.raster.shift import Shift

# UTM 45N, half a metre a pixel: a roof of 30 x 40 m, and the imagery is shown 12 pixels east and 8 south of it.
WEST, NORTH, PIXEL_M = 353_000.0, 3_057_000.0, 0.5
GRID = (PIXEL_M, 0.0, WEST, 0.0, -PIXEL_M, NORTH)
ROOF = box(WEST + 60, NORTH - 100, WEST + 100, NORTH - 70)
EAST_M, NORTH_M = 6.0, -4.0


def seen() -> BaseGeometry:
    """The roof where people see it: every corner walked on the ellipsoid, which is how one would survey it."""
    geod = Geod(ellps="WGS84")
    corners = []
    for lon, lat in to_crs(ROOF, 32645, 4326).exterior.coords:
        lon, lat, _ = geod.fwd(lon, lat, 90, EAST_M)
        lon, lat, _ = geod.fwd(lon, lat, 0, NORTH_M)
        corners.append((lon, lat))
    return type(ROOF)(corners)


@pytest.fixture
def team(db: None) -> Team:
    made = make_team(tasks_m=0)
    array = np.full((3, 400, 400), 60, dtype=np.uint8)
    array[:, 140:200, 120:200] = 200
    folder = Path(settings.MEDIA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    profile: dict[str, Any] = {"driver": "GTiff", "count": 3, "dtype": "uint8", "crs": 32645, "height": 400}
    with rasterio.open(folder / "roof.tif", "w", transform=Affine(*GRID), width=400, **profile) as out:
        out.write(array)
    place = to_geos(shape(to_crs(box(WEST, NORTH - 200, WEST + 200, NORTH), 32645, 4326)))
    ImageryLayer.objects.filter(pk=made.label_set.imagery_id).update(
        analysis_path="roof.tif", height=400, width=400, gsd_m=0.5, epsg=32645, crs_wkt="", transform=list(GRID),
        footprint=f"SRID=4326;MULTI{place.wkt}".replace("POLYGON (", "POLYGON ((") + ")",
        bands=[{"name": name} for name in ("red", "green", "blue")],
    )  # fmt: skip
    made.label_set = LabelSet.objects.select_related("imagery", "layer", "project").get(pk=made.label_set.pk)
    return made


def put(team: Team, status: int = 200, user: str = "rita", **body: Any) -> Any:
    asked = {"imagery": str(team.label_set.imagery_id), "east_m": EAST_M, "north_m": NORTH_M, "version": 0} | body
    url = f"/api/label-sets/{team.label_set.pk}/offsets"
    answer = client_for(getattr(team, user)).put(url, asked, content_type="application/json")
    assert answer.status_code == status, answer.json()
    return answer.json()


def draw(team: Team, geometry: BaseGeometry) -> Feature:
    edit = EditRequest(uuid4(), "create", uuid4(), geometry=to_geos(geometry), class_value=1)
    [result] = apply_edits(layer=team.label_set.layer, edits=[edit], user=team.ben)
    assert result.status == "ok", result
    return Feature.objects.get(pk=edit.feature_id)


def test_chips_hold_the_label_on_the_pixels_that_it_was_drawn_on(team: Team, tmp_path: Path) -> None:
    put(team, note="against the cadastre")
    draw(team, seen())
    spec = ExportSpec("Classified_Tiles", Cutting(chip_px=128, stride_px=128), validation=0.0)
    data = training.export(label_set=team.label_set, user=team.ana, spec=spec)
    # What is set after the export was asked for is not in it.
    put(team, version=1, east_m=0, north_m=0)
    folder = export(order_of(data), tmp_path / "chips")
    differing = lit = 0
    for chip in folder.chips:
        with rasterio.open(folder.path / chip.image) as image, rasterio.open(folder.path / chip.label) as label:
            roof, mask = image.read(1) > 100, label.read(1) == 1
        differing, lit = differing + int((roof != mask).sum()), lit + int(roof.sum())
    assert lit > 0
    # The walk on the ellipsoid and the shift of the map differ by under a millimetre; a pixel's centre is 250 from it.
    assert differing == 0
    assert folder.source["imagery_offset"]["note"] == "against the cadastre"


def test_files_in_pixels_checks_and_aids_use_the_imagery_where_it_is_shown(team: Team) -> None:
    put(team)
    found = team.label_set
    grid = grid_of(offsets.shown(found))
    col, row = ~Affine(*grid.transform) @ to_crs(seen(), 4326, 32645).exterior.coords[0]
    assert (col, row) == pytest.approx(~Affine(*GRID) @ ROOF.exterior.coords[0], abs=0.02)
    assert found.imagery.transform == list(GRID)  # the row itself is as it was
    # Twelve pixels over the file's western edge there is no imagery where it is shown.
    edge = to_crs(box(WEST + 0.5, NORTH - 60, WEST + 4, NORTH - 50), 32645, 4326)
    draw(team, edge)
    kinds = {row["kind"]: row["count"] for row in problems(found)}
    assert (kinds["outside"], kinds["crossing"]) == (1, 0)
    assert to_shape(footprint_of(found)).contains(seen())
    middle = seen().centroid
    answer = client_for(team.ben).post(
        f"/api/label-sets/{found.pk}/assist",
        {"tool": "wand", "lon": middle.x, "lat": middle.y, "tolerance": 0.2},
        content_type="application/json",
    )
    outline = shape(answer.json()["geometry"])
    assert (
        outline.intersection(seen()).area / outline.union(seen()).area > 0.93
    )  # as exactly as where nothing is moved; beside the roof it would be 0.58


def test_samples_go_with_the_imagery_in_one_step_that_can_be_taken_back(team: Team) -> None:
    sample = draw(team, to_crs(ROOF, 32645, 4326))
    layer = team.label_set.layer
    told = put(team, samples="move")
    assert (told["moved"], told["results"][0]["version"], told["results"][0]["set_by"]) == (1, 1, "rita")
    sample.refresh_from_db()
    assert to_shape(sample.geometry).hausdorff_distance(seen()) < 1e-8  # a millimetre
    assert (sample.version, sample.updated_by, sample.verified) == (2, team.rita, True)
    assert list(Edit.objects.filter(layer=layer).order_by("seq").values_list("seq", "action")) == [
        (1, "create"),
        (2, "update"),
    ]
    restoring.restore(layer=layer, seq=1, user=team.ana)
    sample.refresh_from_db()
    assert to_shape(sample.geometry).hausdorff_distance(to_crs(ROOF, 32645, 4326)) < 1e-9
    # By default they stay: the imagery is brought to what is true already.
    assert put(team, version=1, east_m=1.5)["moved"] == 0
    assert AuditEntry.objects.filter(action="label_set.offset").count() == 2


def test_an_offset_is_checked_and_never_overwritten_unseen(team: Team) -> None:
    put(team, status=403, user="ben")
    put(team)
    told = put(team, status=409, east_m=2)
    assert (told["code"], told["details"]["east_m"], told["details"]["version"]) == ("offset_changed", EAST_M, 1)
    for wrong in ({"east_m": 501}, {"north_m": "1"}, {"note": "x" * 201}, {"samples": "burn"}):
        put(team, status=400, version=1, **wrong)
    put(team, status=404, version=1, imagery=str(uuid4()))
    assert ImageryOffset.objects.get().east_m == EAST_M


def test_on_a_sheet_the_imagery_lies_where_its_label_set_shows_it(team: Team) -> None:
    with transaction.atomic():
        sheet = sheets.sheet_of(team.label_set, team.ben)
    edit = EditRequest(uuid4(), "create", uuid4(), geometry=to_geos(to_crs(ROOF, 32645, 4326)), class_value=1)
    apply_edits(layer=sheet.layer, edits=[edit], user=team.ben, unguarded=True)
    put(team, samples="move")
    assert offsets.shift(sheet) == offsets.shift(team.label_set) != Shift()
    assert to_shape(Feature.objects.get(pk=edit.feature_id).geometry).hausdorff_distance(seen()) < 1e-8


def test_training_takes_areas_and_says_so(team: Team) -> None:
    draw(team, seen().centroid)
    with pytest.raises(Invalid, match="takes areas"):
        training.export(label_set=team.label_set, user=team.ana, spec=ExportSpec())
    draw(team, to_crs(ROOF, 32645, 4326))
    data = training.export(label_set=team.label_set, user=team.ana, spec=ExportSpec())
    assert [label.geometry.geom_type for label in order_of(data).labels] == ["Polygon"]
