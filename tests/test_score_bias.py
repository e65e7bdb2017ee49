"""Biases on the scores: ALiBi against its formula, T5's buckets against transformers'."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt
from mtlib.score_bias import relative_bucket


@pytest.mark.parametrize("H", [1, 2, 4, 8, 16])
def test_alibi_is_minus_slope_times_distance(H):
    q, k = torch.zeros(1, H, 3, 4, dtype=torch.float64), torch.zeros(1, H, 5, 4, dtype=torch.float64)
    bias = mt.ALiBi(H).bias(q, k)
    for h in range(H):
        for i in range(3):
            for j in range(5):
                assert bias[h, i, j].item() == pytest.approx(-(2 ** (-8 * (h + 1) / H)) * abs(j - (i + 2)), rel=1e-12)


@settings(max_examples=100, deadline=None)
@given(
    offset=st.lists(st.integers(-3000, 3000), min_size=1, max_size=20),
    n_buckets=st.sampled_from([4, 8, 32, 64]),
    max_distance=st.sampled_from([64, 128, 500]),
    bidirectional=st.booleans(),
)
def test_buckets_equal_transformers(offset, n_buckets, max_distance, bidirectional):
    from transformers.models.t5.modeling_t5 import T5Attention

    offset = torch.tensor(offset)
    wanted = T5Attention._relative_position_bucket(offset, bidirectional, n_buckets, max_distance)
    assert relative_bucket(offset, n_buckets, max_distance, bidirectional).tolist() == wanted.tolist()


def test_all_near_distances_of_both_signs_equal_transformers():
    from transformers.models.t5.modeling_t5 import T5Attention

    offset = torch.arange(-300, 301)  # every bucket's edge is in here
    for both in True, False:
        assert torch.equal(relative_bucket(offset, bidirectional=both), T5Attention._relative_position_bucket(offset, both))


def test_a_learned_bias_is_its_buckets_row_in_each_heads_column():
    scheme = mt.RelativeBias(2)
    with torch.no_grad():
        scheme.weight.normal_()
    q, k = torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 5, 4)
    bias = scheme.bias(q, k)
    assert bias.shape == (2, 3, 5)
    for i in range(3):
        for j in range(5):
            assert torch.equal(bias[:, i, j], scheme.weight[relative_bucket(torch.tensor(j - i - 2))])


@pytest.mark.parametrize("scheme", [mt.RelativeBias(2), mt.ALiBi(2)], ids=lambda s: type(s).__name__)
def test_with_a_cache_the_queries_are_the_last_positions(scheme):
    q = torch.zeros(1, 2, 6, 4)
    assert_close(scheme.bias(q[:, :, 4:], q), scheme.bias(q, q)[:, 4:])


def test_a_decoders_buckets_all_look_back():
    table = relative_bucket(torch.arange(-200, 1), bidirectional=False)
    assert table.unique().numel() == 32 and table[-1] == 0
    assert (relative_bucket(torch.arange(0, 50), bidirectional=False) == 0).all()
