"""Every page of the book, over http and from a folder: quiet, alone, open to everyone, narrow."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from . import site

PAGES, WITH_CONTROLS = site.pages(), site.pages_with_controls()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_asks_nobody_else(page, base, name):
    page.goto(f"{base}/{name}", wait_until="networkidle")
    assert page.trouble == []
    assert page.locator("link[rel~=icon]").count(), "without an icon, browsers ask for one and get a 404"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_takes_its_icons_from_the_small_font(page, base, name):
    asked = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    page.goto(f"{base}/{name}", wait_until="networkidle")
    assert "icons.woff" in asked
    assert not [file for file in asked if file.startswith("fa-")], "a new icon: name it in mtbook/icons.py"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 375)])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, name, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
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
        .filter((e) => !e.closest('.pst-scrollable-table-container'))  // a wide table scrolls in its own box
        .map((e) => e.outerHTML.slice(0, 80))""")  # what an overflow that is cut off would hide
    context.close()
    assert width <= 375
    assert beyond == []


@pytest.mark.parametrize("name", WITH_CONTROLS)
def test_a_phone_shows_pictures_whole_and_as_wide_as_it_is(browser, name):
    context = browser.new_context(viewport={"width": 375, "height": 740})
    page = site.watch(context, site.HTML.as_uri())
    site.open_ready(page, f"{site.HTML.as_uri()}/{name}")
    boxes = page.evaluate("""() => [...document.querySelectorAll(':is(.mt-picture, .mt-figure) > svg')]
        .filter((e) => e.getClientRects().length && e.viewBox.baseVal.width >= 375)
        .map((e) => [e.getBoundingClientRect().left, e.getBoundingClientRect().right])""")
    context.close()
    assert boxes and all(box == [0, 375] for box in boxes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", WITH_CONTROLS)
def test_a_caption_is_plain_text_that_can_be_read(browser, name, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = site.watch(context, site.HTML.as_uri())
    site.open_ready(page, f"{site.HTML.as_uri()}/{name}")
    seen = page.evaluate("""() => [...document.querySelectorAll('.mt-figure figcaption')].map((e) =>
        [getComputedStyle(e).fontWeight, getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor])""")
    context.close()
    assert seen
    for weight, ink, paper in seen:
        assert weight == "400" and contrast(ink, paper) >= 4.5


def contrast(*colors: str) -> float:
    """WCAG's ratio of two colours written rgb(…)."""
    channels = [[int(c) / 255 for c in re.findall(r"\d+", color)[:3]] for color in colors]
    linear = [[c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb] for rgb in channels]
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (light + 0.05) / (dark + 0.05)


def test_the_downloaded_notebook_is_clean_and_whole(page, base):
    for name in WITH_CONTROLS:
        page.goto(f"{base}/{name}")
        href = page.locator("a[href$='.ipynb']").first.get_attribute("href")
        cells = json.loads((site.HTML / name).parent.joinpath(href).resolve().read_text("utf8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert code and not any(cell["outputs"] for cell in code)


@pytest.mark.parametrize("name", PAGES)
def test_no_table_is_left_as_text(name):
    text = re.sub(r"<(pre|script|style)\b.*?</\1>", "", (site.HTML / name).read_text("utf8"), flags=re.S)
    assert not re.search(r"\|\s*:?[-–]+:?\s*\|", text)
