"""The shipped models computed by the page's JavaScript, in a real browser, beside PyTorch on the same rounded weights."""

import pytest
import torch

import mtlib as mt
from mtlib import shipped
from mtlib.browser import payload, scripts
from mtlib.data import BOS, EOS, Dates
from mtlib.data.windows import BETWEEN
from mtlib.generation import Given, Rules
from mtlib.interp import logit_lens
from mtlib.interp.ablate import set_head

CLOSE = 1e-4
UNSEEN = [here for here, _ in Dates("es").pairs(0, 50, split="valid")]
ODD = ["", "Máy", "<eos> is text", "don't  stop\n\n\tx = 1234", "née 🐌\u00a0\ufeff\x85\x1cq", "def f(self, *args):\n    '''Return the'''", " ", "\r\n \u2028z"]  # fmt: skip
PROMPTS = [f"{verb} the {noun}" for verb in ("Return", "Set", "Raise", "Close", "Read") for noun in (
    "file object", "value of", "list", "string that", "number of", "class", "name and", "module's", "socket if", "error")]  # fmt: skip


@pytest.fixture(scope="module")
def js(browser):
    """A page with the model's script in it, and nothing else: `shipped[name]` is the model there."""
    page = browser.new_page()
    names = "Live, probabilities, draw, chance, build, readSafetensors, fromBase64, makeTokenizer, EOS"
    page.add_script_tag(content=f"{scripts.joined(scripts.MODEL)}\nObject.assign(window, {{ {names} }});")
    for name in shipped.index():
        page.evaluate("([name, model]) => { (window.shipped ||= {})[name] = new Live(model); }", [name, payload(name)])
    yield page
    page.close()


@pytest.fixture(scope="module")
def dates():
    return shipped.load("dates")


@pytest.fixture(scope="module")
def documentation():
    return shipped.load("documentation")


def difference(theirs: list, ours: torch.Tensor) -> float:
    return (torch.tensor(theirs) - ours).abs().max().item()


LOOK = """({ name, source, inputs, silent, hidden }) => {
    const weights = {}, lists = (rows) => rows.map((row) => Array.from(row));
    let logits;
    if (source) { const seen = shipped[name].look(source, inputs, { silent, hidden }); logits = seen.logits; Object.assign(weights, seen.weights); }
    else logits = shipped[name].model.forward(inputs, { tap: (path, value) => { if (path.endsWith("weights")) weights[path] = value; return value; } });
    return { logits: lists(logits), weights: Object.fromEntries(Object.entries(weights)
        .map(([path, heads]) => [path.replace(".core.weights", ""), heads.map(lists)])) };
}"""


def looked(js, name, inputs, source=None, silent=(), hidden=()):
    return js.evaluate(LOOK, {"name": name, "source": source, "inputs": inputs, "silent": list(silent), "hidden": list(hidden)})


@pytest.mark.parametrize("text", UNSEEN[:6] + ["M", "February 30, 9999 and more"])
def test_the_translators_logits_and_every_attention_weight_are_pytorchs(js, dates, text):
    model, tokenizer = dates
    source, inputs = tokenizer.encode(text[:18] if "more" in text else text), [BOS, *tokenizer.encode("5 de mayo de")]
    found = looked(js, "dates", inputs, source)
    with torch.no_grad(), mt.trace(model) as seen:
        logits = model(torch.tensor([source]), torch.tensor([inputs]))
    assert difference(found["logits"], logits[0]) < CLOSE
    assert len(found["weights"]) == 3 * model.config.n_layers
    for path, weights in found["weights"].items():
        assert difference(weights, seen[f"{path}.core.weights"][0]) < CLOSE, path


@pytest.mark.parametrize("length", [1, 6, 30])
def test_the_language_models_logits_and_every_attention_weight_are_pytorchs(js, documentation, length):
    model, tokenizer = documentation
    ids = tokenizer.encode(shipped.__doc__)[:length]
    found = looked(js, "documentation", ids)
    with torch.no_grad(), mt.trace(model) as seen:
        logits = model(torch.tensor([ids]))
    assert difference(found["logits"], logits[0]) < CLOSE
    assert len(found["weights"]) == model.config.n_layers
    for path, weights in found["weights"].items():
        assert difference(weights, seen[f"{path}.core.weights"][0]) < CLOSE, path


def test_fifty_unseen_days_are_translated_letter_for_letter_alike(js, dates):
    source, _, keep = Dates("es").batch(0, 50, split="valid").inputs
    ours = mt.generate(Given(dates.model, source, keep), [[BOS]] * 50, max_new=40, rules=Rules(temperature=0.0), stop=(EOS,))
    assert js.evaluate("(texts) => texts.map((text) => shipped.dates.translate({ text }).written)", UNSEEN) == ours


def test_fifty_prompts_are_gone_on_with_token_for_token_alike(js, documentation):
    model, tokenizer = documentation
    prompts = [tokenizer.encode(prompt) for prompt in PROMPTS]
    theirs = js.evaluate("(prompts) => prompts.map((ids) => shipped.documentation.write(ids, { count: 16, rules: { temperature: 0 } }))", prompts)
    assert theirs == mt.generate(model, prompts, max_new=16, rules=Rules(temperature=0.0))


def test_a_full_window_ends_in_pytorchs_logits_too(js, documentation):
    model, tokenizer = documentation
    ids = tokenizer.encode(shipped.__doc__ * 2)[: model.config.max_len]
    with torch.no_grad():
        logits = model(torch.tensor([ids]))[0, -1]
    assert difference(js.evaluate("(ids) => Array.from(shipped.documentation.model.forward(ids).at(-1))", ids), logits) < CLOSE


def test_written_over_a_cache_or_read_as_a_whole_the_logits_are_the_same(js, documentation):
    ids = documentation.tokenizer.encode("Return the number of items in the list.")
    apart = js.evaluate("""(ids) => {
        const { model } = shipped.documentation, cache = model.newCache();
        const whole = model.forward(ids), steps = ids.map((id) => model.forward([id], { cache })[0]);
        return Math.max(...whole.flatMap((row, t) => Array.from(row, (z, i) => Math.abs(z - steps[t][i]))));
    }""", ids)  # fmt: skip
    assert apart < 1e-5


@pytest.mark.parametrize(("module", "head"), [("encoder.blocks.0.attn", 1), ("decoder.blocks.1.attn", 3), ("decoder.blocks.1.cross_attn", 0)])
def test_a_head_taken_out_is_the_head_that_interp_takes_out(js, dates, module, head):
    model, tokenizer = dates
    source, inputs = tokenizer.encode(UNSEEN[0]), [BOS, *tokenizer.encode("1 de")]
    found = looked(js, "dates", inputs, source, [[module, head]])
    with torch.no_grad(), mt.trace(model, replace={f"{module}.core": set_head(head)}):
        without = model(torch.tensor([source]), torch.tensor([inputs]))
    with torch.no_grad():
        whole = model(torch.tensor([source]), torch.tensor([inputs]))
    assert difference(found["logits"], without[0]) < CLOSE < difference(found["logits"], whole[0])


@pytest.mark.parametrize("hidden", [[0], [3, 4], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]])
def test_hidden_letters_are_those_that_the_mask_of_the_model_hides(js, dates, hidden):
    model, tokenizer = dates
    source, inputs = tokenizer.encode(UNSEEN[0]), [BOS, *tokenizer.encode("1 de")]
    found = looked(js, "dates", inputs, source, hidden=hidden)
    keep = torch.ones(1, 1, 1, len(source), dtype=torch.bool)
    keep[..., hidden] = False
    with torch.no_grad(), mt.trace(model) as seen:
        logits = model(torch.tensor([source]), torch.tensor([inputs]), keep)
    assert difference(found["logits"], logits[0]) < CLOSE
    for path, weights in found["weights"].items():
        assert difference(weights, seen[f"{path}.core.weights"][0]) < CLOSE, path
    written = js.evaluate("([text, hidden]) => shipped.dates.translate({ text, hidden }).written", [UNSEEN[0], hidden])
    assert written == mt.generate(Given(model, torch.tensor([source]), keep), [[BOS]], max_new=model.config.max_len + 12, rules=Rules(temperature=0.0), stop=(EOS,))[0]


@pytest.mark.parametrize(("silent", "hidden"), [([], []), ([["blocks.2.attn", 1]], []), ([], [2, 5]), ([["blocks.0.attn", 3], ["blocks.3.attn", 0]], [1])])
def test_what_is_read_with_heads_out_and_tokens_hidden_is_what_pytorch_reads(js, documentation, silent, hidden):
    model, tokenizer = documentation
    text = "If the file does not exist, the"
    ids = torch.tensor([tokenizer.encode(text)])
    keep = mt.causal_keep(ids.size(1)).clone()
    keep[..., hidden] = False
    with torch.no_grad(), mt.trace(model, replace={f"{module}.core": set_head(head) for module, head in silent}) as seen:
        shares = model(ids, keep=keep)[0, -1].softmax(-1)
    found = js.evaluate("""(asked) => { const seen = shipped.documentation.read(asked);
        return { ...seen, weights: Object.fromEntries(Object.entries(seen.weights).map(([path, heads]) => [path, heads.map((rows) => rows.map((row) => Array.from(row)))])) };
    }""", {"text": text, "silent": silent, "hidden": hidden, "first": [7]})  # fmt: skip
    assert found["written"] == [shares.argmax().item()] and abs(found["shares"][0] - shares.max().item()) < CLOSE
    assert abs(found["firstShare"] - shares[7].item()) < CLOSE and found["left"] == 0
    assert len(found["weights"]) == model.config.n_layers
    for path, weights in found["weights"].items():
        assert difference(weights, seen[f"{path}.core.weights"][0]) < CLOSE, path


@pytest.mark.parametrize("length", [1, 12])
def test_every_score_at_every_depth_is_the_logit_lens_of_interp(js, documentation, length):
    model, tokenizer = documentation
    ids = tokenizer.encode(shipped.__doc__)[:length]
    theirs = js.evaluate("(ids) => shipped.documentation.lens(ids).map((rows) => rows.map((row) => Array.from(row)))", ids)
    ours = logit_lens(model, torch.tensor([ids]))[:, 0]
    assert torch.tensor(theirs).shape == ours.shape == (model.config.n_layers + 1, length, model.config.vocab)
    assert difference(theirs, ours) < CLOSE


def test_both_sides_cut_a_text_into_the_same_tokens_and_spell_it_again(js, documentation):
    tokenizer = documentation.tokenizer
    texts = [*ODD, *PROMPTS[:3], shipped.__doc__, BETWEEN.join(PROMPTS)]
    for text, theirs in zip(texts, js.evaluate("(texts) => texts.map((text) => shipped.documentation.tokenizer.encode(text))", texts), strict=True):
        assert theirs == tokenizer.encode(text), repr(text)
        assert js.evaluate("(ids) => shipped.documentation.tokenizer.decode(ids)", theirs) == tokenizer.decode(theirs).removeprefix("\ufeff")


RULES = [{}, {"temperature": 0.0}, {"temperature": 0.3}, {"temperature": 2.0, "top_k": 5}, {"top_p": 0.5}, {"min_p": 0.2}, {"top_k": 1},
         {"temperature": 0.8, "top_k": 50, "top_p": 0.9, "min_p": 0.05}, {"top_p": 0.0}, {"top_k": 9999}, {"min_p": 1.0}]  # fmt: skip


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_the_rules_leave_the_same_probabilities(js, rules):
    logits = torch.randn(1, 1024, generator=torch.Generator().manual_seed(1)) * 3
    theirs = js.evaluate("([z, rules]) => Array.from(probabilities(Float32Array.from(z), rules))", [logits[0].tolist(), rules])
    assert difference(theirs, Rules(**rules)(logits, torch.zeros(1, 1, dtype=torch.int64))[0]) < 1e-6


def test_a_draw_falls_on_each_token_as_often_as_its_share_says(js):
    shares = [0.5, 0.0, 0.3, 0.2]
    drawn = js.evaluate("(shares) => Array.from({ length: 4000 }, (_, step) => draw(shares, chance(7, step)))", shares)
    for token, share in enumerate(shares):
        assert abs(drawn.count(token) / len(drawn) - share) < 0.03
    assert js.evaluate("draw([0.5, 0.5, 0], 1)") == 1, "a token of share 0 is never drawn, not even at the end of the line"


def test_a_seed_gives_its_draws_again_and_another_gives_others(js):
    draws = "(seed) => Array.from({ length: 200 }, (_, step) => chance(seed, step))"
    first, again, other = (js.evaluate(draws, seed) for seed in (3, 3, 4))
    assert first == again and not set(first) & set(other) and all(0 <= u < 1 for u in first) and len(set(first)) == 200
