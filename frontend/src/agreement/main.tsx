// The page `/label/<id>/agreement/`: how far labelers agree, adjudication, ground truth.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { AgreementPage } from "./page";
import "./page.css";
import type { AgreementConfig } from "./types";

const root = document.getElementById("root");
if (root) render(<AgreementPage {...readConfig<AgreementConfig>()} />, root);
