"""Zip files from strangers, unpacked inside the sandbox: nothing outside the folder, no links, no bombs."""

import stat
import zipfile
from pathlib import Path, PurePosixPath

from webapp.errors import BadVectors, TooLarge

MAX_ENTRIES = 20_000
MAX_BYTES = 4 * 1024**3
# Unpacked over packed bytes, after the first megabytes: label files of one class repeat themselves much.
MAX_RATIO = 200
FREE_BYTES = 16 * 1024**2
PIECE_BYTES = 1024**2
FIX = "Pack the files again with an ordinary zip program."


def unpack(path: Path, folder: Path) -> list[Path]:
    """Return the files of an archive, unpacked into a folder, by name.

    Raises:
        BadVectors: no zip file, damaged, or with entries that an honest program does not write.
        TooLarge: too many files or bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not _ignored(entry)]
            _check(entries, path.stat().st_size)
            return sorted(_extract(archive, entry, folder) for entry in entries)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise BadVectors(f"The zip file is damaged: {str(error)[:120]}", fix=FIX, code="file_damaged") from error


def _ignored(entry: zipfile.ZipInfo) -> bool:
    # What macOS adds.
    return entry.is_dir() or entry.filename.startswith("__MACOSX/") or entry.filename.endswith(".DS_Store")


def _check(entries: list[zipfile.ZipInfo], packed: int) -> None:
    if len(entries) > MAX_ENTRIES:
        raise TooLarge(f"The zip file holds {len(entries):,} files.", fix=f"Keep to {MAX_ENTRIES:,}, or split it.")
    total = sum(entry.file_size for entry in entries)
    if total > MAX_BYTES or total > max(FREE_BYTES, MAX_RATIO * packed):
        raise TooLarge(f"The zip file unpacks to {total:,} bytes.", fix="Split it, or send the files by themselves.")
    names: set[str] = set()
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        odd = entry.filename.startswith("/") or ".." in parts or "\\" in entry.filename or "\x00" in entry.filename
        linked = stat.S_ISLNK(entry.external_attr >> 16)
        if odd or linked or entry.flag_bits & 0x1 or entry.filename.casefold() in names:
            raise BadVectors(
                f"The zip file holds '{entry.filename[:80]}', which is a link, encrypted, twice there or outside it.",
                fix=FIX,
                code="archive_unsafe",
            )
        names.add(entry.filename.casefold())


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> Path:
    target = folder / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with archive.open(entry) as source, target.open("wb") as kept:
        while piece := source.read(PIECE_BYTES):
            left -= len(piece)
            if left < 0:
                raise BadVectors("The zip file unpacks to more than it says.", fix=FIX, code="archive_unsafe")
            kept.write(piece)
    return target
