"""Saved renderings of a layer: writes, and how they are shown."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from webapp.errors import Conflict, Invalid, NotFound
from webapp.imagery import drawing
from webapp.imagery.models import ImageryLayer, NamedRendering
from webapp.imagery.selectors import tiles_url
from webapp.imagery.services import text
from webapp.projects.models import User
from webapp.raster.rendering import Rendering

# Each map that shows the layer may offer them all in a menu.
MOST = 100
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}", re.ASCII)


def renderings(layer: ImageryLayer) -> list[NamedRendering]:
    """Return the layer's saved renderings, by name."""
    return list(layer.renderings.all())


def rendering(layer: ImageryLayer, name: str) -> NamedRendering:
    """Return one of them.

    Raises:
        NotFound: the layer has none of that name.
    """
    found = layer.renderings.filter(name=name).first()
    if found is None:
        raise NotFound("rendering")
    return found


def save(*, layer: ImageryLayer, user: User | None, values: Mapping[str, Any]) -> NamedRendering:
    """Return a new saved rendering, checked against the layer's bands.

    Args:
        layer: of the project that the caller may edit.
        user: who saves it.
        values: `{name, title?, words: {word: value or [value, …]}}`.

    Raises:
        Invalid: a name that cannot stand in an address, or too many renderings.
        BadRendering: words that are not understood or do not fit the layer.
        Conflict: there is one of that name.
    """
    name = values.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Invalid(
            f"'{str(name)[:50]}' is no name of a rendering.",
            fix="Use up to 50 small letters, digits, - and _, beginning with a letter or digit.",
        )
    title, words = text(values.get("title") or "", "name"), checked_words(layer, values.get("words"))
    if layer.renderings.count() >= MOST:
        raise Invalid(f"The layer has {MOST} renderings already.", fix="Delete one that nobody uses.")
    try:
        with transaction.atomic():
            return NamedRendering.objects.create(layer=layer, name=name, title=title, words=words, created_by=user)
    except IntegrityError as error:
        raise Conflict(
            f"The layer has a rendering '{name}' already.", fix="Change that one, or choose another name."
        ) from error


def change(*, found: NamedRendering, values: Mapping[str, Any]) -> NamedRendering:
    """Return the rendering with another title or other words; its addresses show the new ones.

    Raises:
        Invalid: a field that cannot be changed.
        BadRendering: words that are not understood or do not fit the layer.
    """
    unknown = set(values) - {"title", "words"}
    if unknown:
        raise Invalid(f"These cannot be changed: {', '.join(sorted(unknown))}.", fix="Change title and words.")
    if "title" in values:
        found.title = text(values["title"], "name")
    if "words" in values:
        found.words = checked_words(found.layer, values["words"])
    found.save(update_fields=["title", "words", "updated_at"])
    return found


def rendering_json(found: NamedRendering) -> dict[str, Any]:
    """Return a saved rendering as the API shows it."""
    separator = "&" if "?" in (tiles := tiles_url(found.layer)) else "?"
    return {
        "name": found.name,
        "title": found.title or found.name,
        "words": found.words,
        "tiles": f"{tiles}{separator}rendering={found.name}",
        "updated_at": found.updated_at.isoformat(),
    }


def checked_words(layer: ImageryLayer, given: Any) -> dict[str, list[str]]:
    """Return rendering words as they are kept: parsed, tried on the layer, and written out again.

    Raises:
        Invalid: no object of words.
        BadRendering: words that are not understood or do not fit the layer.
    """
    if not isinstance(given, Mapping) or not all(isinstance(word, str) for word in given):
        raise Invalid("The rendering has no words.", fix='Send words such as {"bidx": [4, 3, 2], "rescale": "0,3000"}.')
    asked = {
        word: [str(part) for part in (value if isinstance(value, list) else [value])] for word, value in given.items()
    }
    parsed = Rendering.parse(asked)
    drawing.fill(drawing.draw_source(layer), parsed)
    return parsed.words()
