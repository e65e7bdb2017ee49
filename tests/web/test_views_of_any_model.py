"""The views of models of one's own, in a notebook: translators, language models and classifiers of any config."""

from dataclasses import replace

import pytest
import torch

import mtlib as mt
from mtlib.browser import payload
from mtlib.data import BOS, EOS, Subwords
from mtlib.generation import Given

from . import site
from .test_any_model_in_page import CLOSE, CONFIGS, LETTERS, SIZES, scrambled

LM = {"llama": mt.LLAMA, "t5": mt.T5, "post-norm": mt.ORIGINAL}
TEXT = "badcafe"


@pytest.fixture
def frame(browser, monkeypatch):
    """A view as a notebook shows it; what troubles the page fails the test."""
    monkeypatch.delenv("MTLIB_STATIC", raising=False)
    context = browser.new_context(viewport={"width": 900, "height": 1200})
    page = site.watch(context, "about:")

    def show(view):
        page.set_content(view._repr_html_())
        frame = page.frame_locator("iframe")
        frame.locator("[data-live][data-ready]").wait_for()
        return frame

    yield show
    context.close()
    assert page.trouble == []


def shares_of(frame, path):
    """The shares that the chosen place of a head gives, once that head is chosen."""
    frame.get_by_label(path).check(force=True)
    return frame.locator(".mt-live-keys > span").evaluate_all("(spans) => spans.map((s) => parseFloat(s.style.getPropertyValue('--weight')) / 100)")


@pytest.mark.parametrize("parts", LM.values(), ids=LM)
def test_a_language_model_of_any_parts_is_looked_into(frame, parts):
    model = scrambled(mt.DecoderLM(mt.ModelConfig(**SIZES, n_kv_heads=2, parts=parts)))
    shown, ids = frame(mt.widgets.attention(model, TEXT, tokenizer=LETTERS)), torch.tensor([LETTERS.encode(TEXT)])
    with torch.no_grad(), mt.trace(model) as seen:
        answer = model(ids)[0, -1].argmax().item()
    assert shown.locator(".mt-live-answer").text_content() == f"“{LETTERS.decode([answer])}”"
    shares = shares_of(shown, "decoder, layer 0, head 3")
    assert shares == pytest.approx(seen["blocks.0.attn.core.weights"][0, 3, -1].tolist(), abs=CLOSE)
    shown.get_by_label("Take out decoder, layer 0, head 3").check()
    shown.get_by_text("Without decoder, layer 0, head 3: ").wait_for()


@pytest.mark.parametrize("parts", LM.values(), ids=LM)
def test_a_translator_of_any_parts_is_looked_into(frame, parts):
    target = mt.ModelConfig(**{**SIZES, "n_layers": 3}, n_kv_heads=1, parts=parts)
    model = scrambled(mt.EncoderDecoder(mt.ModelConfig(**SIZES, parts=mt.BERT), target))
    shown, source = frame(mt.widgets.attention(model, TEXT, tokenizer=LETTERS)), torch.tensor([LETTERS.encode(TEXT)])
    assert shown.locator(".mt-live-heads canvas").count() == 4 * (2 + 3 + 3)
    written = mt.generate(Given(model, source), [[BOS]], max_new=37, stop=(EOS,))[0]
    assert shown.locator(".mt-live-answer").text_content() == (LETTERS.decode(written) or "nothing at all")
    with torch.no_grad(), mt.trace(model) as seen:
        model(source, torch.tensor([[BOS, *written[:-1]]]))
    shares = shares_of(shown, "cross-attention, layer 2, head 1")
    assert shares == pytest.approx(seen["decoder.blocks.2.cross_attn.core.weights"][0, 1, 0].tolist(), abs=CLOSE)


def test_a_classifier_is_looked_into_and_names_its_class(frame):
    model = scrambled(mt.Transformer(mt.ModelConfig(**SIZES, parts=mt.BERT), n_classes=3))
    shown, ids = frame(mt.widgets.attention(model, TEXT, tokenizer=LETTERS)), torch.tensor([LETTERS.encode(TEXT)])
    with torch.no_grad():
        logits = model(ids)[0]
    assert shown.locator(".mt-live-answer").text_content() == f"class {logits.argmax()}"
    assert f"a probability of {100 * logits.softmax(-1).max():.1f} %" in shown.locator(".mt-live-effect").text_content()
    shown.locator(".mt-live-mask button").first.click()
    shown.get_by_text("With “b” (place 1) hidden: ").wait_for()


@pytest.mark.parametrize("n_layers", [1, 9])
def test_the_frame_is_as_high_as_the_model_has_layers(frame, n_layers):
    model = scrambled(mt.DecoderLM(mt.ModelConfig(**{**SIZES, "n_layers": n_layers, "n_heads": 8}, parts=mt.GPT2)))
    shown = frame(mt.widgets.attention(model, TEXT, tokenizer=LETTERS))
    shown.get_by_text("The same in numbers").click()
    shown.locator("tbody tr").last.wait_for()
    edges = "(html) => { const { bottom } = document.querySelector('.mt-live').getBoundingClientRect(); return [bottom, innerHeight, html.clientWidth, html.scrollWidth]; }"
    bottom, height, width, needed = shown.locator("html").evaluate(edges)
    assert 0 <= height - bottom <= 16 and needed == width


def test_a_translator_of_subwords_names_its_tokens(frame):
    subwords = Subwords.learn(["the list of the lines in the file"], vocab=270)
    model = scrambled(mt.EncoderDecoder(mt.ModelConfig(**{**SIZES, "vocab": len(subwords)}, parts=mt.T5)))
    shown = frame(mt.widgets.attention(model, "the list", tokenizer=subwords))
    pieces = [subwords.decode([token]) for token in subwords.encode("the list")]
    assert shown.locator(".mt-live-mask button").all_text_contents() == [piece.replace(" ", "␣") for piece in pieces]


@pytest.mark.parametrize("view", ["next_token", "layers"])
def test_the_other_views_take_a_model_of_any_parts_too(frame, view):
    model = scrambled(mt.DecoderLM(mt.ModelConfig(**SIZES, n_kv_heads=1, parts=mt.Parts(norm="rms", ffn="reglu", position="alibi", placement="post"))))
    shown = frame(getattr(mt.widgets, view)(model, TEXT, tokenizer=LETTERS))
    answer = LETTERS.decode([model(torch.tensor([LETTERS.encode(TEXT)]))[0, -1].argmax().item()])
    at = {"next_token": ".mt-live-table tbody th", "layers": ".mt-live-depths tbody tr:last-child td:last-child button"}[view]
    assert answer in shown.locator(at).first.text_content()


def test_the_smallest_view_takes_a_translator_of_any_parts_too(frame):
    shown = frame(mt.widgets.translation(scrambled(mt.EncoderDecoder(mt.ModelConfig(**SIZES, parts=mt.T5))), TEXT, tokenizer=LETTERS))
    shares = shown.locator(".mt-live-keys > span").evaluate_all("(spans) => spans.map((s) => parseFloat(s.style.getPropertyValue('--weight')))")
    assert len(shares) == len(TEXT) and sum(shares) == pytest.approx(100, abs=0.01)


class Mine(mt.DecoderLM):
    pass


class Core(torch.nn.Module):
    causal, dropout = True, torch.nn.Dropout()


def own_ffn():
    model = mt.DecoderLM(CONFIGS[0])
    model.blocks[1].ffn = torch.nn.Identity()
    return model


def own_core():
    model = mt.DecoderLM(CONFIGS[0])
    model.blocks[0].attn.core = Core()
    return model


REFUSED = {
    "model is a Mine; the page computes EncoderDecoder, DecoderLM, Transformer": lambda: Mine(CONFIGS[0]),
    "model reads a memory (cross=True), which a text alone does not give": lambda: mt.DecoderLM(CONFIGS[0], cross=True),
    "the source has vocab=14 and the target 9; the page reads and writes with one tokenizer": lambda: mt.EncoderDecoder(CONFIGS[0], replace(CONFIGS[0], vocab=9)),
    "pool is a Identity; the page computes FirstPool, MeanPool, MaxPool, AttentionPool": lambda: mt.Transformer(CONFIGS[0], n_classes=2, pool=torch.nn.Identity()),
    "blocks.1.ffn is a Identity; the page computes what the config builds there": own_ffn,
    "blocks.0.attn.core is a Core; the page computes what the config builds there": own_core,
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_what_the_page_cannot_compute_is_refused_in_one_line(line):
    with pytest.raises((TypeError, ValueError)) as error:
        payload(REFUSED[line](), LETTERS)
    assert str(error.value).startswith(line) and "\n" not in str(error.value)
