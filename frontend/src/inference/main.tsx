// The pages of inferences: the form, and one inference.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { InferencePage } from "./page";
import "./page.css";
import type { NewConfig, PageConfig } from "./types";

async function show(root: HTMLElement, config: NewConfig | PageConfig): Promise<void> {
  if ("inference" in config) {
    render(<InferencePage {...config} />, root);
    return;
  }
  // Only the form's page loads Leaflet, which the map's modules need at once.
  const { NewInference } = await import("./new");
  render(<NewInference {...config} />, root);
}

const root = document.getElementById("root");
if (root) void show(root, readConfig<NewConfig | PageConfig>());
