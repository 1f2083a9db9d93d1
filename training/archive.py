"""Zip archives from strangers: read with our own rejecting reader, and written byte for byte reproducibly.

Nothing is repaired: an archive that two readers could read differently is refused. Entries must follow each other
without gap or overlap from the first byte to the central directory, which must agree with the local headers.
"""

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from webapp.errors import BadPackage

MAX_ENTRIES = 2_000
MAX_TOTAL_BYTES = 4 * 1024**3
# Decompressed over compressed bytes, after the first MiB; real weights and pictures hardly compress.
MAX_RATIO = 100
FREE_BYTES = 1024**2
MAX_NAME_BYTES = 200
MAX_DEPTH = 8

END = struct.Struct("<4s4H2LH")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
STORED, DEFLATED = 0, 8
ENCRYPTED, DESCRIPTOR, STRONG, MASKED = 0x1, 0x8, 0x40, 0x2000
UTF8 = 0x800
DRIVE = ":"


@dataclass(frozen=True)
class Entry:
    """One file of an archive: where its bytes are and what they must be."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    header: int
    mode: int


def refuse(what: str, code: str) -> BadPackage:
    """Return the error of a refused archive."""
    return BadPackage(
        f"The archive is refused: {what}.", fix="Pack the model again with Quadrat or a stock zip tool.", code=code
    )


class Archive:
    """A zip file whose structure was checked as a whole before anything is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        with path.open("rb") as file:
            entries, directory = read_directory(file, self.size)
            self._data = check_layout(file, entries, directory)
        self.entries = {entry.name: entry for entry in entries}

    @property
    def names(self) -> list[str]:
        """Return the names of all files, in their order."""
        return [name for name in self.entries if not name.endswith("/")]

    def read(self, name: str, *, limit: int) -> bytes:
        """Return the bytes of one file, counted while unpacking and checked against its CRC.

        Raises:
            BadPackage: no such file, larger than `limit` bytes, a bomb, or damaged.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise refuse(f'"{name}" is missing', "archive_missing")
        if entry.size > limit:
            raise refuse(f'"{name}" has {entry.size} bytes, the limit is {limit}', "archive_size")
        with self.path.open("rb") as file:
            file.seek(self._data[name])
            packed = file.read(entry.packed)
        content = packed if entry.method == STORED else inflate(packed, name=name, limit=min(limit, entry.size))
        if len(content) != entry.size or zlib.crc32(content) != entry.crc:
            raise refuse(f'"{name}" is damaged (length or CRC is wrong)', "archive_damaged")
        return content


def inflate(packed: bytes, *, name: str, limit: int) -> bytes:
    """Return deflated bytes unpacked, never more than `limit` and `MAX_RATIO` allow."""
    allowed = min(limit, max(FREE_BYTES, MAX_RATIO * len(packed)))
    machine = zlib.decompressobj(-15)
    try:
        content = machine.decompress(packed, allowed + 1)
    except zlib.error as error:
        raise refuse(f'"{name}" is damaged ({error})', "archive_damaged") from error
    if len(content) > allowed:
        raise refuse(f'"{name}" unpacks to more than it says or than {MAX_RATIO} times its size', "archive_ratio")
    if not machine.eof or machine.unused_data:
        raise refuse(f'"{name}" is damaged (stream does not end where it should)', "archive_damaged")
    return content


def read_directory(file: BinaryIO, size: int) -> tuple[list[Entry], int]:
    """Return the entries of the central directory and the offset at which it starts."""
    if size < END.size:
        raise refuse("it is no zip file", "archive_damaged")
    file.seek(size - END.size)
    end = END.unpack(file.read(END.size))
    magic, disk, start_disk, here, total, length, offset, comment = end
    if magic != b"PK\x05\x06" or comment:
        raise refuse("it does not end with a plain end record (cut short, or with a comment)", "archive_damaged")
    if 0xFFFF in (here, total) or 0xFFFFFFFF in (length, offset):
        raise refuse("ZIP64 is not read", "archive_zip64")
    if disk or start_disk or here != total:
        raise refuse("it spans several disks", "archive_damaged")
    if total > MAX_ENTRIES:
        raise refuse(f"it has {total} entries, the limit is {MAX_ENTRIES}", "archive_entries")
    if offset + length != size - END.size:
        raise refuse("there are bytes between its directory and its end", "archive_inconsistent")
    file.seek(offset)
    entries = list(parse_directory(file.read(length), total))
    check_names(entries)
    if sum(entry.size for entry in entries) > MAX_TOTAL_BYTES:
        raise refuse(f"it unpacks to more than {MAX_TOTAL_BYTES} bytes", "archive_size")
    return entries, offset


def parse_directory(directory: bytes, total: int) -> Iterator[Entry]:
    """Yield the entries of a central directory, each checked for itself."""
    at = 0
    for _ in range(total):
        if at + CENTRAL.size > len(directory):
            raise refuse("its directory is cut short", "archive_damaged")
        fields = CENTRAL.unpack_from(directory, at)
        magic, made_by, _, flags, method, _, _, crc, packed, size, name_n, extra_n, note_n, disk, _, outer, header = (
            fields
        )
        if magic != b"PK\x01\x02" or disk:
            raise refuse("its directory is damaged", "archive_damaged")
        raw = directory[at + CENTRAL.size : at + CENTRAL.size + name_n]
        at += CENTRAL.size + name_n + extra_n + note_n
        entry = Entry(
            name=decode_name(raw, flags),
            method=method,
            flags=flags,
            crc=crc,
            packed=packed,
            size=size,
            header=header,
            # Only Unix tools store a mode; other systems' upper bits mean something else.
            mode=outer >> 16 if made_by >> 8 == 3 else 0,
        )
        check_entry(entry)
        yield entry
    if at != len(directory):
        raise refuse("its directory is longer than it says", "archive_inconsistent")


def decode_name(raw: bytes, flags: int) -> str:
    """Return an entry's name as text."""
    if len(raw) > MAX_NAME_BYTES:
        raise refuse(f"a name has {len(raw)} bytes, the limit is {MAX_NAME_BYTES}", "archive_path")
    try:
        return raw.decode("utf-8" if flags & UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise refuse(f"the name {raw!r} is not readable", "archive_path") from error


def check_entry(entry: Entry) -> None:
    """Refuse unsafe names, links and devices, encryption, unknown methods, and sizes that cannot be."""
    name = entry.name
    parts = name.removesuffix("/").split("/")
    control = any(ord(letter) < 32 or ord(letter) == 127 for letter in name)
    if control or "\\" in name or DRIVE in name or name.startswith("/") or len(parts) > MAX_DEPTH:
        raise refuse(f"the path {name!r} is unsafe", "archive_path")
    if any(part in ("", ".", "..") for part in parts):
        raise refuse(f"the path {name!r} is unsafe", "archive_path")
    kind = entry.mode & 0o170000
    folder = name.endswith("/")
    if kind not in (0, 0o100000, 0o040000) or (kind == 0o040000 and not folder) or (folder and entry.size):
        raise refuse(f"{name!r} is a link, a device or a folder with data", "archive_entry_type")
    if entry.flags & (ENCRYPTED | STRONG | MASKED):
        raise refuse(f"{name!r} is encrypted", "archive_damaged")
    if entry.method not in (STORED, DEFLATED):
        raise refuse(f"{name!r} is packed by the unknown method {entry.method}", "archive_damaged")
    if 0xFFFFFFFF in (entry.packed, entry.size, entry.header):
        raise refuse("ZIP64 is not read", "archive_zip64")
    if entry.method == STORED and entry.packed != entry.size:
        raise refuse(f"{name!r} is stored with two different sizes", "archive_inconsistent")
    if entry.size > max(FREE_BYTES, MAX_RATIO * entry.packed):
        raise refuse(f"{name!r} says it unpacks to {entry.size} bytes from {entry.packed}", "archive_ratio")


def check_names(entries: list[Entry]) -> None:
    """Refuse names that are equal, also where a file system ignores case or Unicode form, and files as folders."""
    seen: set[str] = set()
    for entry in entries:
        key = unicodedata.normalize("NFKC", entry.name).casefold().removesuffix("/")
        if key in seen:
            raise refuse(f"the name {entry.name!r} occurs twice", "archive_duplicate")
        seen.add(key)
    files = {unicodedata.normalize("NFKC", e.name).casefold() for e in entries if not e.name.endswith("/")}
    for key in seen:
        folders = key.split("/")[:-1]
        if any("/".join(folders[: depth + 1]) in files for depth in range(len(folders))):
            raise refuse(f"{key!r} lies inside a file", "archive_duplicate")


def check_layout(file: BinaryIO, entries: list[Entry], directory: int) -> dict[str, int]:
    """Return the offset of each entry's data, after checking the local headers and that nothing overlaps or gapes."""
    data: dict[str, int] = {}
    at = 0
    for entry in sorted(entries, key=lambda entry: entry.header):
        if entry.header != at:
            code = "archive_overlap" if entry.header < at else "archive_inconsistent"
            raise refuse(f"{entry.name!r} starts at byte {entry.header} instead of {at}", code)
        file.seek(at)
        raw = file.read(LOCAL.size)
        if len(raw) < LOCAL.size:
            raise refuse(f"{entry.name!r} is cut short", "archive_damaged")
        magic, _, flags, method, _, _, crc, packed, size, name_n, extra_n = LOCAL.unpack(raw)
        name = file.read(name_n)
        if (
            magic != b"PK\x03\x04"
            or decode_name(name, flags) != entry.name
            or (flags, method)
            != (
                entry.flags,
                entry.method,
            )
        ):
            raise refuse(f"directory and local header of {entry.name!r} differ", "archive_inconsistent")
        later = bool(flags & DESCRIPTOR)
        if (crc, packed, size) != ((0, 0, 0) if later else (entry.crc, entry.packed, entry.size)) and (
            crc,
            packed,
            size,
        ) != (entry.crc, entry.packed, entry.size):
            raise refuse(f"directory and local header of {entry.name!r} differ", "archive_inconsistent")
        data[entry.name] = at + LOCAL.size + name_n + extra_n
        at = data[entry.name] + entry.packed + (descriptor(file, data[entry.name], entry) if later else 0)
        if at > directory:
            raise refuse(f"{entry.name!r} runs into the directory", "archive_overlap")
    if at != directory:
        raise refuse("there are bytes between its last entry and its directory", "archive_inconsistent")
    return data


def descriptor(file: BinaryIO, data: int, entry: Entry) -> int:
    """Return the length of the descriptor behind a streamed entry: with or without its optional signature."""
    file.seek(data + entry.packed)
    raw = file.read(16)
    for start, length in ((4, 16), (0, 12)):
        if (not start or raw[:4] == b"PK\x07\x08") and raw[start:length] == struct.pack(
            "<3L", entry.crc, entry.packed, entry.size
        ):
            return length
    raise refuse(f"the descriptor of {entry.name!r} differs from the directory", "archive_inconsistent")


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """Write an archive whose bytes depend on names and contents only: sorted, stored, dated 1980."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            archive.writestr(info, files[name])
