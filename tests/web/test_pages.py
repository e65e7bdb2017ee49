"""Every page of the book, over http and from a folder: quiet, alone, open to everyone, narrow."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

from . import site

PAGES = site.pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_asks_nobody_else(page, base, name):
    page.goto(f"{base}/{name}", wait_until="networkidle")
    assert page.trouble == []
    assert page.locator("link[rel~=icon]").count(), "without an icon, browsers ask for one and get a 404"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, name, scheme):
    context = browser.new_context(viewport={"width": 1200, "height": 900}, color_scheme=scheme)
    page = site.watch(context, site.HTML.as_uri())
    site.open_ready(page, f"{site.HTML.as_uri()}/{name}")
    assert page.locator("html").get_attribute("data-theme") == scheme
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    found = Axe().run(page).response["violations"]
    context.close()
    assert [(v["id"], [(node["target"], node["failureSummary"]) for node in v["nodes"]][:3]) for v in found] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_never_scrolls_a_page_sideways(browser, name):
    context = browser.new_context(viewport={"width": 375, "height": 740})
    page = site.watch(context, site.HTML.as_uri())
    site.open_ready(page, f"{site.HTML.as_uri()}/{name}")
    page.wait_for_timeout(300)  # formulas are set after the page has loaded
    width = page.evaluate("document.scrollingElement.scrollWidth")
    beyond = page.evaluate("""() => [...document.querySelectorAll('.bd-article svg.mt-svg, .bd-article :is(input, select, p, h1, h2)')]
        .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > 375.5)
        .map((e) => e.outerHTML.slice(0, 80))""")  # what an overflow that is cut off would hide
    context.close()
    assert width <= 375
    assert beyond == []


def test_the_downloaded_notebook_is_clean_and_whole(page, base):
    for name in site.pages_with_controls():
        page.goto(f"{base}/{name}")
        href = page.locator("a[href$='.ipynb']").first.get_attribute("href")
        cells = json.loads((site.HTML / name).parent.joinpath(href).resolve().read_text("utf8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert code and not any(cell["outputs"] for cell in code)
