"""The site in a process of its own, and pages in Chromium whose consoles are watched."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from playwright.sync_api import Error as PlaywrightError

from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import User

DESKTOP = (1280, 800)
PHONE = (390, 844)


def wait_until(
    condition: Callable[[], Any], *, timeout_s: float = 15.0, what: str = "condition", page: Page | None = None
) -> Any:
    """Return the first truthy value of `condition`, asking ten times a second; fail after the timeout.

    `page` is one whose address, requests or console the condition looks at: Playwright hears of them only while it is
    called.
    """
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        if page is None:
            time.sleep(0.1)
        else:
            page.wait_for_timeout(100)
    pytest.fail(f"waited {timeout_s} s in vain for: {what}")


def finish_job(page: Page) -> Job:
    """Run the job that a page has just asked for, in this process, so that no worker has to start; return it."""
    job = run_now(
        wait_until(
            lambda: Job.objects.filter(state=Job.State.QUEUED).order_by("created_at").first(), what="a job", page=page
        )
    )
    assert job.state == Job.State.SUCCEEDED, job.error_message
    return job


# Below the ports that the system gives to outgoing connections, so that none of those takes one between our look and
# the start of a server; every process of the tests begins elsewhere.
_ports = (10_000 + (os.getpid() * 131 + step) % 20_000 for step in count())


def free_port() -> int:
    """Return a port of the loopback device that nobody listens on, another one at each call."""
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("the ports never end")


def database_url_of_tests() -> str:
    """Return the URL of the test database that Django's runner made, for a process of its own."""
    s = connection.settings_dict
    user = quote(str(s["USER"] or ""), safe="")
    password = f":{quote(str(s['PASSWORD']), safe='')}" if s["PASSWORD"] else ""
    port = f":{s['PORT']}" if s["PORT"] else ""
    return f"postgis://{user}{password}@{quote(str(s['HOST'] or ''), safe='')}{port}/{s['NAME']}"


@dataclass
class Site:
    """The running site."""

    url: str
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The TCP port on the loopback device."""
        return int(self.url.rsplit(":", 1)[1])

    def start(self) -> None:
        """Start the web process and return when it answers."""
        command = [sys.executable, "-m", "uvicorn", "webapp.asgi:application"]
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning", "--lifespan", "on"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *options], cwd=settings.BASE_DIR, env=self.env, stdout=log, stderr=log
            )
        wait_until(self._answers, timeout_s=120, what="the site to answer /healthz")

    def stop(self, *, kill: bool = False) -> None:
        """Stop the web process; `kill` gives it no chance to say good-bye."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            pytest.fail(f"the site ended at its start:\n{self.log.read_text()[-4000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@dataclass
class Watched:
    """A page with what its console said."""

    page: Page
    allow: Sequence[str] = ()
    said: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Note console errors and uncaught exceptions from now on."""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.said.append(f"{message.text} ({message.location.get('url', '')})")

    def unexpected(self) -> list[str]:
        """Return what no pattern of `allow` covers."""
        return [text for text in self.said if not any(re.search(pattern, text) for pattern in self.allow)]


class Pages:
    """Opens pages in contexts of their own, signed in or not, and judges their consoles at the end."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.browser = browser
        self.site = site
        self.watched: list[Watched] = []
        self.contexts: list[BrowserContext] = []

    def __call__(
        self,
        user: User | None = None,
        *,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        allow: Sequence[str] = (),
        **options: Any,
    ) -> Page:
        """Return a new page of a browser of its own; paths given to `goto` are relative to the site.

        Args:
            user: who is signed in; None for a stranger.
            size: (width, height) in CSS pixels.
            dark: prefer the dark colours.
            allow: patterns of console errors that the test provokes.
            options: further options of Playwright's `new_context`.
        """
        context = self.browser.new_context(
            base_url=self.site.url,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            **options,
        )
        context.set_default_timeout(15_000)
        self.contexts.append(context)
        if user is not None:
            sign_in(context, user, self.site.url)
        return self.another(context, allow=allow)

    def another(self, context: BrowserContext, *, allow: Sequence[str] = ()) -> Page:
        """Return one more watched page (a tab) of a context."""
        watched = Watched(context.new_page(), allow)
        watched.listen()
        self.watched.append(watched)
        return watched.page

    def close(self) -> list[str]:
        """Close all, and return the console errors that nobody allowed."""
        found = [text for one in self.watched for text in one.unexpected()]
        for context in self.contexts:
            # A context whose browser died closes with an error that would hide the test's own.
            try:
                context.close()
            except PlaywrightError:
                continue
        return found


def sign_in(context: BrowserContext, user: User, url: str) -> None:
    """Give the context a session of the user, as the log-in form would."""
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": url}])


def session_of(user: User) -> str:
    """Return the key of a new session of the user."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)
