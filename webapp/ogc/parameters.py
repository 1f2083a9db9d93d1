"""Key-value parameters of WMS and WMTS: names in any case, errors that say which one is wrong."""

import math
from collections.abc import Mapping

from webapp.errors import Invalid


class BadParameter(Invalid):
    """A parameter is missing or wrong; `details["locator"]` names it, `code` is the protocol's own exception code."""

    code = "InvalidParameterValue"


def lowered(query: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters by name in lower case."""
    return {name.lower(): str(value) for name, value in query.items()}


def needed(query: Mapping[str, str], name: str) -> str:
    """Return a parameter that must be there.

    Raises:
        BadParameter: it is missing or empty.
    """
    value = query.get(name, "")
    if not value:
        raise bad(name, f"The parameter {name.upper()} is missing.", code="MissingParameterValue")
    return value


def whole(query: Mapping[str, str], name: str, low: int, high: int) -> int:
    """Return a whole number between two limits, both included.

    Raises:
        BadParameter: it is missing, none, or outside.
    """
    text = needed(query, name)
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or not low <= int(text) <= high:
        raise bad(name, f"{name.upper()}={text[:30]} is no whole number from {low} to {high}.")
    return int(text)


def numbers(text: str, name: str, count: int) -> tuple[float, ...]:
    """Return finite numbers that commas part.

    Raises:
        BadParameter: not so many, or none.
    """
    try:
        found = tuple(float(part) for part in text[:400].split(","))
    except ValueError:
        found = ()
    if len(found) != count or not all(math.isfinite(number) for number in found):
        raise bad(name, f"{name.upper()}={text[:80]} is no list of {count} numbers.")
    return found


def bad(name: str, message: str, *, code: str = "InvalidParameterValue", fix: str = "") -> BadParameter:
    """Return the error of one parameter."""
    return BadParameter(message, fix=fix, code=code, details={"locator": name})
