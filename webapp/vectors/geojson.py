"""A GeoJSON reader whose memory does not grow with the file."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from webapp.errors import Invalid, TooLarge

CHUNK_BYTES = 1 << 18
# One feature of 200,000 vertices is about 8 MB of text.
MAX_FEATURE_CHARS = 32 << 20


class Readable(Protocol):
    """What gives bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; b"" at the end."""


class GeoJsonReader:
    """Iterates over the features of a FeatureCollection (or one Feature) as the JSON parser gives them.

    Attributes:
        members: the other top-level members seen so far (`crs`, `name`); complete after the iteration.
    """

    def __init__(self, stream: Readable | BinaryIO) -> None:
        self._stream = stream
        self._bytes = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder(parse_constant=_no_constant)
        self._text, self._at, self._ended = "", 0, False
        self.members: dict[str, Any] = {}

    def __iter__(self) -> Iterator[Any]:
        """Yield each feature.

        Raises:
            Invalid: no JSON, no UTF-8, or no FeatureCollection.
            TooLarge: one feature is larger than any that can be stored.
        """
        self._fill()
        self._expect("{", "a JSON object")
        found = False
        while True:
            if self._peek() == "}":
                break
            name = self._value()
            self._expect(":", "a colon")
            if name == "features" and self._peek() == "[":
                found = True
                yield from self._items()
            else:
                self.members[str(name)] = self._value()
            if self._peek() != ",":
                break
            self._at += 1
        self._expect("}", "the end of the object")
        if self.members.get("type") == "Feature":
            yield {key: self.members.get(key) for key in ("type", "id", "geometry", "properties")}
        elif not found:
            raise Invalid("The file is no GeoJSON FeatureCollection.", fix="Export it as GeoJSON.", code="not_geojson")

    def _items(self) -> Iterator[Any]:
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            mark = self._peek()
            self._at += 1
            if mark == "]":
                return
            if mark != ",":
                raise self._broken("a comma or ]")

    def _value(self) -> Any:
        self._peek()
        wanted = CHUNK_BYTES
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise Invalid("The file is nested too deep.", fix="Export it again.", code="bad_json") from error
            except json.JSONDecodeError as error:
                if self._ended:
                    raise self._broken("a JSON value") from error
            except ValueError as error:  # Python's limit on digits
                raise Invalid(
                    "A number has thousands of digits.", fix="Export it again.", code="coordinate_invalid"
                ) from error
            else:
                # A number at the end of what was read may go on.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            if len(self._text) - self._at > MAX_FEATURE_CHARS:
                raise TooLarge("One feature of the file is over 32 MB.", fix="Simplify it, or split it.")
            self._fill(wanted)
            wanted *= 2  # so that a long value is not decoded again at every chunk

    def _peek(self) -> str:
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                raise self._broken("more")
            self._fill()

    def _expect(self, mark: str, what: str) -> None:
        if self._peek() != mark:
            raise self._broken(what)
        self._at += 1

    def _fill(self, size: int = CHUNK_BYTES) -> None:
        chunk = self._stream.read(size)
        self._ended = not chunk
        try:
            text = self._bytes.decode(chunk, final=self._ended)
        except UnicodeDecodeError as error:
            raise Invalid(
                f"The file is not UTF-8 (byte {error.start} of a piece).", fix="Save it as UTF-8.", code="encoding"
            ) from error
        self._text = self._text[self._at :] + text
        self._at = 0

    def _broken(self, what: str) -> Invalid:
        near = self._text[self._at : self._at + 30]
        return Invalid(
            f"The file is not valid JSON: expected {what} at {near!r}.",
            fix="Export it again; it may be cut off.",
            code="bad_json",
        )


def _no_constant(name: str) -> Any:
    raise Invalid(
        f"The file holds {name}, which is no JSON.", fix="Remove such coordinates.", code="coordinate_invalid"
    )
