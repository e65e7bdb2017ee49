"""Models of every config, computed by the page's JavaScript in a real browser, beside PyTorch on the same rounded weights."""

import json
import random
from dataclasses import replace

import pytest
import torch

import mtlib as mt
from mtlib.browser import payload, scripts
from mtlib.config import FFN, Norm, Placement, Scheme
from mtlib.cores import use_explicit
from mtlib.data import BOS, EOS, Letters
from mtlib.generation import Given
from mtlib.interp import logit_lens
from mtlib.interp.ablate import set_head
from mtlib.score_bias import relative_bucket

CLOSE = 1e-4
LETTERS = Letters("abcdefghijk")
SIZES = {"vocab": len(LETTERS), "max_len": 25, "d_model": 16, "n_heads": 4, "n_layers": 2, "norm_eps": 1e-3}
ROWS = 16


def column(options, seed):
    """Each of the options as often as the others, in an order of its own, so that they meet in many pairs."""
    drawn = [options[i % len(options)] for i in range(ROWS)]
    random.Random(seed).shuffle(drawn)
    return drawn


WORDS = {"norm": Norm.__args__, "ffn": FFN.__args__, "position": Scheme.__args__, "placement": Placement.__args__,
         "bias": (True, False), "tied": (True, False), "rotary_base": (10_000.0, 100.0)}  # fmt: skip
PARTS = [mt.Parts(**dict(zip(WORDS, row))) for row in zip(*(column(options, seed) for seed, options in enumerate(WORDS.values())))]
CONFIGS = [
    mt.ModelConfig(**SIZES, n_kv_heads=groups, d_ff=width, parts=parts)
    for parts, groups, width in zip(PARTS, column((None, 2, 1), 7), column((None, 10), 8))
]


def named(config):
    p = config.parts
    return f"{p.position} {p.placement} {p.norm} {p.ffn} bias={p.bias} tied={p.tied} G={config.kv_heads}"


@torch.no_grad()
def scrambled(model):
    """Every number drawn anew, biases and gains too, so that a part which is lost shows; halves, as the page has them."""
    for name, weight in model.named_parameters():
        gain = "norm" in name and name.endswith("weight")
        weight.copy_((torch.randn_like(weight) * 0.3 + gain).half())
    return model.eval()


@pytest.fixture(scope="module")
def js(browser):
    """A page with the model's script in it: `load` puts a model where the tests ask it."""
    page = browser.new_page()
    page.add_script_tag(content=f"{scripts.joined(scripts.MODEL)}\nObject.assign(window, {{ Live, NORMS, FFNS, POOLS, POSITIONS, RESIDUALS, relativeBucket }});")
    yield page
    page.close()


def load(js, model):
    js.evaluate("(model) => { window.tried = new Live(model); }", payload(model, LETTERS))


def difference(theirs: list, ours: torch.Tensor) -> float:
    return (torch.tensor(theirs) - ours).abs().max().item()


# Logits and weights at once; logits in pieces over a cache, first five positions and then one at a time.
LOOK = """({ source, inputs, silent, hidden }) => {
    const { model } = tried, lists = (rows) => rows.map((row) => Array.from(row)), keep = (source ?? inputs).map((_, j) => !hidden.includes(j));
    const { weights, tap } = watching(silent), cache = model.newCache?.();
    const pass = (ids, options) => lists(source ? model.forward(source, ids, options) : model.forward(ids, options));
    const apart = model.newCache && [inputs.slice(0, 5), ...inputs.slice(5).map((id) => [id])].flatMap((ids) => pass(ids, { cache, keep, tap: silencer(silent) }));
    return JSON.stringify({ logits: pass(inputs, { tap, keep }), apart,
        weights: Object.fromEntries(Object.entries(weights).map(([path, heads]) => [path, heads.map(lists)])) });
}"""


def same(js, model, source, inputs, silent=(), hidden=()):
    """Logits and every attention weight are PyTorch's, over a cache and without one; the logits are returned."""
    found = json.loads(js.evaluate(LOOK, {"source": source, "inputs": inputs, "silent": list(silent), "hidden": list(hidden)}))
    keep = torch.ones(1, 1, 1, len(source or inputs), dtype=torch.bool)
    keep[..., list(hidden)] = False
    given = [torch.tensor([ids]) for ids in (source, inputs) if ids]
    replaced = {f"{module}.core": set_head(head) for module, head in silent}
    with torch.no_grad(), mt.trace(model, replace=replaced) as seen:
        logits = model(*given, keep)[0]
    assert difference(found["logits"], logits) < CLOSE and difference(found.get("apart", found["logits"]), logits) < CLOSE
    assert len(found["weights"]) == sum(path.endswith("core.weights") for path in seen)
    for path, weights in found["weights"].items():
        assert difference(weights, seen[f"{path}.core.weights"][0]) < CLOSE, path
    return logits


def some_ids(length):
    return torch.randint(3, len(LETTERS), (length,)).tolist()


def test_the_page_knows_every_word_of_a_config_and_each_is_tried(js):
    for name, table in ("norm", "NORMS"), ("ffn", "FFNS"), ("position", "POSITIONS"), ("placement", "RESIDUALS"):
        assert js.evaluate(f"Object.keys({table})") == list(WORDS[name])
    assert js.evaluate("Object.keys(POOLS)") == list(scripts.POOLS)
    for name, options in WORDS.items():
        assert {getattr(config.parts, name) for config in CONFIGS} == set(options)
    assert {config.kv_heads for config in CONFIGS} == {1, 2, 4}


@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_a_language_model_of_any_config_is_pytorchs(js, config):
    model, ids = scrambled(mt.DecoderLM(config)), some_ids(22)
    load(js, model)
    whole = same(js, model, None, ids)
    without = same(js, model, None, ids, silent=[["blocks.1.attn", 3]], hidden=[2, 5])
    assert (whole - without).abs().max() > 100 * CLOSE
    lens = json.loads(js.evaluate("(ids) => JSON.stringify(tried.lens(ids).map((rows) => rows.map((row) => Array.from(row))))", ids))
    assert difference(lens, logit_lens(model, torch.tensor([ids]))[:, 0]) < CLOSE
    written = js.evaluate("(ids) => tried.write(ids, { count: 12, rules: { temperature: 0 } })", ids[:12])
    assert written == mt.generate(model, [ids[:12]], max_new=12)[0]


@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_a_translator_of_any_config_is_pytorchs(js, config):
    model, source, inputs = scrambled(mt.EncoderDecoder(config)), some_ids(18), [BOS, *some_ids(20)]
    load(js, model)
    whole = same(js, model, source, inputs)
    without = same(js, model, source, inputs, silent=[["encoder.blocks.0.attn", 1], ["decoder.blocks.1.cross_attn", 2]], hidden=[0, 7])
    assert (whole - without).abs().max() > 100 * CLOSE
    writes(js, model, source)


def writes(js, model, source):
    written = js.evaluate("(text) => tried.translate({ text }).written", LETTERS.decode(source))
    end = model.decoder.config.max_len + (0 if model.decoder.config.parts.position in ("learned", "grid") else 12)
    assert written == mt.generate(Given(model, torch.tensor([source])), [[BOS]], max_new=end, stop=(EOS,))[0]


def test_a_translator_whose_sides_have_configs_of_their_own_is_pytorchs(js):
    source = replace(CONFIGS[0], n_heads=2, n_kv_heads=None, n_layers=1, parts=mt.BERT)
    target = replace(CONFIGS[0], n_kv_heads=2, n_layers=3, max_len=16, parts=mt.LLAMA)
    model, read = scrambled(mt.EncoderDecoder(source, target)), some_ids(20)
    load(js, mt.EncoderDecoder(source, source))  # alike, but each with a token table of its own
    load(js, model)
    same(js, model, read, [BOS, *some_ids(12)], silent=[["decoder.blocks.2.cross_attn", 3], ["encoder.blocks.0.attn", 1]], hidden=[4])
    writes(js, model, read)


@pytest.mark.parametrize(("pool", "config"), list(zip(scripts.POOLS.values(), CONFIGS)), ids=str)
def test_a_classifier_of_any_pool_is_pytorchs(js, pool, config):
    inner = pool(config.d_model) if pool is mt.AttentionPool else pool()
    model, ids = scrambled(mt.Transformer(config, n_classes=5, pool=inner)), some_ids(20)
    load(js, model)
    whole = same(js, model, None, ids)
    without = same(js, model, None, ids, silent=[["encoder.blocks.1.attn", 0]], hidden=[3, 8])
    assert (whole - without).abs().max() > 100 * CLOSE
    seen = js.evaluate("(text) => { const { answer, shares } = tried.read({ text }); return [answer, shares[0]]; }", LETTERS.decode(ids))
    assert seen == [f"class {whole.argmax()}", pytest.approx(whole.softmax(-1).max().item(), abs=CLOSE)]


def test_a_far_distance_falls_into_t5s_bucket_on_the_edges_too(js):
    offsets = list(range(-300, 301))
    for n_buckets, both in (32, True), (32, False), (16, True):
        theirs = js.evaluate("([offsets, n, both]) => offsets.map((offset) => relativeBucket(offset, n, both))", [offsets, n_buckets, both])
        assert theirs == relative_bucket(torch.tensor(offsets), n_buckets, bidirectional=both).tolist()


@pytest.mark.parametrize("scheme", ["learned", "grid"])
def test_a_text_past_the_last_position_is_refused_in_one_line(js, scheme):
    load(js, mt.DecoderLM(mt.ModelConfig(**SIZES, parts=mt.Parts(position=scheme))))
    said = js.evaluate("() => { try { tried.model.forward(Array(26).fill(3)); } catch (error) { return error.message; } }")
    assert said == "26 positions are asked for; this model has 25"


def test_a_fused_model_goes_to_the_page_as_an_explicit_one_does(js):
    model = mt.use_fused(scrambled(mt.DecoderLM(CONFIGS[0])))
    load(js, model)
    same(js, use_explicit(model), None, some_ids(9))
