"""`/ws/maps/<id>/`: what viewers of a map are told, and when they are told no more."""

import asyncio
import contextlib
import gc
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.gis.geos import Polygon
from shapely.geometry import box

from tests.factories import make_imagery, make_project, make_user
from tests.sockets import Socket
from webapp.doorbell import listener
from webapp.features.bulk import NewFeature, add_features
from webapp.features.models import Feature, FeatureLayer
from webapp.features.services import EditRequest, apply_edits, create_layer
from webapp.imagery.models import ImageryLayer
from webapp.imagery.services import bump
from webapp.maps import selectors, services
from webapp.maps.consumers import MapConsumer
from webapp.maps.models import Map
from webapp.projects.models import Member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made() -> Iterator[Map]:
    ana = make_user("ana")
    project = make_project(ana, viewer=make_user("eve"))
    trees = create_layer(project=project, name="Trees", kind="samples", classes=[(1, "Tree", "#1b9e77")], user=ana)
    yield services.create_map(project=project, name="Town", user=ana, layers=[make_imagery(project), trees])
    listener.stop()
    gc.collect()  # connections of the threads that have ended


def watch(made: Map, script: Callable[[Socket], Awaitable[None]]) -> None:
    """Run a script on a viewer's socket that has been welcomed."""
    socket = Socket(f"/ws/maps/{made.pk}/", user=make_user("eve"))

    async def run() -> None:
        await socket.open()
        welcome = await socket.receive()
        assert (welcome["type"], welcome["version"]) == ("welcome", made.version)
        assert [layer["kind"] for layer in welcome["layers"]] == ["imagery", "features"]
        try:
            await script(socket)
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await socket.close()

    asyncio.run(run())


async def heard(socket: Socket, kind: str) -> dict[str, Any]:
    """Return the next message of a kind."""
    while True:
        message = await socket.receive()
        assert isinstance(message, dict), f"closed with {message}"
        if message["type"] == kind:
            return message


async def on_thread(work: Callable[..., Any], **values: Any) -> Any:
    return await sync_to_async(work, thread_sensitive=False)(**values)


def squares(*corners: float) -> list[NewFeature]:
    return [NewFeature(box(corner, corner + 40, corner + 0.1, corner + 40.1), 1) for corner in corners]


def test_what_rings_between_a_look_and_the_subscription_is_told_soon(
    made: Map, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An inference puts its layer on the map and stores the first block at once."""
    scene = ImageryLayer.objects.get()
    standing, bumped = MapConsumer._standing, threading.Event()

    def look(self: MapConsumer) -> tuple[selectors.MapState | None, int]:
        found = standing(self)
        if not bumped.is_set():
            bumped.set()
            rang = threading.Event()
            stop = listener.subscribe(f"imagery:{scene.pk}", lambda topic, number: rang.set())
            bump(scene)
            assert rang.wait(10)
            stop()
        return found

    monkeypatch.setattr(MapConsumer, "_standing", look)
    # A listener that starts only now would tell everybody to look.
    listens = threading.Event()
    stop = listener.subscribe("test", lambda topic, number: listens.set())
    assert listens.wait(10)
    stop()

    async def script(socket: Socket) -> None:
        assert (await heard(socket, "layer"))["number"] == 2

    watch(made, script)


def test_new_features_are_told_with_the_box_that_they_touch(made: Map) -> None:
    trees = FeatureLayer.objects.get()

    async def script(socket: Socket) -> None:
        await on_thread(add_features, layer=trees, features=squares(8.0, 8.2))
        message = await heard(socket, "layer")
        assert (message["kind"], message["number"]) == ("features", 2)
        assert message["changed"] == pytest.approx([8.0, 48.0, 8.3, 48.3])
        await on_thread(add_features, layer=trees, features=squares(20.0))
        message = await heard(socket, "layer")
        assert (message["number"], message["changed"]) == (3, pytest.approx([20.0, 60.0, 20.1, 60.1]))

    watch(made, script)


def test_new_pixels_and_changes_of_the_map_are_told(made: Map) -> None:
    scene = ImageryLayer.objects.get()

    async def script(socket: Socket) -> None:
        await on_thread(bump, layer=scene)
        message = await heard(socket, "layer")
        assert (message["kind"], message["number"], message["changed"]) == ("imagery", 2, None)
        await on_thread(services.rename, map=made, name="City")
        assert (await heard(socket, "map"))["version"] == made.version

    watch(made, script)


def test_a_layer_that_was_added_is_listened_to_as_well(made: Map) -> None:
    roads = create_layer(
        project=made.project, name="Roads", kind="samples", classes=[(1, "Road", "#000000")], user=None
    )

    async def script(socket: Socket) -> None:
        row = await on_thread(services.add_layer, map=made, layer=roads)
        await heard(socket, "map")
        await on_thread(add_features, layer=roads, features=squares(1.0))
        assert (await heard(socket, "layer"))["layer"] == row.pk

    watch(made, script)


def test_a_member_who_was_removed_is_told_no_more(made: Map) -> None:
    def remove() -> None:
        Member.objects.filter(user__username="eve").delete()
        services.rename(map=made, name="Secret")

    async def script(socket: Socket) -> None:
        await on_thread(remove)
        assert await socket.receive() == 4404

    watch(made, script)


def test_a_feature_that_moved_counts_with_its_old_place_too(made: Map) -> None:
    trees = FeatureLayer.objects.get()
    add_features(layer=trees, features=squares(8.0, 30.0))
    assert selectors.changed_bounds(trees.pk, 1, 2) == pytest.approx((30.0, 70.0, 30.1, 70.1))
    first = Feature.objects.get(fid=1)
    moved = EditRequest(uuid4(), "update", first.pk, base_version=1, geometry=Polygon.from_bbox((9, 49, 9.5, 49.5)))
    assert apply_edits(layer=trees, edits=[moved], user=None)[0].status == "ok"
    assert selectors.changed_bounds(trees.pk, 2, 3) == pytest.approx((8.0, 48.0, 9.5, 49.5))
    assert selectors.changed_bounds(trees.pk, 0, selectors.MOST_EDITS_LOOKED_AT + 1) is None
