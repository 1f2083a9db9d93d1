// The pages of imagery: upload, and one layer.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { LayerPage } from "./layer-page";
import type { LayerConfig } from "./layer-page";
import "./page.css";
import { UploadPage } from "./upload-page";
import type { UploadConfig } from "./upload-page";

const root = document.getElementById("root");
const config = readConfig<LayerConfig | UploadConfig>();
if (root) render("layer" in config ? <LayerPage config={config} /> : <UploadPage config={config} />, root);
