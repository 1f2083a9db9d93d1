// The content page.
import { render } from "preact";
import { readConfig } from "../ui/config";
import "./page.css";
import { ContentPage } from "./page";
import type { ContentConfig } from "./page";

const root = document.getElementById("root");
if (root) render(<ContentPage {...readConfig<ContentConfig>()} />, root);
