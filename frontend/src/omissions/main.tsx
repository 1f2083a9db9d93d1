// The page `/label/<id>/omissions/`: what a model sees and nobody has drawn.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { OmissionsPage } from "./page";
import "./page.css";
import type { OmissionsConfig } from "./types";

const root = document.getElementById("root");
if (root) render(<OmissionsPage {...readConfig<OmissionsConfig>()} />, root);
