// The page `/profile/`: own account, password, API tokens.
import { render } from "preact";
import { readConfig } from "../ui/config";
import { ProfilePage } from "./page";
import type { ProfileConfig } from "./page";
import "./page.css";

const root = document.getElementById("root");
if (root) render(<ProfilePage {...readConfig<ProfileConfig>()} />, root);
