"""Every page of a running site through axe-core: what keyboards and screen readers cannot use, light, dark and small.

    QUADRAT_PASSWORD=… python -m tests.bench.accessibility --site http://localhost:8000 --user ana

axe-core is fetched by npm into a folder of its own under var/ (MPL-2.0: a tool of this measurement, no part of the
product). The newest object of each kind of content is opened, so the demo makes a good site. Exits 1 where a fault is
`serious` or `critical`; the table names rule, page and the first element.
"""

import argparse
import os
import subprocess
import sys
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.report import report
from tests.bench.served import chromium_path
from tests.bench.tile_servers import ROOT

AXE = "axe-core@4.14.1"
GRAVE = ("serious", "critical")
LOOKS = (("light", (1280, 800)), ("dark", (1280, 800)), ("light", (390, 844)), ("dark", (390, 844)))
FIXED = ("/", "/maps/", "/models/", "/jobs/", "/imagery/upload", "/profile/")
KINDS = ("imagery", "label_set", "training_data", "run", "model", "inference", "map", "project")
# Tags of WCAG 2.0 to 2.2 at level AA, and what axe calls good practice.
RUN = """async () => (await axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations"],
})).violations.map(({ id, impact, help, nodes }) =>
  ({ id, impact, help, count: nodes.length, first: nodes[0].html.slice(0, 160), why: nodes[0].failureSummary }))"""


def axe_source() -> str:
    """Return axe-core's script, installed by npm where it is not there yet."""
    folder = ROOT / "var" / "bench-axe"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        subprocess.run(["npm", "install", "--no-save", "--silent", AXE], cwd=folder, check=True)
    return script.read_text()


def signed_in(browser: Browser, site: str, user: str, look: tuple[str, tuple[int, int]]) -> Page:
    """Return a page of a new context, signed in with name and password."""
    scheme, (width, height) = look
    # The page's own rules would keep the tool out as they keep everybody out.
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.goto("/login/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", os.environ["QUADRAT_PASSWORD"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def addresses(page: Page) -> list[str]:
    """Return the pages to look at: the fixed ones, and the newest object of each kind."""
    found = list(FIXED)
    for kind in KINDS:
        answer = page.request.get(f"/api/content/?kind={kind}&limit=1")
        rows = answer.json().get("results", []) if answer.ok else []
        found += [row["url"] for row in rows[:1] if row.get("url")]
        if kind == "label_set" and rows:
            own = rows[0]["url"].rstrip("/")
            # Apart, for from a tab to another of the same page nothing is loaded.
            found += [f"{own}/{name}" for name in ("agreement/#adjudicate", "samples/", "agreement/", "omissions/")]
    return found


def faults(page: Page, address: str, script: str) -> list[dict[str, Any]] | None:
    """Return what axe finds on one page once it is at rest; None where there is no such page."""
    answer = page.goto(address)
    if answer is None or answer.status >= 400:
        return None
    page.wait_for_load_state("networkidle")
    page.evaluate(script)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return found


def main() -> None:
    """Look at every page, print the table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", default="http://localhost:8000")
    parser.add_argument("--user", required=True)
    args = parser.parse_args()
    script = axe_source()
    counted: dict[str, int] = {}
    grave: dict[str, Any] = {}
    seen = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"])
        for look in LOOKS:
            page = signed_in(browser, args.site, args.user, look)
            for address in addresses(page):
                found = faults(page, address, script)
                seen += found is not None
                for fault in found or []:
                    counted[fault["impact"]] = counted.get(fault["impact"], 0) + fault["count"]
                    name = f"{fault['id']} {address} {look[0]} {look[1][0]}"
                    sys.stdout.write(f"{fault['impact']:9} {name}: {fault['count']} x {fault['first']}\n")
                    if fault["impact"] in GRAVE:
                        grave[name] = {"count": fault["count"], "why": fault["why"]}
            page.context.close()
        browser.close()
    report({"pages": seen, "elements by impact": counted, "serious or critical": grave})
    sys.exit(1 if grave else 0)


if __name__ == "__main__":
    main()
