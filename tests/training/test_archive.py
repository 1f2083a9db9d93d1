"""Zip archives from strangers: what two readers could read differently is refused."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from training import archive
from training.archive import Archive
from webapp.errors import BadPackage


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name, content in entries:
            target.writestr(name, content)
    return out.getvalue()


def opened(tmp_path: Path, raw: bytes) -> Archive:
    path = tmp_path / "a.dlpk"
    path.write_bytes(raw)
    return Archive(path)


def code_of(tmp_path: Path, raw: bytes, read: str | None = None) -> str:
    def look() -> None:
        found = opened(tmp_path, raw)
        if read is not None:
            found.read(read, limit=10**9)

    with pytest.raises(BadPackage) as caught:
        look()
    return caught.value.code


def linked() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def device() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("disk")
    info.create_system, info.external_attr = 3, 0o060644 << 16
    return info


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_ordinary_archive_reads_as_the_stock_reader_reads_it(tmp_path: Path, method: int) -> None:
    raw = zipped(("a.json", b"{}" * 500), ("samples/0-image.png", b"\x89PNG" + bytes(2000)), method=method)
    found = opened(tmp_path, raw)
    stock = zipfile.ZipFile(io.BytesIO(raw))
    assert found.names == stock.namelist()
    assert all(found.read(name, limit=10_000) == stock.read(name) for name in found.names)


def test_a_streamed_archive_with_descriptors_is_read(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a.txt", b"streamed" * 100)
        target.writestr("b.txt", b"more")
    found = opened(tmp_path, out.getvalue())
    assert found.read("a.txt", limit=1000) == b"streamed" * 100


def test_our_archives_are_the_same_bytes_for_the_same_content(tmp_path: Path) -> None:
    for name in ("one", "other"):
        archive.write(tmp_path / name, {"b": b"2", "a": b"1"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert Archive(tmp_path / "one").names == ["a", "b"]


@pytest.mark.parametrize(
    "name",
    [
        *("../../evil.txt", "/abs.txt", "a/../b.txt", "..\\evil.txt", "C:\\evil.txt", "C:evil", "//server/share"),
        *("a//b", "./a", "new\nline", "x" * 201, "/".join("a" * 9)),
    ],
)
def test_an_unsafe_path_is_refused(tmp_path: Path, name: str) -> None:
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    assert code_of(tmp_path, zipped((info, b"x"))) == "archive_path"
    assert {path.name for path in tmp_path.iterdir()} == {"a.dlpk", "site"}


def test_a_name_with_nul_is_refused(tmp_path: Path) -> None:
    raw = zipped(("evilX.txt", b"x")).replace(b"evilX.txt", b"evil\0.txt")
    assert code_of(tmp_path, raw) == "archive_path"


@pytest.mark.parametrize("info", [linked(), device()])
def test_links_and_devices_are_refused(tmp_path: Path, info: zipfile.ZipInfo) -> None:
    assert code_of(tmp_path, zipped((info, b"/etc/passwd"))) == "archive_entry_type"


def test_a_folder_with_data_is_refused(tmp_path: Path) -> None:
    raw = zipped(("folderX", b"data")).replace(b"folderX", b"folder/")
    assert code_of(tmp_path, raw) == "archive_entry_type"


@pytest.mark.parametrize(("one", "other"), [("a.txt", "A.TXT"), ("caf\u00e9", "cafe\u0301"), ("a", "a/b")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_a_file_system_takes_for_one_are_refused(tmp_path: Path, one: str, other: str) -> None:
    assert code_of(tmp_path, zipped((one, b"1"), (other, b"2"))) == "archive_duplicate"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_equal_names_are_refused(tmp_path: Path) -> None:
    assert code_of(tmp_path, zipped(("a", b"1"), ("a", b"2"))) == "archive_duplicate"


def with_end(raw: bytes, change: Callable[[list[int]], None]) -> bytes:
    fields = list(struct.unpack("<4s4H2LH", raw[-22:]))
    change(fields)
    return raw[:-22] + struct.pack("<4s4H2LH", *fields)


def test_data_before_the_archive_is_refused(tmp_path: Path) -> None:
    raw = zipped(("a", b"1"))
    moved = b"GIF89a" + raw
    assert code_of(tmp_path, moved) == "archive_inconsistent"


def test_data_between_entries_and_directory_is_refused(tmp_path: Path) -> None:
    raw = zipped(("a", b"1"))
    at = raw.index(b"PK\x01\x02")

    def later(fields: list[int]) -> None:
        fields[6] += 4

    assert code_of(tmp_path, with_end(raw[:at] + b"gap!" + raw[at:], later)) == "archive_inconsistent"


def test_a_comment_or_trailing_bytes_are_refused(tmp_path: Path) -> None:
    raw = zipped(("a", b"1"))
    assert code_of(tmp_path, raw + b"more") == "archive_damaged"
    commented = io.BytesIO()
    with zipfile.ZipFile(commented, "w") as target:
        target.writestr("a", b"1")
        target.comment = raw
    assert code_of(tmp_path, commented.getvalue()) in ("archive_damaged", "archive_inconsistent")


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    raw = bytearray(zipped(("a", b"1" * 50), ("b", b"2" * 50)))
    second = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<L", raw, second + 42, 0)
    assert code_of(tmp_path, bytes(raw)) in ("archive_overlap", "archive_inconsistent")


@pytest.mark.parametrize(("offset", "value"), [(26, 2), (8, 8), (14, 12345), (18, 3)])
def test_a_directory_that_contradicts_the_local_header_is_refused(tmp_path: Path, offset: int, value: int) -> None:
    raw = bytearray(zipped(("a", b"1" * 50)))
    struct.pack_into("<H", raw, offset, value)
    assert code_of(tmp_path, bytes(raw)) in ("archive_inconsistent", "archive_overlap")


def test_a_wrong_crc_is_refused(tmp_path: Path) -> None:
    raw = zipped(("a", b"12345678"))
    assert code_of(tmp_path, raw.replace(b"12345678", b"12345679"), read="a") == "archive_damaged"


def test_encryption_and_unknown_methods_are_refused(tmp_path: Path) -> None:
    raw = bytearray(zipped(("a", b"1")))
    at = raw.index(b"PK\x01\x02")
    raw[6] |= 1
    raw[at + 8] |= 1
    assert code_of(tmp_path, bytes(raw)) == "archive_damaged"
    assert code_of(tmp_path, zipped(("a", b"1" * 100), method=zipfile.ZIP_LZMA)) == "archive_damaged"


@pytest.mark.parametrize("cut", [1, 10, 30, 60, 100])
def test_a_truncated_archive_is_refused(tmp_path: Path, cut: int) -> None:
    assert code_of(tmp_path, zipped(("a", b"1" * 50), ("b", b"2"))[:-cut]) == "archive_damaged"


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    raw = zipped(("a", bytes(200 * 1024**2)), method=zipfile.ZIP_DEFLATED)
    assert len(raw) < 300_000
    assert code_of(tmp_path, raw, read="a") == "archive_ratio"


def test_a_bomb_that_lies_about_its_size_stops_at_what_it_said(tmp_path: Path) -> None:
    raw = bytearray(zipped(("a", bytes(50 * 1024**2)), method=zipfile.ZIP_DEFLATED))
    at = raw.index(b"PK\x01\x02")
    for place, value in (
        (22, 1000),
        (at + 24, 1000),
        (14, zlib.crc32(bytes(1000))),
        (at + 16, zlib.crc32(bytes(1000))),
    ):
        struct.pack_into("<L", raw, place, value)
    assert code_of(tmp_path, bytes(raw), read="a") == "archive_ratio"


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    assert code_of(tmp_path, zipped(*((f"{n}", b"") for n in range(2001)))) == "archive_entries"


def test_a_file_over_its_limit_is_not_read(tmp_path: Path) -> None:
    found = opened(tmp_path, zipped(("a", b"12345")))
    with pytest.raises(BadPackage) as caught:
        found.read("a", limit=4)
    assert caught.value.code == "archive_size"


@pytest.mark.parametrize("raw", [b"", b"PK", b"no zip at all" * 10, bytes(22), b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_refused_or_empty(tmp_path: Path, raw: bytes) -> None:
    if raw.startswith(b"PK\x05\x06"):
        assert opened(tmp_path, raw).names == []
    else:
        assert code_of(tmp_path, raw) == "archive_damaged"
