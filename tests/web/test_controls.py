"""Every control of every page: found on the page itself, so a new chapter needs no new test."""

import pytest

from . import looks, site
from .looks import fields, press, shown

PAGES = site.pages_with_controls()
FRAME_MS = 16


def test_the_book_has_controls():
    assert PAGES


@pytest.mark.parametrize("name", PAGES)
def test_every_control_moved_by_key_changes_what_it_shows(page, base, name):
    site.open_ready(page, f"{base}/{name}")
    assert looks.dead_controls(page) == []
    assert page.trouble == []


@pytest.mark.parametrize("name", PAGES)
def test_going_back_shows_the_first_picture_again(page, base, name):
    site.open_ready(page, f"{base}/{name}")
    normal = "(html) => { const t = document.createElement('div'); t.innerHTML = html; return t.innerHTML; }"
    for field in fields(page):
        before = shown(field)
        place = field.evaluate("(f) => f.type === 'checkbox' ? f.checked : f.type === 'range' ? f.value : f.selectedIndex")
        press(page, field)
        field.evaluate("""(f, place) => { if (f.type === 'checkbox') f.checked = place;
            else if (f.type === 'range') f.value = place; else f.selectedIndex = place;
            f.dispatchEvent(new Event('input')); }""", place)  # fmt: skip
        after = shown(field)
        assert [page.evaluate(normal, after[0]), after[1]] == [page.evaluate(normal, before[0]), before[1]]


@pytest.mark.parametrize("name", PAGES)
def test_every_slider_says_its_value(page, base, name):
    site.open_ready(page, f"{base}/{name}")
    for slider in page.locator("[data-module=frames] input[type=range]").all():
        slider.focus()
        page.keyboard.press("End")
        said = slider.get_attribute("aria-valuetext")
        assert said and said == slider.evaluate("(f) => f.nextElementSibling.textContent")
        box = slider.bounding_box()
        assert box["height"] >= 24


@pytest.mark.parametrize("name", PAGES)
def test_without_javascript_the_first_picture_shows_with_its_sentence(browser, base, name):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto(f"{base}/{name}")
    controls = page.locator("[data-module=frames]").all()
    for control in controls:
        picture = control.locator(".mt-picture > svg")
        assert picture.is_visible() and picture.bounding_box()["width"] > 200
        named_by = picture.get_attribute("aria-labelledby")
        assert page.locator(f"[id='{named_by}']").inner_text().strip()
        assert all(field.is_disabled() for field in control.locator("input, select").all())
        assert "JavaScript" in control.inner_text()
    context.close()
    assert controls


@pytest.mark.parametrize("name", PAGES)
def test_no_layout_shift_when_the_script_arrives(browser, name):
    boxes = []
    for javascript in (False, True):
        context = browser.new_context(java_script_enabled=javascript, viewport={"width": 1200, "height": 900})
        page = context.new_page()
        page.goto(f"{site.HTML.as_uri()}/{name}")
        if javascript:
            page.wait_for_selector("[data-module=frames][data-ready]")
        for control in page.locator("[data-module=frames]").all():
            top = control.bounding_box()["y"]
            parts = [control.locator(part).bounding_box() for part in ("fieldset", ".mt-picture", ".mt-says")]
            boxes.append([javascript, *((round(box["y"] - top), round(box["height"])) for box in parts)])
        context.close()
    half = len(boxes) // 2
    assert [box[1:] for box in boxes[:half]] == [box[1:] for box in boxes[half:]]


@pytest.mark.parametrize("name", PAGES)
def test_a_control_answers_within_one_frame(page, base, name):
    site.open_ready(page, f"{base}/{name}")
    for control in page.locator("[data-module=frames]").all():
        times = control.evaluate("""(el) => {
            const field = el.querySelector('input, select'), times = [];
            for (let i = 0; i < 12; i++) {
                if (field.type === 'checkbox') field.checked = !field.checked;
                else if (field.type === 'range') field.value = i % (+field.max + 1);
                else field.selectedIndex = i % field.length;
                const start = performance.now();
                field.dispatchEvent(new Event('input'));
                el.getBoundingClientRect();  // layout counts too
                times.push(performance.now() - start);
            }
            return times; }""")
        assert min(times) < FRAME_MS, times  # the page's own time: the rest is a busy machine's
