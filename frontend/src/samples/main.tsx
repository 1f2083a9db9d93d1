// The page `/label/<id>/samples/`: the samples manager.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { SamplesPage } from "./page";
import type { SamplesConfig } from "./page";
import "./page.css";

const root = document.getElementById("root");
if (root) render(<SamplesPage {...readConfig<SamplesConfig>()} />, root);
