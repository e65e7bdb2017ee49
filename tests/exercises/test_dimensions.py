"""What is particular to the exercises on dimensions: the references are what mtlib's own models have and do."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import mtlib as mt
from mtlib.exercises.dimensions import flops, merge, parameters, shapes


@pytest.mark.parametrize("sizes", [(1, 100, 3000, 128, 8, 512, 2), (3, 7, 11, 12, 4, 5, 6)])
def test_the_shapes_are_those_of_a_traced_run(sizes):
    batch, length, vocab, d_model, n_heads, d_ff, n_classes = sizes
    config = mt.ModelConfig(vocab=vocab, max_len=length, d_model=d_model, n_heads=n_heads, n_layers=1, d_ff=d_ff)
    rows = mt.Transformer(config, n_classes=n_classes).get_dimensions(batch, length)
    traced = {row.name: row.shape for row in rows}
    expected = shapes.reference(*sizes)
    assert {name: traced[name] for name in expected} == expected


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_the_parameters_are_those_of_a_decoder(bias, tied):
    sizes = {"vocab": 11, "max_len": 5, "d_model": 12, "n_heads": 4, "n_layers": 3, "d_ff": 7}
    model = mt.DecoderLM(mt.ModelConfig(**sizes, parts=mt.Parts(bias=bias, tied=tied)))
    counted = parameters.reference(**sizes, bias=bias, tied=tied)
    assert counted["total"] == sum(p.numel() for p in model.parameters())
    assert counted == {row.path: row.measured for row in model.params().foot} | {"head": counted["head"]}


def test_the_operations_are_those_that_torch_counts():
    sizes = {"vocab": 11, "d_model": 12, "n_layers": 3, "d_ff": 7}
    model = mt.use_explicit(mt.DecoderLM(mt.ModelConfig(**sizes, n_heads=4, max_len=9)))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 6, dtype=torch.int64))
    assert flops.reference(**sizes, T=6) == counter.get_total_flops()


def test_what_the_heads_write_adds_up_to_what_attention_puts_out():
    torch.manual_seed(0)
    attn = mt.MultiHeadAttention(12, 4, bias=False)
    with torch.no_grad(), mt.trace(attn) as t:
        out = attn(torch.randn(2, 5, 12))
        each = merge.reference(t["core"], attn.o_proj.weight.T)
    assert each.shape == (2, 4, 5, 12)
    torch.testing.assert_close(each.sum(dim=1), out)
