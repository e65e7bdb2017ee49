"""The position-wise networks against their formulas and transformers' Llama."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

import mtlib as mt
from mtlib.config import FFN
from mtlib.parts import FFNS

PLAIN = {
    "relu": lambda a: a.clamp(min=0),
    "gelu": lambda a: a * (1 + torch.erf(a / 2**0.5)) / 2,
    "gelu-tanh": lambda a: a * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (a + 0.044715 * a**3))) / 2,
    "silu": lambda a: a / (1 + torch.exp(-a)),
    "tanh": torch.tanh,
    "sigmoid": lambda a: 1 / (1 + torch.exp(-a)),
}
GATES = {"swiglu": "silu", "geglu": "gelu", "geglu-tanh": "gelu-tanh", "reglu": "relu"}


def test_every_word_of_a_config_is_built_and_tested_here():
    assert set(FFN.__args__) == set(FFNS) == PLAIN.keys() | GATES.keys()


@pytest.mark.parametrize("word", FFN.__args__)
@pytest.mark.parametrize("bias", [True, False])
def test_each_is_its_formula(word, bias):
    ffn = FFNS[word](6, 10, bias=bias).double()
    x = torch.randn(2, 3, 6, dtype=torch.float64)
    into, out = ffn.w_in(x), ffn.w_out
    hidden = PLAIN[word](into) if word in PLAIN else PLAIN[GATES[word]](ffn.w_gate(x)) * into
    assert_close(ffn(x), out(hidden), atol=1e-10, rtol=0)
    maps = 2 if word in PLAIN else 3
    assert sum(p.numel() for p in ffn.parameters()) == maps * 60 + (16 + 10 * (maps - 2) if bias else 0)


def test_the_gated_network_equals_llamas():
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaMLP

    theirs = LlamaMLP(LlamaConfig(hidden_size=6, intermediate_size=10, num_attention_heads=2)).double()
    ours = mt.GatedFeedForward(6, 10).double()
    names = {"gate_proj": "w_gate", "up_proj": "w_in", "down_proj": "w_out"}
    ours.load_state_dict({n.replace(a := n.split(".")[0], names[a]): t for n, t in theirs.state_dict().items()})
    x = torch.randn(2, 3, 6, dtype=torch.float64)
    assert_close(ours(x), theirs(x), atol=1e-10, rtol=0)


@pytest.mark.parametrize("ffn", [mt.FeedForward(6, 10), mt.GatedFeedForward(6, 10)], ids=lambda f: type(f).__name__)
def test_every_position_is_on_its_own_and_the_hidden_values_can_be_seen(ffn):
    x = torch.randn(2, 5, 6)
    alone = torch.cat([ffn(x[:, t : t + 1]) for t in range(5)], dim=1)
    with mt.trace(ffn) as t:
        assert_close(ffn(x), alone, atol=1e-6, rtol=0)
    assert t["hidden"].shape == (2, 5, 10)


def test_any_function_will_do_as_an_activation():
    ffn = mt.FeedForward(6, 10, activation=F.elu)
    x = torch.randn(1, 2, 6)
    assert_close(ffn(x), ffn.w_out(F.elu(ffn.w_in(x))))
