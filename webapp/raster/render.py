"""Pixels to pictures: stretch to 8 bit, encode tiles."""

import io
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from webapp.errors import Invalid

Range = tuple[float, float]
Format = Literal["webp", "png", "jpg"]
MEDIA_TYPES: dict[Format, str] = {"webp": "image/webp", "png": "image/png", "jpg": "image/jpeg"}
WEBP_QUALITY = 80
JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Rendering:
    """How bands become a picture.

    Attributes:
        bands: three 1-based bands for red, green and blue; one for grey.
        stretch: (low, high) of each band in its own units, drawn as 0 and 255; None: 8-bit values as they are.
    """

    bands: tuple[int, ...]
    stretch: tuple[Range, ...] | None = None


def stretch(array: NDArray[Any], ranges: Sequence[Range] | None) -> NDArray[np.uint8]:
    """Return the array in 8 bit: `low` becomes 0 and `high` 255, linear between, cut outside.

    Args:
        array: (band, row, col) of any real dtype; non-finite values become 0.
        ranges: (low, high) a band; None for uint8 that stays as it is.
    """
    if ranges is None:
        return array.astype(np.uint8, copy=False)
    low = np.array([low for low, _ in ranges], np.float32)[:, None, None]
    span = np.array([max(high - low, 1e-12) for low, high in ranges], np.float32)[:, None, None]
    # float32 holds every 16-bit value exactly; half the memory of float64.
    scaled = (array.astype(np.float32) - low) * (255.0 / span) + 0.5
    return np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255).astype(np.uint8)


def to_rgb(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (3, row, col): grey becomes three equal bands, a missing blue is black."""
    if array.shape[0] >= 3:
        return array[:3]
    if array.shape[0] == 1:
        return np.repeat(array, 3, axis=0)
    return np.concatenate([array, np.zeros_like(array[:1])])


def encode(rgb: NDArray[np.uint8], mask: NDArray[np.bool_], form: Format) -> bytes:
    """Return the picture of one tile.

    Args:
        rgb: (row, col, 3).
        mask: (row, col), True where there is imagery; JPEG shows the rest white.
        form: file format.
    """
    if form == "jpg":
        flat = rgb if mask.all() else np.where(mask[..., None], rgb, np.uint8(255))
        return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(flat), quality=JPEG_QUALITY, colorspace="RGB"))
    full = bool(mask.all())
    array = rgb if full else np.dstack([rgb, mask.astype(np.uint8) * 255])
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(array), "RGB" if full else "RGBA")
    if form == "webp":
        image.save(buffer, "WEBP", quality=WEBP_QUALITY, method=2)
    else:
        image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def decode(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return (rgb (row, col, 3), mask (row, col)) of a tile that we encoded."""
    rgba = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    return rgba[..., :3], rgba[..., 3] > 127


def empty_tile(form: Format, size: int = 256) -> bytes:
    """Return a tile without imagery: transparent, or white where the format has no transparency."""
    return encode(np.zeros((size, size, 3), np.uint8), np.zeros((size, size), bool), form)


def palette_of(classes: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return class value -> colour of a class list `[{value, name, colour}]`."""
    return {int(item["value"]): str(item["colour"]) for item in classes}


def encode_classes(
    array: NDArray[np.uint8], mask: NDArray[np.bool_], palette: Mapping[int, str], *, size_limit: int = 4096
) -> bytes:
    """Return a paletted PNG in the classes' exact colours; what has no class or no data is transparent.

    Args:
        array: (row, col), class values 0 to 255.
        mask: (row, col), False where there is no data.
        palette: class value -> "#rrggbb".
        size_limit: longest side, in pixels.

    Raises:
        Invalid: a colour is not "#rrggbb", or the picture is too large.
    """
    height, width = array.shape
    if max(height, width) > size_limit:
        raise Invalid(f"A picture of {width} x {height} px is too large.", fix=f"Ask for at most {size_limit} px.")
    colours, alphas = bytearray(768), bytearray(256)
    for value, colour in palette.items():
        if not 0 <= value <= 255 or not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
            raise Invalid(f"Class {value} has the colour '{colour}'.", fix="Give values 0 to 255 and colours #rrggbb.")
        colours[3 * value : 3 * value + 3] = bytes.fromhex(colour[1:])
        alphas[value] = 255
    if alphas[0] and not mask.all():
        # Index 0 is a class of its own here: what has no data moves to an index without colour.
        free = next((value for value in range(256) if not alphas[value]), 0)
        array = np.where(mask, array, np.uint8(free))
    elif not mask.all():
        array = np.where(mask, array, np.uint8(0))
    return _paletted(array, bytes(colours), bytes(alphas))


def encode_png(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], table: NDArray[np.uint8] | None = None) -> bytes:
    """Return a PNG as small in kind as the picture allows: paletted, grey, or colours, with alpha where it is needed.

    Args:
        pixels: (row, col, 3) colours, or (row, col) grey or, with a table, indexes.
        mask: bool (row, col), False where it is transparent.
        table: uint8 (256, 4), red, green, blue, alpha of an index.
    """
    full = bool(mask.all())
    if table is not None:
        unused = np.flatnonzero(np.bincount(pixels[mask], minlength=256) == 0)
        if full or unused.size:
            rgba = np.array(table)
            if not full:
                rgba[unused[0]] = 0
                pixels = np.where(mask, pixels, np.uint8(unused[0]))
            return _paletted(pixels, rgba[:, :3].tobytes(), rgba[:, 3].tobytes())
        rgba = table[pixels]
        pixels, mask = rgba[..., :3], mask & (rgba[..., 3] > 0)
    parts = pixels if full else np.dstack([pixels, mask.astype(np.uint8) * 255])
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[1 if parts.ndim == 2 else parts.shape[2]]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(parts), mode).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _paletted(array: NDArray[np.uint8], colours: bytes, alphas: bytes) -> bytes:
    """Return a paletted PNG of indexes (row, col), with 768 bytes of colours and 256 of alpha."""
    height, width = array.shape
    lines = np.zeros((height, width + 1), np.uint8)  # each line begins with its filter type, 0
    lines[:, 1:] = array
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", colours),
            _chunk(b"tRNS", alphas),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 1)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk (RFC 2083, section 3.2): length, type, data, CRC of type and data."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
