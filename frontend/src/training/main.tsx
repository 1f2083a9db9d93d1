// Two pages: asking for an export, and the training data it made.
import { render } from "preact";
import { readConfig } from "../ui/config";
import "../runs/page.css";
import "./page.css";
import { TrainingDataPage } from "./detail";
import { ExportForm } from "./export-form";
import type { DetailConfig, NewConfig } from "./types";

const root = document.getElementById("root");
const config = readConfig<DetailConfig | NewConfig>();
if (root) render("training_data" in config ? <TrainingDataPage {...config} /> : <ExportForm {...config} />, root);
