"""Generating in steps with kept keys and values equals one full pass."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt

pytestmark = pytest.mark.ch06


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 8), max_size=4), G=st.sampled_from([1, 2, 4]))
def test_cached_steps_equal_the_full_causal_pass_for_any_split(cuts, G):
    attn = mt.MultiHeadAttention(16, 4, n_kv_heads=G).double().eval()
    x = torch.randn(2, 9, 16, dtype=torch.float64)
    full = attn(x, keep=mt.causal_keep(9))
    cache, edges = mt.KVCache(), sorted({0, 9, *cuts})
    parts = [attn(x[:, a:b], keep=mt.causal_keep(b - a, b), cache=cache) for a, b in zip(edges, edges[1:])]
    assert_close(torch.cat(parts, dim=1), full, atol=1e-10, rtol=0)
    assert len(cache) == 9


def test_a_cache_of_cross_attention_does_not_grow():
    attn, cache = mt.MultiHeadAttention(16, 4).eval(), mt.KVCache()
    x, memory = torch.randn(2, 3, 16), torch.randn(2, 5, 16)
    first = attn(x, memory, cache=cache)
    assert_close(attn(x, memory, cache=cache), first, atol=1e-5, rtol=0)
    assert len(cache) == 5
