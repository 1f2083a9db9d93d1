// The pages of imagery: adding it, one layer, and a new mosaic.
import { render } from "preact";
import { readConfig } from "../ui/config";
import type { LayerConfig } from "./layer-page";
import type { MosaicConfig } from "./mosaic-page";
import "./page.css";
import { AddPage } from "./add-page";
import type { AddConfig } from "./add-page";

const root = document.getElementById("root");
const config = readConfig<LayerConfig | MosaicConfig | AddConfig>();

async function start(element: HTMLElement): Promise<void> {
  if ("layer" in config) {
    // Loaded here because it needs Leaflet, which the other page does not have.
    const { LayerPage } = await import("./layer-page");
    element.replaceChildren();
    render(<LayerPage config={config} />, element);
  } else if ("rules" in config) {
    const { MosaicPage } = await import("./mosaic-page");
    element.replaceChildren();
    render(<MosaicPage config={config} />, element);
  } else {
    element.replaceChildren();
    render(<AddPage config={config} />, element);
  }
}

if (root) void start(root);
