"""A wrong argument gets one clear line: which, what it was, what it must be."""

import pytest
import torch

import mtlib as mt

pytestmark = [pytest.mark.ch06, pytest.mark.usefixtures("shapes_unchecked")]

attn = mt.MultiHeadAttention(8, 2)
sizes = {"vocab": 10, "max_len": 4, "d_model": 8, "n_heads": 2, "n_layers": 1}
config = mt.ModelConfig(**sizes)
encoder, model, crossing = mt.Encoder(config), mt.DecoderLM(config), mt.DecoderLM(config, cross=True)
classifier, translator = mt.Transformer(config, n_classes=2), mt.EncoderDecoder(config)
x, ids, heads = torch.zeros(2, 3, 8), torch.zeros(2, 3, dtype=torch.int64), torch.zeros(1, 2, 3, 4)
real, keep = torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 1, 1, 3, dtype=torch.bool)

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
    "no memory": (lambda: crossing(ids), "cross=True and memory is missing; they must agree"),
    "a memory nobody looks at": (lambda: model(ids, memory=x), "cross=False and memory is given"),
    "a mask of no memory": (lambda: model(ids, memory_keep=keep), "memory_keep is given and memory is not"),
    "a memory of another width": (lambda: crossing(ids, memory=x[..., :5]), r"memory has shape \(2, 3, 5\); it must be \(B, T, 8\)"),
    "a memory of another batch": (lambda: crossing(ids, memory=x[:1]), "memory is a batch of 1 and x or ids of 2"),
    "a memory of doubles": (lambda: crossing(ids, memory=x.double()), "memory is torch.float64 and the weights are torch.float32"),
    "a mask of another memory": (lambda: crossing(ids, memory=x, memory_keep=keep[..., :2]), r"memory_keep has shape \(2, 1, 1, 2\); it must broadcast"),
    "a cache of another model": (lambda: model(ids, cache=mt.ModelCache(3)), "the cache is for 3 layers and the model has 1"),
    "a layer's cache for a model's": (lambda: model(ids, cache=mt.KVCache()), "cache is a KVCache; it must be a ModelCache"),
    "a mask on another device": (lambda: model(ids, keep.to("meta")), "keep is on meta and the scores are on cpu"),
    "no ids": (lambda: model(ids[:, :0]), r"ids has shape \(2, 0\); there must be at least one position"),
    "a classifier's square mask": (lambda: classifier(ids, keep.expand(2, 1, 3, 3)), r"keep has shape \(2, 1, 3, 3\); it must be \(2, 1, 1, 3\)"),
    "sources and targets of unequal number": (lambda: translator(ids, ids[:1]), "source is a batch of 2 and inputs of 1"),
    "a source that is not ids": (lambda: translator(x, ids), "source is torch.float32; token ids must be torch.int64"),
    "sides of unequal width": (lambda: _sides_of_unequal_width(), "the source has d_model=8 and the target 16"),
    "an odd width to turn": (lambda: mt.Rotary(5), "d_head=5 must be even: columns come in pairs"),
    "heads of another width": (lambda: mt.Rotary(4).turn(torch.zeros(1, 2, 3, 6)), r"x has shape \(1, 2, 3, 6\); it must be \(B, H, T, 4\)"),
    "too many patches": (lambda: mt.Grid(2, 2, 8)(torch.zeros(1, 5, 8)), "x holds 5 patches; the grid has 2 × 2"),
    "a bias for other heads": (lambda: mt.ALiBi(4).bias(heads, heads), "q has 2 heads; this bias is made for n_heads=4"),
    "three heads for ALiBi": (lambda: mt.ALiBi(3), "n_heads=3 must be a power of two"),
    "keys of another width": (lambda: mt.FusedCore()(heads, heads[..., :3], heads), "k has shape .* only its positions, axis -2, may differ"),
    "fewer values than keys": (lambda: mt.ExplicitCore()(heads, heads, heads[:, :, :2]), "v has shape .* only its width, axis -1, may differ"),
    "another vocabulary's table": (lambda: mt.MaskedTokenHead(10, 8)(x, torch.zeros(9, 8)), r"table has shape \(9, 8\); it must be the token table"),
    "a mask of other tokens": (lambda: mt.AttentionPool(8)(x, real[:, :2]), r"keep has shape \(2, 2\); it must be \(B, T\) = \(2, 3\)"),
    "a float mask of tokens": (lambda: mt.MeanPool()(x, real.float()), "keep is torch.float32; it must be torch.bool, where True means a real token"),
    "a config that is none": (lambda: mt.Decoder(8), "config is a int; it must be a ModelConfig"),
    "a pool that is none": (lambda: mt.Transformer(config, n_classes=2, pool="mean"), "pool is a str; it must be a Module"),
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


def _sides_of_unequal_width():
    mt.EncoderDecoder(config, mt.ModelConfig(**{**sizes, "d_model": 16}))


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
