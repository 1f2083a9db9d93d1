"""How a TIFF is laid out, by its index alone: whether it can be read in parts, and which parts hold a small picture.

It reads bytes that nobody has looked at yet, so it is plain Python with limits, and it decodes no pixel (TIFF 6.0,
BigTIFF; what makes a file a COG: OGC 21-026).
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from webapp.errors import BadRaster

ReadAt = Callable[[int, int], bytes]
# Files up to this many pixels along a side need no overviews: all of them is a small picture.
SMALL_PX = 1024
# The least overview must not hold more pixels and bytes than these, or every look at the whole costs more.
MOST_OVERVIEW_PX = 4_000_000
MOST_OVERVIEW_BYTES = 32 * 1024**2
# The overview that statistics and the footprint come from.
PICTURE_PX = 1_500_000
MOST_BLOCK_PX = 4096
# One block is unpacked as a whole.
MOST_BLOCK_BYTES = 256 * 1024**2
MOST_IMAGES, MOST_TAGS, MOST_VALUE_BYTES = 64, 200, 1024**2
MOST_INDEX_BYTES = 16 * 1024**2
# GDAL reads them; what is not listed is refused before it gets there.
COMPRESSIONS = {
    1: "none",
    5: "LZW",
    7: "JPEG",
    8: "Deflate",
    32773: "PackBits",
    32946: "Deflate",
    34887: "LERC",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
}
_FORMATS = {1: "I", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_KINDS = {1: "uint", 2: "int", 3: "float"}
FIX_TRANSLATE = "Copy the file here, or make it a COG on its server: gdal_translate -of COG."


@dataclass(frozen=True, slots=True)
class Image:
    """One picture in the file: the raster, an overview, or a mask of either.

    Attributes:
        blocks: (offset, bytes) of each tile or strip; empty where the index is too long to be read here.
        mask: it says where the raster of its size has data.
    """

    height: int
    width: int
    block: tuple[int, int]
    tiled: bool
    mask: bool
    blocks: tuple[tuple[int, int], ...]

    @property
    def pixels(self) -> int:
        """Rows times columns."""
        return self.height * self.width

    @property
    def stored_bytes(self) -> int:
        """Bytes of all its blocks."""
        return sum(count for _, count in self.blocks)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a TIFF is laid out.

    Attributes:
        images: the raster first, then its overviews from fine to coarse, then masks.
        bands: samples of a pixel, alpha counted.
        dtype: such as uint8 or float32.
        compression: its name.
    """

    images: tuple[Image, ...]
    bands: int
    dtype: str
    compression: str

    @property
    def full(self) -> Image:
        """The raster."""
        return self.images[0]

    @property
    def overviews(self) -> list[Image]:
        """Its overviews, from fine to coarse."""
        return [image for image in self.images[1:] if not image.mask]

    @property
    def picture(self) -> Image:
        """The image that shows the whole in few enough pixels."""
        fitting = [image for image in (self.full, *self.overviews) if image.pixels <= PICTURE_PX and image.blocks]
        return fitting[0] if fitting else (self.overviews or [self.full])[-1]

    def picture_parts(self) -> list[tuple[int, int]]:
        """Return (offset, bytes) of all that must be read for the picture: its blocks and its mask's."""
        chosen = self.picture
        return [
            block
            for image in self.images
            if image is chosen or (image.mask and (image.height, image.width) == (chosen.height, chosen.width))
            for block in image.blocks
            if block[1]
        ]

    def problem(self, name: str) -> BadRaster | None:
        """Return why the file cannot be read where it lies; None where it can."""
        small = max(self.full.height, self.full.width) <= SMALL_PX
        least = self.picture
        why = ""
        if not self.full.tiled and not small:
            why = "stores its rows one after the other, not in tiles"
        elif not self.overviews and not small:
            why = "has no overviews"
        elif least.pixels > MOST_OVERVIEW_PX or least.stored_bytes > MOST_OVERVIEW_BYTES or not least.blocks:
            why = f"has no overview below {least.width} x {least.height} pixels"
        if not why:
            return None
        return BadRaster(f"'{name}' {why}: every look at it would read most of it.", fix=FIX_TRANSLATE, code="not_cog")


def layout(read: ReadAt, size_bytes: int, name: str) -> Layout:
    """Return how a TIFF is laid out.

    Args:
        read: gives the bytes (offset, size) of the file; fewer where it ends.
        size_bytes: of the file.
        name: for messages.

    Raises:
        BadRaster: it is no TIFF, or its index cannot be.
    """
    taken = 0

    def bounded(offset: int, size: int) -> bytes:
        nonlocal taken
        taken += size
        if taken > MOST_INDEX_BYTES:
            raise ValueError("its index is too long")
        return read(offset, size)

    try:
        directories = list(_directories(bounded, size_bytes))
        images = [_image(tags, size_bytes) for tags in directories]
    except (struct.error, KeyError, ValueError, IndexError) as error:
        raise BadRaster(
            f"'{name}' is no TIFF that can be read: {error}.",
            fix="Check the address; make a COG of another raster with gdal_translate -of COG.",
            code="not_an_image",
        ) from error
    first = directories[0]
    code = first.get(259, (1,))[0]
    if code not in COMPRESSIONS:
        raise BadRaster(
            f"'{name}' is packed in a way (number {code}) that is not read.", fix=FIX_TRANSLATE, code="not_cog"
        )
    depth, kind = first.get(258, (1,))[0], first.get(339, (1,))[0]
    full = images[0]
    # Pages of another size than a part of the raster are no overviews of it.
    others = [image for image in images[1:] if image.pixels <= full.pixels]
    overviews = sorted((image for image in others if not image.mask), key=lambda image: -image.pixels)
    masks = [image for image in others if image.mask]
    bands = first.get(277, (1,))[0]
    unpacked = max(image.block[0] * image.block[1] for image in images) * bands * depth // 8
    if unpacked > MOST_BLOCK_BYTES:
        raise BadRaster(f"A block of '{name}' has {unpacked:,} bytes.", fix=FIX_TRANSLATE, code="not_cog")
    return Layout((full, *overviews, *masks), bands, f"{_KINDS.get(kind, 'uint')}{depth}", COMPRESSIONS[code])


def _directories(read: ReadAt, size_bytes: int) -> Iterator[dict[int, tuple[int, ...]]]:
    """Yield the whole-number tags of each picture; a value that is too long is left empty."""
    head = read(0, 16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
    version = struct.unpack(f"{order}H", head[2:4])[0] if order else 0
    if version not in (42, 43):
        raise ValueError("its first bytes are another kind of file's")
    big = version == 43
    where = struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)[0]
    seen: set[int] = set()
    while where:
        if where in seen or where >= size_bytes or len(seen) >= MOST_IMAGES:
            raise ValueError("its index leads nowhere")
        seen.add(where)
        tags, where = _directory(read, where, order, big=big)
        yield tags
    if not seen:
        raise ValueError("it holds no picture")


def _directory(read: ReadAt, where: int, order: str, *, big: bool) -> tuple[dict[int, tuple[int, ...]], int]:
    count_form, entry, link, room = ("Q", 20, "Q", 8) if big else ("H", 12, "I", 4)
    start = where + struct.calcsize(count_form)
    count = struct.unpack(f"{order}{count_form}", read(where, start - where))[0]
    if not 0 < count <= MOST_TAGS:
        raise ValueError(f"its index has {count} entries")
    raw = read(start, count * entry + struct.calcsize(link))
    tags: dict[int, tuple[int, ...]] = {}
    for at in range(0, count * entry, entry):
        tag, kind = struct.unpack_from(f"{order}HH", raw, at)
        number = struct.unpack_from(f"{order}{link}", raw, at + 4)[0]
        length = number * _SIZES.get(kind, MOST_VALUE_BYTES)
        if length > MOST_VALUE_BYTES:
            tags[tag] = ()
            continue
        inline = at + 4 + struct.calcsize(link)
        data = raw[inline : inline + length]
        if length > room:
            # Read even where it is not looked at here: GDAL will, in the copy that the sandbox gets.
            data = read(struct.unpack_from(f"{order}{link}", raw, inline)[0], length)
        if kind in _FORMATS:
            form = "B" if kind == 1 else _FORMATS[kind]
            tags[tag] = struct.unpack(f"{order}{number}{form}", data)
    return tags, struct.unpack_from(f"{order}{link}", raw, count * entry)[0]


def _image(tags: dict[int, tuple[int, ...]], size_bytes: int) -> Image:
    height, width = tags[257][0], tags[256][0]
    if min(height, width) < 1:
        raise ValueError(f"it has {width} x {height} pixels")
    tiled = 322 in tags
    block = (tags[323][0], tags[322][0]) if tiled else (tags.get(278, (height,))[0], width)
    if tiled and not 0 < max(block) <= MOST_BLOCK_PX:
        raise ValueError(f"its tiles have {block[1]} x {block[0]} pixels")
    offsets, counts = (tags[324], tags[325]) if tiled else (tags[273], tags[279])
    return Image(height, width, block, tiled, bool(tags.get(254, (0,))[0] & 4), _blocks(offsets, counts, size_bytes))


def _blocks(offsets: Sequence[int], counts: Sequence[int], size_bytes: int) -> tuple[tuple[int, int], ...]:
    if len(offsets) != len(counts):
        return ()
    found = tuple(zip(offsets, counts, strict=True))
    if any(offset + count > size_bytes for offset, count in found):
        raise ValueError("it ends before its last block: it is cut off")
    return found
