"""Every page of the book, over http and from a folder: quiet, alone, open to everyone, narrow."""

import functools
import json
import re

import pytest
import yaml

from . import looks, site
from .looks import LOOKS

PAGES, WITH_CONTROLS = site.pages(), site.pages_with_controls()
each_visit = pytest.mark.parametrize(("look", "name"), [(look, name) for look in LOOKS for name in PAGES])
each_with_controls = pytest.mark.parametrize(("look", "name"), [(look, name) for look in LOOKS for name in WITH_CONTROLS])

@pytest.fixture(scope="module")
def visit(browser):
    """(look, page) -> what was found there; each is visited once."""
    with site.served(site.HTML) as address:

        @functools.cache
        def visited(look, name):
            return looks.visit(browser, address, look, name)

        yield visited


@each_visit
def test_a_page_is_quiet_and_asks_nobody_else(visit, look, name):
    found = visit(look, name)
    assert found["trouble"] == []
    assert found["icon"], "without an icon, browsers ask for one and get a 404"


@each_visit
def test_a_page_takes_its_icons_from_the_small_font(visit, look, name):
    asked = visit(look, name)["asked"]
    assert "icons.woff" in asked
    assert not [file for file in asked if file.startswith("fa-")], "a new icon: name it in mtbook/icons.py"


@each_visit
def test_axe_finds_nothing(visit, look, name):
    found = visit(look, name)
    assert found["theme"] == LOOKS[look][1]
    said = [(v["id"], [(node["target"], node["failureSummary"]) for node in v["nodes"]][:3]) for v in found["violations"]]
    assert said == []


@each_visit
def test_on_paper_a_control_is_its_picture(visit, look, name):
    assert visit(look, name)["on_paper"] == []


def test_no_button_opens_a_repository_that_nobody_has_named():
    named = yaml.safe_load((site.ROOT / "_config.yml").read_text("utf8")).get("repository", {}).get("url")
    if not named:
        assert not [name for name in PAGES if "launch-buttons" in (site.HTML / name).read_text("utf8")]


@pytest.fixture(scope="module")
def read():
    return {}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name, read):
    assert looks.broken_links(name, read) == []


@each_visit
def test_a_page_never_scrolls_sideways(visit, look, name):
    found = visit(look, name)
    assert found["width"] <= LOOKS[look][2]
    assert found["beyond"] == []  # what an overflow that is cut off would hide


@pytest.mark.parametrize("name", WITH_CONTROLS)
def test_a_phone_shows_pictures_whole_and_as_wide_as_it_is(visit, name):
    boxes = visit("phone", name)["pictures"]
    assert boxes and all(box == [0, 375] for box in boxes)


@each_with_controls
def test_a_caption_is_plain_text_that_can_be_read(visit, look, name):
    captions = visit(look, name)["captions"]
    assert captions or "mt-figure" not in (site.HTML / name).read_text("utf8")
    for weight, ink, paper in captions:
        assert weight == "400" and contrast(ink, paper) >= 4.5


def contrast(*colors: str) -> float:
    """WCAG's ratio of two colours written rgb(…)."""
    channels = [[int(c) / 255 for c in re.findall(r"\d+", color)[:3]] for color in colors]
    linear = [[c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb] for rgb in channels]
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", WITH_CONTROLS)
def test_the_downloaded_notebook_is_clean_and_whole(name):
    href = re.search(r'href="([^"]+\.ipynb)"', (site.HTML / name).read_text("utf8"))[1]
    cells = json.loads((site.HTML / name).parent.joinpath(href).resolve().read_text("utf8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code and not any(cell["outputs"] for cell in code)


@pytest.mark.parametrize("name", PAGES)
def test_no_table_is_left_as_text(name):
    text = re.sub(r"<(pre|script|style)\b.*?</\1>", "", (site.HTML / name).read_text("utf8"), flags=re.S)
    assert not re.search(r"\|\s*:?[-–]+:?\s*\|", text)
