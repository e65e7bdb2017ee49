"""Makes mtlib/widgets/walk.json, what a reader without a script sees of the dimension walk: python -m tests.web.first_walk

A browser draws it, from walk.js itself; test_walk.py holds that it is still what the script draws.
"""

import json

from playwright.sync_api import sync_playwright

from mtlib.widgets.bundle import bundle
from mtlib.widgets.walk import HERE, state

from . import site

DRAW = """async ([source, state]) => {
    const el = document.body.appendChild(document.createElement('div'));
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    (await import(url)).default.render({ model: new Map(Object.entries(state)), el });
    // What a script sets is no markup yet.
    el.querySelectorAll('input[type=number], input[type=range]').forEach((f) => f.setAttribute('value', f.value));
    el.querySelectorAll('input[type=checkbox]').forEach((f) => f.toggleAttribute('checked', f.checked));
    el.querySelectorAll('select').forEach((f) => f.selectedOptions[0].setAttribute('selected', ''));
    return el.firstElementChild.innerHTML;
}"""


def first(page) -> str:
    """The first drawing, on a blank page."""
    page.goto("about:blank")
    return page.evaluate(DRAW, [bundle("walk"), state("mt-walk-0")])


if __name__ == "__main__":
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=site.chromium(), args=site.ARGS)
        (HERE / "walk.json").write_text(json.dumps({"first": first(browser.new_page())}, ensure_ascii=False) + "\n", "utf8")
        browser.close()
