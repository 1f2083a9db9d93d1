"""The site in a process of its own and Chromium signed in to it, for the measurements of pages."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import BrowserContext, sync_playwright

from tests.bench.tile_servers import Server

if TYPE_CHECKING:
    from webapp.projects.models import User

SIZE = (1280, 800)
# A graphics card would hide what the page's own thread computes, and most servers have none.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@dataclass(frozen=True, slots=True)
class Served:
    """A site and a browser's context, in which the user is signed in."""

    server: Server
    url: str
    context: BrowserContext


def chromium_path() -> str:
    """Return where the browser is: QUADRAT_CHROMIUM, or the one of the system."""
    return os.environ.get("QUADRAT_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


@contextmanager
def served_to(user: "User") -> Iterator[Served]:
    """Serve the site of DATABASE_URL on a port of its own until the end; Django is set up."""
    from tests.browser.driver import sign_in

    with (
        Server(Path(sys.executable), "webapp.asgi:application", {"QUADRAT_DEBUG": "0"}) as server,
        sync_playwright() as playwright,
    ):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop on this thread
        url = f"http://127.0.0.1:{server.port}"
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]})
        sign_in(context, user, url)
        yield Served(server, url, context)
        browser.close()
