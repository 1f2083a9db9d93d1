"""Every socket of the site: who may open it, from where, and for how long."""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client

from tests.factories import make_token
from tests.security.world import World, make_world
from tests.sockets import Socket
from webapp import sockets
from webapp.doorbell import listener
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.maps.models import Map
from webapp.projects.models import ApiToken, User
from webapp.projects.routes import SOCKETS

pytestmark = pytest.mark.django_db(transaction=True)

OPEN, CLOSED_FOR_GOOD = "open", {4401, 4403, 4404}
OBJECT = {"ws/jobs/<uuid:pk>/": "job", "ws/layers/<uuid:pk>/": "layer", "ws/maps/<uuid:pk>/": "map"}
PATHS = [str(route.pattern) for route in sockets.routes]  # type: ignore[attr-defined]
OF_OBJECTS = [path for path in PATHS if "<" in path]


@pytest.fixture
def world() -> Iterator[World]:
    yield make_world()
    listener.stop()
    gc.collect()  # connections of the threads that have ended


def path_of(pattern: str, world: World) -> str:
    return "/" + (pattern.replace("<uuid:pk>", str(world.objects[OBJECT[pattern]])) if "<" in pattern else pattern)


Script = Callable[[Socket], Coroutine[Any, Any, Any]]


def talk(path: str, script: Script, **who: Any) -> Any:
    """Open a socket through the site's own door and run the script on it."""
    socket = Socket(path, **who)

    async def run() -> Any:
        await socket.open()
        try:
            return await script(socket)
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await socket.close()

    return asyncio.run(run())


async def outcome(socket: Socket) -> object:
    """Return "open" where something is sent or nothing happens for a moment, else the close code."""
    try:
        message = await socket.receive(within_s=3)
    except TimeoutError:
        return OPEN
    return message if isinstance(message, int) else OPEN


def test_every_socket_is_declared_and_no_declaration_is_stale() -> None:
    assert sorted(PATHS) == sorted(SOCKETS)


# One test looks at all sockets: emptying the tables between real transactions is what costs time.
def outcomes(world: World, patterns: list[str], **who: Any) -> dict[str, object]:
    return {pattern: talk(path_of(pattern, world), outcome, **who) for pattern in patterns}


def test_who_may_open_what(world: World) -> None:
    strangers = outcomes(world, PATHS)
    assert set(strangers.values()) <= CLOSED_FOR_GOOD, strangers
    outsiders = outcomes(world, OF_OBJECTS, user=world.people["outsider"])
    assert set(outsiders.values()) <= CLOSED_FOR_GOOD, outsiders
    viewers = outcomes(world, PATHS, user=world.people["viewer"])
    assert set(viewers.values()) == {OPEN}, viewers
    Map.objects.update(share="link")
    assert talk(path_of("ws/maps/<uuid:pk>/", world), outcome) == OPEN


def test_another_site_cannot_use_the_session(world: World) -> None:
    owner = world.people["owner"]
    for origin in ("http://evil.example", "http://testserver.evil.example", "http://testserver:81", "null", "", None):
        found = outcomes(world, PATHS, user=owner, origin=origin)
        assert set(found.values()) == {4403}, (origin, found)


def test_a_token_opens_sockets_from_anywhere_in_its_project_while_it_lives(world: World) -> None:
    token = make_token(world.people["viewer"], ["read"])
    living = outcomes(world, PATHS, token=token, origin=None)
    assert set(living.values()) == {OPEN}, living
    elsewhere = make_token(world.people["owner"], project=world.people["outsider"].memberships.get().project)
    others = outcomes(world, OF_OBJECTS, token=elsewhere)
    assert set(others.values()) <= CLOSED_FOR_GOOD, others
    ApiToken.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert set(outcomes(world, PATHS, token=token).values()) == {4401}
    assert set(outcomes(world, PATHS, token="qdt_unknown").values()) == {4401}


def test_a_path_without_a_socket_is_not_found(world: World) -> None:
    for path in ("/ws/", "/ws/nothing/", "/ws/jobs/x/", "/ws/jobs"):
        assert talk(path, outcome, user=world.people["owner"]) == 4404


async def _act(act: Callable[[], Any]) -> None:
    def done() -> None:
        try:
            act()
        finally:
            connections["default"].close()

    await asyncio.to_thread(done)


LOSSES: dict[str, Callable[[User], Any]] = {
    "removed": lambda user: user.memberships.all().delete(),
    "disabled": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "signed out": lambda user: Session.objects.all().delete(),
    "new password": lambda user: User.objects.filter(pk=user.pk).update(password="!other"),
    "token revoked": lambda user: ApiToken.objects.update(revoked_at="2026-01-01T00:00:00Z"),
}


@pytest.mark.parametrize("loss", list(LOSSES))
def test_who_loses_access_hears_no_more(loss: str, world: World) -> None:
    viewer = world.people["viewer"]
    job = Job.objects.get(pk=world.objects["job"])
    token = make_token(viewer, ["read"]) if loss == "token revoked" else ""

    def lose() -> None:
        LOSSES[loss](viewer)
        Job.objects.filter(pk=job.pk).update(title="SECRET")
        services.cancel(job=job, user=None)

    async def script(socket: Socket) -> tuple[str, object]:
        first = await socket.receive()
        await _act(lose)
        heard = ""
        try:
            while not isinstance(message := await socket.receive(within_s=3), int):
                heard += str(message) * (message != first)
        except TimeoutError:
            return heard, None
        return heard, message

    pattern = "ws/jobs/" if loss in ("signed out", "token revoked") else "ws/jobs/<uuid:pk>/"
    heard, code = talk(path_of(pattern, world), script, token=token, user=None if token else viewer)
    assert "SECRET" not in heard
    assert code in CLOSED_FOR_GOOD


def test_the_live_log_is_gap_free_and_each_line_comes_once(world: World) -> None:
    job = Job.objects.get(pk=world.objects["job"])

    def work() -> None:
        claimed = services.claim(worker="w", lanes=["heavy"], job_id=job.pk)
        assert claimed is not None
        assert claimed.token is not None
        for number in range(30):
            services.log(job_id=job.pk, token=claimed.token, text=f"line {number}")
        services.finish(job_id=job.pk, token=claimed.token, result={"url": "/maps/"})

    async def script(socket: Socket) -> tuple[list[int], str]:
        numbers: list[int] = []
        await _act(work)
        while True:
            message = await socket.receive()
            if message["type"] == "events":
                numbers += [event["seq"] for event in message["events"]]
            elif message["job"]["state"] == "succeeded":
                return numbers, message["job"]["result"]["url"]

    numbers, url = talk(path_of("ws/jobs/<uuid:pk>/", world), script, user=world.people["viewer"])
    assert numbers == list(range(1, 34))
    assert url == "/maps/"


def test_noise_from_a_client_does_no_harm(world: World) -> None:
    async def script(socket: Socket) -> object:
        for noise in ("{", "[]", '"x"', '{"type":"ping","x":' + "1" * 1000 + "}", {"type": "nonsense"}, b"\x00\xff"):
            await socket.send(noise)
        await socket.send({"type": "ping"})
        while (message := await socket.receive())["type"] != "pong":
            pass
        return message

    assert talk("/ws/jobs/", script, user=world.people["viewer"]) == {"type": "pong"}


def test_a_stranger_gets_no_socket_cookie(world: World) -> None:
    assert "sessionid" not in Client().get("/login/").cookies
