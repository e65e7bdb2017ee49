"""The live views on their pages: what a reader types, presses and draws, and what the page says to it."""

import pytest

from mtlib import browser as views
from mtlib.data import Dates

from . import site

ATTENTION, LAYERS, NEXT = (f"book/live/{name}.html" for name in ("attention", "layers", "next_token"))
HOME, READING = "index.html", "book/06_attention.html"
FIRST = {ATTENTION: ".mt-live-first svg", READING: ".mt-live-first svg", HOME: ".mt-live-keys span"}  # what stands there before any script has run


def opened(page, base, name):
    """The view of a page, alive."""
    page.goto(f"{base}/{name}")
    view = page.locator("[data-live]")
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-live][data-ready]")
    return view


def typed(page, view, text):
    """The note under the answer, once the model has answered this text."""
    view.locator("input[type=text], textarea").fill(text)
    page.wait_for_timeout(400)
    return view.locator(".mt-live-note").text_content()


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_date_that_is_typed_is_translated_over_http_and_from_a_folder(browser, scheme):
    with site.served(site.HTML) as address:
        base = address if scheme == "http" else site.HTML.as_uri()
        context = browser.new_context()
        page = site.watch(context, base)
        view = opened(page, base, ATTENTION)
        for source, target in Dates("es").pairs(0, 3, split="valid"):
            assert typed(page, view, source) == ""
            assert view.locator(".mt-live-answer").text_content() == target
            view.locator("details").evaluate("(d) => { d.open = true; }")
            assert view.locator("tbody tr").count() == len(target) + 1
        assert page.trouble == []
        context.close()


def test_heads_and_letters_are_chosen_by_keys(page, base):
    view = opened(page, base, ATTENTION)
    heads, letters = view.locator(".mt-live-heads input"), view.locator(".mt-live-letters input")
    said, seen = view.locator(".mt-live-sentence"), []
    heads.first.focus()
    for _ in range(heads.count()):
        page.keyboard.press("ArrowRight")
        seen.append((view.locator(".mt-live-head b").text_content(), said.text_content()))
    assert len({name for name, _ in seen}) == heads.count() == 24 and len({words for _, words in seen}) > 12
    letters.first.focus()
    before = said.text_content()
    page.keyboard.press("ArrowRight")
    assert said.text_content() != before and "place 2" in said.text_content()
    shades = "(spans) => spans.map((s) => parseFloat(s.style.getPropertyValue('--weight')))"
    assert sum(view.locator(".mt-live-keys > span").evaluate_all(shades)) == pytest.approx(100, abs=0.01)
    assert page.trouble == []


def test_the_pointer_shows_a_letter_and_leaves_the_choice(page, base):
    view = opened(page, base, ATTENTION)
    said = view.locator(".mt-live-sentence")
    before = said.text_content()
    view.locator(".mt-live-letters label").nth(4).hover()
    assert "place 5" in said.text_content()
    view.locator(".mt-live-answer").hover()
    assert said.text_content() == before


def test_a_head_taken_out_changes_the_answer_and_comes_back(page, base):
    view = opened(page, base, ATTENTION)
    first = view.locator(".mt-live-answer").text_content()
    view.get_by_label("decoder, layer 0, head 1").check(force=True)
    view.get_by_label("Take out decoder, layer 0, head 1").check()
    page.wait_for_function("document.querySelector('.mt-live-effect').textContent.startsWith('Without')")
    effect = view.locator(".mt-live-effect").text_content()
    assert effect.startswith("Without decoder, layer 0, head 1: ") and "went from" in effect
    assert (view.locator(".mt-live-answer").text_content() == first) == ("the same answer" in effect)
    assert view.locator(".mt-live-gone").count() == 1
    view.get_by_role("button", name="Put everything back").click()
    page.wait_for_function("document.querySelector('.mt-live-effect').textContent.startsWith('With all')")
    assert view.locator(".mt-live-answer").text_content() == first and view.locator(".mt-live-gone").count() == 0

    view.get_by_role("button", name="The whole layer").click()
    page.wait_for_function("document.querySelectorAll('.mt-live-gone').length === 4")
    assert view.locator(".mt-live-effect").text_content().count("decoder, layer 0") == 4 and page.trouble == []


def test_letters_are_hidden_and_seen_again(page, base):
    view = opened(page, base, ATTENTION)
    typed(page, view, "May 5, 2001")
    letters = view.locator(".mt-live-mask button")
    assert letters.count() == len("May 5, 2001") and view.locator(".mt-live-answer").text_content() == "5 de mayo de 2001"
    letters.nth(4).focus()
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.mt-live-effect').textContent.startsWith('With “5” (place 5) hidden: ')")
    assert view.locator(".mt-live-answer").text_content() != "5 de mayo de 2001"
    assert letters.nth(4).get_attribute("aria-pressed") == "true" and page.evaluate("document.activeElement.ariaLabel") == "hide “5”, place 5"
    view.get_by_label("cross-attention, layer 1, head 0").check(force=True)
    shares = "(spans) => spans.map((s) => parseFloat(s.style.getPropertyValue('--weight')))"
    assert view.locator(".mt-live-keys > span").evaluate_all(shares)[4] == 0
    for letter in letters.all():
        if letter.is_enabled() and letter.get_attribute("aria-pressed") == "false":
            letter.click()
    assert view.locator(".mt-live-mask button:disabled").count() == 1  # one is always seen
    view.get_by_role("button", name="Put everything back").click()
    page.wait_for_function("document.querySelector('.mt-live-effect').textContent.startsWith('With all')")
    assert view.locator(".mt-live-answer").text_content() == "5 de mayo de 2001"
    letters.nth(4).click()
    assert typed(page, view, "May 6, 2001") == "" and view.locator(".mt-live-answer").text_content() == "6 de mayo de 2001"
    assert view.locator(".mt-live-mask [aria-pressed=true]").count() == 0 and page.trouble == []


@pytest.mark.parametrize("name", [ATTENTION, HOME, LAYERS, NEXT, READING])
def test_typing_never_waits_for_the_model(page, base, name):
    view = opened(page, base, name)
    times = view.locator("input[type=text], textarea").evaluate("""(box) => Array.from({ length: 12 }, (_, i) => {
        box.value = `May ${i + 1}, 2001`;
        const start = performance.now();
        box.dispatchEvent(new Event('input'));
        box.getBoundingClientRect();  // layout counts too
        return performance.now() - start; })""")
    assert min(times) < 16, times
    page.wait_for_timeout(500)
    if name in (ATTENTION, HOME):  # only the newest text is shown
        assert view.locator(".mt-live-answer").text_content() == "12 de mayo de 2001"


def test_a_language_models_heads_and_tokens_are_taken_out_and_come_back(page, base):
    view = opened(page, base, READING)
    effect, answer, tokens = (view.locator(f".mt-live-{part}") for part in ("effect", "answer", "mask button"))
    assert answer.text_content() == "“␣file”" and view.locator(".mt-live-heads canvas").count() == 16
    assert view.locator(".mt-live-sentence").text_content().startswith("The token “␣the” (place 9), this head looks at ")
    assert tokens.count() == 9 and tokens.first.is_disabled()  # what has nothing else to look at
    tokens.nth(2).click()
    page.wait_for_function("document.querySelector('.mt-live-effect').textContent.startsWith('With “␣file” (place 3) hidden: ')")
    assert answer.text_content() != "“␣file”" and "instead of “␣file”" in effect.text_content()
    view.get_by_role("button", name="Put everything back").click()
    page.wait_for_function("document.querySelector('.mt-live-effect').textContent.startsWith('With all heads and tokens')")
    view.get_by_label("Take out decoder, layer 3, head 3").check()
    page.wait_for_function("document.querySelector('.mt-live-effect').textContent.startsWith('Without decoder, layer 3, head 3: ')")
    assert "nothing to read yet" in typed(page, view, "") and answer.text_content().strip("“”")
    typed(page, view, "If the file does not exist, " * 40)
    assert "The model sees the last" in view.locator(".mt-live-note").text_content() and page.trouble == []


ODD = {
    "": "There is nothing to translate yet",
    "   ": "There is nothing to translate yet",
    "x" * 5000: "These are 5,000 letters; the model is made for at most",
    "May 🙂, 2001": "“🙂” is not among them",
    "<b>&": "and “<”",
    "February 30, 1990": "There is no February 30, 1990",
    "May 5, 2500": "It learned the years 1900 to 2099 only",
    "any day": "not written like the dates",
}


def test_odd_text_gets_a_clear_word_and_never_a_blank(page, base):
    view = opened(page, base, ATTENTION)
    for text, word in ODD.items():
        note = typed(page, view, text)
        assert (word if text != "<b>&" else "among them") in note, text
        assert view.locator(".mt-live-answer").text_content().strip()
    assert typed(page, view, "May 5, 2001") == "" and page.trouble == []


def test_a_model_is_asked_for_only_when_the_reader_comes_near(browser, base):
    context = browser.new_context(viewport={"width": 1200, "height": 100})
    page, asked = site.watch(context, base), []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    page.goto(f"{base}/{ATTENTION}")
    page.wait_for_timeout(300)
    before = "dates.js" in asked
    page.locator("[data-live]").scroll_into_view_if_needed()
    page.wait_for_selector("[data-live][data-ready]")
    context.close()
    assert not before and asked.count("dates.js") == 1 and "documentation.js" not in asked


@pytest.mark.parametrize("name", [ATTENTION, HOME, LAYERS, NEXT, READING])
@pytest.mark.parametrize("width", [375, 1200])
def test_nothing_moves_when_the_model_starts(browser, base, name, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = site.watch(context, base)
    page.add_init_script("""window.moved = 0; new PerformanceObserver((list) => { for (const e of list.getEntries())
        if (!e.hadRecentInput) window.moved += e.value; }).observe({ type: 'layout-shift', buffered: true });""")
    view = opened(page, base, name)
    page.wait_for_timeout(200)
    stage = view.locator(".mt-live-stage").evaluate("(s) => [s.getBoundingClientRect().height, parseFloat(getComputedStyle(s).minHeight)]")
    assert page.evaluate("moved") < 0.02 and stage[0] == stage[1]
    context.close()


@pytest.mark.parametrize("name", [ATTENTION, HOME, LAYERS, NEXT, READING])
def test_without_javascript_there_is_a_first_picture_and_what_it_says(browser, base, name):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/{name}")
    view = page.locator("[data-live]")
    assert "needs JavaScript" in view.inner_text() and view.locator("input, textarea").first.is_disabled()
    assert view.locator(FIRST.get(name, "tbody tr")).first.is_visible()
    context.close()


def test_a_notebook_shows_the_same_view_in_a_frame_of_its_own(page, monkeypatch):
    monkeypatch.delenv("MTLIB_STATIC", raising=False)
    page.set_content(views.attention("dates", "May 5, 2001")._repr_html_())
    frame = page.frame_locator("iframe")
    frame.locator("[data-live][data-ready]").wait_for()
    assert frame.locator(".mt-live-answer").text_content() == "5 de mayo de 2001"
    assert frame.locator(".mt-live-heads canvas").count() == 24 and page.trouble == []


@pytest.mark.parametrize("chapter", ["06_attention", "11_decoder", "13_inference", "14_interpretability"])
def test_a_chapter_has_its_live_view_and_asks_for_the_model_when_it_is_reached(browser, base, chapter):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page, asked = site.watch(context, base), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{base}/book/{chapter}.html")
    page.wait_for_timeout(300)
    assert not [url for url in asked if "/models/" in url]
    view = page.locator("[data-live]")
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-live][data-ready]")
    assert view.locator("input[type=text], textarea").is_enabled() and page.trouble == []
    context.close()
