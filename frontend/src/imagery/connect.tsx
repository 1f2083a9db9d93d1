// Addresses under which GIS programs and notebooks take one imagery layer.
import type { JSX } from "preact";
import { Button, toast } from "../ui/components";
import type { Layer } from "./types";

interface Address {
  name: string;
  use: string;
  url: string;
}

/** Return the layer's addresses, absolute. */
export function addresses(layer: Pick<Layer, "id" | "project" | "state" | "kind" | "remote">, origin: string): Address[] {
  const tiles = `${origin}/ogc/collections/${layer.id}/map/tiles/WebMercatorQuad`;
  const found = [
    { name: "XYZ tiles", use: "QGIS, Leaflet, any web map", url: `${tiles}/{z}/{y}/{x}?f=png` },
    { name: "WMTS", use: "QGIS, ArcGIS, GDAL", url: `${origin}/ogc/wmts?service=WMTS&request=GetCapabilities&layer=${layer.id}` },
    { name: "WMS", use: "every GIS; all layers of the project", url: `${origin}/ogc/wms?project=${layer.project}` },
    { name: "TileJSON", use: "MapLibre, Felt", url: `${tiles}?f=tilejson` },
  ];
  if (layer.state === "building") return found;
  return [
    ...found,
    { name: "STAC item", use: "pystac, QGIS", url: `${origin}/stac/collections/${layer.project}/items/${layer.id}` },
    ...fileOf(layer, origin),
  ];
}

/** The file's address: ours, or its own on another server where that is for everybody. */
function fileOf(layer: Pick<Layer, "id" | "kind" | "remote">, origin: string): Address[] {
  if (layer.kind === "mosaic") {
    const use = "TiTiler, cogeo-mosaic; the scenes’ files";
    return [{ name: "MosaicJSON", use, url: `${origin}/api/imagery/${layer.id}/mosaic.json` }];
  }
  const use = "GDAL by /vsicurl/, notebooks; all bands";
  if (layer.remote === null) return [{ name: "File", use, url: `${origin}/stac/files/${layer.id}.tif` }];
  return layer.remote.url.endsWith("?…") ? [] : [{ name: "File", use, url: layer.remote.url }];
}

/** Show the addresses, each to be copied. */
export function Connect({ layer }: { layer: Layer }): JSX.Element {
  return (
    <section class="card" aria-labelledby="connect-title">
      <h2 id="connect-title">Connect</h2>
      <p class="muted small-text">
        Programs sign in with any user name and an <a href="/profile/">API token</a> as the password, or with{" "}
        <code>access_token=</code> in the address.
      </p>
      <ul class="addresses">
        {addresses(layer, window.location.origin).map((row) => (
          <li key={row.name}>
            <span>
              <strong>{row.name}</strong> <span class="muted small-text">{row.use}</span>
            </span>
            <div class="row">
              <input
                class="input"
                readOnly
                value={row.url}
                aria-label={`${row.name} address`}
                onFocus={(event) => event.currentTarget.select()}
              />
              <Button small title={`Copy the ${row.name} address`} onClick={() => void copy(row)}>
                Copy
              </Button>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

async function copy(row: Address): Promise<void> {
  await navigator.clipboard.writeText(row.url);
  toast(`${row.name} address copied.`, "ok");
}
