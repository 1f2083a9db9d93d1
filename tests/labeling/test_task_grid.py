"""Grids: cells cover the imagery exactly once, whatever they are cut by."""

import math
from typing import Any

import pytest
import shapely
from shapely.geometry import box, mapping

from labeling import task_services
from labeling.models import Task, TaskEvent
from labeling.task_grid import GridRequest, cells_of, parse_grid, quarters
from tests.factories import EAST, NORTH, SOUTH, WEST, make_imagery, make_project
from tests.labeling.tasks import make_team
from webapp.errors import Invalid, QuadratError, TooLarge
from webapp.features.geometry import to_shape
from webapp.imagery.models import ImageryLayer
from webapp.raster.shapes import to_crs

FOOTPRINT = box(WEST, SOUTH, EAST, NORTH)
# What lies in here was not cut at the edge.
INSIDE = FOOTPRINT.buffer(-1e-5)


@pytest.fixture
def imagery(db: None) -> ImageryLayer:
    return make_imagery(make_project())


def covers_once(cells: list[Any], area: Any) -> None:
    union = shapely.union_all(cells)
    # Corners of less than a ten-thousandth of a cell are left out.
    assert union.symmetric_difference(area).area < 1e-5 * area.area
    assert sum(cell.area for cell in cells) == pytest.approx(union.area, rel=1e-7)


@pytest.mark.parametrize(("kind", "size"), [("metres", 250), ("pixels", 512), ("tiles", 17), ("tiles", 0)])
def test_cells_cover_the_footprint_once(imagery: ImageryLayer, kind: Any, size: float) -> None:
    covers_once(cells_of(GridRequest(kind, size), imagery, []).cells, FOOTPRINT)


def test_squares_in_metres_have_their_size_on_the_ground(imagery: ImageryLayer) -> None:
    cells = cells_of(GridRequest("metres", 250), imagery, []).cells
    inner = [cell for cell in cells if INSIDE.contains(cell)]
    # UTM's scale is within 0.1 % at this distance from its middle line: 0.2 % of the area.
    areas = [to_crs(cell, 4326, 32645).area for cell in inner]
    assert areas
    assert areas == pytest.approx([62_500] * len(areas), rel=2e-3)


def test_squares_in_pixels_begin_at_whole_pixels_of_the_imagery(imagery: ImageryLayer) -> None:
    a, _, c, _, e, f = imagery.transform
    for cell in cells_of(GridRequest("pixels", 512), imagery, []).cells:
        if not INSIDE.contains(cell):
            continue
        for x, y in shapely.get_coordinates(to_crs(cell, 4326, 32645)):
            col, row = (x - c) / a / 512, (y - f) / e / 512
            assert math.isclose(col, round(col), abs_tol=1e-4)
            assert math.isclose(row, round(row), abs_tol=1e-4)


def test_web_tiles_are_those_of_the_map(imagery: ImageryLayer) -> None:
    cells = cells_of(GridRequest("tiles", 17), imagery, []).cells
    n = 2**17
    wanted = {
        (int((lon + 180) / 360 * n), int((0.5 - math.asinh(math.tan(math.radians(lat))) / (2 * math.pi)) * n))
        for cell in cells
        for lon, lat in [(cell.centroid.x, cell.centroid.y)]
    }
    assert len(wanted) == len(cells)


def test_polygons_are_clipped_and_do_not_overlap(imagery: ImageryLayer) -> None:
    half, over = box(WEST - 1, SOUTH, (WEST + EAST) / 2, NORTH), box(WEST, SOUTH, EAST + 1, NORTH)
    outside = box(0, 0, 1, 1)
    cells = cells_of(GridRequest("polygons", polygons=[half, over, outside]), imagery, []).cells
    assert len(cells) == 2
    covers_once(cells, FOOTPRINT)


def test_an_area_and_the_tasks_that_are_there_are_left_out(imagery: ImageryLayer) -> None:
    west_half = box(WEST, SOUTH, (WEST + EAST) / 2, NORTH)
    first = cells_of(GridRequest("metres", 250, area=west_half), imagery, [])
    covers_once(first.cells, west_half)
    rest = cells_of(GridRequest("tiles", 17), imagery, first.cells)
    covers_once([*first.cells, *rest.cells], FOOTPRINT)
    assert rest.covered == pytest.approx(0.5, abs=1e-6)
    with pytest.raises(Invalid, match="nothing to cut"):
        cells_of(GridRequest("metres", 250), imagery, [FOOTPRINT])


def test_too_many_cells_are_refused_before_they_are_made(imagery: ImageryLayer) -> None:
    with pytest.raises(TooLarge, match="10,000 tasks"):
        cells_of(GridRequest("metres", 1), imagery, [])
    with pytest.raises(TooLarge, match="10,000 tasks"):
        cells_of(GridRequest("metres", 9), imagery, [])


def test_a_turned_raster_has_turned_squares(db: None) -> None:
    turned = make_imagery(make_project(), transform=[0.5, 0.3, 353_000.0, 0.3, -0.5, 3_057_000.0])
    cells = cells_of(GridRequest("pixels", 512), turned, []).cells
    covers_once(cells, FOOTPRINT)
    inner = next(cell for cell in cells if INSIDE.contains(cell))
    sides = shapely.get_coordinates(to_crs(inner, 4326, 32645))
    assert math.hypot(*(sides[1] - sides[0])) == pytest.approx(512 * math.hypot(0.5, 0.3), rel=1e-6)


def test_quarters_cover_the_cell() -> None:
    covers_once(quarters(FOOTPRINT), FOOTPRINT)
    triangle = shapely.Polygon([(0, 0), (1, 0), (0, 1)])
    assert len(quarters(triangle)) == 3
    covers_once(quarters(triangle), triangle)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "hexagons", "size": 1},
        {"kind": "metres", "size": "x"},
        {"kind": "metres", "size": 0},
        {"kind": "pixels", "size": 100.5},
        {"kind": "tiles", "size": 27},
        {"kind": "metres", "size": float("inf")},
        {"kind": "polygons"},
        {"kind": "polygons", "polygons": {"type": "Point", "coordinates": [0, 0]}},
        {"kind": "polygons", "polygons": {"type": "FeatureCollection", "features": []}},
        {"kind": "metres", "size": 10, "area": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}},
    ],
)
def test_what_is_no_grid_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(QuadratError) as caught:
        parse_grid(body)
    assert caught.value.fix


def test_a_grid_becomes_numbered_tasks_with_history_and_can_be_taken_away_untouched(db: None) -> None:
    team = make_team(0)
    request = parse_grid({"kind": "polygons", "polygons": mapping(FOOTPRINT)})
    [task] = task_services.create_grid(label_set=team.label_set, request=request, user=team.ana)
    assert (task.number, task.state, task.seq) == (1, "todo", 1)
    assert to_shape(task.geometry).contains(to_shape(task.centre))
    assert TaskEvent.objects.get().actor == team.ana
    assert task_services.remove_untouched(label_set=team.label_set, user=team.ana) == 1
    assert not Task.objects.exists()
