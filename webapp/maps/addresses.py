"""Addresses of basemaps: which can be used, and which hosts a page must be allowed to load pictures from. Pure."""

import re
from urllib.parse import parse_qsl, quote, urlsplit

from webapp.errors import Invalid

PLACES = {"z", "x", "y", "-y", "s", "r", "key"}
TILE_PLACES = ("z", "x", "y")
# The map writes these into each request of a WMS itself.
WMS_WORDS = {"service", "request", "version", "layers", "styles", "bbox", "width", "height", "format", "srs", "crs"}
KEY_WORDS = {"key", "apikey", "api_key", "api-key", "access_token", "accesstoken", "token", "subscription-key"}
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\]", re.ASCII)
_SUBDOMAINS = re.compile(r"[a-z0-9]+(?:,[a-z0-9]+)*", re.ASCII)


def check(*, url: str, kind: str, https: bool) -> None:
    """Check the address of a basemap.

    Args:
        url: template of tiles (`xyz`, `tms`), or what a `wms` answers at.
        kind: "xyz", "tms" or "wms".
        https: this site is reached by https.

    Raises:
        Invalid: it cannot be used, with what to write instead.
    """
    if re.search(r"[\s\"'<>\\^`|]", url) or not url.isascii():
        raise Invalid("The address holds a blank or a character that addresses do not have.", fix="Quote it as %XX.")
    parts = urlsplit(url.replace("{s}", "s"))
    if parts.scheme not in ("http", "https"):
        raise Invalid(f"'{url[:60]}' is no web address.", fix="Begin with https://.")
    if https and parts.scheme == "http":
        raise Invalid(
            "This site is reached by https, and browsers load no http pictures there.", fix="Use the server's https."
        )
    _check_host(url)
    unknown = sorted(set(re.findall(r"{([^{}]*)}", url)) - PLACES)
    if unknown or re.search(r"[{}]", re.sub(r"{[^{}]*}", "", url)):
        held = ", ".join(f"{{{name}}}" for name in unknown) or "a single brace"
        raise Invalid(
            f"The address holds {held}, which means nothing.",
            fix="Use {z}, {x}, {y} or {-y}, {s}, {r} and {key}.",
        )
    (_check_wms if kind == "wms" else _check_tiles)(url)
    for word, value in parse_qsl(parts.query):
        if word.lower() in KEY_WORDS and value != "{key}":
            raise Invalid(
                f"The key stands in the address, as {word}.",
                fix=f"Write {word}={{key}}, and the key into its own field.",
            )


def origins(url: str, subdomains: str) -> list[str]:
    """Return the origins that an address names, `{s}` replaced by each of the comma-separated subdomains."""
    names = subdomains.split(",") if "{s}" in url else [""]
    parts = [urlsplit(url.replace("{s}", name)) for name in names]
    return [f"{part.scheme}://{part.netloc.lower()}" for part in parts]


def check_subdomains(text: str) -> None:
    """Check a comma-separated list of subdomains.

    Raises:
        Invalid: it is none.
    """
    if not _SUBDOMAINS.fullmatch(text):
        raise Invalid(f"'{text}' is no list of subdomains.", fix="Write them as a,b,c.")


def with_key(url: str, key: str) -> str:
    """Return the address with the key in its place."""
    return url.replace("{key}", quote(key, safe=""))


def _check_host(url: str) -> None:
    authority = urlsplit(url).netloc
    host, _, port = authority.replace("{s}", "s").partition(":")
    if authority.startswith("["):
        host, _, port = authority.partition("]")
        host, port = f"{host}]", port.lstrip(":")
    if "@" in authority:
        raise Invalid("The address holds a user's name.", fix="Browsers load no such pictures: use a key.")
    # What stands here goes into the page's policy: a wildcard there would open it to every host.
    if not _HOST.fullmatch(host.lower()) or not (port == "" or (port.isdigit() and 0 < int(port) < 65536)):
        raise Invalid(f"'{authority[:80]}' is no host.", fix="Write one host, as in https://tiles.example.org/….")


def _check_tiles(url: str) -> None:
    written = url.replace("{-y}", "{y}")
    missing = [f"{{{name}}}" for name in TILE_PLACES if f"{{{name}}}" not in written]
    if missing:
        raise Invalid(
            f"The address lacks {' and '.join(missing)}.",
            fix="Write where zoom, column and row stand: https://…/{z}/{x}/{y}.png.",
        )


def _check_wms(url: str) -> None:
    held = [f"{{{name}}}" for name in ("z", "x", "y", "-y", "r") if f"{{{name}}}" in url]
    if held:
        raise Invalid(f"{held[0]} belongs to tiles, not to a WMS.", fix="Give what stands before REQUEST=.")
    words = [word for word, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True) if word.lower() in WMS_WORDS]
    if words:
        raise Invalid(
            f"The address holds {', '.join(words)}, which the map writes itself.",
            fix="Give what stands before it, and the layers in their own field.",
        )
