"""Pooling and heads: what is padding changes nothing, and the rest is its formula."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.testing import assert_close

import mtlib as mt

D = 6
POOLS = [mt.FirstPool(), mt.MeanPool(), mt.MaxPool(), mt.AttentionPool(D).double()]
EACH = pytest.mark.parametrize("pool", POOLS, ids=lambda pool: type(pool).__name__)
torch.nn.init.ones_(POOLS[3].query)


@EACH
@settings(max_examples=30, deadline=None)
@given(keep=st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=3), big=st.sampled_from([1e4, -1e4]))
def test_what_stands_in_padding_changes_nothing(pool, keep, big):
    keep = torch.tensor(keep)
    x = torch.randn(*keep.shape, D, dtype=torch.float64)
    full = pool(torch.where(keep[..., None], x, big), keep)
    assert_close(full, pool(torch.where(keep[..., None], x, 0.0), keep), atol=1e-12, rtol=0)
    assert full.isfinite().all() and (full[~keep.any(dim=1)] == 0).all()  # nothing kept pools to zero


@EACH
def test_keeping_all_is_keeping_none_back(pool):
    x = torch.randn(2, 5, D, dtype=torch.float64)
    assert_close(pool(x, torch.ones(2, 5, dtype=torch.bool)), pool(x), atol=1e-12, rtol=0)


@EACH
def test_padding_gets_no_gradient(pool):
    x = torch.randn(1, 4, D, dtype=torch.float64, requires_grad=True)
    pool(x, torch.tensor([[True, True, False, False]])).sum().backward()
    assert (x.grad[:, 2:] == 0).all() and x.grad[:, :2].any()


def test_each_pool_is_what_its_name_says():
    x = torch.randn(2, 5, D, dtype=torch.float64)
    first, mean, largest, attention = (pool(x) for pool in POOLS)
    assert torch.equal(first, x[:, 0]) and torch.equal(largest, x.max(dim=1).values)
    assert_close(mean, x.sum(dim=1) / 5)
    assert_close(attention, (x.sum(dim=-1, keepdim=True).softmax(dim=1) * x).sum(dim=1))


def test_attention_pooling_starts_as_the_mean_and_shows_its_weights():
    pool, x = mt.AttentionPool(D), torch.randn(2, 5, D)
    with mt.trace(pool) as t:
        assert_close(pool(x), x.mean(dim=1))
    assert_close(t["weights"], torch.full((2, 5), 0.2))


def test_the_masked_token_head_is_berts_formula_and_its_table_stays_outside():
    head, table, x = mt.MaskedTokenHead(9, D).double(), torch.randn(9, D).double(), torch.randn(2, 3, D).double()
    torch.nn.init.normal_(head.bias)
    hidden = F.layer_norm(F.gelu(head.dense(x)), (D,), head.norm.weight, head.norm.bias, head.norm.eps)
    assert_close(head(x, table), hidden @ table.T + head.bias, atol=1e-12, rtol=0)
    assert head.state_dict().keys() == {"bias", "dense.weight", "dense.bias", "norm.weight", "norm.bias"}


def test_contrastive_vectors_have_length_one_and_their_product_is_the_cosine():
    head, x = mt.ContrastiveHead(D, 4).double(), torch.randn(3, 5, D).double()
    vectors, plain = head(x), x.mean(dim=1) @ head.proj.weight.T
    assert_close(vectors.norm(dim=-1), torch.ones(3).double())
    assert_close(vectors @ vectors.T, F.cosine_similarity(plain[:, None], plain[None], dim=-1))
    assert_close(mt.ContrastiveHead(D, 4, pool=mt.FirstPool()).double()(x).norm(dim=-1), torch.ones(3).double())
