"""The ticks of the sixty days: kept by the browser, over file:// too, and never in the way of the list itself."""

from mtlib.plan import days

from . import site

NAME = "book/plan.html"


def sum_of(page):
    return page.locator(".mt-plan-sum").text_content()


def test_a_tick_is_there_again_after_the_page_is_loaded_anew(page, base):
    site.open_ready(page, f"{base}/{NAME}")
    assert page.locator(".mt-plan input").count() == len(days())
    page.get_by_label("Day 1 The map").focus()
    page.keyboard.press("Space")
    page.locator("#mt-day-3").check()
    assert sum_of(page) == f"2 of {len(days())} days done. Next: day 2."
    site.open_ready(page, f"{base}/{NAME}")
    ticked = page.locator(".mt-plan input:checked").evaluate_all("(boxes) => boxes.map((box) => box.value)")
    assert ticked == ["1", "3"] and page.locator("li.mt-next").get_attribute("id") == "day-2"
    page.locator("#mt-day-1").uncheck()
    page.locator("#mt-day-3").uncheck()
    assert sum_of(page).startswith("Tick a day")
    assert page.evaluate("JSON.parse(localStorage.getItem('mtlib-plan'))") == [] and page.trouble == []


def test_what_another_page_left_under_its_name_does_no_harm(page, base):
    page.goto(f"{base}/{NAME}")
    for left in ("{", '"twelve"', "null", '{"a": 1}'):
        page.evaluate("(left) => localStorage.setItem('mtlib-plan', left)", left)
        site.open_ready(page, f"{base}/{NAME}")
        assert page.locator(".mt-plan input:checked").count() == 0 and page.trouble == []


def test_a_browser_that_keeps_nothing_says_so_and_ticks_all_the_same(page, base):
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError'); };")
    site.open_ready(page, f"{base}/{NAME}")
    page.locator("#mt-day-1").check()
    assert "does not let the page keep your ticks" in sum_of(page) and sum_of(page).startswith("1 of")


def test_without_javascript_the_plan_can_be_read(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/{NAME}")
    assert page.locator(".mt-days li").count() == len(days()) and page.locator("noscript").count() >= 1
    assert page.locator(".mt-days a").first.get_attribute("href") == "01_transformers.html"
    context.close()
