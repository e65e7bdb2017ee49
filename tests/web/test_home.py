"""The home page: its live translator, and what the course is, on one screen."""

import pytest
import torch

from mtlib import browser as views
from mtlib import shipped
from mtlib.browser.attention import translated

from .test_live import HOME, opened, typed


@pytest.fixture(scope="module")
def dates():
    return shipped.load("dates")


def looked(dates, text):
    """Where the last layer looks, the mean over its heads, (T_q, T_k), and what it writes."""
    answer, weights, _, _ = translated(*dates, text)
    return answer, weights.mean(0)


def test_every_letter_shows_where_pytorch_looks(page, base, dates):
    view = opened(page, base, HOME)
    for text in ("January 5, 1987", "August 17, 2031"):
        if text != "January 5, 1987":
            typed(page, view, text)
        answer, weights = looked(dates, text)
        assert view.locator(".mt-live-answer").text_content() == answer
        letters = view.locator(".mt-live-letters input")
        assert letters.count() == len(answer) + 1
        for place in (0, len(answer) - 2):
            letters.nth(place).focus()
            page.keyboard.press("Space")
            shares = view.locator(".mt-live-keys span").evaluate_all("(all) => all.map((e) => parseFloat(e.style.getPropertyValue('--weight')) / 100)")
            torch.testing.assert_close(torch.tensor(shares), weights[place], rtol=0, atol=1e-4)
            best = weights[place].argmax().item()
            assert f"the last layer looks at “{text[best].replace(' ', '␣')}” (place {best + 1}) {100 * weights[place, best]:.1f} %" in (
                view.locator(".mt-live-sentence").text_content().replace("a space", "“␣”"))  # fmt: skip
    assert page.trouble == []


def test_odd_dates_get_a_clear_word_and_the_answer_stays(page, base):
    view = opened(page, base, HOME)
    assert "nothing to translate yet" in typed(page, view, "")
    assert "What is shown is still “January 5, 1987”." in typed(page, view, "🐌")
    assert "There is no February 30, 1990" in typed(page, view, "February 30, 1990")
    assert view.locator(".mt-live-answer").text_content() and page.trouble == []


def test_the_first_screen_of_a_laptop_has_the_live_model_and_the_four_ways_in(browser, base):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    view = opened(page, base, HOME)
    ends = [view.bounding_box(), *(card.bounding_box() for card in page.locator(".sd-card").all())]
    context.close()
    assert len(ends) == 5 and all(box["y"] + box["height"] <= 900 for box in ends)


def test_a_model_that_is_no_translator_is_refused():
    with pytest.raises(TypeError, match="this view shows a EncoderDecoder"):
        views.translation("documentation", "Return the")
    with pytest.raises(ValueError, match="text is empty"):
        views.translation("dates", "")
