// The page `/projects/<id>/`: members and settings.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { ProjectPage } from "./page";
import type { ProjectConfig } from "./page";
import "./page.css";

const root = document.getElementById("root");
if (root) render(<ProjectPage {...readConfig<ProjectConfig>()} />, root);
