"""The formats of labels: what each is called, and what it can hold. No parser is loaded here: the web reads this."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        key: in addresses and specs.
        label: for people.
        suffix: of the exported file.
        holds: what comes back from it, for people.
        writer: dotted name of the function that writes it.
        pixels: counts in pixels of the imagery, and so needs one.
        any_crs: may be written in another CRS than longitude and latitude.
    """

    key: str
    label: str
    suffix: str
    holds: str
    writer: str
    pixels: bool = False
    any_crs: bool = False


_ROOM = "webapp.vectors"
FORMATS: dict[str, Format] = {
    item.key: item
    for item in (
        Format("geojson", "GeoJSON", ".geojson", "Everything.", f"{_ROOM}.geojson_rows:write"),
        Format("gpkg", "GeoPackage", ".gpkg", "Everything.", f"{_ROOM}.ogr_write:write_gpkg", any_crs=True),
        Format(
            "shapefile", "Shapefile (zip)", ".zip",
            "One file for points, lines and areas each; texts are cut at 254 bytes.",
            f"{_ROOM}.ogr_write:write_shapefile", any_crs=True,
        ),
        Format("flatgeobuf", "FlatGeobuf", ".fgb", "Everything.", f"{_ROOM}.ogr_write:write_flatgeobuf", any_crs=True),
        Format("geoparquet", "GeoParquet", ".parquet", "Everything.", f"{_ROOM}.parquet:write", any_crs=True),
        Format("kml", "KML", ".kml", "Everything, in longitude and latitude.", f"{_ROOM}.ogr_write:write_kml"),
        Format("csv", "CSV with WKT", ".csv", "Everything.", f"{_ROOM}.csv_wkt:write", any_crs=True),
        Format("stac", "STAC label (zip)", ".zip", "Everything.", f"{_ROOM}.stac_label:write"),
        Format("coco", "COCO", ".json", "Areas and fields; holes are filled.", f"{_ROOM}.coco:write", pixels=True),
        Format(
            "yolo", "YOLO boxes (zip)", ".zip", "A box and a class for each sample.", f"{_ROOM}.yolo:write_boxes",
            pixels=True,
        ),
        Format(
            "yolo-obb", "YOLO turned boxes, OBB (zip)", ".zip", "A turned box and a class for each sample.",
            f"{_ROOM}.yolo:write_turned_boxes", pixels=True,
        ),
        Format(
            "yolo-seg", "YOLO outlines (zip)", ".zip", "Outlines without holes and a class.",
            f"{_ROOM}.yolo:write_outlines", pixels=True,
        ),
        Format(
            "voc", "Pascal VOC (zip)", ".zip", "A box in whole pixels and a class for each sample.",
            f"{_ROOM}.voc:write", pixels=True,
        ),
        Format(
            "raster", "Classified raster (GeoTIFF)", ".tif", "The class of each pixel.", f"{_ROOM}.class_raster:write",
            pixels=True,
        ),
    )
}  # fmt: skip
