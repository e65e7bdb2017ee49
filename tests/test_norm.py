"""RMSNorm against torch's, and what both norms promise. LayerNorm against torch's is in test_encoder.py."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

import mtlib as mt


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_rms_norm_equals_torchs_in_values_and_gradients(dtype, tolerance):
    x = (torch.randn(3, 4, 16, dtype=dtype) * 5 + 1).requires_grad_()
    ours, theirs = mt.RMSNorm(16, eps=1e-3).to(dtype), nn.RMSNorm(16, eps=1e-3, dtype=dtype)
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    assert_close(ours(x), theirs(x), atol=tolerance, rtol=0)
    cotangent = torch.randn_like(x)
    mine, their = (torch.autograd.grad(norm(x), [x, norm.weight], cotangent) for norm in (ours, theirs))
    for a, b in zip(mine, their):
        assert_close(a, b, atol=10 * tolerance, rtol=0)


@pytest.mark.parametrize("norm", [mt.LayerNorm(8).double(), mt.RMSNorm(8).double()], ids=lambda n: type(n).__name__)
@settings(max_examples=30, deadline=None)
@given(scale=st.floats(10, 1e6), seed=st.integers(0, 99))
def test_the_size_of_what_came_in_is_forgotten(norm, scale, seed):
    torch.manual_seed(seed)
    x = torch.randn(2, 8, dtype=torch.float64) * 10
    assert_close(norm(scale * x), norm(x), atol=1e-5, rtol=0)


def test_layer_norm_forgets_the_mean_too_and_rms_norm_does_not():
    x = torch.randn(2, 8)
    assert_close(mt.LayerNorm(8)(x + 3), mt.LayerNorm(8)(x), atol=1e-5, rtol=0)
    assert (mt.RMSNorm(8)(x + 3) - mt.RMSNorm(8)(x)).abs().max() > 0.1


def test_a_row_of_zeros_stays_finite():
    for norm in mt.LayerNorm(4), mt.RMSNorm(4):
        x = torch.zeros(1, 4, requires_grad=True)
        norm(x).sum().backward()
        assert x.grad.isfinite().all()
