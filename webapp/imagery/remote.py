"""Files of other servers: what lies at an address, and layers that read it there."""

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from webapp.errors import BadRaster, Invalid, SourceFailed, TooMany
from webapp.imagery import stac_item, storage
from webapp.imagery.models import ImageryLayer
from webapp.imagery.services import Description, register, sandbox_limits
from webapp.imagery.stac_item import Item
from webapp.projects.models import Project, User
from webapp.raster.cog import Layout, layout
from webapp.raster.position import Position
from webapp.remote import client, files, network, policy
from webapp.remote.files import RemoteFile
from webapp.remote.pinned import Pinned

# What is read of a file before anything is known of it.
HEAD_BYTES = 64 * 1024
MOST_ITEM_BYTES = 4 * 1024**2
# Looks of one process at once: each takes a thread for as long as the other server does, and then a sandbox.
MOST_LOOKS = 2
LOOK_WAIT_S = 10.0
# Seconds for all answers that one look needs: an index may be spread over a file.
LOOK_S = 60.0
ACCEPT = "image/tiff, application/geo+json, application/json, */*;q=0.1"
# Files whose facts are remembered.
MOST_FACTS = 16
_facts: OrderedDict[Pinned, dict[str, Any]] = OrderedDict()
_lock = threading.Lock()
_looks = threading.BoundedSemaphore(MOST_LOOKS)


@dataclass(frozen=True, slots=True)
class Scene:
    """A raster at an address.

    Attributes:
        pinned: the file in the state that was looked at.
        facts: what the sandbox told of it; None where it can only be copied.
        problem: why it can only be copied; None where it can be read where it lies.
        fetched_bytes: read of it so far.
    """

    pinned: Pinned
    layout: Layout | None
    facts: dict[str, Any] | None
    problem: Invalid | SourceFailed | None
    fetched_bytes: int


def servers() -> dict[str, Any]:
    """Return which servers may be asked, for the page that takes addresses."""
    now = policy.current()
    buckets = [f"s3://{name}" for name in now.store.buckets] if now.store else []
    return {"hosts": [*map(str, now.origins), *buckets], "setting": "QUADRAT_REMOTE_HOSTS"}


def look(url: str) -> Scene | Item:
    """Return what lies at an address: a raster, or a STAC item.

    Raises:
        Invalid: the server is not one that may be asked, or it is neither.
        SourceFailed: the server does not give it.
        TooMany: others are looking at addresses.
    """
    with _turn():
        head, answer = _head(url)
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            whole = client.get(url, {"accept": ACCEPT}, most_bytes=MOST_ITEM_BYTES)
            if whole.status != 200:
                raise client.refused(whole)
            return stac_item.parse(whole.body, answer.target.url)
        return _scene(url)


def scene(url: str) -> Scene:
    """Return the raster at an address.

    Raises:
        Invalid: the server is not one that may be asked, or it is no raster.
        SourceFailed: the server does not give it.
        TooMany: others are looking at addresses.
    """
    with _turn():
        return _scene(url)


def link(
    *, project: Project, user: User | None, url: str, options: Mapping[str, Any], origin: str = ""
) -> ImageryLayer:
    """Return a new layer that reads a COG where it lies.

    Args:
        project: where it belongs.
        user: who added it.
        url: http(s) or s3.
        options: checked by `uploads.check_options`; `bands`, names that go before the file's.
        origin: address of the STAC item that names it.

    Raises:
        Invalid: see `scene`; or the file can only be copied.
        SourceFailed: the server does not give it.
    """
    found = scene(url)
    if found.facts is None:
        assert found.problem is not None
        raise found.problem
    facts = found.facts | {"bands": _named(found.facts["bands"], options.get("bands") or ())}
    return register(
        project=project,
        user=user,
        description=Description(
            options["name"],
            options.get("attribution", ""),
            options.get("description", ""),
            options.get("acquired_at"),
        ),
        analysis_path=keep(found.pinned),
        display_path="",
        facts=facts,
        position=Position(),
        sha256="",
        size_bytes=found.pinned.size_bytes,
        remote=described(found.pinned, origin),
    )


def keep(pinned: Pinned) -> str:
    """Store the small file that names a raster of another server; return its path in MEDIA_DIR."""
    from webapp.raster import remote

    with tempfile.TemporaryDirectory(dir=settings.SCRATCH_DIR) as folder:
        path = Path(folder) / f"source{remote.SUFFIX}"
        remote.write(pinned, path)
        return storage.keep(path)


def described(pinned: Pinned, origin: str = "") -> dict[str, Any]:
    """Return what a layer's row says of its source: nothing that must not be shown."""
    return {
        "url": policy.current().check(pinned.url).shown,
        "etag": pinned.etag,
        "last_modified": pinned.last_modified,
        "item": policy.current().check(origin).shown if origin else "",
    }


@contextmanager
def _turn() -> Iterator[None]:
    if not _looks.acquire(timeout=LOOK_WAIT_S):
        raise TooMany("Others are looking at addresses.", fix="Try again in a moment.", details={"retry_after_s": 5})
    try:
        with network.deadline(LOOK_S):
            yield
    finally:
        _looks.release()


def _head(url: str) -> tuple[bytes, client.Answer]:
    """Return the first bytes at an address, of a server that gives parts of files and of one that does not."""
    with client.opened(url, {"range": f"bytes=0-{HEAD_BYTES - 1}", "accept": ACCEPT}) as (answer, pieces):
        if answer.status not in (200, 206):
            raise client.refused(answer)
        head = b""
        for piece in pieces:
            head += piece
            if len(head) >= HEAD_BYTES:
                break
        return head[:HEAD_BYTES], answer


def _scene(url: str) -> Scene:
    try:
        pinned = files.look(url)
    except SourceFailed as error:
        if error.code != "no_ranges":
            raise
        return Scene(Pinned(url, 0), None, None, error, 0)
    file, taken = RemoteFile(pinned), []

    def read(offset: int, size: int) -> bytes:
        data = file.read(offset, size)
        taken.append((offset, data))
        return data

    read(0, HEAD_BYTES)
    found = layout(read, pinned.size_bytes, pinned.name)
    problem: Invalid | SourceFailed | None = found.problem(pinned.name)
    facts = None
    if problem is None:
        parts = found.picture_parts()
        taken += zip((offset for offset, _ in parts), file.read_parts(parts), strict=True)
        try:
            facts = _known(pinned, lambda: _inspected(pinned, (found.picture.height, found.picture.width), taken))
        except BadRaster as error:
            if error.code != "not_linkable":
                raise
            problem = error
    return Scene(pinned, found, facts, problem, sum(len(data) for _, data in taken))


def _known(pinned: Pinned, tell: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the facts of a file: who looked at it adds it next, and the sandbox takes its time."""
    if not pinned.certain:
        return tell()
    with _lock:
        found = _facts.get(pinned)
    if found is None:
        found = tell()
        with _lock:
            _facts[pinned] = found
            while len(_facts) > MOST_FACTS:
                _facts.popitem(last=False)
    return found


def _inspected(pinned: Pinned, shape: tuple[int, int], taken: list[tuple[int, bytes]]) -> dict[str, Any]:
    """Return what the sandbox tells of a file of which only some parts are there: it has no network."""
    from webapp.raster import sandbox

    with tempfile.TemporaryDirectory(dir=settings.SCRATCH_DIR) as folder:
        source, out = Path(folder) / "source", Path(folder) / "out"
        out.mkdir()
        with source.open("wb") as file:
            file.truncate(pinned.size_bytes)
            for offset, data in taken:
                file.seek(offset)
                file.write(data)
        request: dict[str, Any] = {
            "name": pinned.name,
            "position": {},
            "nodata": None,
            "max_pixels": settings.RASTER_MAX_PIXELS,
            "shape": list(shape),
        }
        return sandbox.run("inspect", request, source=source, out=out, limits=sandbox_limits()[0])


def _named(bands: list[dict[str, Any]], names: tuple[str, ...] | list[str]) -> list[dict[str, Any]]:
    if len(names) != len(bands):
        return bands
    return [band | {"name": str(name)[:100]} for band, name in zip(bands, names, strict=True)]


def as_json(found: Scene | Item) -> dict[str, Any]:
    """Return what lies at an address, for the page that offers to add it."""
    if isinstance(found, Item):
        return {"kind": "item", **asdict(found), "assets": [_asset(asset) for asset in found.assets if asset.raster]}
    facts = found.facts or {}
    laid = found.layout
    shown = ("epsg", "gsd_m", "nodata", "picture", "notes", "footprint")
    return {
        "kind": "raster",
        "url": policy.current().check(found.pinned.url).shown,
        "name": found.pinned.name,
        "size_bytes": found.pinned.size_bytes,
        "certain": found.pinned.certain,
        "fetched_bytes": found.fetched_bytes,
        "height": laid.full.height if laid else None,
        "width": laid.full.width if laid else None,
        "dtype": facts.get("dtype") or (laid.dtype if laid else ""),
        "compression": laid.compression if laid else "",
        "overviews": len(laid.overviews) if laid else 0,
        "bands": [band["name"] for band in facts.get("bands", [])],
        "problem": problem_json(found.problem) if found.problem else None,
        **{key: facts.get(key) for key in shown},
    }


def problem_json(error: Invalid | SourceFailed) -> dict[str, Any]:
    """Return an error as pages show it."""
    return {"code": error.code, "message": error.message, "fix": error.fix}


def _asset(asset: stac_item.Asset) -> dict[str, Any]:
    try:
        shown, problem = policy.current().check(asset.href).shown, None
    except Invalid as error:
        shown, problem = asset.href.partition("?")[0], problem_json(error)
    return {
        "key": asset.key,
        "href": asset.href,
        "url": shown,
        "title": asset.title,
        "roles": list(asset.roles),
        "bands": list(asset.bands),
        "problem": problem,
    }
