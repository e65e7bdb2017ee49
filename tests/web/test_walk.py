"""The dimension walk works by hand, by key, without a script, in a notebook; its numbers are test_walk_sizes's."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

import mtlib as mt
from mtlib.widgets.bundle import bundle, bundles
from mtlib.widgets.walk import HERE, setting

from . import first_walk, site, walk_sizes
from .walk_sizes import PUBLISHED

NAME = "book/live/walk.html"


def sums(page):
    return dict(zip(page.locator(".mt-sums dt").all_text_contents(), page.locator(".mt-sums dd").all_text_contents()))


def test_a_slider_a_field_and_a_choice_move_the_whole_model(page, base):
    site.open_ready(page, f"{base}/{NAME}")
    page.select_option("[data-name=model]", "GPT-2")
    assert sums(page)["parameters"] == "124,439,808"
    page.locator("[data-slides=n_heads]").focus()
    page.keyboard.press("ArrowRight")  # 12 to 16: the heads of keys come along
    assert page.locator("[data-name=n_kv_heads]").input_value() == "16" and sums(page)["parameters"] == "124,439,808"
    assert page.locator("[data-name=model]").input_value() == "sizes of your own"
    moved = set(page.locator("text.mt-moved").all_text_contents())
    assert "B H T T (1, 16, 100, 100)" in moved and not any(text.startswith("B T D") for text in moved)
    page.locator("[data-name=length]").fill("50")
    assert "B T (1, 50)" in page.locator("text.mt-moved").all_text_contents()
    page.locator("[data-name=d_model]").fill("1024")
    assert page.locator("[data-name=d_ff]").input_value() == "4096"
    page.locator(".mt-made summary").click()
    page.select_option("[data-name=ffn]", "swiglu")
    config = mt.ModelConfig(vocab=50_257, max_len=1024, d_model=1024, n_heads=16, n_layers=12, parts=mt.Parts(ffn="swiglu"))
    assert sums(page)["parameters"] == f"{mt.count.parameters(config)['total']:,}"
    assert page.locator("[data-path='blocks.0.ffn.w_gate']").count() == 1 and page.trouble == []


def test_a_size_that_cannot_be_is_said_and_the_last_picture_stays(page, base):
    site.open_ready(page, f"{base}/{NAME}")
    before, says = page.locator(".mt-walk-picture").inner_html(), page.locator(".mt-walk-says")
    for what, typed, line in (("n_heads", "5", "d_model=128 does not split into n_heads=5 equal heads"),
                              ("n_heads", "", "n_heads is empty; it must be a whole number of at least 1"),
                              ("n_heads", "2.5", "n_heads=2.5 must be a whole number of at least 1")):  # fmt: skip
        page.locator(f"[data-name={what}]").fill(typed)
        assert says.text_content().startswith(line) and page.locator(".mt-walk-picture").inner_html() == before
    page.locator("[data-name=n_heads]").fill("4")
    assert "mt-refused" not in says.get_attribute("class") and page.locator(".mt-walk-picture").inner_html() != before
    assert page.trouble == []


def test_parts_are_walked_by_key_and_say_what_they_are(page, base):
    site.open_ready(page, f"{base}/{NAME}")
    boxes = page.locator(".mt-part")
    assert page.locator(".mt-part[tabindex='0']").count() == 1  # one stop for Tab
    page.locator(".mt-part[tabindex='0']").focus()
    seen = []
    for _ in range(boxes.count()):
        page.keyboard.press("ArrowDown")
        seen.append(page.evaluate("document.activeElement.dataset.path"))
        assert page.locator(".mt-told code").text_content() == seen[-1]
    assert len(set(seen)) == boxes.count()
    assert all(label for label in boxes.evaluate_all("(all) => all.map((b) => b.getAttribute('aria-label'))"))
    page.locator("[data-path='encoder.blocks.0.attn.core.scores']").click()
    assert "2 B H T E T = 2,560,000" in page.locator(".mt-told").text_content()


def test_the_table_holds_what_the_picture_shows(page, base):
    site.open_ready(page, f"{base}/{NAME}")
    page.locator(".mt-all summary").click()
    page.select_option("[data-name=model]", "T5 small")
    cells = page.locator(".mt-all tbody tr").evaluate_all("(rows) => rows.map((r) => [...r.cells].map((c) => c.textContent))")
    assert len(cells) == page.locator(".mt-part").count()
    assert sum(int(row[4].replace(",", "")) for row in cells) == PUBLISHED["T5 small"]
    assert ["decoder across softmax", "B H T S", "(1, 8, 100, 100)"] in [row[:3] for row in cells]


def test_refused_and_moved_it_is_open_to_everyone(page, base):
    site.open_ready(page, f"{base}/{NAME}")
    for theme in "light", "dark":
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        for n in "7", "8":  # refused, then moved
            page.locator("[data-name=n_heads]").fill(n)
            found = Axe().run(page, context=".mt-walk").response["violations"]
            assert [(v["id"], v["nodes"][0]["failureSummary"]) for v in found] == []


def test_without_a_script_the_first_model_is_there(browser, base):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto(f"{base}/{NAME}")
    picture = page.locator(".mt-walk-picture > svg")
    assert picture.bounding_box()["width"] > 300 and "JavaScript" in page.locator(".mt-walk").inner_text()
    assert page.locator("[data-name=vocab]").input_value() == "30000" and page.locator("[data-name=vocab]").is_disabled()
    assert page.locator(".mt-all tbody tr").count() > 20
    still = picture.bounding_box()
    context.close()
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    site.open_ready(page, f"{base}/{NAME}")
    assert page.locator(".mt-walk-picture > svg").bounding_box() == still  # nothing moves when the script arrives
    context.close()


def test_the_kept_first_drawing_is_what_the_script_draws(page):
    kept = json.loads((HERE / "walk.json").read_text("utf8"))["first"]
    assert first_walk.first(page) == kept, "walk.js or what it starts from has changed: python -m tests.web.first_walk"


def test_in_a_notebook_it_brings_all_it_needs(browser, tmp_path, monkeypatch):
    monkeypatch.delenv("MTLIB_STATIC", raising=False)
    shown = "".join(mt.widgets.walk()._repr_html_() for _ in range(2))
    (tmp_path / "cell.html").write_text(f"<!doctype html><meta charset=utf8>{shown}", "utf8")
    context = browser.new_context()
    page = site.watch(context, tmp_path.as_uri())
    page.goto((tmp_path / "cell.html").as_uri())
    page.wait_for_function("document.querySelectorAll('[data-ready]').length === 2")
    second = page.locator(".mt-walk").nth(1)
    second.locator("[data-name=model]").select_option("Llama 3 8B")
    assert second.locator(".mt-sums dd").first.text_content() == "8,030,261,248" and page.trouble == []
    assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size === document.querySelectorAll('[id]').length")
    context.close()


def test_a_bundle_holds_each_file_once_and_asks_for_none():
    assert {"frames", "plan", "walk"} <= set(bundles()) and not {"sizes", "wiring", "host"} & set(bundles())
    text = bundle("walk")
    assert not re.search(r"^import ", text, re.M) and text.count("const { count, shape") == 1
    assert not [path.name for path in HERE.glob("*.js") if len(path.read_text("utf8").splitlines()) >= 200]


@pytest.mark.parametrize("word", ["relu", "swiglu"])
def test_a_setting_is_a_config_written_flat(word):
    config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1, parts=mt.Parts(ffn=word))
    flat = setting("DecoderLM", config, batch=3)
    assert (flat["d_ff"], flat["n_kv_heads"], flat["ffn"], flat["batch"]) == (32, 2, word, 3)
    assert walk_sizes.expected(flat)["params"] == mt.count.parameters(config)
