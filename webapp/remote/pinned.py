"""One state of a file of another server."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Pinned:
    """A file of another server as it was when it was looked at.

    Attributes:
        url: http(s) or s3.
        size_bytes: of the file.
        etag: what the server calls this state of it; empty where it calls it nothing.
        last_modified: as the server says it; empty where it does not.
    """

    url: str
    size_bytes: int
    etag: str = ""
    last_modified: str = ""

    @property
    def shown(self) -> str:
        """The address for people and logs: no query, which may hold a signature."""
        return self.url.partition("?")[0] + ("?…" if "?" in self.url else "")

    @property
    def name(self) -> str:
        """The file's name."""
        return unquote(self.url.partition("?")[0].rstrip("/").rsplit("/", 1)[-1])

    @property
    def certain(self) -> bool:
        """True where the server says by more than the size which state of the file it gives."""
        return bool(self.etag or self.last_modified)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)
