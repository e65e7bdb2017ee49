"""The layers view on its page: what every cell names, a cell chosen, odd texts."""

import pytest
import torch

from mtlib import browser as views
from mtlib import data, shipped
from mtlib.config import ModelConfig
from mtlib.interp import logit_lens
from mtlib.transformer import DecoderLM

from .test_live import LAYERS, opened, typed

CHOSEN = ".mt-live-depths [aria-pressed=true]"
CELLS = """(rows) => rows.map((row) => [...row.querySelectorAll('button')].map((cell) =>
    [cell.firstChild.textContent, cell.querySelector('small').textContent]))"""


def lens_of(text):
    model, tokenizer = shipped.load("documentation")
    return logit_lens(model, torch.tensor([tokenizer.encode(text)]))[:, 0], tokenizer


def test_every_cell_of_the_page_names_what_pytorch_names(page, base):
    view = opened(page, base, LAYERS)
    for text in ("If the file does not exist", "def __init__(self", "New in\nversion 3."):
        typed(page, view, text)
        lens, tokenizer = lens_of(text)
        best = lens.softmax(-1).max(-1)
        cells = view.locator(".mt-live-depths tbody tr").evaluate_all(CELLS)
        assert [len(row) for row in cells] == [len(tokenizer.encode(text))] * 5
        for row, values, indices in zip(cells, best.values.tolist(), best.indices.tolist(), strict=True):
            for (piece, share), value, token in zip(row, values, indices, strict=True):
                assert piece.replace("␣", " ").replace("↵", "\n") == tokenizer.decode([token])
                assert abs(float(share.removesuffix(" %")) - 100 * value) <= 0.51
    assert page.trouble == []


def test_a_cell_chosen_by_keys_or_pointer_shows_its_five_likeliest(page, base):
    view = opened(page, base, LAYERS)
    said, rows = view.locator(".mt-live-sentence"), view.locator(".mt-live-one tbody tr")
    assert said.text_content().startswith("After block 3, at “ist” (place 7)") and view.locator(CHOSEN).count() == 1
    view.locator(CHOSEN).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp"):  # the first two at an edge
        page.keyboard.press(key)
    assert said.text_content().startswith("After block 1, at “␣ex” (place 6), the stream names “it”")
    assert page.evaluate("document.activeElement.matches('[aria-pressed=true]')") and view.locator(".mt-live-depths button[tabindex='0']").count() == 1
    lens, tokenizer = lens_of("If the file does not exist")
    here, end = lens[2, 5].softmax(-1), lens[-1, 5].softmax(-1)
    for row, token in zip(rows.all(), here.topk(5).indices.tolist(), strict=True):
        word, *numbers = row.locator("th, td").all_text_contents()
        assert word.strip("“”").replace("␣", " ") == tokenizer.decode([token])
        assert [float(n.removesuffix(" %")) for n in numbers if "under" not in n] == pytest.approx(
            [100 * s for s in (here[token].item(), end[token].item()) if s >= 0.001], abs=0.051)  # fmt: skip
    view.locator(".mt-live-depths tbody tr").first.locator("button").nth(2).click()
    assert said.text_content().startswith("Before any block, at “␣file” (place 3), the stream names “␣file”")
    assert page.trouble == []


def test_a_word_more_leaves_the_columns_before_it_as_they_were(page, base):
    view = opened(page, base, LAYERS)
    first = view.locator(".mt-live-depths tbody tr").last.locator("button").first
    kept = first.element_handle()
    typed(page, view, "If the file does not exist, it")
    assert first.evaluate("(cell, kept) => cell === kept", kept)
    typed(page, view, "In the file does not exist")
    assert not first.evaluate("(cell, kept) => cell === kept", kept)
    lens, _ = lens_of("In the file does not exist")
    assert view.locator(".mt-live-depths button").count() == lens[..., 0].numel() and page.trouble == []


def test_odd_texts_get_a_clear_word_and_keep_the_picture(page, base):
    view = opened(page, base, LAYERS)
    assert "nothing to read yet" in typed(page, view, "")
    assert "more than 5,000 are not read" in typed(page, view, "x" * 5001)
    assert view.locator(".mt-live-depths button").count() == 5 * 7
    assert typed(page, view, "🐌") == "The model sees 4 tokens."
    assert "a byte of a letter" in view.locator(".mt-live-depths button").first.get_attribute("aria-label")
    view.locator("textarea").fill("Return the <b>list</b>. " * 20)
    page.wait_for_function("document.querySelector('.mt-live-note').textContent.includes('out of its sight')")
    assert view.locator(".mt-live-depths button").count() == 5 * 128 and page.trouble == []


def test_a_notebook_shows_a_model_of_ones_own(page, monkeypatch):
    monkeypatch.delenv("MTLIB_STATIC", raising=False)
    letters = data.Letters("abc ")
    model = DecoderLM(ModelConfig(vocab=3 + 4, max_len=8, d_model=8, n_heads=2, n_layers=2))
    page.set_content(views.layers(model, "abca", tokenizer=letters)._repr_html_())
    frame = page.frame_locator("iframe")
    frame.locator("[data-live][data-ready]").wait_for()
    assert frame.locator(".mt-live-depths button").count() == 3 * 4
    frame.locator("textarea").fill("abz")
    frame.get_by_text("“z” is not among them").wait_for()
    assert page.trouble == []


def test_what_the_view_cannot_show_is_said_in_one_line():
    with pytest.raises(ValueError, match="text is empty"):
        views.layers("documentation", "")
    with pytest.raises(TypeError, match="this view shows a DecoderLM"):
        views.layers("dates", "May 5, 2001")
