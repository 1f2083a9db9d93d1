"""Finding a place by its name: a gazetteer that comes with the site, or a provider that the site's owner chose."""

import gzip
import json
import unicodedata
import urllib.error
import urllib.request
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from webapp.errors import Unavailable

MOST = 10
MOST_BEGINNING = 7
# A common beginning within a place that is not there would look at all of them.
MOST_LOOKED_AT = 2_000
TIMEOUT_S = 5.0
MAX_ANSWER = 200_000
GAZETTEER = Path(__file__).parent / "gazetteer" / "places.tsv.gz"
CREDIT = "Places: GeoNames, CC BY 4.0"


@dataclass(frozen=True)
class Place:
    """A place: name, what it lies in, degrees, and its box (west, south, east, north) where the provider knows it."""

    name: str
    within: str
    lon: float
    lat: float
    bounds: tuple[float, float, float, float] | None = None


def find(query: str) -> tuple[list[Place], str]:
    """Return at most ten places of that name, the largest first, and the credit to show with them.

    Raises:
        Unavailable: the provider does not answer.
    """
    if len(query.strip()) < 2:
        return [], CREDIT
    if settings.PLACES_URL:
        return _asked(query.strip()), settings.PLACES_CREDIT
    return _offline(query), CREDIT


def folded(text: str) -> str:
    """Return the text without case and accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).casefold()


def _offline(query: str) -> list[Place]:
    lines, names, starts = _gazetteer()
    name, _, within = (folded(part).strip() for part in query.partition(","))
    found: list[Place] = []
    if len(name) < 2:
        return found
    looked_at = 0
    # Names that begin with it, then those with a word that does, for which some room is left.
    for begin, most in (("\n" + name, MOST_BEGINNING), (" " + name, MOST), ("-" + name, MOST)):
        at = names.find(begin)
        while at >= 0 and len(found) < most and looked_at < MOST_LOOKED_AT:
            looked_at += 1
            place = _place(lines[bisect_right(starts, at) - 1])
            if place not in found and folded(place.within).startswith(within):
                found.append(place)
            at = names.find(begin, at + 1)
    return found


def _place(line: str) -> Place:
    name, within, lat, lon = line.split("\t")
    return Place(name, within, float(lon), float(lat))


@lru_cache(maxsize=1)
def _gazetteer() -> tuple[list[str], str, list[int]]:
    """Return the lines, their folded names in one text, each after a line break, and where in it each begins.

    A scan of the text takes 2 ms.
    """
    lines = gzip.decompress(GAZETTEER.read_bytes()).decode().splitlines()
    names = [folded(line.partition("\t")[0]) for line in lines]
    starts = list(accumulate((len(name) + 1 for name in names[:-1]), initial=0))
    return lines, "\n" + "\n".join(names) + "\n", starts


def _asked(query: str) -> list[Place]:
    """Ask a server that speaks Nominatim's search; its address is the site owner's, never the caller's."""
    words = urlencode({"q": query, "format": "jsonv2", "limit": MOST})
    request = urllib.request.Request(
        f"{settings.PLACES_URL}{'&' if '?' in settings.PLACES_URL else '?'}{words}", headers={"User-Agent": "Quadrat"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            rows = json.loads(answer.read(MAX_ANSWER))
        return [_nominatim(row) for row in rows[:MOST]]
    except (urllib.error.URLError, TimeoutError, ValueError, KeyError, TypeError) as error:
        raise Unavailable("The place finder does not answer.", fix="Type coordinates, or try again later.") from error


def _nominatim(row: dict[str, Any]) -> Place:
    name, _, within = str(row["display_name"]).partition(", ")
    box = row.get("boundingbox")
    bounds = None
    if box:
        south, north, west, east = (float(number) for number in box)
        bounds = (west, south, east, north)
    return Place(name, within, float(row["lon"]), float(row["lat"]), bounds)
