"""The tile edge, called as an ASGI application."""

import asyncio
import io
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.conf import settings
from PIL import Image

from tests.factories import make_imagery, make_project
from webapp.imagery import services, tile_work
from webapp.imagery.models import ImageryLayer
from webapp.projects.signing import layer_token
from webapp.raster.blocks import BlockFolder, BlockGrid
from webapp.raster.display import write_display_cog
from webapp.raster.render import Rendering
from webapp.raster.shapes import transformer
from webapp.raster.tiff import TileFile
from webapp.tile_edge import tile_edge

pytestmark = pytest.mark.django_db(transaction=True)
UTM = Affine(0.5, 0, 500_000, 0, -0.5, 4_649_000)
CLASSES = [{"value": 1, "name": "Tree", "colour": "#1b9e77"}, {"value": 2, "name": "Roof", "colour": "#d95f02"}]


class Reply:
    """What the edge sent."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = {key.decode(): value.decode() for key, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])


def ask(path: str, *, query: str = "", method: str = "GET", headers: dict[str, str] | None = None) -> Reply:
    sent: list[dict[str, Any]] = []
    asked: list[bool] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        if asked:
            await asyncio.Event().wait()  # the client stays
        asked.append(True)
        return {"type": "http.request"}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in (headers or {}).items()],
    }
    asyncio.run(tile_edge(scope, receive, send))
    return Reply(sent)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Folders with the analysis and the display file of a scene (False) and of a class raster (True)."""
    classes = np.zeros((1, 900, 900), np.uint8)
    classes[0, :450], classes[0, 450:] = 1, 2
    scene = np.random.default_rng(1).integers(0, 255, (3, 900, 900)).astype(np.uint8)
    return {
        False: _drawn(tmp_path_factory.mktemp("scene"), scene, Rendering((1, 2, 3))),
        True: _drawn(tmp_path_factory.mktemp("classes"), classes, None),
    }


def _drawn(folder: Path, array: np.ndarray, rendering: Rendering | None) -> Path:
    profile: dict[str, Any] = {"driver": "GTiff", "count": array.shape[0], "dtype": "uint8", "crs": "EPSG:32633"}
    with rasterio.open(folder / "analysis.tif", "w", height=900, width=900, transform=UTM, **profile) as target:
        target.write(array)
    write_display_cog(folder / "analysis.tif", folder / "display.tif", rendering, progress=lambda *_: None)
    return folder


@pytest.fixture
def scene(drawn: dict[bool, Path]) -> tuple[ImageryLayer, TileFile]:
    return _layer(drawn[False])


@pytest.fixture
def class_raster(drawn: dict[bool, Path], tmp_path: Path) -> tuple[ImageryLayer, TileFile]:
    shutil.copy(drawn[True] / "analysis.tif", tmp_path)
    return _layer(drawn[True], kind="class_raster", classes=CLASSES)


def _layer(folder: Path, **values: Any) -> tuple[ImageryLayer, TileFile]:
    display = Path(settings.MEDIA_DIR) / f"{uuid4()}.tif"
    shutil.copy(folder / "display.tif", display)
    layer = make_imagery(make_project(), display_path=display.name, **values)
    return layer, TileFile(display)


def middle(file: TileFile, z: int) -> tuple[int, int]:
    """Return a tile in the middle of the file's extent."""
    filled = [
        (x, y)
        for left, top in file.smallest()
        for x in range(left << (z - file.min_zoom), (left + 1) << (z - file.min_zoom))
        for y in range(top << (z - file.min_zoom), (top + 1) << (z - file.min_zoom))
        if file.tile(z, x, y)
    ]
    return filled[len(filled) // 2]


def url(layer: ImageryLayer, z: int, x: int, y: int, form: str = "webp", version: int | None = None) -> str:
    return f"/tiles/imagery/{layer.pk}/{version or layer.version}/{z}/{x}/{y}.{form}"


def token(layer: ImageryLayer) -> str:
    return f"t={layer_token('imagery', layer.pk)}"


def test_a_tile_leaves_as_the_bytes_that_lie_in_the_file(scene: tuple[ImageryLayer, TileFile]) -> None:
    layer, file = scene
    z = file.max_zoom
    x, y = middle(file, z)
    reply = ask(url(layer, z, x, y), query=token(layer))
    assert (reply.status, reply.headers["content-type"]) == (200, "image/webp")
    assert reply.body == file.tile(z, x, y)
    assert "immutable" in reply.headers["cache-control"]
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_who_holds_the_tile_gets_304_without_a_query(
    scene: tuple[ImageryLayer, TileFile], django_assert_num_queries: Any
) -> None:
    layer, file = scene
    x, y = middle(file, file.max_zoom)
    address = url(layer, file.max_zoom, x, y)
    tag = ask(address, query=token(layer)).headers["etag"]
    with django_assert_num_queries(0):
        reply = ask(address, query=token(layer), headers={"if-none-match": tag})
    assert (reply.status, reply.body) == (304, b"")
    other = ask(address, query=token(layer), headers={"if-none-match": '"other"'})
    assert other.status == 200


@pytest.mark.parametrize("form", ["png", "jpg"])
def test_other_formats_are_made_of_the_same_tile(scene: tuple[ImageryLayer, TileFile], form: str) -> None:
    layer, file = scene
    x, y = middle(file, file.max_zoom)
    reply = ask(url(layer, file.max_zoom, x, y, form), query=token(layer))
    picture = Image.open(io.BytesIO(reply.body))
    assert picture.size == (256, 256)
    assert picture.format == {"png": "PNG", "jpg": "JPEG"}[form]


def test_zooms_outside_the_file_are_drawn_from_it(scene: tuple[ImageryLayer, TileFile]) -> None:
    layer, file = scene
    x, y = middle(file, file.max_zoom)
    for step in (1, 3):
        reply = ask(url(layer, file.max_zoom + step, x << step, y << step), query=token(layer))
        assert np.asarray(Image.open(io.BytesIO(reply.body)).convert("RGBA")).shape == (256, 256, 4)
    x, y = next(iter(file.smallest()))
    low = ask(url(layer, file.min_zoom - 2, x >> 2, y >> 2), query=token(layer))
    alpha = np.asarray(Image.open(io.BytesIO(low.body)).convert("RGBA"))[..., 3]
    assert 0 < (alpha > 0).mean() < 0.3
    assert ask(url(layer, 0, 0, 0), query=token(layer)).status == 200


def test_where_there_is_no_imagery_the_tile_is_transparent(scene: tuple[ImageryLayer, TileFile]) -> None:
    layer, file = scene
    reply = ask(url(layer, file.max_zoom, 0, 0), query=token(layer))
    assert reply.status == 200
    assert not np.asarray(Image.open(io.BytesIO(reply.body)).convert("RGBA"))[..., 3].any()


def test_class_rasters_have_the_classes_exact_colours(class_raster: tuple[ImageryLayer, TileFile]) -> None:
    layer, file = class_raster
    seen: set[tuple[int, ...]] = set()
    for left, top in file.smallest():
        reply = ask(url(layer, file.min_zoom, left, top, "png"), query=token(layer))
        picture = Image.open(io.BytesIO(reply.body))
        pixels = np.unique(np.asarray(picture.convert("RGBA")).reshape(-1, 4), axis=0)
        seen |= {tuple(int(part) for part in pixel) for pixel in pixels}
        if reply.body != tile_work.empty("png"):
            assert picture.mode == "P"
    assert {pixel for pixel in seen if pixel[3]} == {(0x1B, 0x9E, 0x77, 255), (0xD9, 0x5F, 0x02, 255)}
    assert any(pixel[3] == 0 for pixel in seen)


def test_a_class_raster_that_is_building_shows_its_blocks_and_is_not_cached() -> None:
    project = make_project()
    like = make_imagery(project, crs_wkt=rasterio.crs.CRS.from_epsg(32645).to_wkt())
    folder = Path(settings.SCRATCH_DIR) / "blocks"
    grid = BlockGrid(like.height, like.width, tuple(like.transform), like.crs_wkt, 256)
    blocks = BlockFolder.create(folder, grid)
    layer = services.create_class_raster(
        project=project, user=None, name="C", like=like, classes=CLASSES, job=None, blocks_path="blocks"
    )
    a, _, c, _, e, f = like.transform
    east, north = transformer(32645, 3857).transform(c + a * 100, f + e * 100)
    z = 18
    span = 2 * 20_037_508.342789244 / 2**z
    x, y = int((east + 20_037_508.342789244) // span), int((20_037_508.342789244 - north) // span)
    before = ask(url(layer, z, x, y, "png"), query=token(layer))
    blocks.write_block(0, grid.window(0), np.full((256, 256), 2, np.uint8))
    after = ask(url(layer, z, x, y, "png"), query=token(layer))
    assert (before.status, after.status) == (200, 200)
    assert not np.asarray(Image.open(io.BytesIO(before.body)).convert("RGBA"))[..., 3].any()
    assert (0xD9, 0x5F, 0x02, 255) in {
        tuple(int(part) for part in pixel)
        for pixel in np.asarray(Image.open(io.BytesIO(after.body)).convert("RGBA")).reshape(-1, 4)
    }
    assert after.headers["cache-control"] == "private, no-cache"


def test_a_finished_class_raster_is_served_from_its_own_files(
    class_raster: tuple[ImageryLayer, TileFile], tmp_path: Path
) -> None:
    layer, _ = class_raster
    building = services.create_class_raster(
        project=layer.project, user=None, name="C", like=layer, classes=CLASSES, job=None, blocks_path="blocks"
    )
    done = services.finish_class_raster(layer=building, path=tmp_path / "analysis.tif")
    assert (done.state, done.version, done.blocks_path) == ("ready", 2, "")
    with TileFile(Path(settings.MEDIA_DIR) / done.display_path) as file:
        x, y = middle(file, file.max_zoom)
        reply = ask(url(done, file.max_zoom, x, y, "png"), query=token(done))
    assert "immutable" in reply.headers["cache-control"]
    assert not (tmp_path / "analysis.tif").exists()


def test_a_new_version_is_seen_at_once_and_an_old_address_is_not_kept(scene: tuple[ImageryLayer, TileFile]) -> None:
    layer, file = scene
    x, y = middle(file, file.max_zoom)
    old = url(layer, file.max_zoom, x, y)
    ask(old, query=token(layer))
    services.bump(layer)
    assert "immutable" in ask(url(layer, file.max_zoom, x, y), query=token(layer)).headers["cache-control"]
    assert ask(old, query=token(layer)).headers["cache-control"] == "private, no-cache"


def test_no_token_or_one_of_another_layer_opens_nothing(scene: tuple[ImageryLayer, TileFile]) -> None:
    layer, file = scene
    x, y = middle(file, file.max_zoom)
    other = make_imagery(layer.project)
    for query in ("", "t=", "t=" + "0" * 32, token(other)):
        reply = ask(url(layer, file.max_zoom, x, y), query=query)
        assert (reply.status, b"token_expired" in reply.body) == (403, True)


@pytest.mark.parametrize(
    ("tile", "status"),
    [
        ("-1/0/0.webp", 400),
        ("99/0/0.webp", 400),
        ("1000000000/0/0.webp", 400),
        ("3/8/0.webp", 400),
        ("3/0/8.webp", 400),
        ("3/1.5/0.webp", 404),
        ("3/0x1/0.webp", 404),
        ("3/１/0.webp", 404),
        ("3/0/0.exe", 404),
        ("3/0/../0.webp", 404),
        ("3/0/0@3x.webp", 404),
    ],
)
def test_tiles_that_are_none_are_refused(scene: tuple[ImageryLayer, TileFile], tile: str, status: int) -> None:
    layer, _ = scene
    assert ask(f"/tiles/imagery/{layer.pk}/1/{tile}", query=token(layer)).status == status


def test_other_requests_are_refused(scene: tuple[ImageryLayer, TileFile]) -> None:
    layer, file = scene
    address = url(layer, file.max_zoom, 0, 0)
    assert ask(address, query=token(layer), method="POST").status == 405
    assert ask(address, query=f"{token(layer)}&url=/etc/passwd").status == 400
    assert ask("/tiles/nothing/").status == 404
    gone = uuid4()
    assert ask(f"/tiles/imagery/{gone}/1/3/0/0.webp", query=f"t={layer_token('imagery', gone)}").status == 404
    head = ask(address, query=token(layer), method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) > 0


def test_a_missing_file_is_said_to_be_missing(scene: tuple[ImageryLayer, TileFile]) -> None:
    layer, _ = scene
    ImageryLayer.objects.filter(pk=layer.pk).update(display_path="gone.tif")
    reply = ask(url(layer, 3, 0, 0), query=token(layer))
    assert (reply.status, b"layer_unavailable" in reply.body) == (503, True)
