// The pages of inferences: the form, and one inference.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { NewInference } from "./new";
import { InferencePage } from "./page";
import "./page.css";
import type { NewConfig, PageConfig } from "./types";

const root = document.getElementById("root");
const config = readConfig<NewConfig | PageConfig>();
if (root) render("inference" in config ? <InferencePage {...config} /> : <NewInference {...config} />, root);
