"""Load every kind of layer that we serve into QGIS and draw them. Run by hand with Debian's QGIS (python3-qgis):

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 tests/clients/qgis_loads.py SITE TOKEN IMAGERY_ID FEATURES_ID OUT

Writes one picture per protocol; fails where a layer is invalid, draws nothing or holds no feature.
"""

import sys
from pathlib import Path
from urllib.parse import quote

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

BACKGROUND = QColor(255, 0, 255)


def sources(site: str, token: str, layer: str) -> dict[str, tuple[str, str]]:
    """Return (data source, provider) by protocol."""
    by_address = f"access_token={token}"
    wmts = f"{site}/ogc/wmts?SERVICE=WMTS&REQUEST=GetCapabilities&layer={layer}&{by_address}"
    tiles = f"{site}/ogc/collections/{layer}/map/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}?f=png&{by_address}"
    common = f"styles=default&format=image/png&layers={layer}"
    return {
        "xyz": (f"type=xyz&zmin=0&zmax=22&url={quote(tiles, safe='')}", "wms"),
        "wmts": (f"crs=EPSG:3857&{common}&tileMatrixSet=WebMercatorQuad&url={quote(wmts, safe='')}", "wms"),
        "wms": (f"crs=EPSG:4326&{common}&url={quote(f'{site}/ogc/wms?{by_address}', safe='')}", "wms"),
    }


def draw(layer: QgsRasterLayer, extent: QgsRectangle, crs: str, path: Path) -> float:
    """Write the layer's picture; return the share of it that the layer covers."""
    options = QgsMapSettings()
    options.setLayers([layer])
    options.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
    options.setBackgroundColor(BACKGROUND)
    options.setOutputSize(QSize(512, 512))
    options.setExtent(extent)
    job = QgsMapRendererParallelJob(options)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(str(path))
    covered = [image.pixelColor(x, y) != BACKGROUND for x in range(0, 512, 16) for y in range(0, 512, 16)]
    return sum(covered) / len(covered)


def main(site: str, token: str, layer: str, features: str, folder: str) -> int:
    """Load and draw; return the number of protocols that failed."""
    failed = 0
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    extent = None
    for name, (source, provider) in reversed(sources(site, token, layer).items()):
        loaded = QgsRasterLayer(source, name, provider)
        if not loaded.isValid():
            sys.stdout.write(f"{name}: not loaded: {loaded.error().summary()}" + "\n")
            failed += 1
            continue
        if extent is None:  # WMS knows it exactly
            to_mercator = QgsCoordinateTransform(
                loaded.crs(), QgsCoordinateReferenceSystem("EPSG:3857"), QgsProject.instance()
            )
            extent = to_mercator.transformBoundingBox(loaded.extent())
        covered = draw(loaded, extent, "EPSG:3857", out / f"{name}.png")
        sys.stdout.write(f"{name}: {covered:.0%} covered" + "\n")
        failed += covered < 0.3
    # QGIS sends name and password as HTTP Basic.
    source = f"url='{site}/ogc' typename='{features}' username='any' password='{token}'"
    found = QgsVectorLayer(source, "features", "OAPIF")
    count = sum(1 for _ in found.getFeatures()) if found.isValid() else 0
    sys.stdout.write(f"ogc api features: {count} features" + "\n")
    failed += count == 0
    return failed


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    status = main(*sys.argv[1:])
    application.exitQgis()
    sys.exit(status)
