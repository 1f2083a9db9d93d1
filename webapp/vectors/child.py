"""The process inside the sandbox that reads label files: `python -m webapp.vectors.child`, as `webapp.raster.child`."""

import sys
from pathlib import Path
from typing import Any

from webapp.raster.child import SKIPPED_DRIVERS, progress, serve

# Vector drivers of pyogrio's GDAL that are never registered: all but GPKG, ESRI Shapefile, FlatGeobuf, LIBKML and
# MEM. A test compares the list with what is registered.
SKIPPED = (
    "PCIDSK,PDS4,VICAR,PDF,MBTiles,EEDA,OGCAPI,GDALG,MapInfo File,LVBAG,S57,DGN,OGR_VRT,CSV,GML,GPX,KML,GeoJSON,"
    "GeoJSONSeq,ESRIJSON,TopoJSON,OGR_GMT,SQLite,WAsP,OpenFileGDB,DXF,GeoRSS,VFK,PGDUMP,OSM,GPSBabel,OGR_PDS,WFS,"
    "OAPIF,EDIGEO,Idrisi,ODS,XLSX,Elasticsearch,Carto,AmigoCloud,SXF,Selafin,JML,PLSCENES,CSW,VDV,MVT,NGW,MapML,GTFS,"
    "PMTiles,JSONFG,MiraMonVector,ADBC,AVCBin,AVCE00,AIVector,HTTP"
)
KEPT = {"GPKG", "ESRI Shapefile", "FlatGeobuf", "LIBKML", "MEM"}
TELL_EVERY = 2_000


def main() -> int:
    """Serve one request."""
    # Both libraries bring a GDAL of their own, and each reads its own of the two names.
    rasters = ",".join(name for name in SKIPPED_DRIVERS.split(",") if name not in KEPT)
    return serve(COMMANDS, environment={"OGR_SKIP": SKIPPED, "GDAL_SKIP": rasters}, kind="BadVectors")


def _open(request: dict[str, Any]) -> tuple[Any, Any]:
    from webapp.vectors.sources import open_file
    from webapp.vectors.table import Grid

    grid = Grid.from_json(request["grid"]) if request.get("grid") else None
    source, out = Path(request["input"]), Path(request["out"])
    return open_file(source, name=request["name"], folder=out, grid=grid), grid


def inspect(request: dict[str, Any]) -> dict[str, Any]:
    """Return what the file holds, for people to decide."""
    from webapp.vectors.preview import look

    found, grid = _open(request)
    return look(found, grid)


def convert(request: dict[str, Any]) -> dict[str, Any]:
    """Write the features of some tables as GeoJSON in longitude and latitude: features.geojson in the output folder."""
    from webapp.errors import BadVectors

    found, _ = _open(request)
    if not request["tables"] or not all(0 <= index < len(found.tables) for index in request["tables"]):
        raise BadVectors("The file has no such table.", fix="Choose one of those that it has.", code="table_unknown")
    told = {"count": 0, "outside_crs": 0}
    with (Path(request["out"]) / "features.geojson").open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for index in request["tables"]:
            table = found.tables[index]
            crs = request["crs"] or table.crs
            if not crs:
                raise BadVectors(
                    f"'{table.name[:80]}' names no CRS.", fix="Choose the CRS of its coordinates.", code="crs_missing"
                )
            _convert(table, crs, file, told)
        file.write("\n]}\n")
    return told


def _convert(table: Any, crs: str, file: Any, told: dict[str, int]) -> None:
    import numpy as np
    import shapely

    from webapp.errors import TooLarge
    from webapp.vectors.geojson_rows import feature_line
    from webapp.vectors.table import LONLAT, MAX_ROWS, moved

    for row in table.rows():
        shape = None if row.geometry is None else moved(row.geometry, crs, LONLAT)
        if shape is not None and not np.isfinite(shapely.get_coordinates(shape)).all():
            shape = None
            told["outside_crs"] += 1
        file.write(("," if told["count"] else "") + "\n" + feature_line(shape, row.properties))
        told["count"] += 1
        if told["count"] > MAX_ROWS:
            raise TooLarge(f"The file holds more than {MAX_ROWS:,} features.", fix="Split it.")
        if told["count"] % TELL_EVERY == 0:
            progress(0.5, f"{told['count']:,} features read")


COMMANDS = {"inspect": inspect, "convert": convert}

if __name__ == "__main__":
    sys.exit(main())
