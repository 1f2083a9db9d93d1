"""What every browser test shares: the real site in a process of its own, Chromium, sign-in, screenshots.

The site is uvicorn with `webapp.asgi`, serving the test database and the built front end on a free port of the
loopback device. A page fails its test at the end on any console error or uncaught exception; where a test
provokes one (a cut network), it names it in `allow`.

Environment: QUADRAT_CHROMIUM (path of the browser), QUADRAT_SCREENSHOTS (folder that keeps pictures),
QUADRAT_SKIP_BUILD (1: use the front end as it was built last).
"""

import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django import Settings

from labeling.models import LabelSet
from labeling.services import create_label_set
from tests import factories
from tests.bench.served import chromium_path
from tests.browser.driver import Pages, Site, database_url_of_tests, free_port
from tests.remote.server import Site as FileServer
from tests.remote.server import serving
from webapp.imagery import uploads
from webapp.imagery.models import ImageryLayer
from webapp.jobs.runner import run_now
from webapp.projects.models import Project, User

FRONTEND = Path(settings.BASE_DIR) / "frontend"
FOLDERS = ("MEDIA_DIR", "QUARANTINE_DIR", "SCRATCH_DIR")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as a browser test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _build_is_current(dist: Path) -> bool:
    manifest = dist / "manifest.json"
    if not manifest.exists():
        return False
    built = manifest.stat().st_mtime
    sources = [*FRONTEND.glob("src/**/*"), FRONTEND / "package-lock.json", FRONTEND / "vite.config.ts"]
    return all(path.stat().st_mtime <= built for path in sources if path.is_file())


@pytest.fixture(scope="session")
def front_end() -> Path:
    """The built front end, built anew where a source is younger, by one process of the tests."""
    dist = Path(settings.FRONTEND_DIST)
    Path(settings.VAR_DIR).mkdir(parents=True, exist_ok=True)
    with (Path(settings.VAR_DIR) / "front-end.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.environ.get("QUADRAT_SKIP_BUILD") == "1" or _build_is_current(dist):
            return dist
        command = ["npx", "vite", "build", "--logLevel", "error", "--emptyOutDir", "--outDir", str(dist)]
        done = subprocess.run(command, cwd=FRONTEND, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.fail(f"the front end does not build:\n{done.stdout}\n{done.stderr}")
    return dist


@pytest.fixture(scope="session")
def files_port() -> int:
    """Port of a server of files that the site may ask, once a test starts it."""
    return free_port()


@pytest.fixture(scope="session")
def files_served(files_port: int) -> Iterator[FileServer]:
    """The server of files; one for all tests, for the site leaves one alone for a while that it did not reach."""
    with serving(files_port) as served:
        yield served


@pytest.fixture
def file_server(files_served: FileServer) -> Iterator[FileServer]:
    """A server that the site may ask, without files."""
    files_served.reset()
    yield files_served
    files_served.reset()


@pytest.fixture(scope="session")
def site(
    front_end: Path,
    files_port: int,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The site on a free port, with the test database; its folders are those of the whole session."""
    folder = tmp_path_factory.mktemp("site")
    for name in (*FOLDERS, "import"):
        (folder / name.lower()).mkdir()
    with django_db_blocker.unblock():
        database_url = database_url_of_tests()
    env = {
        **os.environ,
        **{f"QUADRAT_{name}": str(folder / name.lower()) for name in FOLDERS},
        "DATABASE_URL": database_url,
        "QUADRAT_READ_DATABASE_URL": "",
        "QUADRAT_SECRET_KEY": settings.SECRET_KEY,
        "QUADRAT_DEBUG": "0",
        "QUADRAT_REMOTE_PRIVATE_HOSTS": f"http://127.0.0.1:{files_port}",
        "QUADRAT_IMPORT_FOLDERS": str(folder / "import"),
        "DJANGO_SETTINGS_MODULE": "webapp.settings",
    }
    running = Site(f"http://127.0.0.1:{free_port()}", env, folder / "site.log")
    running.start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, site: Site) -> Path:
    """The test process writes where the site reads (elsewhere every test has folders of its own)."""
    folder = site.log.parent
    for name in FOLDERS:
        setattr(settings, name, folder / name.lower())
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    path = chromium_path()
    if not Path(path).exists():
        pytest.fail(f"no browser at {path}; install chromium, or set QUADRAT_CHROMIUM to one")
    # Playwright's synchronous API keeps an event loop on this thread, which Django would take for async code.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=15_000)  # two busy cores; a test that is right does not wait for it
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield started
        started.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def open_page(transactional_db: None, browser: Browser, site: Site) -> Iterator[Pages]:
    """Call it as `open_page(user, size=PHONE, dark=True)`; console errors fail the test when it ends."""
    pages = Pages(browser, site)
    yield pages
    found = pages.close()
    if found:
        pytest.fail("the console said:\n" + "\n".join(found))


@pytest.fixture
def page(open_page: Pages) -> Page:
    """A page of a stranger, 1280 x 800, light."""
    return open_page()


@pytest.fixture
def worker(transactional_db: None, site: Site) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker process on the test database, for as long as the test runs."""
    with (site.log.parent / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=settings.BASE_DIR, env=site.env, stdout=log, stderr=log
        )
    yield process
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# Nothing fades, slides or zooms any more, and pictures that are asked for are there. What turns for ever may turn.
AT_REST = """() => document.querySelector(".leaflet-zoom-anim") === null
  && document.getAnimations().every(({ effect, playState }) =>
    playState !== "running" || effect?.getComputedTiming().endTime === Infinity)
  && [...document.images].every((image) => image.complete || image.loading === "lazy")"""


@pytest.fixture
def screenshot() -> Callable[..., None]:
    """Call it as `screenshot(page, "label")`: waits for the page at rest; QUADRAT_SCREENSHOTS keeps the picture."""
    folder = os.environ.get("QUADRAT_SCREENSHOTS")

    def take(page: Page, name: str, *, full_page: bool = False) -> None:
        page.wait_for_function(AT_REST)
        # A picture that nobody looks at costs up to a second on a busy machine, a hundred times.
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=full_page)

    return take


@pytest.fixture(scope="session")
def ingested_rows() -> dict[Path, dict[str, Any]]:
    """What `ingest` found out of each file: rows are gone after each test, files stay where nobody deletes them."""
    return {}


@pytest.fixture
def ingest(
    transactional_db: None, site: Site, ingested_rows: dict[Path, dict[str, Any]]
) -> Callable[[Project, User, Path], ImageryLayer]:
    """Call it as `ingest(project, user, path)`: a scene that went the way of every upload, once for each file."""

    def bring(project: Project, user: User, path: Path) -> ImageryLayer:
        row = ingested_rows.get(path)
        # A test that deletes its project takes the files with it.
        if row is not None and (Path(settings.MEDIA_DIR) / row["analysis_path"]).exists():
            return ImageryLayer.objects.create(project=project, created_by=user, **row)
        data = path.read_bytes()
        upload = uploads.begin(
            project=project,
            user=user,
            filename=path.name,
            size_bytes=len(data),
            position={},
            options={"name": path.stem},
        )
        uploads.append(upload=upload, offset=0, data=data)
        job = run_now(uploads.complete(upload=upload))
        assert job.state == job.State.SUCCEEDED, job.error
        layer = ImageryLayer.objects.get(pk=job.result["imagery"])
        own = {"id", "project", "created_by", "job", "created_at", "updated_at"}
        names = [field.name for field in ImageryLayer._meta.concrete_fields if field.name not in own]
        ingested_rows[path] = {name: getattr(layer, name) for name in names}
        return layer

    return bring


@pytest.fixture(scope="session")
def osbs() -> Path:
    """A real scene that the registry brings: NEON's OSBS_029, 400 x 400 pixels of 0.1 m in Florida."""
    found = importlib.util.find_spec("deepforest")
    if found is None or not found.submodule_search_locations:
        pytest.fail("the package deepforest, which brings the sample scene, is not installed")
    return Path(found.submodule_search_locations[0]) / "data" / "OSBS_029.tif"


@pytest.fixture
def ana(transactional_db: None) -> User:
    """The owner of the label set's project."""
    return factories.make_user("ana", first_name="Ana", last_name="Lima")


@pytest.fixture
def label_set(ana: User, ingest: Callable[[Project, User, Path], ImageryLayer], osbs: Path) -> LabelSet:
    """An empty label set with three classes over a real scene."""
    project = factories.make_project(ana)
    return create_label_set(
        project=project,
        name="Tree crowns",
        imagery=ingest(project, ana, osbs),
        classes=[(1, "Tree", "#1b9e77"), (2, "Building", "#e7298a"), (7, "Water", "#377eb8")],
        user=ana,
    )
