"""The table of parameters: each counted once, each by its closed form too."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from torch import nn

import mtlib as mt

from .any_config import any_config

SMALL = mt.ModelConfig(vocab=11, max_len=9, d_model=12, n_heads=3, n_layers=3, d_ff=20)


def on_meta(build):
    with torch.device("meta"):
        return build()


def foot(table):
    return {row.path: (row.measured, row.closed_form) for row in table.foot}


@settings(max_examples=12, deadline=None)
@given(any_config())
def test_measured_equals_closed_form_in_all_three_models(make_config):
    config = make_config()
    build = lambda: [mt.Transformer(config, n_classes=3), mt.DecoderLM(config), mt.EncoderDecoder(config)]  # noqa: E731
    for model in on_meta(build):
        table, n = model.params(), sum(p.numel() for p in model.parameters())
        assert foot(table)["total"] == (n, n) == (sum(r.measured for r in table), sum(r.closed_form for r in table))
        assert len(model.params(every_layer=True)) == len(list(model.parameters()))
        assert all(measured == closed for measured, closed in foot(table).values())


def test_every_row_holds_a_parameter_in_letters_and_numbers():
    rows = {row.path: row for row in mt.DecoderLM(replace(SMALL, n_kv_heads=1)).params()}
    assert rows["tok.weight"][1:] == ("V D", (11, 12), 132, 132)
    assert rows["blocks.0.attn.q_proj.weight"][1:] == ("H·E D", (12, 12), 144, 144)
    assert rows["blocks.0.attn.k_proj.weight"][1:] == ("G·E D", (4, 12), 48, 48)
    assert rows["blocks.0.attn.k_proj.bias"][1:] == ("G·E", (4,), 4, 4)
    assert rows["blocks.0.ffn.w_out.weight"][1:] == ("D F", (12, 20), 240, 240)
    one_block = sum(row.measured for path, row in rows.items() if path.startswith("blocks.0."))
    assert rows["blocks.1…2"].measured == 2 * one_block


def test_a_table_that_serves_twice_counts_once_and_is_said_to():
    tied = mt.DecoderLM(SMALL).params()
    assert "head is tok.weight, read the other way round: counted once" in tied.notes
    assert foot(tied)["head"] == (0, 0)
    shared = mt.EncoderDecoder(SMALL).params()
    assert foot(shared)["embedding"] == (132, 132)
    assert "decoder.tok.weight is encoder.tok.weight: one parameter, counted once" in shared.notes
    untied = replace(SMALL, parts=replace(SMALL.parts, tied=False))
    assert not any("once" in note for note in mt.DecoderLM(untied).params().notes)
    assert foot(mt.EncoderDecoder(SMALL, replace(SMALL, vocab=5)).params())["embedding"] == (132 + 60,) * 2


class Own(nn.Module):
    """A reader's own FFN, of which the config knows nothing."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(12, 12)

    def forward(self, x):
        return self.mix(x)


def test_a_module_of_your_own_has_no_closed_form_and_the_rest_keeps_its_own():
    model = mt.DecoderLM(SMALL)
    model.blocks[1].ffn = Own()
    table = model.params()
    row = next(row for row in table if row.path == "blocks.1.ffn.mix.weight")
    assert row[1:] == ("", (12, 12), 144, None)
    sums = foot(table)
    assert sums["ffn"] == (2 * (12 * 20 + 20 + 20 * 12 + 12) + 156, None) and sums["total"][1] is None
    assert sums["attention"][0] == sums["attention"][1] > 0


def test_a_pool_that_learns_has_a_line_of_its_own():
    sums = foot(mt.Transformer(SMALL, n_classes=2, pool=mt.AttentionPool(12)).params())
    assert sums["pool"] == (12, 12) and sums["total"][0] == sums["total"][1]


@pytest.mark.parametrize("change", [
    lambda model: model.blocks[0].norm1.register_parameter("bias", None),
    lambda model: model.blocks[0].attn.register_parameter("extra", nn.Parameter(torch.zeros(3))),
])  # fmt: skip
def test_a_count_that_disagrees_with_the_config_is_an_error(change):
    model = mt.DecoderLM(SMALL)
    change(model)
    with pytest.raises(ValueError, match=r"(norms|attention): the model has \d+ parameters and its config gives \d+"):
        model.params()
