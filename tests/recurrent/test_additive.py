"""Additive attention against its formula, key by key, and what it does with nothing to look at."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt
from mtlib.recurrent import AdditiveAttention


def close(a, b):
    assert_close(a, b, atol=1e-10, rtol=0)


@settings(max_examples=25, deadline=None)
@given(B=st.integers(1, 3), T=st.integers(1, 5), scale=st.sampled_from([1.0, 1e3]), seed=st.integers(0, 99))
def test_additive_attention_is_its_formula_under_any_keep(B, T, scale, seed):
    torch.manual_seed(seed)
    attention = AdditiveAttention(4, 3, 5).double()
    with torch.no_grad():
        attention.v.mul_(scale)
    query, keys = torch.randn(B, 4).double(), torch.randn(B, T, 3).double()
    keep = torch.rand(B, T) > 0.4
    with mt.trace(attention) as t:
        context = attention(query, keys, keep)
    for b in range(B):
        shown = keys[b, keep[b]]  # softmax over the kept keys alone
        scores = torch.tanh(attention.q_proj(query[b]) + attention.k_proj(shown)) @ attention.v
        close(context[b], scores.softmax(0) @ shown)  # of no keys: zeros
        close(t["weights"][b, keep[b]], scores.softmax(0))
    assert (t["weights"][~keep] == 0).all() and (t["scores"][~keep] == float("-inf")).all()


def test_a_query_with_nothing_to_look_at_gets_zeros_and_a_finite_gradient():
    attention, keys = AdditiveAttention(4, 3, 5), torch.randn(2, 4, 3, requires_grad=True)
    context = attention(torch.randn(2, 4), keys, torch.tensor([[False] * 4, [True] * 4]))
    context.sum().backward()
    assert (context[0] == 0).all() and (keys.grad[0] == 0).all()
    assert all(p.grad.isfinite().all() for p in attention.parameters())
