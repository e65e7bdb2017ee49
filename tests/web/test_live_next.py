"""The next-token view on its page: rules moved, tokens drawn, odd beginnings."""

import pytest

from .test_live import NEXT, opened, typed


def test_a_seed_writes_its_text_again(page, base):
    view = opened(page, base, NEXT)
    text, ten = view.locator(".mt-live-written"), view.get_by_role("button", name="Draw ten")
    texts = []
    for seed in ("7", "7", "8"):
        view.locator("input[type=number]").fill(seed)
        ten.click()
        page.wait_for_function("(seed) => document.querySelector('.mt-live-sentence').textContent.includes(`Draw 11 of seed ${seed}`)", arg=seed)
        texts.append(text.text_content())
        view.get_by_role("button", name="Take them back").click()
        page.wait_for_function("document.querySelector('.mt-live-sentence').textContent.includes('Draw 1 of')")
    assert texts[0] == texts[1] != texts[2] and text.text_content() == "Return the number of" and page.trouble == []


@pytest.mark.parametrize("name", ["temperature", "top_k", "top_p", "min_p"])
def test_every_rule_moved_by_key_changes_what_is_left(page, base, name):
    view = opened(page, base, NEXT)
    slider = view.locator(f"input[name={name}]")
    before = view.locator(".mt-live-table").text_content()
    slider.focus()
    page.keyboard.press("ArrowLeft" if name in ("top_p", "temperature") else "ArrowRight")
    page.wait_for_function("(before) => document.querySelector('.mt-live-table').textContent !== before", arg=before)
    assert slider.get_attribute("aria-valuetext") == slider.evaluate("(f) => f.nextElementSibling.textContent") not in ("off", "1.0")


def test_odd_beginnings_get_a_clear_word(page, base):
    view = opened(page, base, NEXT)
    assert "nothing to go on with" in typed(page, view, "")
    assert "more than 5,000 are not read" in typed(page, view, "x" * 5001)
    view.locator("textarea").fill("🐌 née ☃ " * 200)
    page.wait_for_function("document.querySelector('.mt-live-note').textContent.includes('out of its sight')")
    view.locator("textarea").fill("🐌")
    page.wait_for_function("document.querySelector('.mt-live-note').textContent === 'The model sees 4 tokens.'")
    assert page.trouble == []
