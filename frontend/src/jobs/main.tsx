// The pages `/jobs/` and `/jobs/<id>/`.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { JobDetail } from "./detail";
import type { DetailConfig } from "./detail";
import { JobList } from "./list";
import type { ListConfig } from "./list";
import "./page.css";

const root = document.getElementById("root");
const config = readConfig<DetailConfig | ListConfig>();
if (root) render("job" in config ? <JobDetail {...config} /> : <JobList {...config} />, root);
