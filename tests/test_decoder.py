"""Generating in steps equals one full pass, for every decoder a config can name; memory and its cache."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt
from mtlib.config import FFN, Norm, Placement, Scheme

V, D, H, MAX = 11, 16, 4, 16
WORDS = st.fixed_dictionaries({
    "norm": st.sampled_from(Norm.__args__),
    "ffn": st.sampled_from(FFN.__args__),
    "position": st.sampled_from(Scheme.__args__),
    "placement": st.sampled_from(Placement.__args__),
})
CUTS = st.lists(st.integers(1, 8), max_size=5)
ANY = given(words=WORDS, G=st.sampled_from([1, 2, 4]), cuts=CUTS, fused=st.booleans(), seed=st.integers(0, 999))
OFTEN = settings(max_examples=25, deadline=None)


def build(kind, parts, G=4, fused=False, **more):
    config = mt.ModelConfig(vocab=V, max_len=MAX, d_model=D, n_heads=H, n_kv_heads=G, n_layers=2, d_ff=20, parts=parts)
    model = kind(config, **more).double().eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p), alpha=0.2)
    return mt.use_fused(model) if fused else model


def pieces(T, cuts):
    edges = sorted({0, T, *cuts})
    return list(zip(edges, edges[1:]))


@OFTEN
@ANY
def test_a_language_model_in_pieces_equals_the_whole(words, G, cuts, fused, seed):
    torch.manual_seed(seed)
    model = build(mt.DecoderLM, mt.Parts(**words), G, fused)
    ids, keep = torch.randint(V, (2, 9)), torch.rand(2, 1, 1, 9) > 0.3  # some keys are not to be seen
    cache, out = model.new_cache(), []
    for start, end in pieces(9, cuts):
        out.append(model(ids[:, start:end], keep[..., :end], cache=cache))
        assert len(cache) == end
    assert_close(torch.cat(out, dim=1), model(ids, keep), atol=1e-10, rtol=0)


@OFTEN
@ANY
def test_a_translator_in_pieces_equals_the_whole(words, G, cuts, fused, seed):
    torch.manual_seed(seed)
    model = build(mt.EncoderDecoder, mt.Parts(**words), G, fused)
    source, keep, inputs = torch.randint(V, (2, 5)), torch.rand(2, 1, 1, 5) > 0.3, torch.randint(V, (2, 9))
    cache, out = model.new_cache(), []
    for start, end in pieces(9, cuts):
        out.append(model(source, inputs[:, start:end], keep, cache=cache))
    assert_close(torch.cat(out, dim=1), model(source, inputs, keep), atol=1e-10, rtol=0)


def test_the_source_is_read_once():
    model = build(mt.EncoderDecoder, mt.ORIGINAL)
    source, cache = torch.randint(V, (1, 5)), model.new_cache()
    with mt.trace(model) as t:
        for token in range(3):
            model(source, torch.tensor([[token]]), cache=cache)
    assert len(t.all("encoder")) == len(t.all("decoder.blocks.0.cross_attn.k_proj")) == 1
    assert len(t.all("decoder.blocks.0.attn.k_proj")) == 3


def test_two_texts_take_two_caches_and_do_not_meet():
    model = build(mt.DecoderLM, mt.LLAMA)
    one, two = torch.randint(V, (2, 1, 6))
    caches = model.new_cache(), model.new_cache()
    for t in range(6):
        for ids, cache in (one, caches[0]), (two, caches[1]):
            last = model(ids[:, t : t + 1], cache=cache)
    assert_close(last, model(two)[:, -1:], atol=1e-10, rtol=0)


def test_the_target_sees_all_of_a_memory_and_the_memory_matters():
    model = build(mt.DecoderLM, mt.GPT2, cross=True)
    ids, memory = torch.randint(V, (1, 3)), torch.randn(1, 5, D, dtype=torch.float64)
    for s in range(5):
        other = memory.clone()
        other[:, s] += 1
        assert (model(ids, memory=other) - model(ids, memory=memory)).abs().amax(dim=-1).min() > 1e-6
        hidden = torch.arange(5) != s
        kept = [model(ids, memory=m, memory_keep=hidden) for m in (memory, other)]
        assert torch.equal(*kept)


def test_a_text_may_grow_past_the_table_only_without_one():
    long = torch.randint(V, (1, MAX + 5))
    for scheme in "none", "sinusoidal", "rotary", "rotary-halves", "t5", "alibi":
        model = build(mt.DecoderLM, mt.Parts(position=scheme))
        assert model(long).isfinite().all()
    model = build(mt.DecoderLM, mt.GPT2)
    cache = model.new_cache()
    model(long[:, :MAX], cache=cache)
    with pytest.raises(ValueError, match=f"table ends at max_len={MAX}"):
        model(long[:, MAX:], cache=cache)
