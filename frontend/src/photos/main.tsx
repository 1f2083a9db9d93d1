// The pages of photos: a new set, and one set.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { NewPage } from "./new";
import { SetPage } from "./page";
import "./page.css";
import type { NewConfig, SetConfig } from "./types";

const root = document.getElementById("root");
const config = readConfig<NewConfig | SetConfig>();
if (root) {
  root.replaceChildren();
  render("set" in config ? <SetPage config={config} /> : <NewPage config={config} />, root);
}
