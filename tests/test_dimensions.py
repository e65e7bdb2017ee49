"""The tables of shapes and parameters: true of the run, true of the config, and no burden on the model."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import mtlib as mt
from mtlib.letters import shape, sizes

from .any_config import any_config

SMALL = mt.ModelConfig(vocab=11, max_len=9, d_model=12, n_heads=3, n_layers=3, d_ff=20)
# The example of the course's notes: batch 1, length 100, vocabulary 30000, width 128, 8 heads, two classes.
NOTES = mt.ModelConfig(vocab=30_000, max_len=100, d_model=128, n_heads=8, n_layers=2, parts=mt.ORIGINAL)


def on_meta(build):
    with torch.device("meta"):
        return build()


def shapes(table):
    return {row.name: row.shape for row in table}


def test_the_notes_own_example_comes_out_of_the_run():
    found = shapes(on_meta(lambda: mt.Transformer(NOTES, n_classes=2)).get_dimensions())
    assert {name: found[name] for name in NOTES_SHAPES} == NOTES_SHAPES


NOTES_SHAPES = {
    "ids": (1, 100),
    "embedded": (1, 100, 128),
    "positioned": (1, 100, 128),
    "q": (1, 8, 100, 16),
    "k": (1, 8, 100, 16),
    "v": (1, 8, 100, 16),
    "scores": (1, 8, 100, 100),
    "weights": (1, 8, 100, 100),
    "heads": (1, 8, 100, 16),
    "merged": (1, 100, 128),
    "attention_out": (1, 100, 128),
    "resid_mid": (1, 100, 128),
    "ffn_hidden": (1, 100, 512),
    "ffn_out": (1, 100, 128),
    "resid_post": (1, 100, 128),
    "pooled": (1, 128),
    "logits": (1, 2),
}


def test_the_rows_stand_in_the_order_of_the_run():
    names = [row.name for row in mt.DecoderLM(SMALL).get_dimensions(every_layer=True)]
    block = ["norm1", "q_proj", "k_proj", "v_proj", "q", "k", "v", "scores", "weights", "heads", "merged"]
    block += ["attention_out", "resid_mid", "norm2", "w_in", "ffn_hidden", "ffn_out", "resid_post"]
    assert names == ["ids", "embedded", "positioned", *3 * block, "norm", "logits"]


def real_shapes(model, *inputs):
    with torch.no_grad(), mt.trace(mt.use_explicit(model)) as t:
        model(*inputs)
    return lambda row: {tuple(out.shape) for out in t.all(row.path)}


MODELS = {
    "Transformer": lambda config: mt.Transformer(config, n_classes=2),
    "DecoderLM": mt.DecoderLM,
    "EncoderDecoder": mt.EncoderDecoder,
}


@settings(max_examples=12, deadline=None)
@given(any_config(), st.sampled_from(list(MODELS)), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
def test_letters_numbers_and_a_real_run_agree(make_config, kind, B, T, S):
    config = make_config()
    model = MODELS[kind](config)
    ids, source = torch.zeros(B, T, dtype=torch.int64), torch.zeros(B, S, dtype=torch.int64)
    translates = kind == "EncoderDecoder"
    real = real_shapes(model, *((source, ids) if translates else (ids,)))
    size = sizes(config, B=B, T=T, S=S, C=2)
    for row in model.get_dimensions(B, S, T) if translates else model.get_dimensions(B, T):
        assert row.shape == shape(row.letters, size), row
        if row.path not in ("ids", "source", "inputs") and row.name != "…":
            assert row.shape in real(row), row


def test_two_sides_keep_their_own_sizes():
    target = replace(SMALL, vocab=7, n_heads=2, d_ff=5, n_layers=1)
    table = mt.EncoderDecoder(SMALL, target).get_dimensions(2, source_length=4, target_length=6)
    rows = {row.path: row for row in table}
    assert rows["encoder.blocks.0.attn.core.scores"][2:4] == ("B H S S", (2, 3, 4, 4))
    assert rows["decoder.blocks.0.attn.core.scores"][2:4] == ("B H T T", (2, 2, 6, 6))
    assert rows["decoder.blocks.0.cross_attn.core.scores"][2:4] == ("B H T S", (2, 2, 6, 4))
    assert rows["decoder.blocks.0.ffn.hidden"].shape == (2, 6, 5)
    assert rows["decoder.logits"][2:4] == ("B T V", (2, 6, 7))


def test_a_decoder_with_cross_attention_reads_a_memory():
    rows = shapes(mt.DecoderLM(SMALL, cross=True).get_dimensions(length=4, memory_length=6))
    assert rows["memory"] == (1, 6, 12) and rows["cross_weights"] == (1, 3, 4, 6)


def test_shared_heads_of_keys_are_named_and_equal_ones_are_not():
    letters = {row.name: row.letters for row in mt.DecoderLM(replace(SMALL, n_kv_heads=1)).get_dimensions()}
    assert letters["k"] == "B G T E" and letters["k_proj"] == "B T G·E" and letters["q"] == "B H T E"
    assert {row.name: row.letters for row in mt.DecoderLM(SMALL).get_dimensions()}["k"] == "B H T E"


def test_blocks_that_are_alike_take_one_line_and_others_are_all_shown():
    model = mt.DecoderLM(SMALL)
    folded, whole = model.get_dimensions(), model.get_dimensions(every_layer=True)
    assert [row.path for row in folded if row.name == "…"] == ["blocks.1…2"]
    assert len(whole) - len(folded) == 2 * 18 - 1 and "blocks.2.ffn" in {row.path for row in whole}
    model.blocks[1].ffn = Wide(12, 30)
    assert model.get_dimensions().rows == model.get_dimensions(every_layer=True).rows
    assert len(mt.DecoderLM(replace(SMALL, n_layers=1)).get_dimensions()) == len(folded) - 1


class Wide(mt.FeedForward):
    """A reader's own FFN, of another width than the config's."""


class Middle(nn.Module):
    """A reader's own pool, with a layer inside and a tensor that no state dict knows."""

    def __init__(self):
        super().__init__()
        self.inner, self.scale = nn.Linear(12, 12), torch.ones(12)

    def forward(self, hidden, keep=None):
        return self.inner(hidden[:, hidden.size(1) // 2] * self.scale)


def test_parts_of_your_own_are_shown_with_what_is_known_of_them():
    rows = {row.path: row for row in mt.Transformer(SMALL, n_classes=2, pool=Middle()).get_dimensions(3, 5)}
    assert rows["pool"][2:4] == ("B D", (3, 12))
    assert rows["pool.inner"][2:4] == ("", (3, 12)) and "your own" in rows["pool.inner"].meaning
    model = mt.DecoderLM(SMALL)
    model.blocks[1].ffn = Wide(12, 30)
    rows = {row.path: row for row in model.get_dimensions(length=4)}
    assert rows["blocks.1.ffn.hidden"][2:4] == ("", (1, 4, 30))
    assert rows["blocks.1.ffn"].letters == "B T D"
    pooled = shapes(mt.Transformer(SMALL, n_classes=2, pool=mt.AttentionPool(12)).get_dimensions(3, 5))
    assert pooled["pool_weights"] == (3, 5)


def test_a_model_that_is_not_what_its_config_says_is_told_where():
    model = mt.DecoderLM(SMALL)
    model.blocks[1].ffn = mt.FeedForward(12, 30)
    with pytest.raises(ValueError, match=r"^blocks.1.ffn.w_in puts out \(1, 9, 30\); by the model's config it must be B T F"):
        model.get_dimensions()
    with pytest.raises(ValueError, match=r"^blocks.1.ffn.w_in.weight has shape \(30, 12\); by the model's config it"):
        model.params()


def test_the_model_is_left_as_it_was_and_nothing_is_computed():
    model, calls = mt.use_fused(mt.DecoderLM(SMALL)), []
    model.blocks[0].register_forward_hook(lambda *_: calls.append(1))
    before, random = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    with mt.trace(model) as t:
        assert "weights" in shapes(model.get_dimensions())  # a fused model's weights are there to be named
    assert not len(t) and not calls and model.training
    assert isinstance(model.blocks[0].attn.core, mt.FusedCore) and torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(before[name], now) and now.device.type == "cpu" for name, now in model.state_dict().items())


def test_a_model_too_large_for_any_machine_has_dimensions_too():
    huge = mt.ModelConfig(vocab=10**6, max_len=10**5, d_model=2**15, n_heads=128, n_layers=3, parts=mt.LLAMA)
    found = shapes(on_meta(lambda: mt.DecoderLM(huge)).get_dimensions(batch=64))
    assert found["weights"] == (64, 128, 10**5, 10**5)


def test_a_layer_used_twice_is_shown_at_both_its_places():
    model = mt.DecoderLM(SMALL)
    model.blocks[2] = model.blocks[0]
    rows = model.get_dimensions(every_layer=True)
    assert [row.path for row in rows].count("blocks.0.ffn") == 2
    assert shapes(rows) == shapes(mt.DecoderLM(SMALL).get_dimensions(every_layer=True))


@pytest.mark.usefixtures("shapes_unchecked")
def test_sizes_that_cannot_be_get_one_clear_line():
    model = mt.Transformer(SMALL, n_classes=2)
    for call, message in {
        lambda: model.get_dimensions(0): "B=0 must be a whole number of at least 1",
        lambda: model.get_dimensions(length=2.5): "T=2.5 must be a whole number",
        lambda: model.get_dimensions(length=10): "ids holds 10 positions; this model's table ends at max_len=9",
        lambda: mt.DecoderLM(SMALL).get_dimensions(memory_length=3): "cross=False and memory is given",
    }.items():
        with pytest.raises(ValueError, match=message):
            call()
