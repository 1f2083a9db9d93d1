// The pages of imagery: upload, and one layer.
import { render } from "preact";
import { readConfig } from "../ui/config";
import type { LayerConfig } from "./layer-page";
import "./page.css";
import { UploadPage } from "./upload-page";
import type { UploadConfig } from "./upload-page";

const root = document.getElementById("root");
const config = readConfig<LayerConfig | UploadConfig>();

async function start(element: HTMLElement): Promise<void> {
  if ("layer" in config) {
    // Loaded here because it needs Leaflet, which the upload page does not have.
    const { LayerPage } = await import("./layer-page");
    element.replaceChildren();
    render(<LayerPage config={config} />, element);
  } else {
    element.replaceChildren();
    render(<UploadPage config={config} />, element);
  }
}

if (root) void start(root);
