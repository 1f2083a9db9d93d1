// The page shell: loaded by every page for its styles, the theme switch, the account menu and the search key.
import "./theme.css";
import { startShell } from "./shell";

startShell(document);
