// The page of a run.
import { render } from "preact";
import { readConfig } from "../ui/config";
import "./page.css";
import { RunPage } from "./page";
import type { RunConfig } from "./page";

const root = document.getElementById("root");
if (root) render(<RunPage {...readConfig<RunConfig>()} />, root);
