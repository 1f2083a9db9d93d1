"""Assisted drawing over a real raster file: the outline lies where the object does."""

import zlib
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from django.conf import settings
from shapely.geometry import box, shape

from labeling import segments
from labeling.assist import Place, object_in, wand
from labeling.models import LabelSet
from tests.factories import client_for
from tests.labeling.tasks import Team, make_team
from webapp.errors import Invalid
from webapp.imagery.models import ImageryLayer
from webapp.raster.shapes import to_crs

# UTM 45N, half a metre a pixel: a roof of 30 x 40 m on a field.
WEST, NORTH, PIXEL_M = 353_000.0, 3_057_000.0, 0.5
GRID = (PIXEL_M, 0.0, WEST, 0.0, -PIXEL_M, NORTH)
ROOF = box(WEST + 60, NORTH - 100, WEST + 100, NORTH - 70)

MIDDLE = to_crs(ROOF.centroid, 32645, 4326).bounds[:2]


@pytest.fixture
def team(db: None, tmp_path: Path) -> Team:
    made = make_team(tasks_m=0)
    rng = np.random.default_rng(1)
    array = np.full((3, 400, 400), 110.0) + rng.normal(0, 6, (3, 400, 400))
    array[:, 140:200, 120:200] += np.array([90, 10, -30])[:, None, None]
    folder = Path(settings.MEDIA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "crs": 32645, "height": 400, "width": 400}
    with rasterio.open(folder / "roof.tif", "w", transform=Affine(*GRID), **profile) as out:
        out.write(np.clip(array, 0, 255).astype(np.uint8))
    ImageryLayer.objects.filter(pk=made.label_set.imagery_id).update(analysis_path="roof.tif", height=400, width=400)
    made.label_set = LabelSet.objects.select_related("imagery", "layer", "project").get(pk=made.label_set.pk)
    return made


def overlap(geometry: dict[str, object]) -> float:
    found = to_crs(shape(geometry), 4326, 32645)
    return float(shapely.area(found.intersection(ROOF)) / shapely.area(found.union(ROOF)))


def test_a_click_and_a_box_find_the_roof(team: Team) -> None:
    assert overlap(wand(team.label_set.imagery, Place(MIDDLE[0], MIDDLE[1], 0.2))) > 0.93
    around = to_crs(ROOF.buffer(8), 32645, 4326).bounds
    assert overlap(object_in(team.label_set.imagery, around)) > 0.93


def test_what_lies_outside_or_is_too_small_is_refused(team: Team) -> None:
    with pytest.raises(Invalid, match="outside"):
        wand(team.label_set.imagery, Place(0.0, 0.0, 0.2))
    with pytest.raises(Invalid, match="few pixels"):
        object_in(team.label_set.imagery, (MIDDLE[0], MIDDLE[1], MIDDLE[0] + 1e-7, MIDDLE[1] + 1e-7))


def test_the_route_answers_labelers(team: Team) -> None:
    url = f"/api/label-sets/{team.label_set.pk}/assist"
    ben = client_for(team.ben)
    body = {"tool": "wand", "lon": MIDDLE[0], "lat": MIDDLE[1], "tolerance": 0.2}
    assert ben.post(url, body, content_type="application/json").json()["geometry"]["type"] == "Polygon"
    for wrong in ({"tool": "sam"}, {**body, "lon": "x"}, {"tool": "box", "west": 1}):
        assert ben.post(url, wrong, content_type="application/json").status_code == 400


def test_segments_of_the_roof_together_are_the_roof_whatever_the_view(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, ben = team.label_set, client_for(team.ben)
    url = f"/api/label-sets/{found.pk}/segments"
    around = to_crs(ROOF.buffer(8), 32645, 4326).bounds
    told = ben.get(url, {"level": 1, "bbox": ",".join(map(str, around))}).json()
    assert (told["size_m"], [(block["row"], block["col"]) for block in told["blocks"]]) == (
        segments.SEGMENT_PX * found.imagery.gsd_m,
        [(0, 0)],
    )
    wider = to_crs(box(WEST, NORTH - 190, WEST + 190, NORTH), 32645, 4326).bounds
    wide = ben.get(url, {"level": 1, "bbox": ",".join(map(str, wider))}).json()["blocks"]
    assert len(wide) == 4
    assert wide[0] == told["blocks"][0]
    answer = ben.get(f"{url}/1/0/0?v={told['version']}")
    assert "immutable" in answer["Cache-Control"]
    labels = np.frombuffer(zlib.decompress(answer.content), "<u2").reshape(256, 256)
    # Those with most of their pixels on the roof (rows 140 to 200, columns 120 to 200) are the roof.
    counts = np.bincount(labels.ravel())
    on_roof = np.bincount(labels[140:200, 120:200].ravel(), minlength=len(counts))
    picks = [[0, 0, int(number)] for number in np.flatnonzero(on_roof > 0.5 * counts) if number]
    assert 10 < len(picks) < 40
    body = {"tool": "segments", "level": 1, "picks": picks}
    union = ben.post(f"/api/label-sets/{found.pk}/assist", body, content_type="application/json").json()["geometry"]
    assert union["type"] == "Polygon"
    assert overlap(union) > 0.93
    for wrong in ({"picks": []}, {"picks": [[0, 0]]}, {"picks": [[0, 900, 1]]}, {"level": 3}):
        bad = ben.post(f"/api/label-sets/{found.pk}/assist", body | wrong, content_type="application/json")
        assert bad.status_code == 400
    monkeypatch.setattr(segments, "MOST_BLOCKS", 3)
    assert client_for(team.rita).get(url, {"bbox": "85,27,86,28"}).json()["code"] == "too_many_segments"


def test_segments_meet_at_the_edge_of_blocks_and_leave_no_data_out(team: Team) -> None:
    found = team.label_set
    numbers = [
        (0, col, int(one)) for col in (0, 1) for one in np.unique(segments.labels(found.imagery, 1, 0, col)) if one
    ]
    # All of two blocks, of which the second is cut off by the edge of the imagery at column 400: one rectangle.
    whole = to_crs(shape(segments.union(found.imagery, 1, numbers)), 4326, 32645)
    assert whole.geom_type == "Polygon"
    assert whole.area == pytest.approx(256 * 400 * PIXEL_M**2, rel=0.01)
