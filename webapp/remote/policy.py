"""Which servers may be asked for files: what the site's owner names, and nothing else.

A URL comes from a member and is never trusted. Here it is compared with the named servers; `webapp.remote.network`
looks at the address that the name then leads to.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from webapp.errors import Invalid
from webapp.remote.signing import Keys

PORTS = {"http": 80, "https": 443}
MAX_URL = 2000
FIX_HOSTS = "Ask the administrator to name the server in QUADRAT_REMOTE_HOSTS, or download the file and upload it."
FIX_BUCKETS = "Ask the administrator to name the bucket in QUADRAT_REMOTE_S3_BUCKETS, or download and upload it."
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](@[a-z0-9-]{1,40})?")
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")


class BadRule(ValueError):
    """A server is named in a way that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One server that may be asked.

    Attributes:
        scheme: http or https.
        host: in lower case; with `wildcard`, the domain below which every name is meant.
        port: TCP port.
        wildcard: names below `host` are meant, and not `host` itself.
        private: its address may lie in the site's own network.
    """

    scheme: str
    host: str
    port: int
    wildcard: bool = False
    private: bool = False

    @classmethod
    def parse(cls, text: str, *, private: bool = False) -> "Origin":
        """Return the server that `https://data.example.org`, with or without a port, names.

        Raises:
            BadRule: it is no such name; or all names below a domain are to be private, or below a single label.
        """
        parts = urlsplit(text.strip())
        try:
            port = parts.port
        except ValueError as error:
            raise BadRule(f"{text!r} has no port that can be.") from error
        host = _netloc_host(parts)
        if parts.scheme not in PORTS or not _HOST.fullmatch(host) or parts.path.strip("/") or parts.query:
            raise BadRule(f"{text!r} is no server: write it as https://data.example.org.")
        wildcard = host.startswith("*.")
        if wildcard and (private or host.count(".") < 2):
            raise BadRule(f"{text!r} names too much: write the server's whole name.")
        return cls(parts.scheme, host.removeprefix("*."), port or PORTS[parts.scheme], wildcard, private)

    def fits(self, scheme: str, host: str, port: int) -> bool:
        """Say whether a server is this one."""
        if (scheme, port) != (self.scheme, self.port):
            return False
        return host.endswith("." + self.host) if self.wildcard else host == self.host

    def __str__(self) -> str:
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{'*.' if self.wildcard else ''}{self.host}{port}"


@dataclass(frozen=True, slots=True)
class Store:
    """An object store that speaks S3, and its buckets that may be read.

    Attributes:
        endpoint: base address with `{region}` in it where it differs, such as https://s3.{region}.amazonaws.com.
        buckets: bucket -> region.
        keys: to sign requests with; None: the buckets are public.
    """

    endpoint: str
    buckets: dict[str, str]
    keys: Keys | None = None

    @classmethod
    def parse(cls, *, endpoint: str, buckets: Iterable[str], region: str, key_id: str, secret: str) -> "Store":
        """Return the store that settings describe; `buckets` are `name` or `name@region`.

        Raises:
            BadRule: a name that cannot be, or half a key.
        """
        found: dict[str, str] = {}
        for text in buckets:
            if not _BUCKET.fullmatch(text):
                raise BadRule(f"{text!r} is no bucket: write its name, or name@region.")
            name, _, own = text.partition("@")
            found[name] = own or region
        if bool(key_id) != bool(secret):
            raise BadRule("a key has two parts: set both QUADRAT_REMOTE_S3_KEY_ID and QUADRAT_REMOTE_S3_SECRET.")
        if found:
            Origin.parse(endpoint.replace("{region}", region))
        return cls(endpoint.rstrip("/"), found, Keys(key_id, secret) if key_id else None)


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be asked.

    Attributes:
        url: what is fetched, in ASCII.
        shown: what people and logs see: no query, which may hold a signature.
        scheme, host, port: of the server.
        private: its address may lie in the site's own network.
        region: of the bucket, where `keys` sign the request.
    """

    url: str
    shown: str
    scheme: str
    host: str
    port: int
    private: bool
    region: str = ""
    keys: Keys | None = None

    @property
    def name(self) -> str:
        """The file's name, for people."""
        return unquote(urlsplit(self.url).path.rstrip("/").rsplit("/", 1)[-1]) or self.host


@dataclass(frozen=True, slots=True)
class Policy:
    """All that may be asked, and how long.

    Attributes:
        origins: servers by http(s).
        store: buckets by s3://, or None.
        timeout_s: that one answer may take.
        cache_bytes: of what was read lately, kept in memory by each process.
    """

    origins: tuple[Origin, ...] = ()
    store: Store | None = None
    timeout_s: float = 10.0
    cache_bytes: int = 64 * 1024**2

    @property
    def empty(self) -> bool:
        """True where nothing may be asked."""
        return not self.origins and not (self.store and self.store.buckets)

    def check(self, url: str) -> Target:
        """Return the address as it may be asked.

        Raises:
            Invalid: no http(s) or s3 address, one with a password in it, or a server that is not named.
        """
        if len(url) > MAX_URL or any(not letter.isprintable() or letter.isspace() for letter in url) or "\\" in url:
            raise _bad(url, "holds characters that no address has, or is too long")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _bad(url, "cannot be read") from error
        if "@" in parts.netloc:
            raise Invalid(
                "The address holds a name or password.",
                fix="Take it out: it would be shown with the layer. Keys of a bucket belong into the settings.",
                code="url_credentials",
            )
        if parts.scheme == "s3":
            return self._bucket(parts)
        host = _netloc_host(parts)
        if parts.scheme not in PORTS or not host:
            raise _bad(url, "is not of the kind https://server/folder/file.tif or s3://bucket/file.tif")
        return self._server(parts, host, port or PORTS[parts.scheme])

    def _server(self, parts: SplitResult, host: str, port: int) -> Target:
        rule = next((origin for origin in self.origins if origin.fits(parts.scheme, host, port)), None)
        if rule is None:
            shown = Origin(parts.scheme, host, port)
            raise Invalid(
                f"Files of {shown} are not read: the server is not among those that this site may ask."
                if not self.empty
                else f"Files of {shown} are not read: this site reads no files of other servers.",
                fix=FIX_HOSTS,
                code="host_not_allowed",
                details={"setting": "QUADRAT_REMOTE_HOSTS", "host": host},
            )
        netloc = host if port == PORTS[parts.scheme] else f"{host}:{port}"
        path = _ascii(parts.path or "/")
        query = f"?{_ascii(parts.query)}" if parts.query else ""
        base = f"{parts.scheme}://{netloc}{path}"
        return Target(base + query, base + ("?…" if query else ""), parts.scheme, host, port, rule.private)

    def _bucket(self, parts: SplitResult) -> Target:
        bucket, key = parts.netloc, parts.path.lstrip("/")
        if self.store is None or bucket not in self.store.buckets:
            raise Invalid(
                f"Files of the bucket '{bucket[:63]}' are not read: it is not among those that this site may ask.",
                fix=FIX_BUCKETS,
                code="host_not_allowed",
                details={"setting": "QUADRAT_REMOTE_S3_BUCKETS", "host": bucket[:63]},
            )
        if not key:
            raise _bad(f"s3://{bucket}", "names no file")
        region = self.store.buckets[bucket]
        url = f"{self.store.endpoint.replace('{region}', region)}/{bucket}/{quote(unquote(key), safe='/-_.~')}"
        server = Origin.parse(self.store.endpoint.replace("{region}", region))
        private = any(
            origin.private and origin.fits(server.scheme, server.host, server.port) for origin in self.origins
        )
        shown = f"s3://{bucket}/{key}"
        return Target(url, shown, server.scheme, server.host, server.port, private, region, self.store.keys)

    def may_be_private(self, host: str, port: int) -> bool:
        """Say whether the owner named a server as one of the site's own network."""
        return any(origin.private and (origin.host, origin.port) == (host, port) for origin in self.origins)


_now = Policy()


def configure(policy: Policy) -> Policy:
    """Set what may be asked by this process; return what was set before. Until then it is nothing."""
    global _now
    before, _now = _now, policy
    return before


def current() -> Policy:
    """Return what may be asked."""
    return _now


def addressable(text: str, *, private: bool) -> bool:
    """Say whether an IP address may be connected to.

    Args:
        text: IPv4 or IPv6.
        private: addresses of the site's own network and of this machine may be, too.
    """
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return addressable(str(inner), private=private)
    # What a cloud tells a machine of itself, keys included, is behind addresses of the first kind.
    if found.is_link_local or found.is_multicast or found.is_unspecified or found in _METADATA:
        return False
    if found.is_private or found.is_loopback or found in _SHARED:
        return private
    return found.is_global


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")
_METADATA = {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}


def _netloc_host(parts: SplitResult) -> str:
    """Return the host in lower case, an IPv6 address in its brackets."""
    host = (parts.hostname or "").rstrip(".")
    if not host.isascii():
        return ""
    return f"[{host}]" if ":" in host else host


def _ascii(text: str) -> str:
    """Return text with everything percent-encoded that is not ASCII; what is encoded stays."""
    return quote(text, safe="%/:=&?~#+!$,;'@()*[]-._")


def _bad(url: str, why: str) -> Invalid:
    shown = url.partition("?")[0][:120]
    return Invalid(
        f"The address '{shown}' {why}.", fix="Give an address such as https://server/file.tif.", code="bad_url"
    )
