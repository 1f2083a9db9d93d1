"""Every error that Quadrat raises on purpose. `webapp/api.py` turns the types into statuses."""

from collections.abc import Iterable, Mapping
from typing import Any


class QuadratError(Exception):
    """An error with a sentence for people and a code for programs.

    Attributes:
        code: stable snake_case name of the error, part of the public API.
        message: what was wrong, with the value.
        fix: what to do about it.
        details: JSON-ready facts for a program (the current feature of a conflict, the limit passed).
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.code = code or type(self).code
        self.details = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class Invalid(QuadratError):
    """The request or the file cannot be used as it is."""

    code = "invalid"


class BadRaster(Invalid):
    """A file is no raster that can be ingested."""

    code = "bad_raster"


class BadVectors(Invalid):
    """A file holds no features or labels that can be read."""

    code = "bad_vectors"


class BandMismatch(Invalid):
    """Package and imagery differ in number, order or type of bands."""

    code = "band_mismatch"


class BadPackage(Invalid):
    """A file is no model package, or an unsafe one."""

    code = "bad_package"


class Unauthenticated(QuadratError):
    """Nobody is signed in, or the token is unknown or expired."""

    code = "unauthenticated"


class Denied(QuadratError):
    """The member's role or the token's scope does not allow this."""

    code = "denied"


class WrongMethod(QuadratError):
    """The address takes other HTTP methods; `details["allow"]` lists them."""

    code = "method_not_allowed"

    def __init__(self, method: str, allow: Iterable[str]) -> None:
        allowed = sorted(allow)
        super().__init__(
            f"This address does not take {method}.", fix=f"It takes {', '.join(allowed)}.", details={"allow": allowed}
        )


class NotFound(QuadratError):
    """There is no such object, or it is not the caller's: one text for both.

    Attributes:
        what: the kind of object, for logs. Not in the text: a text that differed would tell what exists.
    """

    code = "not_found"

    def __init__(self, what: str = "object") -> None:
        super().__init__(
            "Nothing was found at this address.",
            fix="Check the address, or ask a manager of the project for access.",
        )
        self.what = what


class Conflict(QuadratError):
    """Somebody else changed the object first; `details["current"]` holds it as it is now."""

    code = "conflict"


class PreconditionRequired(QuadratError):
    """A change needs the version it is based on (If-Match)."""

    code = "precondition_required"


class PreconditionFailed(QuadratError):
    """The version given in If-Match is not the current one."""

    code = "precondition_failed"


class TooLarge(QuadratError):
    """A file, body, batch or raster is over its limit."""

    code = "too_large"


class TooMany(QuadratError):
    """Too many requests or jobs at once; `details["retry_after_s"]` says when to come again."""

    code = "too_many"


class Unavailable(QuadratError):
    """A part of the server cannot answer now; nothing was lost."""

    code = "unavailable"


class SourceFailed(QuadratError):
    """Another server, where a file lies, does not give what is asked of it."""

    code = "source_failed"


class SourceSlow(SourceFailed):
    """Another server, where a file lies, did not answer in time."""

    code = "source_slow"


class SourceChanged(SourceFailed):
    """A file of another server is no longer the one that was added."""

    code = "source_changed"


class StorageFull(QuadratError):
    """The disk has no room; nothing of what was begun is kept."""

    code = "storage_full"
