import pytest
import torch

import mtlib as mt

pytestmark = pytest.mark.ch06


@pytest.mark.parametrize("T_q, T_k", [(1, 1), (1, 5), (3, 5), (4, 4)])
def test_a_query_sees_itself_and_everything_earlier(T_q, T_k):
    keep = mt.causal_keep(T_q, T_k)
    for i in range(T_q):
        own = T_k - T_q + i  # the queries are the last T_q positions
        assert keep[i].tolist() == [j <= own for j in range(T_k)]


def test_causal_and_padding_combine():
    ids = torch.tensor([[9, 4, 9], [4, 4, 4]])
    keep = mt.causal_keep(3) & mt.padding_keep(ids, pad=9)
    assert keep.shape == (2, 1, 3, 3)
    assert keep[0, 0].int().tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert torch.equal(keep[1, 0], mt.causal_keep(3))


def test_the_mask_of_torchs_is_causal_flag_stands_at_the_wrong_side_for_a_cache():
    q, k, v = (torch.randn(1, 1, T, 4) for T in (2, 5, 5))
    flagged = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert not torch.allclose(flagged, mt.FusedCore()(q, k, v, mt.causal_keep(2, 5)))
    top_left = torch.ones(2, 5, dtype=torch.bool).tril()
    torch.testing.assert_close(flagged, mt.FusedCore()(q, k, v, top_left))
