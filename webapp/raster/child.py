"""The process inside the sandbox: `python -m webapp.raster.child`, one request on stdin, JSON lines on stdout.

It limits itself before GDAL is loaded, then checks (`probe`), checks and rewrites (`rewrite`), or checks and measures
(`inspect`) one raster; or rewrites a photo that lies nowhere as one (`photo`).
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Command = Callable[[dict[str, Any]], dict[str, Any]]

# Drivers that we read and write. All others of rasterio's GDAL are never registered: whatever gets past the check
# of the first bytes finds no parser. A test compares the two lists with what is registered.
KEPT_DRIVERS = {"GTiff", "COG", "PNG", "JPEG", "MEM", "Memory"}
SKIPPED_DRIVERS = (
    "AAIGrid,ACE2,ADRG,AIG,AirSAR,AVCBin,AVCE00,BAG,BIGGIF,BLX,BMP,BSB,BT,BYN,CALS,CEOS,COASP,COSAR,CPG,CTable2,"
    "CTG,DAAS,DERIVED,DIMAP,DIPEx,DOQ1,DOQ2,DTED,ECRGTOC,EEDA,EEDAI,EHdr,EIR,ELAS,ENVI,ERS,ESAT,ESRI Shapefile,"
    "ESRIC,ESRIJSON,FAST,FIT,GenBin,GeoJSON,GeoJSONSeq,GFF,GIF,GNMDatabase,GNMFile,GPKG,GRASSASCIIGrid,GRIB,"
    "GS7BG,GSAG,GSBG,GSC,GTI,GTX,GXF,HDF5,HDF5Image,HF2,HFA,HTTP,ILWIS,IRIS,ISCE,ISG,ISIS2,ISIS3,JAXAPALSAR,JDEM,"
    "JP2OpenJPEG,KMLSUPEROVERLAY,KRO,L1B,LAN,LCP,Leveller,LOSLAS,MAP,MBTiles,MFF,MFF2,MRF,MSGN,MVT,NDF,"
    "netCDF,NGSGEOID,NITF,NOAA_B,NSIDCbin,NTv2,NWT_GRC,NWT_GRD,OSM,OZI,PAux,PCIDSK,PCRaster,PDF,PDS,PDS4,"
    "PLMOSAIC,PNM,PRF,R,Rasterlite,RIK,RMF,ROI_PAC,RPFTOC,RRASTER,RS2,RST,S102,S104,S111,SAFE,SAGA,SAR_CEOS,SDTS,"
    "SENTINEL2,SGI,SIGDEM,SNAP_TIFF,SNODAS,SQLite,SRP,SRTMHGT,STACIT,STACTA,Terragen,TGA,TIL,TopoJSON,TSX,"
    "USGSDEM,VICAR,VRT,WCS,WEBP,WMS,WMTS,XPM,XYZ,Zarr,ZMap"
)
PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve one request."""
    return serve(
        COMMANDS,
        environment={"GDAL_SKIP": SKIPPED_DRIVERS},
        kind="BadRaster",
    )


def serve(commands: Mapping[str, Command], *, environment: Mapping[str, str], kind: str) -> int:
    """Read a request, limit this process, run the command and say its answer; return the exit status.

    Args:
        commands: what may be asked for.
        environment: set before any library is loaded.
        kind: name of the error in `webapp.errors` where the memory does not suffice.
    """
    request: dict[str, Any] = json.loads(sys.stdin.readline())
    limit(request["limits"])
    os.environ.update(environment)
    from webapp.errors import QuadratError

    try:
        answer = {"result": commands[request["command"]](request)}
    except QuadratError as error:
        answer = {
            "error": {"kind": type(error).__name__, "code": error.code, "message": error.message, "fix": error.fix}
        }
    except MemoryError:
        answer = {
            "error": {
                "kind": kind,
                "code": "too_much_memory",
                "message": f"'{request['name']}' needs more memory than a file may take.",
                "fix": request["smaller"],
            }
        }
    say(answer)
    return 0


def limit(limits: dict[str, Any]) -> None:
    """Take away what is not needed, for good: a hard limit cannot be raised again."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    bounds = {
        resource.RLIMIT_AS: limits["memory_bytes"],
        resource.RLIMIT_CPU: limits["cpu_s"],
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    if limits.get("processes"):
        bounds[resource.RLIMIT_NPROC] = limits["processes"]
    for what, most in bounds.items():
        hard = resource.getrlimit(what)[1]
        most = int(most) if hard == resource.RLIM_INFINITY else min(int(most), hard)
        resource.setrlimit(what, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write past the limit becomes an error with a message


def say(line: dict[str, Any]) -> None:
    """Write one line for the parent."""
    sys.stdout.write(json.dumps(line, allow_nan=False) + "\n")
    sys.stdout.flush()


def progress(fraction: float, message: str) -> None:
    """Tell the parent how far the work is."""
    say({"progress": round(fraction, 4), "message": message})


def _open(request: dict[str, Any]) -> Any:
    from webapp.raster.position import parse
    from webapp.raster.probe import open_source

    return open_source(
        Path(request["input"]),
        name=request["name"],
        position=parse(request["position"]),
        nodata=request.get("nodata"),
        max_pixels=int(request["max_pixels"]),
    )


def probe(request: dict[str, Any]) -> dict[str, Any]:
    """Return what the file is, without reading its pixels."""
    source = _open(request)
    height, width = source.shape
    return {"height": height, "width": width, "count": source.count, "dtype": source.dtype, "notes": source.notes}


def rewrite(request: dict[str, Any]) -> dict[str, Any]:
    """Write analysis.tif and display.tif into the output folder and return all that is to know about the scene."""
    from shapely.geometry import mapping

    from webapp.raster.display import write_display_cog
    from webapp.raster.probe import default_bands
    from webapp.raster.read import info
    from webapp.raster.render import Rendering
    from webapp.raster.shapes import footprint, pixel_size_m
    from webapp.raster.write import write_analysis_cog

    source = _open(request)
    out = Path(request["out"])
    threads = int(request["threads"])
    analysis, display = out / "analysis.tif", out / "display.tif"
    written = write_analysis_cog(
        source, analysis, progress=lambda done, what: progress(0.55 * done, what), threads=threads
    )
    bands = default_bands(source.names, source.colours, source.dtype)
    plain = source.dtype == "uint8" and source.bits is None and source.scaling is None
    ranges = None if plain else tuple(shown_range(written.statistics[band - 1], source.bits) for band in bands)
    rendering = Rendering(bands, ranges)
    place = write_display_cog(
        analysis, display, rendering, progress=lambda done, what: progress(0.55 + 0.4 * done, what), threads=threads
    )
    progress(0.96, "Tracing the footprint")
    found = info(analysis)
    outline = footprint(analysis)
    return {
        "height": found.height,
        "width": found.width,
        "transform": list(found.transform),
        "crs_wkt": found.crs_wkt,
        "epsg": found.epsg,
        "dtype": found.dtype,
        "nodata": None if source.scaling else source.nodata,
        "gsd_m": pixel_size_m(found),
        "bands": [
            {"name": name, **stored_as(source, number), **band.as_json()}
            for number, (name, band) in enumerate(zip(source.names, written.statistics, strict=True))
        ],
        "rendering": {"bands": list(rendering.bands), "stretch": [list(pair) for pair in ranges] if ranges else None},
        "footprint": mapping(outline),
        "min_zoom": max(0, place.zoom - place.levels - 2),
        "max_zoom": place.zoom,
        "masked": written.masked,
        "notes": source.notes,
    }


def inspect(request: dict[str, Any]) -> dict[str, Any]:
    """Return all that is to know about a scene that stays where it lies, from its overview of `shape` pixels."""
    from webapp.raster.linking import facts_of

    height, width = request["shape"]
    return facts_of(_open(request), Path(request["input"]), (int(height), int(width)))


def stored_as(source: Any, band: int) -> dict[str, Any]:
    """Return how a band's numbers lie in the file, where that is not what they mean."""
    if source.scaling is None:
        return {}
    return {"stored_dtype": source.dtype, "scale": source.scaling.scales[band], "offset": source.scaling.offsets[band]}


def shown_range(band: Any, bits: int | None) -> tuple[float, float]:
    """Return what is drawn as black and white: the percentiles, or all values where there are few."""
    low, high = (band.min, band.max) if bits is not None and bits < 8 else (band.p2, band.p98)
    return (low, high) if high > low else (band.min, band.max if band.max > band.min else band.min + 1)


def photo(request: dict[str, Any]) -> dict[str, Any]:
    """Write picture.jpg and thumbnail.jpg into the output folder and return all that is to know about the photo."""
    from webapp.raster.photo import rewrite_photo

    return rewrite_photo(Path(request["input"]), Path(request["out"]), name=request["name"])


COMMANDS = {"probe": probe, "rewrite": rewrite, "inspect": inspect, "photo": photo}

if __name__ == "__main__":
    sys.exit(main())
