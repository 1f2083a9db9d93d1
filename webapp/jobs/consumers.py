"""Live jobs: sockets that read the truth from the database whenever the doorbell rings."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db.models import Q

from webapp.doorbell import listener
from webapp.jobs import selectors
from webapp.jobs.models import Job
from webapp.projects.access import role_in, signed_in
from webapp.projects.models import Project, User
from webapp.projects.sockets import NOT_FOUND, SIGN_IN

logger = logging.getLogger(__name__)

# Rings that come faster than this are answered together.
GATHER_S = 0.2
# A look without a ring, so that a member who was removed is not sent more, and nothing rung while away is missed.
LOOK_AGAIN_S = 15.0


class Closing(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class LiveConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """A socket that sends what is new, after every ring of its topics."""

    async def connect(self) -> None:
        """Accept, then start to watch."""
        self._rung = asyncio.Event()
        self._ends: list[Callable[[], None]] = []
        await self.accept()
        self._task = asyncio.create_task(self._watch())

    async def disconnect(self, code: int) -> None:
        """Stop to watch."""
        for end in self._ends:
            end()
        self._task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Answer a ping; nothing else is expected, and what is not expected is ignored."""
        if text_data is not None and text_data[:100].replace(" ", "") == '{"type":"ping"}':
            await self.send_json({"type": "pong"})

    async def _watch(self) -> None:
        try:
            for topic in await self._read(self.topics):
                self._listen(topic)
            while True:
                self._rung.clear()
                for message in await self._read(self.news):
                    await self.send_json(message)
                await asyncio.sleep(GATHER_S)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._rung.wait(), LOOK_AGAIN_S)
        except Closing as closing:
            await self.close(closing.code)
        except Exception:  # the socket loop: the client comes back and reads everything anew
            logger.exception("a socket of jobs broke")
            await self.close(1011)

    def _listen(self, topic: str) -> None:
        loop = asyncio.get_running_loop()

        def rung(*_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._rung.set)

        self._ends.append(listener.subscribe(topic, rung))

    async def _read(self, look: Callable[[], list[Any]]) -> list[Any]:
        # Not thread-sensitive: that would put every socket of the process into one thread.
        found: list[Any] = await database_sync_to_async(look, thread_sensitive=False)()
        return found

    def topics(self) -> list[str]:
        """Return what to listen to; raise Closing where the caller may not."""
        raise NotImplementedError

    def news(self) -> list[dict[str, Any]]:
        """Return the messages that the client lacks; raise Closing where the caller no longer may."""
        raise NotImplementedError


class JobConsumer(LiveConsumer):
    """`/ws/jobs/<id>/`: the job at every change, and its log without gaps (`?after=` the last line known)."""

    def topics(self) -> list[str]:
        """Return the job's topic."""
        self._seen = _after(self.scope)
        self._last = ""
        self._job()
        return [f"job:{self._pk}"]

    def news(self) -> list[dict[str, Any]]:
        """Return the job if it changed, and new lines of its log."""
        job = self._job()
        shown = selectors.job_json(job)
        messages: list[dict[str, Any]] = []
        while lines := selectors.events(job, after=self._seen):
            self._seen = lines[-1]["seq"]
            messages.append({"type": "events", "events": lines})
        if (text := json.dumps(shown)) != self._last:
            self._last = text
            messages.append({"type": "job", "job": shown})
        return messages

    @property
    def _pk(self) -> UUID:
        pk: UUID = self.scope["url_route"]["kwargs"]["pk"]
        return pk

    def _job(self) -> Job:
        user = _caller(self.scope)
        found = selectors.job(self._pk)
        if found is None or not _may_see(user, found.project):
            raise Closing(NOT_FOUND)
        return found


class JobsConsumer(LiveConsumer):
    """`/ws/jobs/`: jobs that changed, of one project (`?project=`) or of all that the caller may see."""

    def topics(self) -> list[str]:
        """Return the projects' topics."""
        self._known: dict[str, str] = {}
        return [f"project:{pk}" for pk in self._projects()]

    def news(self) -> list[dict[str, Any]]:
        """Return the recent and unfinished jobs that changed since they were last sent."""
        projects = Project.objects.filter(pk__in=self._projects())
        recent = selectors.jobs(projects).order_by("-created_at", "-id")
        rows = list(recent[: selectors.MOST_LIVE_JOBS])
        rows += list(recent.filter(Q(finished_at=None) & ~Q(pk__in=[row.pk for row in rows])))
        shown = {str(row.pk): selectors.job_json(row) for row in rows}
        texts = {pk: json.dumps(job) for pk, job in shown.items()}
        changed = [job for pk, job in shown.items() if self._known.get(pk) != texts[pk]]
        self._known = texts
        return [{"type": "jobs", "jobs": changed}] if changed else []

    def _projects(self) -> list[UUID]:
        user = _caller(self.scope)
        wanted = _query(self.scope).get("project")
        if wanted is None:
            everything = Project.objects.filter(corner_of=None)
            projects = everything if user.is_superuser else everything.filter(members__user=user)
            return [project.pk for project in projects if _may_see(user, project)]
        pk = _uuid(wanted)
        found = None if pk is None else Project.objects.filter(pk=pk).first()
        if found is None or not _may_see(user, found):
            raise Closing(NOT_FOUND)
        return [found.pk]


def _caller(scope: dict[str, Any]) -> User:
    user = scope["user"]
    if not isinstance(user, User) or not signed_in(user):
        raise Closing(SIGN_IN)
    return user


def _may_see(user: User, project: Project | None) -> bool:
    return user.is_superuser if project is None else role_in(user, project) is not None


def _query(scope: dict[str, Any]) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1")))


def _after(scope: dict[str, Any]) -> int:
    text = _query(scope).get("after", "0")
    return int(text[:18]) if text.isascii() and text.isdigit() else 0


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
