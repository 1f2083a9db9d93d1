// Two pages: the dashboard of models, and one model.
import { render } from "preact";
import { readConfig } from "../ui/config";
import "../runs/page.css";
import "./page.css";
import { ModelPage } from "./detail";
import { ModelsPage } from "./list";
import type { ListConfig, ModelConfig } from "./types";

const root = document.getElementById("root");
const config = readConfig<ListConfig | ModelConfig>();
if (root) render("model" in config ? <ModelPage {...config} /> : <ModelsPage {...config} />, root);
