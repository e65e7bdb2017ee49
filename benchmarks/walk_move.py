"""What a move of the dimension walk costs the page, beside a control that only shows a picture made at the build.

    python benchmarks/walk_move.py

Processor time of the page's own thread, script and layout, for each move; the peer is the busiest frames control of
chapter 10 in the same browser. A screen draws every 16.7 ms. Needs the built book.
"""

import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.web import site  # noqa: E402

FRAME_MS, MOVES = 16.7, 20
MOVED = """([selector, moves]) => { const field = document.querySelector(selector), last = +field.max;
    for (let i = 0; i < moves; i++) {
        field.value = i % 2 ? Math.min(3, last) : last;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        document.body.getBoundingClientRect();  // layout counts too
    } }"""


def cost(browser, name: str, selector: str) -> float:
    """Milliseconds of processor a move, the median of five rounds."""
    page = browser.new_page()
    site.open_ready(page, f"{site.HTML.as_uri()}/{name}")
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
    busy = lambda: next(m["value"] for m in cdp.send("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration")  # noqa: E731
    rounds = []
    for _ in range(5):
        before = busy()
        page.evaluate(MOVED, [selector, MOVES])
        rounds.append(1000 * (busy() - before) / MOVES)
    page.close()
    return statistics.median(rounds)


def main() -> int:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=site.chromium(), args=site.ARGS)
        walk = cost(browser, "book/live/walk.html", "[data-slides=d_model]")
        frames = cost(browser, "book/10_dimensions.html", "[data-module=frames] input[type=range]")
        browser.close()
    print(f"the walk {walk:.1f} ms a move, a ready picture {frames:.1f} ms: {walk / frames:.1f} times; a frame has {FRAME_MS} ms")
    return int(walk > FRAME_MS)


if __name__ == "__main__":
    sys.exit(main())
