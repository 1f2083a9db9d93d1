// The map viewer's page.
import { render } from "preact";
import { readConfig } from "../ui/config";
import "./page.css";
import type { MapJson } from "./types";
import { Viewer } from "./viewer";

const root = document.getElementById("root");
const config = readConfig<{ map: MapJson; embed?: boolean }>();
if (root) render(<Viewer first={config.map} embed={config.embed === true} />, root);
