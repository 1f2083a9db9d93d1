"""Basemaps in a real browser: tiles of another host, chosen, drawn, printed, and what does not answer."""

import http.server
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.driver import Pages, wait_until
from tests.factories import make_imagery, make_project, make_user
from webapp.maps import services

COLOURS = {"open": (200, 40, 160), "shut": (30, 160, 60), "wms": (20, 90, 210)}


class TileServer(http.server.ThreadingHTTPServer):
    """Another site: `/open/` lets others copy its tiles, `/shut/` does not, `/wms` answers maps, `/gone/` nothing."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Tiles)
        self.asked: list[str] = []
        self.referrers: set[str] = set()


class Tiles(http.server.BaseHTTPRequestHandler):
    server: TileServer

    def do_GET(self) -> None:
        kind = urlsplit(self.path).path.split("/")[1]
        self.server.asked.append(self.path)
        self.server.referrers.add(self.headers.get("Referer", ""))
        if kind not in COLOURS:
            self.send_error(404)
            return
        picture = io.BytesIO()
        Image.new("RGB", (256, 256), COLOURS[kind]).save(picture, "PNG")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        if kind == "open":
            self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(picture.getvalue())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def tiles() -> Iterator[TileServer]:
    server = TileServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def share_of(path: Path, colour: tuple[int, int, int]) -> float:
    """The share of a picture's pixels that have nearly this colour."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    return float((abs(pixels - colour) < 12).all(axis=2).mean())


def test_an_administrator_names_basemaps_and_a_map_is_drawn_and_printed_on_one(
    open_page: Pages, tiles: TileServer, screenshot: Callable[..., None], tmp_path: Path
) -> None:
    host = f"http://127.0.0.1:{tiles.server_port}"
    root = make_user("root", is_staff=True, is_superuser=True)
    project = make_project(root)
    scene = make_imagery(project, name="A scene")
    made = services.create_map(project=project, name="Town", user=root, layers=[])
    services.share(map=made, share="link", user=root)
    services.save_view(map=made, view=services.View(85.52, 27.63, 15))
    page = open_page(root, allow=["40[34]|503", "CORS", "ERR_FAILED"])

    def name_basemap(name: str, address: str, kind: str = "xyz", **more: str) -> None:
        page.goto("/admin/maps/basemap/add/")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Kind").select_option(kind)
        page.get_by_label("Address", exact=False).first.fill(address)
        for label, text in more.items():
            page.locator(f"#id_{label}").fill(text)
        page.get_by_role("button", name="Save", exact=True).click()

    name_basemap("Streets", f"{host}/open/{{x}}/{{y}}.png")
    expect(page.get_by_text("The address lacks {z}")).to_be_visible()
    screenshot(page, "basemap-admin")
    name_basemap(
        "Streets", f"{host}/open/{{z}}/{{x}}/{{y}}.png?k={{key}}", key="k&1", attribution="© <b>Somebody</b> & sons"
    )
    name_basemap("Guarded", f"{host}/shut/{{z}}/{{x}}/{{y}}.png", kind="tms")
    name_basemap("Ortho", f"{host}/wms?map=a", kind="wms", wms_layers="ortho,roads")
    name_basemap("Gone", f"{host}/gone/{{z}}/{{x}}/{{y}}.png")
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert tiles.asked == []  # the server never asks itself

    page.goto(f"/maps/{made.pk}/")
    line, drawn = page.get_by_role("region", name="Basemap"), page.locator("img.leaflet-tile-loaded")
    expect(line).to_contain_text("No basemap")
    page.wait_for_load_state("networkidle")
    assert tiles.asked == []

    def choose(name: str) -> None:
        line.get_by_role("button", name="Change").click()
        page.get_by_role("radio", name=name).check()
        page.get_by_role("button", name="Done").click()
        expect(line).to_contain_text(name)

    choose("Streets")
    expect(drawn.first).to_be_visible()
    expect(page.locator(".leaflet-control-attribution")).to_have_text("© <b>Somebody</b> & sons")
    assert all("?k=k%261" in path for path in tiles.asked)
    origin = urlsplit(page.url)
    assert tiles.referrers == {f"{origin.scheme}://{origin.netloc}/"}
    screenshot(page, "basemap-map")

    def printed() -> tuple[Path, str]:
        page.get_by_role("button", name="Print").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Make a PNG").click()
        path = tmp_path / "print.png"
        download.value.save_as(path)
        said = page.locator(".toast").last.inner_text()
        page.get_by_role("button", name="Done").click()
        return path, said

    path, said = printed()
    assert "is made" in said
    assert share_of(path, COLOURS["open"]) > 0.6

    tiles.asked.clear()
    choose("Ortho")
    wait_until(lambda: tiles.asked, what="a request to the WMS", page=page)
    asked = {key.upper(): value[0] for key, value in parse_qs(urlsplit(tiles.asked[0]).query).items()}
    wanted = {"MAP": "a", "REQUEST": "GetMap", "LAYERS": "ortho,roads", "CRS": "EPSG:3857", "VERSION": "1.3.0"}
    assert wanted.items() <= asked.items()

    choose("Guarded")
    expect(drawn.first).to_be_visible()
    wait_until(lambda: any("/shut/" in path for path in tiles.asked), what="tiles from the south", page=page)
    rows = {int(path.split("/")[4].split(".")[0]) for path in tiles.asked if path.startswith("/shut/15/")}
    assert rows & set(range(18990, 19012))  # 32767 - 13766: counted from the south
    path, said = printed()
    assert "without the basemap" in said
    assert share_of(path, COLOURS["shut"]) == 0

    choose("Gone")
    expect(line.get_by_role("status")).to_have_text("Its server sends no pictures here.")
    page.get_by_role("button", name="Undo").click()
    expect(line).to_contain_text("Guarded")
    choose(scene.name)

    choose("Streets")
    stranger = open_page(None)
    stranger.goto(f"/maps/{made.pk}/embed")
    expect(stranger.locator("img.leaflet-tile-loaded").first).to_be_visible()
    screenshot(stranger, "basemap-embed")
