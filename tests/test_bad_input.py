"""A wrong argument gets one clear line: which, what it was, what it must be."""

import pytest
import torch

import mtlib as mt

pytestmark = [pytest.mark.ch06, pytest.mark.usefixtures("shapes_unchecked")]

attn = mt.MultiHeadAttention(8, 2)
encoder = mt.Encoder(mt.ModelConfig(vocab=10, max_len=4, d_model=8, n_heads=2, n_layers=1))
x = torch.zeros(2, 3, 8)
sizes = {"vocab": 10, "max_len": 4, "d_model": 8, "n_heads": 2, "n_layers": 1}

CASES = {
    "heads that do not divide": (lambda: mt.MultiHeadAttention(10, 3), "d_model=10 does not split into n_heads=3"),
    "groups that do not divide": (lambda: mt.MultiHeadAttention(8, 4, n_kv_heads=3), "n_heads=4 query heads cannot share n_kv_heads=3"),
    "no heads": (lambda: mt.MultiHeadAttention(8, 0), "n_heads=0 must be a whole number of at least 1"),
    "half a head": (lambda: mt.MultiHeadAttention(8, 2.0), "n_heads=2.0 must be a whole number"),
    "dropout of one": (lambda: mt.MultiHeadAttention(8, 2, dropout=1.0), r"dropout=1.0 must be a probability in \[0, 1\)"),
    "two axes": (lambda: attn(x[0]), r"x has shape \(3, 8\); it must be \(B, T, 8\)"),
    "a wrong width": (lambda: attn(x[..., :5]), r"x has shape \(2, 3, 5\); it must be \(B, T, 8\)"),
    "ids for vectors": (lambda: attn(x.long()), "x is torch.int64 and the weights are torch.float32"),
    "doubles": (lambda: attn(x.double()), "x is torch.float64 and the weights are torch.float32"),
    "a list": (lambda: attn([1, 2]), r"x is a list; it must be a torch tensor of shape \(B, T, 8\)"),
    "a float mask": (lambda: attn(x, keep=torch.ones(3, 3)), "keep is torch.float32; it must be torch.bool, where True means may look"),
    "a mask that does not fit": (lambda: attn(x, keep=mt.causal_keep(4)), r"keep has shape \(4, 4\); it must broadcast to the scores, \(2, 2, 3, 3\)"),
    "a context of another width": (lambda: attn(x, torch.zeros(2, 5, 7)), r"context has shape \(2, 5, 7\); it must be \(B, T, 8\)"),
    "a context of another batch": (lambda: attn(x, torch.zeros(1, 5, 8)), "x is a batch of 2 and context of 1"),
    "another device": (lambda: attn(x.to("meta")), "x is on meta and the weights are on cpu"),
    "more queries than keys": (lambda: mt.causal_keep(5, 3), "T_q=5 queries cannot be the last of T_k=3 positions"),
    "no queries": (lambda: mt.causal_keep(0), "T_q=0 must be a whole number of at least 1"),
    "ids that are not a batch": (lambda: mt.padding_keep(torch.zeros(3).long(), 0), r"ids has shape \(3,\); it must be \(B, T_k\)"),
    "columns that do not split": (lambda: mt.split_heads(x, 3), "x has 8 columns, which do not split into n_heads=3"),
    "a longer text": (lambda: encoder(torch.zeros(1, 5).long()), "ids holds 5 positions; this model's table ends at max_len=4"),
    "an unknown id": (lambda: encoder(torch.tensor([[3, 10]])), "ids runs from 3 to 10; ids must lie in 0…9"),
    "float ids": (lambda: encoder(torch.zeros(1, 3)), "ids is torch.float32; token ids must be torch.int64"),
    "one row of ids": (lambda: encoder(torch.zeros(3).long()), r"ids has shape \(3,\); it must be \(B, T\)"),
    "an unknown placement": (lambda: mt.Parts(placement="middle"), "placement='middle' must be one of: pre, post"),
    "a negative eps": (lambda: mt.ModelConfig(**sizes, norm_eps=-1.0), "norm_eps=-1.0 must be above 0"),
    "a config whose heads do not divide": (lambda: mt.ModelConfig(**{**sizes, "n_heads": 3}), "d_model=8 does not split into n_heads=3"),
    "a cache of another batch": (lambda: _reuse_cache(), "start a new cache for a new batch"),
    "a cache of another memory": (lambda: _cache_of_another_memory(), "a batch of 2 and 5 positions, context has 1 and 5: start a new"),
    "one cache for both kinds": (lambda: _cache_of_both_kinds(), "this cache serves self-attention; give cross-attention one of its own"),
    "a core with no twin": (lambda: _core_of_its_own(), "the model has a core of its own, Own, with no FusedCore twin"),
    "a norm of another width": (lambda: mt.LayerNorm(4)(torch.zeros(2, 1)), r"x has shape \(2, 1\); its last axis must be d_model=4"),
    "zero heads to split": (lambda: mt.split_heads(x, 0), "n_heads=0 must be a whole number of at least 1"),
    "true heads": (lambda: mt.MultiHeadAttention(8, True), "n_heads=True must be a whole number"),
}


def _reuse_cache():
    cache = mt.KVCache()
    attn(x, cache=cache)
    attn(x[:1], cache=cache)


def _cache_of_another_memory():
    cache = mt.KVCache()
    attn(x, torch.zeros(2, 5, 8), cache=cache)
    attn(x[:1], torch.zeros(1, 5, 8), cache=cache)


def _cache_of_both_kinds():
    cache = mt.KVCache()
    attn(x, cache=cache)
    attn(x, torch.zeros(2, 5, 8), cache=cache)


def _core_of_its_own():
    class Own(mt.ExplicitCore):
        pass

    model = mt.MultiHeadAttention(8, 2)
    model.core = Own()
    mt.use_fused(model)


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_one_clear_line(case):
    call, message = CASES[case]
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
