"""Milliseconds a token that the page's JavaScript takes, in a browser of this machine, and what a model weighs there.

    python benchmarks/live_model.py
"""

import gzip
import json
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from mtlib import shipped  # noqa: E402
from mtlib.browser import payload, scripts  # noqa: E402
from tests.web import site  # noqa: E402

BUDGET_MS, BUDGET_MB, TOKENS = 30, 2.0, 40

TIMED = """([payload, ids]) => {
    const live = new Live(payload), times = [];
    for (let round = 0; round < 4; round++) {
        const cache = live.model.newCache();
        for (const id of ids) {
            const start = performance.now();
            if (live.model.encoder) live.model.forward(ids.slice(0, 18), [id], { cache }); else live.model.forward([id], { cache });
            if (round) times.push(performance.now() - start);  // the first round is for the browser to learn
        }
    }
    return times;
}"""


def main() -> int:
    over = False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=site.chromium(), args=site.ARGS)
        page = browser.new_page()
        page.add_script_tag(content=f"{scripts.joined(scripts.MODEL)}\nwindow.Live = Live;")
        for name in shipped.index():
            model = payload(name)
            times = page.evaluate(TIMED, [model, [5 + i % 30 for i in range(TOKENS)]])
            weight = len(gzip.compress(json.dumps(model).encode())) / 1e6
            ms = statistics.median(times)
            print(f"{name}: {ms:.1f} ms a token over a cache (median of {len(times)}, budget {BUDGET_MS}), {weight:.2f} MB compressed (budget {BUDGET_MB:g})")
            over |= ms > BUDGET_MS or weight > BUDGET_MB
        browser.close()
    script = len(gzip.compress(scripts.page_script().encode())) / 1e3
    print(f"scripts of a page with a live view: {script:.1f} kB compressed")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
