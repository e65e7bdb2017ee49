"""A wrong argument gets one clear line, before anything is computed."""

import pytest
import torch

import mtlib as mt
from mtlib.generation import (
    Given,
    Rules,
    Window,
    accept,
    beam_search,
    generate,
    min_p,
    repetition,
    speculative,
    stream,
    temperature,
    top_k,
    top_p,
)  # fmt: skip
from mtlib.recurrent import RecurrentLM

from .writers import SOURCES, TRANSLATORS, V, config, lm

pytestmark = pytest.mark.usefixtures("shapes_unchecked")

model = lm()
dropping = mt.DecoderLM(config(dropout=0.1))
z, text = torch.zeros(1, 4), torch.zeros(1, 1, dtype=torch.int64)
translator = TRANSLATORS["encoder-decoder"]()
nan = lm()
torch.nn.init.constant_(nan.norm.weight, float("nan"))
q = torch.full((1, 2), 0.5)

CASES = {
    "a negative temperature": (lambda: temperature(z, -0.1), "t=-0.1 must be a number of at least 0"),
    "a negative temperature in rules": (lambda: Rules(temperature=-1), "temperature=-1 must be a number of at least 0"),
    "no temperature": (lambda: Rules(temperature=None), "temperature=None must be a number of at least 0"),
    "k of nothing": (lambda: top_k(z, 0), "k=0 must be a whole number of at least 1"),
    "k of nothing in rules": (lambda: Rules(top_k=0), "top_k=0 must be a whole number of at least 1"),
    "a negative p": (lambda: top_p(z, -0.1), "p=-0.1 must be a number of at least 0"),
    "no number": (lambda: top_p(z, float("nan")), "p=nan must be a number of at least 0"),
    "a min_p above one": (lambda: min_p(z, 1.1), r"p=1.1 must lie in \[0, 1\]"),
    "a min_p above one in rules": (lambda: Rules(min_p=2), r"min_p=2 must lie in \[0, 1\]"),
    "a penalty of nothing": (lambda: repetition(z, text, 0.0), "penalty=0.0 must be above 0"),
    "whole logits": (lambda: top_k(z.long(), 1), "logits is torch.int64; it must be floating"),
    "a number for logits": (lambda: top_k(torch.tensor(1.0), 1), r"logits has shape \(\); its last axis must be the vocabulary"),
    "a list of logits": (lambda: top_k([1.0], 1), r"logits is a list; it must be a torch tensor of shape \(…, V\)"),
    "no prompts": (lambda: generate(model, [], max_new=1), "prompts must be one or more texts of at least one token"),
    "an empty prompt": (lambda: generate(model, [[1], []], max_new=1), "prompts must be one or more texts of at least one token"),
    "an empty stream": (lambda: stream(model, [], max_new=1), "prompts must be one or more texts of at least one token"),
    "one row of ids": (lambda: generate(model, torch.tensor([1, 2]), max_new=1), "prompts must be one or more texts"),
    "floats for ids": (lambda: generate(model, [[1.0]], max_new=1), "prompts must hold token ids"),
    "nothing to write": (lambda: generate(model, [[1]], max_new=0), "max_new=0 must be a whole number of at least 1"),
    "a text too long": (
        lambda: generate(model, [[1] * 10, [2]], max_new=8),
        r"a prompt of 10 tokens and max_new=8 need 17 positions and model's table has 16; ask for less, or take Window\(model, 16\)",
    ),
    "a translation too long": (
        lambda: generate(Given(TRANSLATORS_LEARNED, SOURCES), [[1]] * 3, max_new=17), "need 17 positions and model's table has 16"
    ),
    "a window past the table": (lambda: Window(model, 17), "size=17 is more than the 16 positions of the model's table"),
    "an id that is not there": (lambda: generate(model, [[V]], max_new=1), f"ids must lie in 0…{V - 1}"),
    "a draw without a generator": (
        lambda: generate(model, [[1]], max_new=1, rules=Rules()), "temperature=1.0 draws at random: give generator="
    ),
    "a stop that is a number": (lambda: generate(model, [[1]], max_new=1, stop=3), "stop is a int; it must be a collection of token ids"),
    "rules that are a word": (lambda: generate(model, [[1]], max_new=1, rules="greedy"), "rules is a str; it must be a Rules"),
    "dropout at work": (lambda: generate(dropping, [[1]], max_new=1), "model is in training mode, where dropout"),
    "a model that is NaN": (lambda: generate(nan, [[1, 2]], max_new=1), "the model gives NaN after 2 tokens; look at its weights"),
    "a translator without a source": (
        lambda: generate(translator, [[1]], max_new=1), r"model is a EncoderDecoder, which writes about a source: take Given\(model"
    ),
    "a model that does not write": (
        lambda: generate(mt.Transformer(config(), n_classes=2), [[1]], max_new=1), r"model is a Transformer; it must have new_cache\(\)"
    ),
    "a function": (lambda: generate(print, [[1]], max_new=1), "model is a builtin_function_or_method; it must be a Module"),
    "a source for a writer": (lambda: Given(model, SOURCES), "model is a DecoderLM; it must read a source"),
    "sources for other texts": (
        lambda: generate(Given(translator, SOURCES), [[1]] * 2, max_new=1), "source is a batch of 3 and inputs of 2"
    ),
    "no beams": (lambda: beam_search(model, [1], width=0, max_new=1), "width=0 must be a whole number of at least 1"),
    "beams of nothing": (lambda: beam_search(model, [], width=2, max_new=1), "prompts must be one or more texts"),
    "another vocabulary": (
        lambda: speculative(model, lm(vocab=7), [1], max_new=2), "draft has a vocabulary of 7 and model of 11; they must be one"
    ),
    "a state that cannot forget": (
        lambda: speculative(model, RecurrentLM(V, 8).eval(), [1], max_new=2), "draft keeps a RecurrentCache, which cannot forget"
    ),
    "no guesses": (lambda: speculative(model, model, [1], ahead=0, max_new=2), "ahead=0 must be a whole number of at least 1"),
    "guesses of other sizes": (
        lambda: accept(q, q, torch.tensor([0]), torch.rand(1)), r"1 tokens want draft_probs \(G, V\), target_probs \(G\+1, V\)"
    ),
    "a cut before the beginning": (lambda: mt.KVCache().truncate(-1), "length=-1 must be a whole number of at least 0"),
}
TRANSLATORS_LEARNED = mt.EncoderDecoder(config(parts=mt.GPT2)).eval()


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_one_clear_line(case):
    call, message = CASES[case]
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
