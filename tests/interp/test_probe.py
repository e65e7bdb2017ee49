"""The ridge probe is the minimum of its own formula."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt
from mtlib import interp


@settings(max_examples=40, deadline=None)
@given(N=st.integers(1, 9), D=st.integers(1, 5), C=st.integers(1, 3), strength=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_the_gradient_of_its_objective_is_zero_at_the_answer(N, D, C, strength, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(N, D, dtype=torch.float64, generator=generator)
    y = torch.randn(N, C, dtype=torch.float64, generator=generator)
    w = interp.ridge_probe(x, y, strength).requires_grad_()
    objective = (x @ w - y).square().sum() + strength * w.square().sum()
    (gradient,) = torch.autograd.grad(objective, w)  # convex: where this is zero is the minimum
    assert gradient.abs().max() < 1e-8 * max(1.0, strength)


def test_with_strength_0_it_finds_a_planted_map_and_with_more_it_shrinks():
    x, planted = torch.randn(50, 6, dtype=torch.float64), torch.randn(6, 2, dtype=torch.float64)
    assert_close(interp.ridge_probe(x, x @ planted, 0.0), planted)
    norms = [interp.ridge_probe(x, x @ planted, s).norm() for s in (0.0, 1.0, 10.0, 1e6)]
    assert norms == sorted(norms, reverse=True) and norms[-1] < 1e-3


def test_it_reads_a_nearly_dependent_x_that_the_normal_equations_cannot():
    x = torch.randn(40, 2, dtype=torch.float64)
    x[:, 1] = x[:, 0] + 1e-7 * x[:, 1]
    planted = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    assert_close(interp.ridge_probe(x, x @ planted, 0.0), planted, atol=1e-6, rtol=0)


def test_it_reads_the_token_before_from_the_stream_of_a_model(make):
    """What layer 0's attention can only have brought there is readable after it and not before."""
    model, ids = make(parts=mt.Parts(position="rotary")), torch.randint(0, 11, (200, 3))
    stream = interp.residual_stream(model, ids)[:, :, 1:2].flatten(1, 2)
    before = torch.nn.functional.one_hot(ids[:, :1].flatten(), 11).double()

    def accuracy(x):
        w = interp.ridge_probe(x[:150], before[:150], 1.0)
        return ((x[150:] @ w).argmax(-1) == before[150:].argmax(-1)).double().mean().item()

    assert accuracy(stream[0]) < 0.25 < accuracy(stream[1])


@pytest.mark.parametrize(
    "x, y, strength, message",
    [
        (torch.zeros(3), torch.zeros(3, 1), 1.0, r"x has shape \(3,\) and y \(3, 1\); they must be \(N, D\) and \(N, C\)"),
        (torch.zeros(3, 2), torch.zeros(4, 1), 1.0, r"x has shape \(3, 2\) and y \(4, 1\)"),
        (torch.zeros(3, 2), torch.zeros(3, 1), -1.0, "strength=-1.0 must be at least 0"),
        (torch.zeros(3, 2), torch.zeros(3, 1), float("nan"), "strength=nan must be at least 0"),
        ([1.0], torch.zeros(3, 1), 1.0, r"x is a list; it must be a torch tensor of shape \(N, D\)"),
    ],
)
def test_bad_input_gets_one_clear_line(shapes_unchecked, x, y, strength, message):
    with pytest.raises((ValueError, TypeError), match=message):
        interp.ridge_probe(x, y, strength)
