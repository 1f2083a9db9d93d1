"""Writes of what stands beside a map's layers: one note or one bookmark at a time, so that nobody's are lost."""

from typing import Any

from django.db import transaction

from webapp.errors import Conflict, Invalid, NotFound
from webapp.maps import extras
from webapp.maps.models import Map
from webapp.maps.services import touch


def put_note(*, map: Map, key: str, note: dict[str, Any]) -> None:
    """Add a note under an id, or change the one that has it.

    Args:
        map: gets it; as it is afterwards.
        key: the note's id, made by who draws it: sent again it is the same note.
        note: {geometry, text, colour}.

    Raises:
        Invalid: see `webapp.maps.extras`, or the map is full of notes.
    """
    made = extras.note({**note, "id": key})
    with transaction.atomic():
        notes = _locked(map).notes
        known = any(other["id"] == key for other in notes)
        if not known and len(notes) >= extras.MOST_NOTES:
            raise Invalid(f"The map holds {extras.MOST_NOTES} notes, its limit.", fix="Delete one.")
        touch(map, notes=[made if other["id"] == key else other for other in notes] if known else [*notes, made])


def remove_note(*, map: Map, key: str) -> None:
    """Take a note off the map; one that is gone already is no error."""
    with transaction.atomic():
        notes = _locked(map).notes
        left = [other for other in notes if other["id"] != key]
        if len(left) < len(notes):
            touch(map, notes=left)


def add_bookmark(*, map: Map, bookmark: Any) -> None:
    """Add a bookmark {name, lon, lat, zoom}.

    Raises:
        Invalid: see `webapp.maps.extras`, or the map is full of bookmarks.
        Conflict: there is one of that name.
    """
    made = extras.bookmark(bookmark)
    with transaction.atomic():
        bookmarks = _locked(map).bookmarks
        if any(other["name"] == made["name"] for other in bookmarks):
            raise Conflict(f'There is a bookmark "{made["name"]}".', fix="Take another name.", code="bookmark_exists")
        if len(bookmarks) >= extras.MOST_BOOKMARKS:
            raise Invalid(f"The map holds {extras.MOST_BOOKMARKS} bookmarks, its limit.", fix="Delete one.")
        touch(map, bookmarks=[*bookmarks, made])


def remove_bookmark(*, map: Map, name: str) -> None:
    """Take a bookmark off the map; one that is gone already is no error."""
    with transaction.atomic():
        bookmarks = _locked(map).bookmarks
        left = [other for other in bookmarks if other["name"] != name]
        if len(left) < len(bookmarks):
            touch(map, bookmarks=left)


def _locked(map: Map) -> Map:
    """Return the map's row as it is now, held until the transaction ends."""
    found = Map.objects.select_for_update().filter(pk=map.pk).first()
    if found is None:
        raise NotFound("map")
    # The caller answers with its own object, which `touch` reads anew only where something changed.
    map.notes, map.bookmarks = found.notes, found.bookmarks
    return found
