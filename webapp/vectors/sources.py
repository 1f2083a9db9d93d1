"""What a file is, by its first bytes, and its tables. Runs inside the sandbox only."""

import json
from dataclasses import dataclass
from pathlib import Path

from webapp.errors import BadVectors
from webapp.vectors import zips
from webapp.vectors.table import Grid, Table, plain_name

HEAD_BYTES = 4096
RASTERS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+", b"\x89PNG\r\n\x1a\n")
TAKEN = (
    "GeoJSON, GeoPackage, Shapefile (zip), FlatGeobuf, GeoParquet, KML, CSV with WKT, COCO, YOLO, Pascal VOC,"
    " STAC label or a classified GeoTIFF"
)
LABEL_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was recognised: its format's key and its tables."""

    form: str
    tables: list[Table]


def open_file(path: Path, *, name: str, folder: Path, grid: Grid | None) -> Found:
    """Return what a file holds.

    Args:
        path: the upload.
        name: what the user called it.
        folder: where it may be unpacked.
        grid: of the imagery, for labels in pixels.

    Raises:
        BadVectors, BadRaster: not one of our formats, or damaged.
        TooLarge: over a limit.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"PK\x03\x04"):
        return _zip(zips.unpack(path, folder / "unpacked"), grid)
    return _single(path, head, name, folder, grid)


def _single(path: Path, head: bytes, name: str, folder: Path, grid: Grid | None) -> Found:
    if head.startswith(b"SQLite format 3\x00"):
        return _gdal(path, "gpkg", ".gpkg", folder)
    if head.startswith(b"fgb\x03fgb"):
        return _gdal(path, "flatgeobuf", ".fgb", folder)
    if head.startswith(b"PAR1"):
        from webapp.vectors import parquet

        return Found("geoparquet", parquet.tables(path))
    if head.startswith(RASTERS):
        from webapp.vectors import class_raster

        return Found("raster", class_raster.tables(path, name, grid))
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")):
        return _json(path, grid)
    if text.startswith(b"<"):
        return _xml(path, folder, grid)
    if b"\x00" in head or not text:
        raise _unknown(name)
    return _text(path, name, folder, grid)


def _zip(files: list[Path], grid: Grid | None) -> Found:
    suffixes = {path.suffix.lower() for path in files}
    if ".shp" in suffixes:
        from webapp.vectors import shapefile

        return Found("shapefile", shapefile.tables(files))
    if ".kml" in suffixes:
        return _kml(next(path for path in files if path.suffix.lower() == ".kml"))
    if ".xml" in suffixes:
        from webapp.vectors import voc

        return Found("voc", voc.tables(files, grid))
    if ".json" in suffixes:
        from webapp.vectors import stac_label

        if stac_label.items(files):
            return Found("stac", stac_label.tables(files))
    if ".txt" in suffixes:
        from webapp.vectors import yolo

        return Found("yolo", yolo.tables(files, grid))
    if len(files) == 1:
        with files[0].open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head.startswith(b"PK"):
            return _single(files[0], head, files[0].name, files[0].parent, grid)
    raise _unknown("the zip file")


def _gdal(path: Path, form: str, suffix: str, folder: Path) -> Found:
    from webapp.vectors import ogr

    return Found(form, ogr.tables(_named(path, folder, f"source{suffix}")))


def _json(path: Path, grid: Grid | None) -> Found:
    from webapp.vectors import coco, geojson_rows

    kind = _json_kind(path)
    if kind == "coco":
        return Found("coco", coco.tables(path, grid))
    if kind == "stac":
        raise BadVectors(
            "This is a STAC item alone: its labels lie elsewhere.",
            fix="Zip the item together with the GeoJSON of its labels.",
            code="labels_missing",
        )
    return Found("geojson", geojson_rows.tables(path))


def _json_kind(path: Path) -> str:
    """Return coco, stac or geojson, by the names of the first members."""
    with path.open("rb") as file:
        head = file.read(1 << 20).decode("utf-8-sig", errors="replace")
    if '"stac_version"' in head and '"FeatureCollection"' not in head:
        return "stac"
    if '"FeatureCollection"' in head:
        return "geojson"
    if any(f'"{member}"' in head for member in ("annotations", "categories", "images")):
        return "coco"
    if path.stat().st_size > len(head) and path.stat().st_size <= LABEL_BYTES:
        members = json.loads(path.read_bytes())
        return "coco" if isinstance(members, dict) and "annotations" in members else "geojson"
    return "geojson"


def _xml(path: Path, folder: Path, grid: Grid | None) -> Found:
    with path.open("rb") as file:
        head = file.read(65_536)
    if b"<kml" in head:
        return _kml(_named(path, folder, "source.kml"))
    from webapp.vectors import voc

    return Found("voc", voc.tables([_named(path, folder, "source.xml")], grid))


def _kml(path: Path) -> Found:
    from webapp.vectors import ogr

    _refuse_entities(path)
    return Found("kml", ogr.tables(path, kml=True))


def _refuse_entities(path: Path) -> None:
    """Refuse a document type anywhere: entities are how XML reads files and fills memory."""
    overlap = b""
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            if b"<!DOCTYPE" in overlap + piece or b"<!ENTITY" in overlap + piece:
                raise BadVectors(
                    "The KML file declares a document type.", fix="Remove the <!DOCTYPE …>.", code="xml_unsafe"
                )
            overlap = piece[-16:]


def _text(path: Path, name: str, folder: Path, grid: Grid | None) -> Found:
    from webapp.vectors import csv_wkt, yolo

    if yolo.looks_like(path):
        return Found("yolo", yolo.tables([_named(path, folder, f"{plain_name(name.rpartition('.')[0])}.txt")], grid))
    return Found("csv", csv_wkt.tables(path))


def _named(path: Path, folder: Path, name: str) -> Path:
    """Return the file under a name of ours: some readers look at that as well."""
    named = folder / name
    named.unlink(missing_ok=True)
    named.symlink_to(path)
    return named


def _unknown(name: str) -> BadVectors:
    return BadVectors(
        f"'{name[:80]}' is none of the formats that are read.", fix=f"Send {TAKEN}.", code="format_unknown"
    )
