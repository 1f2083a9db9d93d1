"""What happens on the page's thread while a map is used: long tasks, frames, tiles on their way, memory."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

QUIET_S, MOST_S = 1.2, 90.0
# `full_ms`: when the last tile of the view was drawn. `touched_ms`: when a canvas was last cleared to be drawn anew.
WATCH = """() => {
  Object.assign(window, { long_ms: [], gaps_ms: [], full_ms: 0, touched_ms: 0, open_tiles: true });
  new PerformanceObserver((list) => list.getEntries().forEach((one) => window.long_ms.push(one.duration)))
    .observe({ type: "longtask" });
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    window.touched_ms = performance.now();
    return clear.apply(this, box);
  };
  let last = performance.now();
  const step = (now) => {
    window.gaps_ms.push(now - last);
    last = now;
    const open = !document.querySelector("canvas.leaflet-tile")
      || document.querySelector("canvas.leaflet-tile:not(.leaflet-tile-loaded)") !== null;
    if (window.open_tiles && !open) window.full_ms = performance.now();
    window.open_tiles = open;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}"""
TAKE = """() => {
  const told = { long: window.long_ms, gaps: window.gaps_ms, full: window.full_ms, touched: window.touched_ms };
  window.long_ms = [];
  window.gaps_ms = [];
  return told;
}"""


class Watch:
    """Figures of what blocks of a script do to a page."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.figures: dict[str, dict[str, int]] = {}
        self._tiles = 0
        self._last = 0.0
        self.page.add_init_script(f"({WATCH})()")
        # The tiles are fetched by a worker: only the context hears of them.
        context.on("response", self._answered)

    def _answered(self, response: Any) -> None:
        if ".mvt" in response.url:
            self._tiles += 1
            self._last = time.monotonic()

    def settle(self) -> None:
        """Wait until every tile is drawn and none has come for a moment, and not for ever."""
        end = time.monotonic() + MOST_S
        self._last = max(self._last, time.monotonic() - QUIET_S / 2)
        while time.monotonic() < end:
            self.page.wait_for_timeout(200)
            if time.monotonic() - self._last > QUIET_S and not self.page.evaluate("() => window.open_tiles"):
                return

    def opened(self, name: str, url: str) -> None:
        """Open an address and note when its last tile was drawn."""
        self.page.goto("about:blank")
        self._trace()
        tiles = self._tiles
        self.page.goto(url)
        self.page.locator(".layer-title").first.wait_for()
        self.settle()
        self._note(name, tiles, {"full view after ms": round(self.page.evaluate("() => window.full_ms"))})

    @contextmanager
    def during(self, name: str, *, until_drawn: bool = False) -> Iterator[dict[str, int]]:
        """Note what the block does; it may add figures of its own; `until_drawn`: how long tiles were drawn anew."""
        self.page.evaluate(TAKE)
        self._trace()
        tiles = self._tiles
        before = self.page.evaluate("() => performance.now()")
        more: dict[str, int] = {}
        yield more
        self.settle()
        if until_drawn:
            more["drawn anew after ms"] = round(self.page.evaluate("() => window.touched_ms") - before)
        self._note(name, tiles, more)

    def _trace(self) -> None:
        browser = self.page.context.browser
        assert browser is not None
        browser.start_tracing(page=self.page, categories=["toplevel"])

    def _note(self, name: str, tiles: int, more: dict[str, int]) -> None:
        browser = self.page.context.browser
        assert browser is not None
        trace = json.loads(browser.stop_tracing())["traceEvents"]
        told = self.page.evaluate(TAKE)
        gaps = sorted(told["gaps"])
        self.figures[name] = {
            **more,
            "longest task ms": round(max(told["long"], default=0)),
            "tasks over 50 ms": len(told["long"]),
            "all of them ms": round(sum(told["long"])),
            "most CPU in a task ms": round(max(cpu_ms(trace), default=0)),
            "p95 frame ms": round(gaps[int(len(gaps) * 0.95)]),
            "tiles asked": self._tiles - tiles,
        }
        sys.stdout.write(f"{name}: {self.figures[name]}\n")
        sys.stdout.flush()

    def memory(self, context: BrowserContext) -> dict[str, int]:
        """Return MB of the page's own heap, swept, and of the browser's largest page process with workers and all."""
        session = context.new_cdp_session(self.page)
        session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")
        return {"heap MB": round(heap["usedSize"] / 1e6), "page process MB": round(max(_renderers(), default=0))}


def cpu_ms(trace: list[dict[str, Any]]) -> Iterator[float]:
    """Yield what each task of a page's thread computed: on a busy machine most of a long task is waiting for a core."""
    names = {(event["pid"], event["tid"]): event["args"]["name"] for event in trace if event["name"] == "thread_name"}
    for event in trace:
        if event["name"].endswith("RunTask") and names.get((event["pid"], event["tid"])) == "CrRendererMain":
            yield event.get("tdur", 0) / 1000


def _renderers() -> list[float]:
    """MB of the processes of pages below this one, shared memory shared out."""
    parents: dict[int, int] = {}
    pages: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                pages.append(int(folder.name))
        except OSError:
            continue  # ended while we looked

    def ours(pid: int) -> bool:
        while pid in parents and pid != os.getpid():
            pid = parents[pid]
        return pid == os.getpid()

    def mb(pid: int) -> float:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000

    return [mb(pid) for pid in pages if ours(pid)]
